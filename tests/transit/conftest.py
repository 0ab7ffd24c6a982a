import pytest

from payments.kernel.clock import FixedClock
from payments.kernel.database import Database
from tests.transit.riding import TransitCity


@pytest.fixture
def city(database: Database, clock: FixedClock) -> TransitCity:
    """A city with a metro, over a database that is rolled back."""
    return TransitCity(database=database, clock=clock)


@pytest.fixture
def real_city(fresh_database: Database, clock: FixedClock) -> TransitCity:
    """The same over a database with real commits, for things that happen at the same moment."""
    return TransitCity(database=fresh_database, clock=clock)
