"""What every provider adapter is: send once, tell failures apart, and say whether it can be asked afterwards."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from ordertrail.domain.message import OutgoingMessage
from ordertrail.domain.vocabulary import Channel, DeliveryState


@dataclass(frozen=True, kw_only=True)
class Accepted:
    """The provider took responsibility. `provider_id` is its own id of the message."""

    provider_id: str


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """A provider's callback about one delivery, verified and parsed.

    `event_id` is the provider's id of this report; `state` what the delivery becomes; `reason` a short code;
    `closes_channel` that the address must not be used again on this channel (hard bounce, complaint, STOP).
    """

    event_id: str
    delivery_id: str | None
    provider_id: str | None
    state: DeliveryState
    reason: str
    occurred_at: datetime | None
    closes_channel: bool = False


class Provider(Protocol):
    """One provider on one channel. Thread-safe; constructed once in wiring."""

    name: str
    channel: Channel
    reports_receipts: bool
    """Whether callbacks tell what became of a message."""
    can_be_asked: bool
    """Whether `find` can tell if an earlier attempt got through."""

    def send(self, message: OutgoingMessage) -> Accepted:
        """Hand the message over once. Raises Transient, Permanent or Ambiguous and nothing else."""
        ...

    def find(self, message: OutgoingMessage, since: datetime) -> Accepted | None:
        """The earlier acceptance of this very message since `since` (aware UTC), or None if there was none.

        Raises Transient if the provider cannot answer now. Only meaningful where `can_be_asked`.
        """
        ...
