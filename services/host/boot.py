"""Why the platform did not start, in one sentence that says what to do."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from payments.kernel.errors import QiantangError

EXIT_CODE: Final = 3  # gunicorn gives up on this code instead of trying for ever.


class BootError(Exception):
    """Something set, installed or shipped is wrong; nothing was started."""


@contextmanager
def explained() -> Iterator[None]:
    """End the process with the sentence, and no stack trace, when the block cannot start."""
    try:
        yield
    except BootError as error:
        sentence = str(error)
    except QiantangError as error:
        sentence = error.detail or error.en
    else:
        return
    sys.stderr.write(f"Qiantang cannot start. {sentence}\n")
    raise SystemExit(EXIT_CODE)
