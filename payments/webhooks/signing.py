"""Standard Webhooks: the headers and the body of a callback (https://www.standardwebhooks.com)."""

import base64
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from standardwebhooks import Webhook

from payments.merchants.callback_secrets import raw_secret
from payments.merchants.rules import SecretKind
from payments.webhooks.models import Event

CONTENT_TYPE: Final = "application/json"


def body(event: Event) -> str:
    """Return an event as it is sent; the same text every time.

    `sequence` grows by one with each event about the same `subject`.
    """
    return json.dumps(
        {
            "id": event.event_id,
            "type": event.type,
            "version": event.version,
            "created_at": event.created_at.isoformat(),
            "book_id": event.book_id,
            "subject": event.subject,
            "sequence": event.sequence,
            "data": event.data,
        },
        ensure_ascii=False,
        sort_keys=True,
        separators=(",", ":"),
    )


def headers(
    *, event_id: str, text: str, secrets: Sequence[tuple[SecretKind, str]], now: datetime
) -> Mapping[str, str]:
    """Return the headers of one attempt, with one signature per living secret."""
    return {
        "Content-Type": CONTENT_TYPE,
        "webhook-id": event_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(
            _signature(kind, secret, event_id=event_id, text=text, now=now)
            for kind, secret in secrets
        ),
    }


def _signature(kind: SecretKind, secret: str, *, event_id: str, text: str, now: datetime) -> str:
    if kind is SecretKind.HMAC:
        return Webhook(secret).sign(event_id, now, text)
    signed = f"{event_id}.{int(now.timestamp())}.{text}".encode()
    signature = Ed25519PrivateKey.from_private_bytes(raw_secret(secret)).sign(signed)
    return f"v1a,{base64.b64encode(signature).decode()}"
