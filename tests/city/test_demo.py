"""What the demonstration does before and around its day."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from simulator.city.demo import empty, next_monday
from simulator.clock import BEIJING


def test_the_day_is_the_next_monday_and_never_behind_us() -> None:
    for hours in range(0, 24 * 8, 5):
        moment = datetime(2026, 11, 22, 1, tzinfo=UTC) + timedelta(hours=hours)
        monday = next_monday(moment)
        assert moment < monday <= moment + timedelta(days=7)
        assert (monday.astimezone(BEIJING).weekday(), monday.astimezone(BEIJING).hour) == (0, 0)


def test_a_new_day_leaves_nothing_of_the_last_one(tmp_path: Path) -> None:
    stage, database = tmp_path / "demo", tmp_path / "data-1"
    (stage / "postgres").mkdir(parents=True)
    database.mkdir()
    (stage / "postgres" / "lies-in").write_text(str(database), "utf-8")
    empty(stage)
    assert list(tmp_path.iterdir()) == [stage]
    assert list(stage.iterdir()) == []
