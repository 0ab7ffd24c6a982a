"""Keys and a vault that every test of identity shares."""

import pytest

from payments.kernel.crypto import Vault
from services.identity.tokens import TokenKeys


@pytest.fixture(scope="session")
def vault() -> Vault:
    return Vault({"2026a": bytes(range(32))}, "2026a", bytes(range(1, 33)))


@pytest.fixture(scope="session")
def keys() -> TokenKeys:
    return TokenKeys({"2026a": bytes(range(2, 34))}, current="2026a", issuer="https://city.example")
