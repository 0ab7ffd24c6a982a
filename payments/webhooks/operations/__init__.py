"""Take deliveries from the queue, record what came of them, replay or bury them."""

from payments.webhooks.operations.claiming import Claimed, claim
from payments.webhooks.operations.endpoints import (
    disable_endpoint,
    enable_endpoint,
    replay,
    replay_range,
)
from payments.webhooks.operations.recording import Attempted, record

__all__ = [
    "Attempted",
    "Claimed",
    "claim",
    "disable_endpoint",
    "enable_endpoint",
    "record",
    "replay",
    "replay_range",
]
