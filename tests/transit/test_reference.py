"""Wrong data stops the start and says where it is wrong."""

import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from services.transit.reference.rows import DataFault
from services.transit.reference.versions import DATA, read
from services.transit.rules.policies import Policy

EDGES = "networks/2019-01/edges.csv"
STATIONS = "networks/2019-01/stations.csv"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(DATA, tmp_path / "data"))


def replaced(file: Path, old: str, new: str) -> None:
    text = file.read_text("utf-8")
    assert text.count(old) >= 1
    file.write_text(text.replace(old, new, 1), "utf-8")


@pytest.mark.parametrize(
    ("file", "old", "new", "line", "reason"),
    [
        (EDGES, "1,2,1,1264", "1,200,1,1264", 3, "unknown to_station_id: '200'"),
        (EDGES, "1,2,1,1264", "1,2,9,1264", 3, "unknown line_id: '9'"),
        (EDGES, "1,2,1,1264", "1,2,1,12.64", 3, "great_circle_m is not a whole number"),
        (EDGES, "1,2,1,1264", "1,2,1,-1264", 3, "great_circle_m is not a whole number"),
        (EDGES, "1,2,1,1264", "1,2,1,１２６４", 3, "great_circle_m is not a whole number"),
        (EDGES, "1,2,1,1264", "1,2,1,0", 3, "great_circle_m is not a whole number from 1"),
        (EDGES, "1,2,1,1264", "1,1,1,1264", 3, "an edge joins two stations"),
        (EDGES, "1,2,1,1264", "1,0,1,1264", 3, "this edge was given before"),
        (EDGES, "1,2,1,1264", "1,2,1", 3, "3 cells where 4 belong"),
        (EDGES, "0,1,1,1720\n", "", 1, "no track reaches station 1"),
        (EDGES, "from_station_id", "from", 1, "the columns must be"),
        (STATIONS, "1,1,滨康路", "0,1,滨康路", 3, "station_id '0' was given before"),
        (STATIONS, "1,1,滨康路", "1,1,", 3, "name_zh is empty"),
        (STATIONS, "1,1,滨康路", "1,1, 滨康路", 3, "name_zh is empty or has spaces"),
        (STATIONS, "30.182966", "130.182966", 3, "latitude is not between"),
        (STATIONS, "30.182966", "north", 3, "latitude is not a number"),
        ("networks/2019-01/operators.csv", "HZMTRO", "hzmtro", 2, "book_id is not six"),
        ("networks/2019-01/lines.csv", "hangzhou-metro", "nobody", 2, "unknown operator_id"),
        ("networks.csv", "2019-01-01", "2019-13-01", 2, "effective_from is not a date"),
        ("tariffs.csv", ",4000,4000,100", ",5000,4000,100", 3, "whole units"),
        ("tariffs.csv", ",0,4000,200", ",1,4000,200", 2, "begins at 0"),
        ("policies.csv", "10976", "9999", 2, "from 10000 to 20000"),
        ("policies.csv", "track-factor-per-ten-thousand", "track", 2, "unknown policy"),
    ],
)
def test_an_error_names_file_line_and_reason(
    folder: Path, file: str, old: str, new: str, line: int, reason: str
) -> None:
    replaced(folder / file, old, new)
    with pytest.raises(DataFault) as fault:
        read(folder)
    assert f"{folder / file}, line {line}: " in str(fault.value)
    assert reason in str(fault.value)


def drop_a_policy(folder: Path) -> None:
    lines = (folder / "policies.csv").read_text("utf-8").splitlines(keepends=True)
    (folder / "policies.csv").write_text("".join(lines[:-1]), "utf-8")


def empty_the_tariffs(folder: Path) -> None:
    header = (folder / "tariffs.csv").read_text("utf-8").splitlines()[0]
    (folder / "tariffs.csv").write_text(header, "utf-8")


def break_the_encoding(folder: Path) -> None:
    (folder / STATIONS).write_bytes((folder / STATIONS).read_bytes() + b"\xff")


def lose_a_file(folder: Path) -> None:
    (folder / EDGES).unlink()


def date_two_versions_alike(folder: Path) -> None:
    with (folder / "tariffs.csv").open("a") as file:
        file.write("hangzhou-metro-distance,2,2019-01-01,0,4000,300\n")


@pytest.mark.parametrize(
    ("harm", "reason"),
    [
        (drop_a_policy, "tickets-per-order-count is missing"),
        (empty_the_tariffs, "there are no rows"),
        (break_the_encoding, "cannot be read"),
        (lose_a_file, "cannot be read"),
        (date_two_versions_alike, "two versions begin on 2019-01-01"),
    ],
)
def test_a_harmed_folder_is_refused(
    folder: Path, harm: Callable[[Path], None], reason: str
) -> None:
    harm(folder)
    with pytest.raises(DataFault, match=reason):
        read(folder)


def test_a_new_version_begins_on_its_date(folder: Path) -> None:
    """Invariant 14; seen to fail when `recompute` took the newest tariff."""
    with (folder / "tariffs.csv").open("a") as file:
        file.write("hangzhou-metro-distance,2,2027-01-01,0,4000,300\n")
    with (folder / "policies.csv").open("a") as file:
        file.write("track-factor-per-ten-thousand,2027-01-01,12000,a survey\n")
    data = read(folder)
    before, after = date(2026, 12, 31), date(2027, 1, 1)
    old = data.fare("0", "1", on=before)
    assert old.amount_minor == 200
    assert data.fare("0", "1", on=after).amount_minor == 300
    assert data.policies.value(Policy.TRACK_FACTOR, on=after) == 12_000
    assert data.recompute(old.explanation.as_json()) == old


def test_a_fare_of_a_version_that_was_removed_cannot_be_recomputed(folder: Path) -> None:
    data = read(folder)
    explanation = data.fare("0", "1", on=date(2026, 1, 1)).explanation.as_json()
    with pytest.raises(LookupError):
        data.recompute({**explanation, "version": "0"})
