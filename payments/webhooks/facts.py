"""What webhooks says of itself."""

from dataclasses import dataclass
from datetime import datetime

from payments.events.facts import Fact


@dataclass(frozen=True, kw_only=True)
class EndpointDisabled(Fact):
    """A callback endpoint gets no more callbacks; the merchant's other endpoints may hear it."""

    name = "callback-endpoint.disabled"
    published = ("endpoint_id", "reason", "disabled_at")

    endpoint_id: str
    reason: str
    disabled_at: datetime

    @property
    def subject(self) -> str:
        return self.endpoint_id

    @property
    def occurred_at(self) -> datetime:
        return self.disabled_at
