"""The OpenAPI document: what FastAPI finds, and the schemas of bodies that the routes read themselves."""

from functools import lru_cache
from types import MappingProxyType
from typing import Annotated, Any, Literal

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel, Field, TypeAdapter

from ordertrail.domain.base import Instant
from ordertrail.domain.document import OrderDocument
from ordertrail.domain.events import Envelope, OrderEvent, TrackingEvent
from ordertrail.domain.order import CanonicalOrder
from ordertrail.frontdoor.references import TrackingReport

DESCRIPTION = """
Tell ordertrail about orders, and read where they stand.

**Send it again whenever in doubt.** Every write carries an id of yours. The same id with the same body (however
formatted) is answered like the first time, with status 200, and has no effect. The same id with another body is
answered 409, and that body is kept as a dead letter. A 2xx means stored durably. A 429 or 503 means nothing happened:
wait for `Retry-After` seconds and send it again.

**Errors** are RFC 9457 problem details. `errors` names each wrong field by JSON Pointer and never repeats a value.

**Orders** are named by the id minted for them, or as `channel:external id` within the API key's brand.
"""


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


_ANSWERS: tuple[type[BaseModel], ...] = (
    OrderAccepted, EventAccepted, OrderPage, TimelinePage, DeliveryList, DecisionPage, CasePage, DeadLetterPage,
    DeadLetter, ReplayAnswer, OrderDocument,
)  # fmt: skip
_BODIES: tuple[tuple[str, Any], ...] = (
    ("CanonicalOrder", CanonicalOrder),
    ("OrderEvent", Annotated[OrderEvent, Field(title="OrderEvent")]),
    ("TrackingReport", TrackingReport),
    ("Problem", Problem),
)
PUBLISHED = MappingProxyType({"order": CanonicalOrder, "order-event": OrderEvent, "tracking-event": TrackingEvent})
"""The bodies that have a JSON Schema of their own, by the name in its address."""


@lru_cache(maxsize=1)
def _components() -> dict[str, Any]:
    bodies = [((name, "validation"), TypeAdapter[Any](model)) for name, model in _BODIES]
    answers = [((model.__name__, "serialization"), TypeAdapter[Any](model)) for model in _ANSWERS]
    schemas, shared = TypeAdapter.json_schemas(
        [(key[0], key[1], adapter) for key, adapter in [*bodies, *answers]],  # type: ignore[misc]
        ref_template="#/components/schemas/{model}",
    )
    components: dict[str, Any] = dict(shared.get("$defs", {}))
    for (name, _), schema in schemas.items():
        if schema.get("$ref") != f"#/components/schemas/{name}":
            components[name] = schema
    return components


def schema_of(name: str) -> dict[str, Any] | None:
    """The published JSON Schema (2020-12) of a body, or None if there is none of this name."""
    model: Any = PUBLISHED.get(name)
    if model is None:
        return None
    schema = TypeAdapter[Any](model).json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": name, **schema}


def install(app: FastAPI) -> None:
    """Serve the document at /openapi.json, built on first use."""

    def build() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = get_openapi(
                title=app.title,
                version=app.version,
                description=app.description,
                routes=app.routes,
                tags=app.openapi_tags,
            )
            schemas = document.setdefault("components", {}).setdefault("schemas", {})
            schemas.update(_components())
            for unused in ("HTTPValidationError", "ValidationError"):
                schemas.pop(unused, None)
            app.openapi_schema = document
        return app.openapi_schema

    # Assigned as FastAPI documents it for extending the document.
    setattr(app, "openapi", build)  # noqa: B010
