"""`flask merchants …`: what an operator does. Answers are JSON; a secret is printed once."""

import json
import tomllib
from pathlib import Path
from typing import Any

import click
from flask.cli import AppGroup, with_appcontext
from sqlalchemy.orm import Session

from payments.kernel.ids import BookId
from payments.merchants import operations
from payments.merchants.callback_secrets import CallbackSecret
from payments.merchants.rules import DeviceKind, MerchantEvent, MerchantStatus, SecretKind
from services.host.launching import running_database
from services.host.platform import current_platform


@click.group("merchants", cls=AppGroup)
@with_appcontext
def merchants() -> None:
    """Register merchants, their devices, keys and callback endpoints."""
    click.get_current_context().with_resource(running_database(current_platform().settings))


@merchants.command()
@click.option("--book", required=True, help="Six characters of 0-9 and A-Z, such as HZMTRO.")
@click.option("--name-zh", required=True)
@click.option("--name-en", required=True)
@click.option("--credit-code", required=True, help="Unified social credit code, 18 characters.")
@click.option("--draft", is_flag=True, help="Not reviewed yet; advance it with `status`.")
def register(book: str, name_zh: str, name_en: str, credit_code: str, *, draft: bool) -> None:
    """Register a merchant and open its book."""
    platform = current_platform()
    with platform.database.transaction() as session:
        merchant = operations.register(
            session,
            name_zh=name_zh,
            name_en=name_en,
            book_id=BookId(book),
            credit_code=credit_code,
            now=platform.clock.now(),
            status=MerchantStatus.DRAFT if draft else MerchantStatus.ACTIVE,
        )
    _say(merchant_id=merchant.merchant_id, book_id=merchant.book_id, status=merchant.status)


@merchants.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def onboard(file: Path) -> None:
    """Register a merchant with its devices and keys from a TOML FILE, all of it or nothing.

    \b
        book = "HZMTRO"
        name_zh = "杭州地铁"
        name_en = "Hangzhou Metro"
        credit_code = "91330100MA0000000C"
        key = "server.pem"              # Public keys lie beside the file.
        [[devices]]
        kind = "kiosk"
        name = "Longxiangqiao, exit A"
        place = "9"
        key = "kiosk.pem"
    """  # noqa: D301  The escape is click's own mark for text to leave as it is.
    wanted = tomllib.loads(file.read_text("utf-8"))
    try:
        known = current_platform().database.run(
            lambda session: _onboarded(session, wanted, beside=file.parent)
        )
    except KeyError as missing:
        raise click.ClickException(f"{file}: say {missing.args[0]}") from None
    _say(**known)


@merchants.command()
@click.argument("merchant_id")
@click.argument("event", type=click.Choice([one.value for one in MerchantEvent]))
def status(merchant_id: str, event: str) -> None:
    """Submit, approve, return, suspend, resume or close a merchant."""
    with current_platform().database.transaction() as session:
        merchant = operations.change_status(
            session, merchant_id=merchant_id, event=MerchantEvent(event)
        )
    _say(merchant_id=merchant.merchant_id, status=merchant.status)


@merchants.command()
@click.argument("merchant_id")
@click.option("--kind", type=click.Choice([one.value for one in DeviceKind]), required=True)
@click.option("--name", required=True)
@click.option("--place", help="Where it stands, in its service's words, such as a station's code.")
def add_device(merchant_id: str, kind: str, name: str, place: str | None) -> None:
    """Add a device; give it a key with `add-key --device`."""
    platform = current_platform()
    with platform.database.transaction() as session:
        device = operations.add_device(
            session,
            merchant_id=merchant_id,
            kind=DeviceKind(kind),
            name=name,
            place=place,
            now=platform.clock.now(),
        )
    _say(device_id=device.device_id, merchant_id=merchant_id)


@merchants.command()
@click.argument("merchant_id")
@click.argument("public_key", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--device", help="Let the key speak for this device only.")
@click.option("--valid-until", type=click.DateTime(["%Y-%m-%dT%H:%M:%S%z"]))
def add_key(merchant_id: str, public_key: Path, device: str | None, valid_until: Any) -> None:
    """Trust the Ed25519 public key in a file, as PEM or base64."""
    platform = current_platform()
    with platform.database.transaction() as session:
        key = operations.add_key(
            session,
            merchant_id=merchant_id,
            public_key=public_key.read_text("utf-8"),
            device_id=device,
            valid_until=valid_until,
            now=platform.clock.now(),
        )
    _say(key_id=key.key_id, owner=key.owner_kind, merchant_id=merchant_id, device_id=device)


@merchants.command()
@click.argument("key_id")
def revoke_key(key_id: str) -> None:
    """Trust a key no longer, from the next request on."""
    platform = current_platform()
    with platform.database.transaction() as session:
        key = operations.revoke_key(session, key_id=key_id, now=platform.clock.now())
    _say(key_id=key.key_id, revoked_at=str(key.revoked_at))


@merchants.command()
@click.argument("merchant_id")
@click.argument("url")
@click.option("--event", "events", multiple=True, default=("*",), show_default=True)
@click.option(
    "--signature",
    "signatures",
    type=click.Choice([one.value for one in SecretKind]),
    multiple=True,
    default=(SecretKind.HMAC.value,),
    show_default=True,
)
def add_endpoint(
    merchant_id: str, url: str, events: tuple[str, ...], signatures: tuple[str, ...]
) -> None:
    """Add a callback endpoint, and print what its callbacks are verified with."""
    platform = current_platform()
    platform.guarded_http.examine(url)
    secrets = [CallbackSecret.generate(SecretKind(kind)) for kind in sorted(set(signatures))]

    def add(session: Session) -> str:
        endpoint = operations.add_endpoint(
            session,
            merchant_id=merchant_id,
            url=url,
            events=events,
            secrets=secrets,
            vault=platform.vault,
            now=platform.clock.now(),
        )
        return endpoint.endpoint_id

    _say(
        endpoint_id=platform.database.run(add),
        merchant_id=merchant_id,
        secrets=[{"kind": secret.kind, "secret": secret.shown} for secret in secrets],
    )


def _onboarded(session: Session, wanted: Any, *, beside: Path) -> dict[str, Any]:
    now = current_platform().clock.now()
    merchant = operations.register(
        session,
        book_id=BookId(wanted["book"]),
        name_zh=wanted["name_zh"],
        name_en=wanted["name_en"],
        credit_code=wanted["credit_code"],
        now=now,
    )
    merchant_id = merchant.merchant_id

    def trust(name: str, device_id: str | None = None) -> str:
        text = (beside / name).read_text("utf-8")
        key = operations.add_key(
            session, merchant_id=merchant_id, public_key=text, device_id=device_id, now=now
        )
        return key.key_id

    devices = []
    for one in wanted.get("devices", []):
        device = operations.add_device(
            session,
            merchant_id=merchant_id,
            kind=DeviceKind(one["kind"]),
            name=one["name"],
            place=one.get("place"),
            now=now,
        )
        key_id = trust(one["key"], device.device_id)
        devices.append({"device_id": device.device_id, "key_id": key_id})
    return {
        "merchant_id": merchant_id,
        "book_id": merchant.book_id,
        "key_id": trust(wanted["key"]),
        "devices": devices,
    }


def _say(**facts: Any) -> None:
    click.echo(json.dumps(facts, ensure_ascii=False))
