from pathlib import Path

from payments.kernel.clock import FixedClock
from payments.kernel.database import Database
from tests.host.umbrellas import app_over
from tests.support.books import PAID, open_books, post


def test_flask_export_day_writes_the_files(
    database: Database, clock: FixedClock, tmp_path: Path
) -> None:
    with database.transaction() as session:
        open_books(session)
        post(session, PAID, "ord_1", 500)
    app = app_over(database, clock)
    out = str(tmp_path / "out")
    done = app.test_cli_runner().invoke(
        args=["export", "day", "--date", "2026-11-23", "--out", out, "--book", "HZMTRO"]
    )
    assert done.exit_code == 0, done.output
    assert (tmp_path / "out" / "manifest-HZMTRO-2026-11-23.json").exists()
    wrong = app.test_cli_runner().invoke(
        args=["export", "day", "--date", "2026-11-23", "--out", out, "--book", "NOBOOK"]
    )
    assert (wrong.exit_code, wrong.output) == (1, "Error: There is no such book: NOBOOK\n")
