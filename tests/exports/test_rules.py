import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payments.exports.rules import FORMULA_STARTS, csv_row, neutral


@pytest.mark.parametrize(
    "cell",
    [
        '=HYPERLINK("x")', "+1", "-1", "@SUM(1)", "\t=1", "\r=1", "  =1", "\u3000＝1",
        "＝1", "＋1", "－1", "＠SUM", "|calc", "−1",
    ],
)  # fmt: skip
def test_what_a_spreadsheet_would_run_is_made_text(cell: str) -> None:
    """Seen to fail for the full-width forms when only the ASCII ones are listed."""
    assert neutral(cell) == f"'{cell}"


@given(st.text())
def test_no_cell_starts_a_formula_and_harmless_ones_stay(cell: str) -> None:
    shown = neutral(cell)
    assert shown.strip(" \u3000")[:1] not in set(FORMULA_STARTS)
    assert shown in {cell, f"'{cell}"}


@given(st.lists(st.text(), min_size=2))
def test_rows_are_read_back_as_written(cells: list[str]) -> None:
    assert next(csv.reader(io.StringIO(csv_row(cells), newline=""))) == cells
