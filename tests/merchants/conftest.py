"""A merchant with a book, ready for keys and endpoints."""

from dataclasses import dataclass
from json import dumps
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from payments.kernel.clock import FixedClock
from payments.kernel.crypto import Vault
from payments.kernel.database import Database
from payments.merchants import operations
from payments.merchants.models import Merchant
from payments.merchants.rules import MerchantStatus
from services.host.application import create_app
from services.merchants.plugin import plugin
from tests.host.umbrellas import settings
from tests.support.signing import Signer


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


@dataclass(frozen=True, kw_only=True)
class Office:
    """An application with the merchants' plug-in, and a merchant whose key it trusts."""

    app: Flask
    database: Database
    clock: FixedClock
    merchant: Merchant
    signer: Signer

    def call(
        self,
        method: str,
        target: str,
        *,
        json: Any = None,
        key: str | None = None,
        signer: Signer | None = None,
    ) -> TestResponse:
        """Send a signed request."""
        body = b"" if json is None else dumps(json).encode()
        headers = {} if json is None else {"Content-Type": "application/json"}
        if method != "GET":
            headers["Idempotency-Key"] = key or uuid4().hex
        signed = (signer or self.signer).headers(
            method, target, created=self.clock.now(), body=body, headers=headers
        )
        return self.app.test_client().open(target, method=method, data=body, headers=signed)

    def trust(self, signer: Signer, *, device_id: str | None = None) -> Signer:
        """Register the signer's public key."""
        with self.database.transaction() as session:
            key = operations.add_key(
                session,
                merchant_id=self.merchant.merchant_id,
                public_key=signer.public_key,
                device_id=device_id,
                now=self.clock.now(),
            )
        signer.key_id = key.key_id
        return signer


@pytest.fixture
def office(database: Database, clock: FixedClock, merchant: Merchant, vault: Vault) -> Office:
    app = create_app(
        settings(callback_hosts_allowed=frozenset({"localhost:9"})),
        installed=(plugin,),
        database=database,
        clock=clock,
        vault=vault,
    )
    office = Office(app=app, database=database, clock=clock, merchant=merchant, signer=Signer())
    office.trust(office.signer)
    return office
