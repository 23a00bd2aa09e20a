"""Every decision is a tagged value with a reason from a closed list; none is silent."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from ordertrail.domain.base import Instant, Stored
from ordertrail.domain.vocabulary import CaseKind, CasePriority, Channel, Frequency, MessageKind


class Why(StrEnum):
    """The closed list of reasons."""

    # for sending
    NEWS = "news"
    OTHER_CHANNEL_FAILED = "other_channel_failed"
    NO_RECEIPT = "no_receipt"
    # for waiting
    IMMINENT = "imminent"
    NOT_READY = "not_ready"
    QUIET_HOURS = "quiet_hours"
    PREFERENCE_DIGEST = "preference_digest"
    # for keeping quiet
    NO_NEWS = "no_news"
    DUPLICATE = "duplicate"
    STALE_VERSION = "stale_version"
    OVERTAKEN = "overtaken"
    TOO_LATE = "too_late"
    IMPORTED = "imported"
    UNKNOWN_CODE = "unknown_code"
    UNKNOWN_SHIPMENT = "unknown_shipment"
    ALREADY_TOLD = "already_told"
    NO_LONGER_TRUE = "no_longer_true"
    CARRIER_SILENT = "carrier_silent"
    DAILY_CAP = "daily_cap"
    PREFERENCE_OFF = "preference_off"
    PERSON_DECIDES = "person_decides"
    OTHER_CHANNEL_TOLD = "other_channel_told"
    NO_CHANNEL = "no_channel"
    USEFUL_LIFE_OVER = "useful_life_over"
    PREFLIGHT = "preflight"
    DELIVERY_UNKNOWN = "delivery_unknown"
    # for escalating
    PROMISE_MISSED = "promise_missed"
    REPEATED_DELAY = "repeated_delay"
    SHIPMENT_PROBLEM = "shipment_problem"
    ORDER_PROBLEM = "order_problem"
    CUSTOMER_UNREACHABLE = "customer_unreachable"
    SLA_OVERDUE = "sla_overdue"


class _Decision(Stored):
    reason: Why
    message_kind: MessageKind | None = None
    shipment_ref: str = ""
    occurrence: int | None = None
    event_ids: tuple[str, ...] = ()
    inputs: dict[str, str | int | float | bool | None] = Field(default_factory=dict)


class Send(_Decision):
    """Goes out now on this channel."""

    tag: Literal["send"] = "send"
    recipient: str
    channel: Channel


class Hold(_Decision):
    """Waits and is decided again on release."""

    tag: Literal["hold"] = "hold"
    until: Instant
    recipient: str | None = None
    channel: Channel | None = None


class Digest(_Decision):
    """Joins the recipient's next digest."""

    tag: Literal["digest"] = "digest"
    recipient: str
    channel: Channel
    frequency: Frequency


class Suppress(_Decision):
    """Will not be sent."""

    tag: Literal["suppress"] = "suppress"
    recipient: str | None = None
    channel: Channel | None = None


class Record(_Decision):
    """Stands on the timeline and calls for no message."""

    tag: Literal["record"] = "record"


class Escalate(_Decision):
    """A person takes over: a case in a support queue."""

    tag: Literal["escalate"] = "escalate"
    case_kind: CaseKind
    queue: str
    priority: CasePriority


Decision = Annotated[Send | Hold | Digest | Suppress | Record | Escalate, Field(discriminator="tag")]
