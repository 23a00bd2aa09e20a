"""What policy remembers about an order between two steps: what was told, what waits, what is raised."""

from pydantic import Field

from ordertrail.domain.base import Instant, Stored
from ordertrail.domain.promise import Promise
from ordertrail.domain.vocabulary import CaseKind, MessageKind, ReasonCode, ShipmentStatus


class DelayTold(Stored):
    """The delay the customer knows about: why, and the date they were given (None: none could be given).

    `missed`: they know that a promise was missed, not only that it may be. `shipment_ref` is what the message named.
    """

    reason: ReasonCode
    promise: Promise | None = None
    at: Instant
    missed: bool = False
    shipment_ref: str = ""


class ShipmentMemory(Stored):
    """What is remembered of one shipment.

    `told_until`: everything in status `told_status` up to this instant has been told or deliberately not told.
    `believes` is what the customer was really told last, and `believes_since` when that had come about.
    """

    shipped_told: bool = False
    told_status: ShipmentStatus | None = None
    told_until: Instant | None = None
    told_reasons: frozenset[ReasonCode | None] = frozenset()
    """The reasons of the problem told last."""
    told_action: bool = False
    told_attempt: int = 0
    told_milestones: frozenset[str] = frozenset()
    believes: ShipmentStatus | None = None
    believes_since: Instant | None = None


class Pending(Stored):
    """News that waits: since when, and until when."""

    since: Instant
    until: Instant


class Memory(Stored):
    """All of it. Kept with the order, written in the step's transaction."""

    told: frozenset[str] = frozenset()
    """Anchors of order-level news that was told or deliberately not told."""
    shipments: dict[str, ShipmentMemory] = Field(default_factory=dict)
    occurrences: dict[str, int] = Field(default_factory=dict)
    """How often each `shipment:kind` has been announced."""
    pending: dict[str, Pending] = Field(default_factory=dict)
    delays: dict[str, DelayTold] = Field(default_factory=dict)
    """The delay told per scope (shipment ref, or empty for the order) and not yet retracted."""
    conditions: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """Conditions raised per scope."""
    delay_count: int = 0
    case_counts: dict[str, int] = Field(default_factory=dict)

    def shipment(self, ref: str) -> ShipmentMemory:
        """What is remembered of one shipment."""
        return self.shipments.get(ref, ShipmentMemory())

    def occurrence(self, kind: MessageKind, ref: str) -> int:
        """The number the next announcement of this kind about this shipment gets; the first is 1."""
        return self.occurrences.get(f"{ref}:{kind}", 0) + 1

    def next_case(self, kind: CaseKind, ref: str) -> int:
        """The number the next case of this kind about this shipment gets; the first is 1."""
        return self.case_counts.get(f"{ref}:{kind}", 0) + 1
