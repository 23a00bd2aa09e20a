"""The answers' shapes, for the OpenAPI document only: the routes send rows as they are and spend no time on models."""

from typing import Any, Literal

from pydantic import BaseModel, Field

from ordertrail.domain.base import Instant
from ordertrail.domain.events import Envelope


class FieldProblem(BaseModel):
    """One wrong field of a body (`pointer`) or one wrong parameter (`parameter`)."""

    pointer: str | None = None
    parameter: str | None = None
    detail: str
    code: str


class Problem(BaseModel):
    """RFC 9457 problem details."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    request_id: str
    code: str
    errors: list[FieldProblem] | None = None
    dead_letter: int | None = Field(None, description="Under this id the body is kept")


class OrderAccepted(BaseModel):
    order_id: str
    inbox_id: int
    status: Literal["accepted"]


class EventAccepted(BaseModel):
    """`unmatched`: it waits for its order or shipment, which is not known yet."""

    inbox_id: int
    status: Literal["accepted", "unmatched"]
    order_ids: list[str] | None = None


class OrderSummary(BaseModel):
    order_id: str
    channel: str
    external_id: str
    status: str
    conditions: list[str]
    placed_at: Instant
    updated_at: Instant
    promise_ends_at: Instant | None
    queue: str | None
    open: bool


class OrderPage(BaseModel):
    orders: list[OrderSummary]
    next_cursor: str | None


class TimelinePage(BaseModel):
    events: list[Envelope]
    next_cursor: str | None


class Delivery(BaseModel):
    """One message to one recipient on one channel: what became of it, never to whom or what it said."""

    id: str
    kind: str
    channel: str
    state: str
    reason: str | None
    shipment_ref: str | None
    occurrence: int
    recipient: str
    provider: str
    critical: bool
    attempts: int
    ambiguous: int
    overtaken: bool
    not_before: Instant
    not_after: Instant
    planned_at: Instant
    claimed_at: Instant | None
    accepted_at: Instant | None
    settled_at: Instant | None


class DeliveryList(BaseModel):
    deliveries: list[Delivery]


class Decision(BaseModel):
    """Why a message was or was not sent, with the inputs that mattered and the versions of code and policy."""

    id: int
    seq: int
    decision: str
    reason: str
    message_kind: str | None
    shipment_ref: str | None
    occurrence: int | None
    recipient: str | None
    channel: str | None
    event_ids: list[Any]
    inputs: dict[str, Any]
    versions: dict[str, Any]
    at: Instant


class DecisionPage(BaseModel):
    decisions: list[Decision]
    next_cursor: str | None


class Case(BaseModel):
    id: str
    order_id: str
    shipment_ref: str
    kind: str
    occurrence: int
    queue: str
    priority: str
    state: str
    reason: str
    facts: dict[str, Any]
    opened_at: Instant
    due_at: Instant
    escalated_at: Instant | None
    acknowledged_at: Instant | None
    closed_at: Instant | None
    outcome: str | None


class CasePage(BaseModel):
    cases: list[Case]
    next_cursor: str | None


class DeadLetterSummary(BaseModel):
    id: int
    kind: str
    connection: str
    reason: str | None
    priority: int
    received_at: Instant
    order_id: str | None
    replays: int


class DeadLetterPage(BaseModel):
    dead_letters: list[DeadLetterSummary]
    next_cursor: str | None


class DeadLetter(DeadLetterSummary):
    """`payload` is the body as received: text, or base64 where `payload_encoding` says so. Personal data."""

    detail: str | None
    reference: str | None
    payload: str
    payload_encoding: Literal["utf-8", "base64"]


class ReplayAnswer(BaseModel):
    """`state` is `replayed` when it was understood this time, and `dead` with a reason when it was not."""

    id: int
    state: Literal["replayed", "dead"]
    reason: str | None
    answer: dict[str, Any] | None
