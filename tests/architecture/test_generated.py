"""What is generated is committed and fresh, and every list of plug-ins is the same list."""

from importlib.metadata import entry_points

import pytest

from services.host.application import create_app
from services.host.manifest import Plugin
from services.host.settings import Settings
from tests.architecture.sources import ROOT


@pytest.mark.parametrize("group", ["openapi", "states"])
def test_generated_files_are_fresh(group: str) -> None:
    app = create_app(Settings(environment="development"))
    result = app.test_cli_runner().invoke(args=[group, "check"])
    assert result.exit_code == 0, f"make openapi, and commit what changes: {result.output}"


def test_plugins_entry_points_and_folders_agree() -> None:
    """A folder under `services/` that is no plug-in, or a plug-in nobody placed, is noticed."""
    folders = {path.parent.name for path in (ROOT / "services").glob("*/__init__.py")} - {"host"}
    plugins: dict[str, Plugin] = {
        entry.name: entry.load() for entry in entry_points(group="services.plugins")
    }
    assert set(plugins) == folders, "add the entry point in pyproject.toml, and install again"
    assert all(plugin.name == name for name, plugin in plugins.items())
