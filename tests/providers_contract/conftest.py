from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import cast

import pytest

from tests.providers_contract.stages import STAGES, Stage


@pytest.fixture(scope="session", params=sorted(STAGES))
def opened_stage(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stage]:
    """One stage a provider and worker; its tests use numbers of their own."""
    keys = tmp_path_factory.mktemp("keys")
    with cast("AbstractContextManager[Stage]", STAGES[request.param](keys)) as stage:
        yield stage


@pytest.fixture
def stage(opened_stage: Stage) -> Stage:
    """The stage, with nothing in the letterbox."""
    opened_stage.letters()
    return opened_stage
