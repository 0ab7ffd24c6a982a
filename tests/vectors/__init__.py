"""The project's own copy of the providers' vectors; README.md says where they come from."""

import json
from functools import cache
from pathlib import Path
from typing import Any


@cache
def vectors() -> dict[str, Any]:
    """Return every vector, by its name."""
    loaded: dict[str, Any] = json.loads(
        (Path(__file__).parent / "providers.json").read_text("utf-8")
    )
    return loaded
