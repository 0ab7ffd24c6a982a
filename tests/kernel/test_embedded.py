import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from payments.kernel.embedded import OWNER_ROLE, RUNTIME_ROLE, EmbeddedPostgres


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    """A server of the module's own, which its tests may mistreat; it writes safely to disk."""
    server = EmbeddedPostgres(tmp_path_factory.mktemp("mistreated"), ephemeral=True)
    server.start()
    try:
        with psycopg.connect(server.url(role=OWNER_ROLE)) as connection:
            connection.execute("CREATE TABLE kept (word text)")
        yield server
    finally:
        server.stop()


def words(server: EmbeddedPostgres) -> list[str]:
    with psycopg.connect(server.url(role=OWNER_ROLE)) as connection:
        return [row[0] for row in connection.execute("SELECT word FROM kept ORDER BY 1")]


def test_what_was_committed_survives_a_kill_and_what_was_not_does_not(
    postgres: EmbeddedPostgres,
) -> None:
    with psycopg.connect(postgres.url(role=OWNER_ROLE)) as connection:
        connection.execute("INSERT INTO kept VALUES ('committed')")
    hanging = psycopg.connect(postgres.url(role=OWNER_ROLE))
    hanging.execute("INSERT INTO kept VALUES ('hanging')")
    postgres.kill()
    with pytest.raises(psycopg.OperationalError):
        hanging.commit()
    hanging.close()
    postgres.start()
    assert words(postgres) == ["committed"]


def test_a_killed_server_starts_again_at_once_and_again(postgres: EmbeddedPostgres) -> None:
    """Seen to fail with the killed child not waited for: its zombie keeps the lock file alive."""
    before = words(postgres)
    for _ in range(3):
        os.kill(postgres.process_id, signal.SIGKILL)
        postgres.kill()
        postgres.start()
    assert words(postgres) == before


def test_the_runtime_role_may_connect_and_create_nothing(postgres: EmbeddedPostgres) -> None:
    with psycopg.connect(postgres.url()) as connection:
        assert connection.execute("SELECT current_user").fetchone() == (RUNTIME_ROLE,)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("CREATE TABLE public.mine (word text)")


def test_the_server_listens_on_no_network(postgres: EmbeddedPostgres) -> None:
    with psycopg.connect(postgres.url()) as connection:
        assert connection.execute("SHOW listen_addresses").fetchone() == ("",)
        assert connection.execute("SHOW data_checksums").fetchone() == ("on",)


def test_a_half_made_cluster_is_made_anew_and_a_stopped_server_starts_again(
    tmp_path: Path,
) -> None:
    server = EmbeddedPostgres(tmp_path)
    half = server.directory / "data.part"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18", "ascii")
    try:
        server.start()
        with psycopg.connect(server.url(role=OWNER_ROLE)) as connection:
            connection.execute("CREATE TABLE kept (word text)")
        server.stop()
        server.start()
        assert words(server) == []
        assert not half.exists()
    finally:
        server.stop()
        shutil.rmtree(server.directory)  # As root it lies outside the test's own folder.


def test_a_server_that_cannot_start_shows_its_log(tmp_path: Path) -> None:
    server = EmbeddedPostgres(tmp_path, settings={"shared_buffers": "nonsense"}, ephemeral=True)
    with pytest.raises(RuntimeError, match="shared_buffers"):
        server.start()
    server.stop()
