"""A CSV file read line by line, each cell checked; whatever is wrong names file and line."""

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TypeVar

Item = TypeVar("Item")


class DataFault(ValueError):
    """Shipped data is wrong; the text says in which file and line, and why."""


@dataclass(frozen=True)
class Row:
    """A line of a file, and the way to complain about it."""

    file: Path
    number: int
    cells: Mapping[str, str]

    def fault(self, reason: str) -> DataFault:
        return DataFault(f"{self.file}, line {self.number}: {reason}")

    def text(self, column: str) -> str:
        value = self.cells[column]
        if not value or value != value.strip():
            raise self.fault(f"{column} is empty or has spaces around it")
        return value

    def number_in(self, column: str, lowest: int, highest: int) -> int:
        text = self.text(column)
        if not (text.isascii() and text.isdigit() and lowest <= int(text) <= highest):
            raise self.fault(f"{column} is not a whole number from {lowest} to {highest}: {text!r}")
        return int(text)

    def degrees(self, column: str, limit: int) -> float:
        try:
            value = float(self.text(column))
        except ValueError:
            raise self.fault(f"{column} is not a number") from None
        if not -limit <= value <= limit:
            raise self.fault(f"{column} is not between -{limit} and {limit}")
        return value

    def day(self, column: str) -> date:
        try:
            return date.fromisoformat(self.text(column))
        except ValueError:
            raise self.fault(f"{column} is not a date such as 2019-01-01") from None

    def one_of(self, column: str, known: Mapping[str, object]) -> str:
        value = self.text(column)
        if value not in known:
            raise self.fault(f"unknown {column}: {value!r}")
        return value


def rows(file: Path, columns: Sequence[str]) -> Iterator[Row]:
    """Yield a file's lines. Raises DataFault when it cannot be read or has other columns."""
    try:
        lines = file.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataFault(f"{file}, line 1: cannot be read: {error}") from None
    reader = csv.reader(lines, strict=True)
    header = next(reader, [])
    if header != list(columns):
        raise DataFault(f"{file}, line 1: the columns must be {','.join(columns)}")
    empty = True
    for cells in reader:
        empty = False
        row = Row(file, reader.line_num, dict(zip(columns, cells, strict=False)))
        if len(cells) != len(columns):
            raise row.fault(f"{len(cells)} cells where {len(columns)} belong")
        yield row
    if empty:
        raise DataFault(f"{file}, line 1: there are no rows")


def by_id(rows: Iterator[Row], column: str, make: Callable[[Row], Item]) -> dict[str, Item]:
    """Make an item of each row, keyed by a column. Raises DataFault when a key comes twice."""
    found: dict[str, Item] = {}
    for row in rows:
        key = row.text(column)
        if key in found:
            raise row.fault(f"{column} {key!r} was given before")
        found[key] = make(row)
    return found
