"""Accounts made of the vectors' keys, which never reach a network."""

from datetime import UTC, datetime

from payments.kernel.crypto import load_rsa_private_key, load_rsa_public_key
from payments.kernel.http import HttpClient
from payments.providers.alipay.adapter import Alipay
from payments.providers.alipay.wire import AlipayKey, Credentials
from tests.vectors import vectors

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)


def vector_account(
    alipay_key: str = "alipay_platform.pub", *, gateway: str = "http://127.0.0.1:1/gateway.do"
) -> Alipay:
    """An account whose keys are the vectors'; its gateway answers nobody."""
    keys = vectors()["keys"]
    return Alipay(
        account_id="alipay-main",
        seller_id="2088000000000002",
        gateway=gateway,
        credentials=Credentials(
            app_id="2021000000000001",
            app_key=load_rsa_private_key(keys["alipay_app"]),
            alipay=AlipayKey(
                key=load_rsa_public_key(keys[alipay_key]), name="alipay_public_key.pem"
            ),
        ),
        http=HttpClient(),
    )
