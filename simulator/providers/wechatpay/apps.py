"""Mini programs as WeChat knows them, with secrets that the platform and the simulator share.

<keys>/sign-in/wechat-mini.toml           read by the platform
<keys>/sign-in/wechat-mini/app_secret     read by both
"""

import secrets
import tomllib
from dataclasses import dataclass
from pathlib import Path

from simulator.keys import write_toml

FOLDER = "sign-in"
ACCOUNT = "wechat-mini"
APP_ID = "wx0000000000000001"
SECRET_BYTES = 16


@dataclass(frozen=True, kw_only=True)
class MiniProgram:
    """One mini program: WeChat tells it apart by its secret."""

    app_id: str
    secret: str


def point_wechat(directory: Path, *, gateway: str) -> None:
    """Make one mini program, unless it exists, and point it at `gateway`."""
    secret = directory / FOLDER / ACCOUNT / "app_secret"
    if not secret.exists():
        secret.parent.mkdir(parents=True, exist_ok=True)
        secret.touch(mode=0o600)
        secret.write_text(secrets.token_hex(SECRET_BYTES), "ascii")
    write_toml(
        directory / FOLDER / f"{ACCOUNT}.toml",
        {
            "provider": "wechat",
            "development": True,
            "app_id": APP_ID,
            "gateway": gateway,
            "app_secret": f"{ACCOUNT}/app_secret",
        },
    )


def mini_programs(directory: Path) -> dict[str, MiniProgram]:
    """Return the mini programs of a key set, by app id."""
    found = {}
    for path in sorted((directory / FOLDER).glob("*.toml")):
        known = tomllib.loads(path.read_text("utf-8"))
        secret = (path.parent / known["app_secret"]).read_text("ascii").strip()
        found[known["app_id"]] = MiniProgram(app_id=known["app_id"], secret=secret)
    return found
