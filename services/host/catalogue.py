"""What the city offers, grouped, from the manifests of the installed plug-ins.

The first thing a front end asks for, so it is put together once, at boot, with its ETag.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from services.host.manifest import Plugin, Title

GROUPS: Final[Mapping[str, Title]] = {
    "transit": Title(zh="交通出行", en="Getting around"),
    "medical": Title(zh="医疗健康", en="Medical"),
    "government": Title(zh="政务服务", en="Government services"),
    "car-owner": Title(zh="车主服务", en="Car owners"),
}


@dataclass(frozen=True, kw_only=True)
class Catalogue:
    """The catalogue as it is sent, and its entity tag (RFC 9110, section 8.8.3)."""

    body: bytes
    etag: str


def compile_catalogue(plugins: Sequence[Plugin]) -> Catalogue:
    """Put the entries of all plug-ins into their groups; groups in our order, entries in theirs."""
    groups = [
        {"name": name, "title": asdict(title), "services": _services(plugins, group=name)}
        for name, title in GROUPS.items()
    ]
    body = json.dumps({"groups": groups}, ensure_ascii=False, separators=(",", ":")).encode()
    return Catalogue(body=body, etag=hashlib.sha256(body).hexdigest()[:32])


def _services(plugins: Sequence[Plugin], *, group: str) -> list[dict[str, Any]]:
    return [
        {
            "name": entry.name,
            "plugin": plugin.name,
            "title": asdict(entry.title),
            "summary": asdict(entry.summary),
            "path": entry.path,
        }
        for plugin in plugins
        for entry in plugin.catalogue
        if entry.group == group
    ]
