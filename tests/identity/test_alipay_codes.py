"""The platform's sign-in authority against the simulated Alipay, over the wire."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from payments.kernel.clock import FixedClock
from payments.kernel.http import HttpClient
from payments.providers.registry import Providers
from services.identity.authorities.interface import Authority
from services.identity.authorities.registry import authorities_of
from services.identity.rules.subjects import CodeRefused, SignInProvider
from simulator.clock import ManualClock
from simulator.runner import Simulator


@pytest.fixture
def simulator(tmp_path: Path, clock: FixedClock) -> Iterator[Simulator]:
    with Simulator(keys=tmp_path / "keys", clock=ManualClock(clock.now())) as simulator:
        yield simulator


@pytest.fixture
def authority(simulator: Simulator) -> Authority:
    http = HttpClient()
    accounts = Providers.load(simulator.keys, http=http, production=False)
    authorities = authorities_of(accounts, directory=simulator.keys, http=http, production=False)
    return authorities.choose(provider=SignInProvider.ALIPAY, app_id=None)


def test_a_code_from_the_app_says_who_it_is_once(
    simulator: Simulator, authority: Authority, clock: FixedClock
) -> None:
    handed_out = requests.post(
        f"{simulator.url}/control/alipay/codes", json={"buyer_id": "2088000000000042"}, timeout=5
    ).json()
    subject = authority.identify(handed_out["auth_code"], now=clock.now())
    assert (subject.provider, subject.subject) == (SignInProvider.ALIPAY, "2088000000000042")
    assert subject.app_id == handed_out["app_id"]
    with pytest.raises(CodeRefused):
        authority.identify(handed_out["auth_code"], now=clock.now())


def test_a_made_up_code_is_refused(authority: Authority, clock: FixedClock) -> None:
    with pytest.raises(CodeRefused):
        authority.identify("0" * 32, now=clock.now())
