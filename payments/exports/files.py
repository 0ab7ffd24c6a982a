"""Files that appear whole or not at all, and know their own SHA-256."""

import hashlib
import os
from pathlib import Path
from types import TracebackType
from typing import Self


class WholeFile:
    """A text file written under a temporary name, flushed to the disk, then renamed.

    When the block raises, nothing is left. `rows` is counted by whoever writes.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.rows = 0
        self.size_bytes = 0
        self._hash = hashlib.sha256()
        self._unfinished = path.with_name(f".{path.name}.part")

    def __enter__(self) -> Self:
        self._file = self._unfinished.open("wb")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None:
            self._file.flush()
            os.fsync(self._file.fileno())
        self._file.close()
        if error is not None:
            self._unfinished.unlink()
            return
        self._unfinished.replace(self.path)
        _flush_directory(self.path.parent)

    @property
    def sha256(self) -> str:
        """The SHA-256 of what was written so far, in hexadecimal."""
        return self._hash.hexdigest()

    def write(self, text: str, *, rows: int = 0) -> None:
        """Write text that makes up this many rows."""
        data = text.encode()
        self._file.write(data)
        self._hash.update(data)
        self.size_bytes += len(data)
        self.rows += rows


def _flush_directory(path: Path) -> None:
    """Make the rename itself durable."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
