"""What policy is given about an order, and the plan it answers with."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from ordertrail.domain.base import Instant, Stored
from ordertrail.domain.brand import Brand
from ordertrail.domain.decisions import Decision
from ordertrail.domain.events import Change, Envelope
from ordertrail.domain.message import OrderStage
from ordertrail.domain.order import CanonicalOrder, Consents
from ordertrail.domain.order_state import OrderState, Refund
from ordertrail.domain.policy.memory import Memory
from ordertrail.domain.promise import Promise
from ordertrail.domain.vocabulary import (
    CaseKind,
    CasePriority,
    Channel,
    Condition,
    DeliveryState,
    Frequency,
    MessageKind,
    Milestone,
    ReasonCode,
)

CUSTOMER, RECIPIENT = "customer", "recipient"


@dataclass(frozen=True, kw_only=True)
class Contact:
    """Somebody who may be told, without their addresses: which channels reach them and what they agreed to.

    `reachable` holds channels with an address that is not closed; `sent_today` counts today's messages per channel.
    """

    role: str
    person_id: str
    reachable: frozenset[Channel]
    consents: Consents
    preferred: Channel | None
    zone: str
    locale: str
    sent_today: dict[Channel, int] = field(default_factory=dict)
    preferences: Mapping[tuple[MessageKind, Channel], Frequency] = field(default_factory=dict)
    """What the person said about kinds and channels; where they said nothing, the brand's policy holds."""


class DeliveryView(Stored):
    """A delivery as policy sees it."""

    id: str
    kind: MessageKind
    shipment_ref: str = ""
    occurrence: int
    recipient: str
    channel: Channel
    state: DeliveryState
    reason: str | None = None
    critical: bool
    provider: str
    not_before: Instant
    not_after: Instant
    receipt_due_at: Instant | None = None
    handled: bool = False
    overtaken: bool = False


class CaseView(Stored):
    """A case as policy sees it."""

    id: str
    kind: CaseKind
    shipment_ref: str = ""
    state: str
    queue: str
    priority: CasePriority
    due_at: Instant
    escalated_at: Instant | None = None
    acknowledged_at: Instant | None = None


@dataclass(frozen=True, kw_only=True)
class Situation:
    """Everything one decision is made from. `now` is aware UTC; `batch` are the entries this step appended."""

    order_id: str
    order: CanonicalOrder
    state: OrderState
    memory: Memory
    brand: Brand
    now: datetime
    batch: tuple[Envelope, ...]
    contacts: tuple[Contact, ...]
    deliveries: tuple[DeliveryView, ...] = ()
    cases: tuple[CaseView, ...] = ()
    providers: dict[Channel, str] = field(default_factory=dict)
    receipts: frozenset[Channel] = frozenset()
    """Channels whose provider reports what became of a message."""
    silent_carriers: frozenset[str] = frozenset()
    """Carriers that have stopped reporting on nearly everything they carry for this brand."""


class Hints(Stored):
    """The facts of a piece of news beyond the state of the order itself."""

    happened_at: Instant
    stage: OrderStage | None = None
    changes: tuple[Change, ...] = ()
    reason_code: ReasonCode | None = None
    action_required: bool = False
    attempt_no: int | None = None
    milestone: Milestone | None = None
    promise: Promise | None = None
    previous_promise: Promise | None = None
    skus: tuple[str, ...] = ()
    refund: Refund | None = None


@dataclass(frozen=True, kw_only=True)
class NewMessage:
    """A delivery to be planned."""

    kind: MessageKind
    shipment_ref: str
    occurrence: int
    contact: Contact
    channel: Channel
    provider: str
    critical: bool
    state: DeliveryState
    not_before: datetime
    not_after: datetime
    receipt_due_at: datetime | None
    hints: Hints
    copy_of: str | None = None
    """The delivery whose facts this stand-in repeats."""


@dataclass(frozen=True, kw_only=True)
class NewCase:
    kind: CaseKind
    shipment_ref: str
    occurrence: int
    queue: str
    priority: CasePriority
    reason: str
    due_at: datetime
    facts: dict[str, str | int | bool | None]


@dataclass(frozen=True, kw_only=True)
class Deadline:
    at: datetime
    what: str


@dataclass(kw_only=True)
class Plan:
    """What is to be done. Filled by the rules in turn; everything in it is written in one transaction."""

    memory: Memory
    decisions: list[Decision] = field(default_factory=list)
    messages: list[NewMessage] = field(default_factory=list)
    superseded: list[str] = field(default_factory=list)
    released: list[str] = field(default_factory=list)
    handled: list[str] = field(default_factory=list)
    expired: dict[str, DeliveryState] = field(default_factory=dict)
    unreachable: list[str] = field(default_factory=list)
    cases: list[NewCase] = field(default_factory=list)
    raised_cases: dict[str, CasePriority] = field(default_factory=dict)
    reprioritised: dict[str, CasePriority] = field(default_factory=dict)
    """Open cases that weigh more than when they were opened; their clocks run on."""
    conditions: dict[str, tuple[Condition, ...]] = field(default_factory=dict)
    """What is raised, per scope: a shipment's ref, or empty for the order."""
    traces: list[Envelope] = field(default_factory=list)
    """Conditions raised and cleared by this step, for the timeline."""
    deadlines: list[Deadline] = field(default_factory=list)
    closed: bool = False

    @property
    def deadline(self) -> Deadline | None:
        """The earliest one."""
        return min(self.deadlines, key=lambda deadline: deadline.at, default=None)

    @property
    def order_conditions(self) -> tuple[Condition, ...]:
        """All conditions raised anywhere in the order."""
        return tuple(sorted({condition for raised in self.conditions.values() for condition in raised}))

    def conditions_of(self, ref: str) -> tuple[Condition, ...]:
        """What is raised for one shipment; an order that is one scope shares its conditions with its shipment."""
        return self.conditions.get(ref, self.conditions.get("", ()) if len(self.conditions) == 1 else ())
