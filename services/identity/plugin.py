"""Identity's manifest."""

from datetime import timedelta
from pathlib import Path
from typing import Final

from services.host.manifest import Plugin, Sweep, Title
from services.host.platform import Platform
from services.identity import flows
from services.identity.authentication import authenticate
from services.identity.commands import identity
from services.identity.rules.phones import mobile_prefixes
from services.identity.views import citizens, everybody, families, sessions, staff

PURGE_EVERY: Final = timedelta(minutes=10)
PURGE_BATCH: Final = 1_000


def purge(platform: Platform) -> int:
    """Delete what no longer proves or prevents anything."""
    return flows.purge(platform.database, limit=PURGE_BATCH, clock=platform.clock)


def check() -> None:
    """Refuse to start with a file of mobile prefixes that cannot be right."""
    mobile_prefixes()


plugin: Final = Plugin(
    name="identity",
    title=Title(zh="身份与登录", en="Identity and sign-in"),
    blueprints=(
        everybody.blueprint,
        sessions.blueprint,
        citizens.blueprint,
        families.blueprint,
        staff.blueprint,
    ),
    sweeps=(Sweep(name="identity.purge", run=purge, every=PURGE_EVERY),),
    commands=(identity,),
    migrations=Path(__file__).parent / "migrations",
    authenticators={"bearer": authenticate},
    check=check,
)
