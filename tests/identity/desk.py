"""The platform with identity in it, and people who hold its tokens."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from payments.kernel.clock import FixedClock
from payments.kernel.database import Database
from payments.kernel.ids import new_id
from payments.providers.registry import Providers
from services.host.application import create_app
from services.host.platform import EXTENSION, Platform
from services.identity.authentication import keys_of
from services.identity.operations import sessions
from services.identity.operations.citizens import create_citizen
from services.identity.operations.staff import add_staff
from services.identity.passwords import hash_password
from services.identity.plugin import plugin
from services.identity.rules.sessions import StaffRole
from tests.host.umbrellas import settings

PASSWORD = "correct horse battery"


@dataclass
class Person:
    """Somebody with an open session, and how they ask."""

    desk: "Desk"
    id: str
    session_id: str
    access_token: str
    refresh_token: str
    headers: dict[str, str] = field(default_factory=dict)

    def ask(self, method: str, path: str, given: Any = None, **headers: str) -> TestResponse:
        """Ask with the access token and, where something changes, a fresh key."""
        bearer = {"Authorization": f"Bearer {self.access_token}"}
        return self.desk.ask(method, path, given, headers={**bearer, **self.headers, **headers})

    def acting_for(self, citizen_id: str) -> "Person":
        """The same person, asking for somebody else."""
        return Person(
            self.desk,
            self.id,
            self.session_id,
            self.access_token,
            self.refresh_token,
            {"X-Acting-For": citizen_id},
        )


class Desk:
    """An application with identity alone, over the test's database."""

    def __init__(
        self,
        database: Database,
        clock: FixedClock,
        *,
        providers: Providers | None = None,
        **given: Any,
    ) -> None:
        self.database, self.clock = database, clock
        self.app = create_app(
            settings(**given),
            installed=(plugin,),
            database=database,
            clock=clock,
            providers=providers or Providers([]),
        )
        self.client: FlaskClient = self.app.test_client()
        self.keys = (f"key-{number}" for number in count(1))

    @property
    def platform(self) -> Platform:
        platform = self.app.extensions[EXTENSION]
        assert isinstance(platform, Platform)
        return platform

    def ask(
        self,
        method: str,
        path: str,
        given: Any = None,
        *,
        headers: Mapping[str, str] | None = None,
        address: str = "203.0.113.7",
    ) -> TestResponse:
        """Ask as nobody in particular."""
        key = {} if method == "GET" else {"Idempotency-Key": next(self.keys)}
        return self.client.open(
            f"/v1/identity{path}",
            method=method,
            json=given,
            headers={**key, **(headers or {})},
            environ_overrides={"REMOTE_ADDR": address},
            buffered=True,
        )

    def citizen(self) -> Person:
        """A new citizen, signed in."""
        citizen_id = new_id("cit")
        with self.database.transaction() as session:
            create_citizen(session, citizen_id=citizen_id, now=self.clock.now())
        return self.person(citizen_id)

    def staff(self, *roles: StaffRole) -> Person:
        """A new member of staff, signed in."""
        username = f"staff{next(self.keys)}"
        with self.database.transaction() as session:
            staff_id = add_staff(
                session,
                username=username,
                password_hash=hash_password(PASSWORD, username=username),
                roles=roles,
                now=self.clock.now(),
            )
        return self.person(staff_id)

    def person(self, owner_id: str) -> Person:
        """One more session of somebody."""
        now = self.clock.now()
        with self.database.transaction() as session:
            opened = sessions.open_session(
                session,
                owner_id=owner_id,
                signed_in_with="test",
                secret=f"{next(self.keys):_<43}",
                now=now,
            )
        token = keys_of(self.platform.settings).mint(
            owner_id=owner_id, session_id=opened.session_id, now=now
        )
        return Person(self, owner_id, opened.session_id, token, opened.refresh_token)


def said(response: TestResponse, status: int) -> Any:
    """The JSON of an answer that has the expected status."""
    assert response.status_code == status, response.get_data(as_text=True)
    return response.get_json() if response.get_data() else None


def refused(response: TestResponse, status: int, code: str) -> None:
    """Check how a request was refused."""
    problem = response.get_json()
    assert (response.status_code, problem["code"]) == (status, code), problem
