"""What was rolled up: balances as they were at the watermark. Derived, and checked by `verify`."""

from datetime import date

from sqlalchemy import BigInteger, Date, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from payments.kernel.database import Model
from payments.kernel.ids import BOOK_ID_LENGTH
from payments.kernel.watermark import Xid8
from payments.ledger.models.books import IN_A_BOOK


class WatermarkRow(Model):
    """The transaction below which every posting is in the totals; one row."""

    __tablename__ = "watermarks"
    __table_args__ = ({"schema": "ledger", "info": {"sharding": "reference"}},)

    name: Mapped[str] = mapped_column(Text, primary_key=True)
    xid: Mapped[str] = mapped_column(Xid8)


class TotalRow(Model):
    """All debits and credits of an account below the watermark."""

    __tablename__ = "totals"
    __table_args__ = ({**IN_A_BOOK, "postgresql_with": {"fillfactor": "50"}},)

    book_id: Mapped[str] = mapped_column(String(BOOK_ID_LENGTH), primary_key=True)
    account: Mapped[str] = mapped_column(Text, primary_key=True)
    currency: Mapped[str] = mapped_column(String(3))
    debits_minor: Mapped[int] = mapped_column(BigInteger)
    credits_minor: Mapped[int] = mapped_column(BigInteger)


class DailyTotalRow(Model):
    """An account's debits and credits of one business date, and the transactions that hold them."""

    __tablename__ = "daily_totals"
    __table_args__ = ({**IN_A_BOOK, "postgresql_with": {"fillfactor": "50"}},)

    book_id: Mapped[str] = mapped_column(String(BOOK_ID_LENGTH), primary_key=True)
    account: Mapped[str] = mapped_column(Text, primary_key=True)
    business_date: Mapped[date] = mapped_column(Date, primary_key=True)
    currency: Mapped[str] = mapped_column(String(3))
    debits_minor: Mapped[int] = mapped_column(BigInteger)
    credits_minor: Mapped[int] = mapped_column(BigInteger)
    first_xid: Mapped[str] = mapped_column(Xid8)
    last_xid: Mapped[str] = mapped_column(Xid8)
