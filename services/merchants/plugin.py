"""The plug-in's manifest."""

from typing import Final

from payments.events.facts import declared
from services.host.manifest import Plugin, Title
from services.merchants.authentication import authenticate
from services.merchants.commands import merchants
from services.merchants.sweeps import SWEEPS
from services.merchants.views import merchants_blueprint


def check_published_facts() -> None:
    """Hold every fact to what it publishes. Raises ValueError with a sentence."""
    for name, fact in declared().items():
        missing = sorted(set(fact.published) - set(fact.__dataclass_fields__))
        if missing:
            raise ValueError(f"the fact {name} publishes {missing[0]}, a field it does not have")


plugin: Final = Plugin(
    name="merchants",
    title=Title(zh="商户", en="Merchants"),
    blueprints=(merchants_blueprint,),
    sweeps=SWEEPS,
    commands=(merchants,),
    authenticators={"signature": authenticate},
    check=check_published_facts,
)
