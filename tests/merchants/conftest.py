"""A merchant with a book, ready for keys and endpoints."""

import pytest

from payments.kernel.clock import FixedClock
from payments.kernel.crypto import Vault
from payments.kernel.database import Database
from payments.merchants.models import Merchant
from payments.merchants.rules import MerchantStatus


@pytest.fixture
def merchant(database: Database, clock: FixedClock) -> Merchant:
    merchant = Merchant(
        merchant_id="mer_metro",
        book_id="HZMTRO",
        name_zh="杭州地铁",
        name_en="Hangzhou Metro",
        credit_code="91110000600037341L",
        status=MerchantStatus.ACTIVE,
        created_at=clock.now(),
    )
    with database.transaction() as session:
        session.add(merchant)
    return merchant


@pytest.fixture
def vault() -> Vault:
    return Vault({"1": bytes(range(32))}, "1", bytes(range(1, 33)))
