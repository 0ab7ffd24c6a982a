"""Every way to get a manifest wrong stops the boot with a sentence."""

import dataclasses
from collections.abc import Callable
from datetime import timedelta
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest
from flask_smorest import Blueprint

from payments.kernel.clock import FixedClock
from payments.ledger.templates import Leg, PostingTemplate
from services.host import plugins
from services.host.access import public, requires
from services.host.boot import BootError
from services.host.manifest import CatalogueEntry, Plugin, Sweep, Task, Title
from tests.host.umbrellas import PLUGIN, app_over, bearer

TITLE = Title(zh="灯", en="Lamps")
LAMPS = Plugin(name="lamps", title=TITLE)
ENTRY = CatalogueEntry(name="lamps", group="transit", title=TITLE, summary=TITLE, path="/v1/lamps")
UNBALANCED = PostingTemplate(
    name="lamps.sold",
    version=1,
    legs=(Leg(source="assets:cash", destination="assets:cash"),),
)


def sweep(name: str, seconds: int = 1) -> Sweep:
    return Sweep(name=name, run=lambda _: 0, every=timedelta(seconds=seconds))


def task(name: str) -> Task:
    return Task(name=name, run=lambda _: None)


def lamps(**changes: Any) -> Plugin:
    return dataclasses.replace(LAMPS, **changes)


def blueprint(name: str = "lamps", prefix: str | None = "/v1/lamps") -> Blueprint:
    return Blueprint(name, __name__, url_prefix=prefix)


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        (lamps(name="Lamps"), "needs a name of 2 to 31 small letters"),
        (lamps(name="lamps; drop schema orders"), "needs a name of 2 to 31 small letters"),
        (lamps(name="ledger"), "bears a name of the core"),
        (lamps(name="umbrellas"), "Two plug-ins are called umbrellas"),
        (lamps(title=Title(zh="", en="Lamps")), "needs a title in both languages"),
        (lamps(blueprints=(blueprint("umbrellas"),)), "must be called lamps"),
        (lamps(blueprints=(blueprint(prefix="/v1/umbrellas"),)), "has the URL prefix"),
        (lamps(blueprints=(blueprint(prefix="/v1/lampshades"),)), "has the URL prefix"),
        (lamps(blueprints=(blueprint(prefix=None),)), "has the URL prefix"),
        (lamps(blueprints=(blueprint(prefix="/callbacks"),)), "has the URL prefix"),
        (lamps(blueprints=(blueprint(), blueprint())), "Two blueprints are called lamps"),
        (lamps(tasks=(task("lamps.a"), task("lamps.a"))), "Two tasks are called lamps.a"),
        (lamps(tasks=(task("Lamps A"),)), "small letters, digits, dots and dashes"),
        (lamps(sweeps=(sweep("lamps.a"), sweep("lamps.a"))), "Two sweeps are called lamps.a"),
        (lamps(sweeps=(sweep("lamps.a", seconds=0),)), "needs a positive `every`"),
        (lamps(catalogue=(dataclasses.replace(ENTRY, group="zoo"),)), "names the group 'zoo'"),
        (lamps(catalogue=(dataclasses.replace(ENTRY, path="/lamps"),)), "path below /v1/"),
        (lamps(catalogue=(ENTRY, ENTRY)), "Two catalogue entries are called lamps"),
        (lamps(authenticators={"basic": bearer}), "the host knows bearer and signature"),
        (lamps(authenticators={"bearer": bearer}), "Two authenticators read bearer"),
        (lamps(migrations=Path("nowhere")), "which is no folder"),
        (lamps(templates=(UNBALANCED,)), "leaves and enters"),
    ],
)
def test_a_wrong_manifest_stops_the_boot(clock: FixedClock, wrong: Plugin, sentence: str) -> None:
    with pytest.raises(BootError, match=sentence) as caught:
        app_over(None, clock, PLUGIN, wrong)
    assert str(caught.value).endswith(".")
    assert "\n" not in str(caught.value)


def test_shipped_data_that_is_wrong_stops_the_boot(clock: FixedClock) -> None:
    def check() -> None:
        raise ValueError("the fare table ends at 90 km")

    with pytest.raises(BootError, match="lamps refuses to start: the fare table ends at 90 km"):
        app_over(None, clock, lamps(check=check))


def route(
    *decorators: Callable[[Any], Any], method: str = "GET"
) -> tuple[Blueprint, Callable[..., Any]]:
    def view() -> None: ...

    made = blueprint()
    decorated: Callable[..., Any] = view
    for decorator in decorators:
        decorated = decorator(decorated)
    made.route("/light", methods=[method])(decorated)
    return made, decorated


def test_a_route_that_says_nothing_of_access_stops_the_boot(clock: FixedClock) -> None:
    made, _ = route()
    with pytest.raises(BootError, match="GET /v1/lamps/light of plug-in lamps does not say who"):
        app_over(None, clock, lamps(blueprints=(made,)))


def test_access_is_declared_once_and_for_somebody() -> None:
    """Seen to fail when a mark may be overwritten: @public above @requires opens the route."""
    with pytest.raises(TypeError, match="already says who may call it"):
        route(requires("citizen"), public(reason="Everybody may."))
    for wrong in ((), ("visitor",)):
        with pytest.raises(TypeError, match="name kinds of principal"):
            requires(*wrong)
    with pytest.raises(TypeError, match="say why"):
        public(reason="")


def test_one_address_has_one_view(clock: FixedClock) -> None:
    made = blueprint()
    for address in ("/<lamp>", "/<string:lamp_id>"):
        view = public(reason="Everybody may.")(lambda **_: None)
        made.route(address, methods=["GET"], endpoint=address.strip("/<>").replace(":", ""))(view)
    with pytest.raises(BootError, match="is answered by two views"):
        app_over(None, clock, lamps(blueprints=(made,)))


def test_an_unsafe_route_that_says_nothing_of_repetition_stops_the_boot(clock: FixedClock) -> None:
    made, _ = route(public(reason="Everybody may."), method="POST")
    with pytest.raises(BootError, match="does not say how it is repeated safely"):
        app_over(None, clock, lamps(blueprints=(made,)))


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("lamps", "nowhere:PLUGIN", "cannot be imported"),
        ("lamps", "tests.host.umbrellas:bearer", "which is no Plugin"),
        ("lamps", "tests.host.umbrellas:PLUGIN", "give both the same name"),
    ],
)
def test_a_wrong_entry_point_stops_the_boot(name: str, value: str, sentence: str) -> None:
    entry = EntryPoint(name=name, value=value, group=plugins.ENTRY_POINTS)
    with pytest.raises(BootError, match=sentence):
        plugins.load([entry])


def test_plugins_come_in_the_order_of_their_names() -> None:
    entry = EntryPoint(
        name="umbrellas", value="tests.host.umbrellas:PLUGIN", group=plugins.ENTRY_POINTS
    )
    assert plugins.load([entry]) == (PLUGIN,)
