"""What the demonstration shows: a moving display on a terminal, quiet plain lines elsewhere."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

PLAIN_WIDTH = 120
PLAIN_LINES = 8  # How often a long step says where it is when there is no terminal.


class Bar(Protocol):
    """Where a long step says how far it is."""

    def reach(self, done: int, *, saying: str) -> None:
        """Show that `done` is done."""


class Screen:
    """Shows steps, bars and tables."""

    def __init__(self, console: Console | None = None) -> None:
        terminal = Console(highlight=False)
        plain = Console(highlight=False, width=PLAIN_WIDTH)
        self._console = console or (terminal if terminal.is_terminal else plain)

    def say(self, text: str) -> None:
        """Show a line."""
        self._console.print(text, markup=False, soft_wrap=True)

    @contextmanager
    def step(self, text: str) -> Iterator[None]:
        """Show that something is under way while it is, and how long it took."""
        began = time.monotonic()
        if self._console.is_terminal:
            with self._console.status(text):
                yield
        else:
            yield
        self.say(f"✓ {text}, {time.monotonic() - began:.0f} s")

    @contextmanager
    def bar(self, text: str, *, total: int) -> Iterator[Bar]:
        """Show a long step with its progress."""
        if not self._console.is_terminal:
            yield _PlainBar(self, text=text, total=total)
            return
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
        )
        with Progress(*columns, console=self._console) as progress:
            yield _LiveBar(progress, text=text, total=total)

    def table(self, title: str, rows: Sequence[tuple[str, str]]) -> None:
        """Show names and what is to be said of each."""
        table = Table(show_header=False, box=None, pad_edge=False, padding=(0, 2, 0, 0))
        table.add_column(no_wrap=True)
        table.add_column(overflow="fold")
        for row in rows:
            table.add_row(*row)
        self._console.print(f"\n{title}")
        self._console.print(table)


class _LiveBar:
    def __init__(self, progress: Progress, *, text: str, total: int) -> None:
        self._progress = progress
        self._text = text
        self._task = progress.add_task(text, total=total)

    def reach(self, done: int, *, saying: str) -> None:
        description = f"{self._text}  {saying}"
        self._progress.update(self._task, completed=done, description=description)


class _PlainBar:
    def __init__(self, screen: Screen, *, text: str, total: int) -> None:
        self._screen = screen
        self._text = text
        self._total = total
        self._said = 0

    def reach(self, done: int, *, saying: str) -> None:
        part = done * PLAIN_LINES // max(self._total, 1)
        if part > self._said:
            self._said = part
            self._screen.say(f"  {self._text}: {done}/{self._total}  {saying}")
