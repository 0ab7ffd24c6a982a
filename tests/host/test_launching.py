from pathlib import Path

import psycopg
import pytest

from payments.kernel.embedded import EmbeddedPostgres
from services.host.launching import DatabaseNotRunning, database_urls, running_database
from services.host.settings import Settings
from tests.host.umbrellas import settings


@pytest.fixture
def unset(tmp_path: Path) -> Settings:
    return settings(database_url=None, data_directory=tmp_path)


def answers(url: str) -> bool:
    with psycopg.connect(url) as connection:
        return connection.execute("SELECT 1").fetchone() == (1,)


def test_a_database_that_is_set_is_used_as_it_is() -> None:
    given = settings(database_url="postgresql://runtime@db/one")
    with running_database(given) as urls:
        assert urls.runtime == urls.owner == "postgresql://runtime@db/one"
    owned = settings(
        database_url="postgresql://r@db/one", database_owner_url="postgresql://o@db/one"
    )
    assert database_urls(owned).owner == "postgresql://o@db/one"


def test_nobody_running_it_is_said_with_what_to_do(unset: Settings) -> None:
    with pytest.raises(DatabaseNotRunning, match="set DATABASE_URL, or start"):
        database_urls(unset)


def test_the_first_starts_it_and_the_second_joins(unset: Settings) -> None:
    with running_database(unset) as first:
        with running_database(unset) as second:
            assert first == second == database_urls(unset)
            assert answers(second.owner)
        assert answers(first.runtime), "who joined does not stop it"
    with pytest.raises(DatabaseNotRunning):
        database_urls(unset)


def test_a_server_left_by_a_killed_process_is_replaced(unset: Settings) -> None:
    orphan = EmbeddedPostgres(unset.data_directory / "postgres")
    orphan.start()
    (unset.data_directory / "postgres.url").write_text(
        f'{{"runtime": "{orphan.url()}", "owner": "{orphan.url()}"}}'
    )
    with running_database(unset) as urls:
        assert urls.runtime != orphan.url()
        assert answers(urls.runtime)
        with pytest.raises(psycopg.OperationalError):
            answers(orphan.url())
    orphan.stop()
