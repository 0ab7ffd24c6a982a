import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from payments.kernel.database import Database


def test_the_runtime_role_owns_nothing(database: Database) -> None:
    with database.transaction() as session:
        role, superuser = session.execute(
            text("SELECT current_user, rolsuper FROM pg_roles WHERE rolname = current_user")
        ).one()
    assert (role, superuser) == ("qiantang_runtime", False)


def test_what_raises_leaves_nothing(fresh_database: Database) -> None:
    def insert_and_fail() -> None:
        with fresh_database.transaction() as session:
            session.execute(text("INSERT INTO jobs.procrastinate_workers DEFAULT VALUES"))
            session.execute(text("SELECT 1 / 0"))

    with pytest.raises(DBAPIError):
        insert_and_fail()
    with fresh_database.read() as session:
        count = session.execute(text("SELECT count(*) FROM jobs.procrastinate_workers")).scalar()
    assert count == 0


def test_an_error_does_not_tell_what_the_statement_was_given(database: Database) -> None:
    """Seen to fail with the engine showing parameters, as it does unless told not to."""

    def fail() -> None:
        with database.transaction() as session:
            given = {"zero": 0, "phone": "13800138000"}
            session.execute(text("SELECT 1 / CAST(:zero AS int), CAST(:phone AS text)"), given)

    with pytest.raises(DBAPIError, match="division by zero") as caught:
        fail()
    assert "13800138000" not in str(caught.value)
