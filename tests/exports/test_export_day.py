import csv
import hashlib
import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from beancount import loader
from beancount.core.data import Balance
from click.testing import CliRunner

from payments.exports.commands import export
from payments.exports.files import WholeFile
from payments.exports.flows import export_day
from payments.kernel.database import Database
from payments.kernel.ids import BookId
from payments.ledger import queries
from payments.ledger.queries import BookNotFound
from tests.support.books import METRO, MOVE, NOW, PAID, TILL, open_books, post

MONDAY = date(2026, 11, 23)


def fill(database: Database) -> None:
    """Two days of journals, with names and references that want to be formulas."""
    with database.transaction() as session:
        open_books(session)
        post(session, PAID, "ord_1", 12_345, now=NOW - timedelta(days=1))
        post(session, PAID, '=HYPERLINK("http://x")', 5, metadata={"note": '=1, "二"'})
        post(session, MOVE, "two", 700, giver="cit_1", taker="cit-1")
        post(session, TILL, "three", 100, till="One")
        post(session, PAID, "tomorrow", 1, now=NOW + timedelta(days=1))


def read_csv(path: Path) -> list[list[str]]:
    raw = path.read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(raw.decode("utf-8-sig").splitlines()))


def test_a_day_is_exported_whole(database: Database, tmp_path: Path) -> None:
    fill(database)
    manifest = export_day(database, business_date=MONDAY, directory=tmp_path / "out")
    document = json.loads(manifest.path.read_text("utf-8"))
    assert [file["name"] for file in document["files"]] == [
        "day-book-HZMTRO-2026-11-23.csv",
        "journals-HZMTRO-2026-11-23.jsonl",
        "books-HZMTRO-2026-11-23.beancount",
        "trial-balance-HZMTRO-2026-11-23.csv",
        "day-book-QTPLAT-2026-11-23.csv",
        "journals-QTPLAT-2026-11-23.jsonl",
        "books-QTPLAT-2026-11-23.beancount",
        "trial-balance-QTPLAT-2026-11-23.csv",
        "trial-balance-all-2026-11-23.csv",
    ]
    for file in document["files"]:
        data = (tmp_path / "out" / file["name"]).read_bytes()
        assert hashlib.sha256(data).hexdigest() == file["sha256"]
        assert len(data) == file["size_bytes"]
    assert document["files"][0]["rows"] == 3
    assert document["files"][0]["totals"]["moved_yuan"] == {"CNY": "8.05"}
    assert len(list((tmp_path / "out").iterdir())) == 10


def test_the_day_book_is_safe_to_open(database: Database, tmp_path: Path) -> None:
    fill(database)
    export_day(database, business_date=MONDAY, directory=tmp_path, book_id=METRO)
    heading, first, *_ = read_csv(tmp_path / "day-book-HZMTRO-2026-11-23.csv")
    row = dict(zip(heading, first, strict=True))
    assert row["业务参考号 Reference"] == '\'=HYPERLINK("http://x")'
    assert row["金额(元) Amount (yuan)"] == "0.05"
    assert row["入账时间 Posted at (Asia/Shanghai)"] == "2026-11-23 10:00:00"
    assert row["借方科目 Debit account"] == "assets:due-from:QTPLAT"


def test_the_trial_balance_carries_yesterday_forward(database: Database, tmp_path: Path) -> None:
    fill(database)
    export_day(database, business_date=MONDAY, directory=tmp_path, book_id=METRO)
    rows = {row[1]: row[3:] for row in read_csv(tmp_path / "trial-balance-HZMTRO-2026-11-23.csv")}
    assert rows["assets:due-from:QTPLAT"] == ["123.45", "0.00", "0.05", "0.00", "123.50", "0.00"]
    assert rows["合计 Total"] == ["123.45", "123.45", "8.05", "8.05", "131.50", "131.50"]


def test_json_lines_say_the_same(database: Database, tmp_path: Path) -> None:
    fill(database)
    export_day(database, business_date=MONDAY, directory=tmp_path, book_id=METRO)
    text = (tmp_path / "journals-HZMTRO-2026-11-23.jsonl").read_text("utf-8")
    lines: list[dict[str, Any]] = [json.loads(line) for line in text.splitlines()]
    assert [line["postings"][0]["amount_minor"] for line in lines] == [5, 700, 100]
    assert lines[0]["metadata"] == {"note": '=1, "二"'}


def test_beancount_reads_the_day_and_finds_our_balances(database: Database, tmp_path: Path) -> None:
    """Seen to fail when a leg's sign is dropped, and when the assertions are off by one fen."""
    fill(database)
    export_day(database, business_date=MONDAY, directory=tmp_path, book_id=METRO)
    entries, errors, _ = loader.load_file(str(tmp_path / "books-HZMTRO-2026-11-23.beancount"))
    assert not errors
    with database.read() as session:
        ours = queries.trial_balance(session, book_id=METRO, as_of=MONDAY)
    asserted = [entry for entry in entries if isinstance(entry, Balance)]
    assert len(asserted) == len(ours.rows)
    names = [entry.account for entry in asserted]
    assert "Liabilities:Wallet:Cit-1" in names
    assert len(set(names)) == len(names)


def test_exporting_again_gives_the_same_bytes(database: Database, tmp_path: Path) -> None:
    fill(database)
    first, second = (
        export_day(database, business_date=MONDAY, directory=tmp_path / name)
        for name in ("one", "two")
    )
    assert first.files == second.files


def test_a_file_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    target = tmp_path / "file.csv"

    def write_and_fail() -> None:
        with WholeFile(target) as file:
            file.write("half a row")
            assert not target.exists()
            raise KeyError("disk full")

    with pytest.raises(KeyError):
        write_and_fail()
    assert list(tmp_path.iterdir()) == []


def test_the_command_prints_what_it_wrote(database: Database, tmp_path: Path) -> None:
    fill(database)
    done = CliRunner().invoke(
        export, ["day", "--date", "2026-11-23", "--out", str(tmp_path)], obj=database
    )
    assert done.exit_code == 0, done.output
    assert "day-book-HZMTRO-2026-11-23.csv  3 rows  sha256 " in done.output
    assert f"manifest: {tmp_path / 'manifest-all-2026-11-23.json'}" in done.output


def test_an_unknown_book_leaves_nothing(database: Database, tmp_path: Path) -> None:
    with pytest.raises(BookNotFound):
        export_day(
            database, business_date=MONDAY, directory=tmp_path / "out", book_id=BookId("NOBOOK")
        )
    assert not (tmp_path / "out").exists()
