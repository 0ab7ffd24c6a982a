from pathlib import Path

import pytest

from tests.simulator.merchant import Merchant


@pytest.fixture(scope="session")
def simulator_keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key set made once a worker."""
    return tmp_path_factory.mktemp("keys")


@pytest.fixture
def merchant(simulator_keys: Path) -> Merchant:
    """A merchant of a fresh simulator."""
    return Merchant(simulator_keys)
