import pytest

from payments.kernel.clock import FixedClock
from payments.kernel.database import Database
from tests.support.paying import City


@pytest.fixture
def city(database: Database, clock: FixedClock) -> City:
    """Two books, two payment accounts and the sweeps, over a database that is rolled back."""
    return City(database=database, clock=clock)
