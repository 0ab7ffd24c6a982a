"""The transaction that wrote a row, as a column: what a cursor over committed rows is cut by.

Sequence values are taken before commit, so "id > last seen" skips a slow transaction for ever. The
writing transaction's id cannot: rows below `SETTLED` were all committed or rolled back, and nothing
will ever be added below it. Ids are 64 bits and never wrap. They belong to one server: rows loaded
into another one from a dump need their column set to zero there.
"""

from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.dialects.postgresql.base import ischema_names
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import UserDefinedType

SETTLED: Final = "pg_snapshot_xmin(pg_current_snapshot())"
"""SQL: every transaction below this id has ended, as the running statement sees it."""


class Xid8(UserDefinedType[str]):
    """PostgreSQL's xid8; a decimal text in Python."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        return "xid8"


ischema_names["xid8"] = Xid8  # So that comparing models with a database knows the type.


def xid_column(*, index: bool = False) -> Mapped[str]:
    """Return a column that PostgreSQL fills with the id of the writing transaction."""
    return mapped_column(Xid8, server_default=text("pg_current_xact_id()"), index=index)
