"""People for tests: an authority that knows codes, citizens with cards, and how many at once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime
from threading import Barrier
from typing import TypeVar

from payments.kernel.crypto import Vault
from payments.kernel.database import Database
from payments.kernel.ids import new_id
from services.identity.operations.citizens import create_citizen
from services.identity.operations.personal_data import record_real_name
from services.identity.rules.subjects import CodeRefused, SignInProvider, Subject

WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
CHECKS = "10X98765432"

Result = TypeVar("Result")


class KnownCodes:
    """An authority that knows whose each code is and, like a careless one, takes it again."""

    def __init__(
        self,
        codes: dict[str, str],
        *,
        provider: SignInProvider = SignInProvider.ALIPAY,
        app_id: str = "2021000000000001",
    ) -> None:
        self.codes = codes
        self.provider = provider
        self.app_id = app_id
        self.asked: list[str] = []

    def identify(self, code: str, *, now: datetime) -> Subject:
        """Say whose a code is."""
        del now
        self.asked.append(code)
        if code not in self.codes:
            raise CodeRefused
        return Subject(provider=self.provider, app_id=self.app_id, subject=self.codes[code])


def card_number(birth: date, order: int = 101, region: int = 330106) -> str:
    """A card number by the standard's own arithmetic."""
    body = f"{region:06d}{birth:%Y%m%d}{order:03d}"
    return body + CHECKS[sum(int(d) * w for d, w in zip(body, WEIGHTS, strict=True)) % 11]


def citizen(
    database: Database,
    *,
    vault: Vault,
    now: datetime,
    birth: date | None = None,
    order: int = 101,
    name: str = "王小明",
) -> str:
    """A citizen; with a real name and a card when a birth date is given."""
    citizen_id = new_id("cit")
    with database.transaction() as session:
        create_citizen(session, citizen_id=citizen_id, now=now)
        if birth is not None:
            record_real_name(
                session,
                citizen_id=citizen_id,
                name=name,
                id_number=card_number(birth, order),
                vault=vault,
                now=now,
            )
    return citizen_id


def at_once(*calls: Callable[[], Result]) -> list[Result | Exception]:
    """Call everything in the same moment; return what each returned or raised."""
    barrier = Barrier(len(calls))

    def run(call: Callable[[], Result]) -> Result | Exception:
        barrier.wait()
        try:
            return call()
        except Exception as error:  # noqa: BLE001  the test looks at it
            return error

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))
