"""How values look in files that people open in a spreadsheet. Pure."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from payments.kernel.clock import BUSINESS_ZONE

FORMULA_STARTS: Final = "=+-@|\t\r\n\uff1d\uff0b\uff0d\uff20\uff5c\u2212"
"""What makes a spreadsheet read a cell as a formula, full-width forms included (OWASP)."""


def neutral(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula: an apostrophe goes before it."""
    return f"'{text}" if text.lstrip(" \u3000")[:1] in set(FORMULA_STARTS) else text


def shanghai(moment: datetime) -> str:
    """Return a moment as Shanghai's wall clock shows it, to the second."""
    return f"{moment.astimezone(BUSINESS_ZONE):%Y-%m-%d %H:%M:%S}"


def csv_row(cells: Sequence[str]) -> str:
    """Return one CSV row (RFC 4180); the cells are neutral already."""
    return ",".join(_quoted(cell) for cell in cells) + "\r\n"


def _quoted(cell: str) -> str:
    if any(mark in cell for mark in ',"\r\n'):
        return '"' + cell.replace('"', '""') + '"'
    return cell
