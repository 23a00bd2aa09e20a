"""Reading orders: always from the read model, never from Temporal."""

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import AwareDatetime, StringConstraints, TypeAdapter
from sqlalchemy import Connection

from api import documents
from api.context import context_of
from api.cursors import Cursor, Limit, read_cursor, write_cursor
from api.guard import ReadOrders
from api.problems import not_found
from api.routes.intake import OrderRef
from api.streams import listen, whole_event
from ordertrail.db import deliveries, reading
from ordertrail.db.reading import OrderFilter
from ordertrail.domain.base import NO_NUL
from ordertrail.domain.vocabulary import Condition, OrderStatus
from ordertrail.frontdoor.references import is_reference, natural_key

router = APIRouter(tags=["Read"])

_READ_ERRORS = (401, 403, 404, 422, 429, 503)
_STRING_POSITION: TypeAdapter[tuple[Annotated[str, StringConstraints(max_length=40, pattern=NO_NUL)]]] = TypeAdapter(
    tuple[Annotated[str, StringConstraints(max_length=40, pattern=NO_NUL)]]
)
_ROW_POSITION: TypeAdapter[tuple[int]] = TypeAdapter(tuple[Annotated[int, Query(ge=0, le=2**63 - 1)]])
Text = Annotated[str | None, Query(max_length=200, pattern=NO_NUL)]
"""A filter's value; no stored text holds NUL, and PostgreSQL refuses it."""


@router.get(
    "/v1/orders",
    summary="List orders",
    response_class=documents.Json,
    responses=documents.answers(200, 401, 403, 422, 429, 503, model="OrderPage"),
)
async def list_orders(
    request: Request,
    key: ReadOrders,
    *,
    customer: Annotated[
        str | None, Query(max_length=200, pattern=NO_NUL, description="The shop's own customer id")
    ] = None,
    channel: Text = None,
    external_id: Text = None,
    status: OrderStatus | None = None,
    condition: Condition | None = None,
    placed_from: Annotated[AwareDatetime | None, Query(description="With its offset; inclusive")] = None,
    placed_to: Annotated[AwareDatetime | None, Query(description="With its offset; exclusive")] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Response:
    """The brand's orders, newest first. All filters given must hold. Pages are stable while orders come in."""
    wanted = OrderFilter(
        customer=customer,
        channel=channel,
        external_id=external_id,
        status=status,
        condition=condition,
        placed_from=_storable(placed_from),
        placed_to=_storable(placed_to),
    )
    before = read_cursor(cursor, _STRING_POSITION)[0] if cursor else None
    rows = await context_of(request).reader.read(
        lambda c: reading.order_page(c, key.brand, wanted, before_id=before, limit=limit + 1)
    )
    orders = [{("order_id" if name == "id" else name): value for name, value in row.items()} for row in rows[:limit]]
    return documents.page("orders", orders, write_cursor(rows[limit - 1]["id"]) if len(rows) > limit else None)


def _storable(instant: datetime | None) -> datetime | None:
    """Databases and arithmetic end at the edges of the calendar; nothing was ordered there."""
    if instant is None or 1990 <= instant.year <= 2199:
        return instant
    return instant.replace(year=1990 if instant.year < 1990 else 2199, day=1)


@router.get(
    "/v1/orders/{ref:path}/timeline",
    summary="An order's timeline",
    response_class=documents.Json,
    responses=documents.answers(200, *_READ_ERRORS, model="TimelinePage"),
)
async def read_timeline(
    request: Request, ref: OrderRef, key: ReadOrders, cursor: Cursor = None, limit: Limit = 100
) -> Response:
    """Everything that was reported about the order, in the order in which it was recorded. This is the truth."""
    after = read_cursor(cursor, _ROW_POSITION)[0] if cursor else 0

    def read(c: Connection) -> list[tuple[int, str]]:
        return reading.timeline_page(c, _order_id(c, key.brand, ref), after_id=after, limit=limit + 1)

    rows = await context_of(request).reader.read(read)
    events = [_without_raw_text(envelope) for _, envelope in rows[:limit]]
    return documents.page("events", events, write_cursor(rows[limit - 1][0]) if len(rows) > limit else None)


def _without_raw_text(envelope: str) -> dict[str, Any]:
    """The carrier's own words may name people and streets; they stay inside."""
    entry: dict[str, Any] = json.loads(envelope)
    if isinstance(entry.get("event"), dict):
        entry["event"].pop("raw_text", None)
    return entry


@router.get(
    "/v1/orders/{ref:path}/deliveries",
    summary="An order's messages",
    response_class=documents.Json,
    responses=documents.answers(200, *_READ_ERRORS, model="DeliveryList"),
)
async def read_deliveries(request: Request, ref: OrderRef, key: ReadOrders) -> Response:
    """Each message to each recipient on each channel and what became of it; no addresses and no text."""

    def read(c: Connection) -> list[deliveries.DeliveryView]:
        return deliveries.of_order(c, _order_id(c, key.brand, ref))

    rows = await context_of(request).reader.read(read)
    return documents.Json(documents.encoded({"deliveries": [row.__dict__ for row in rows]}))


@router.get(
    "/v1/orders/{ref:path}/decisions",
    summary="Why messages were or were not sent",
    response_class=documents.Json,
    responses=documents.answers(200, *_READ_ERRORS, model="DecisionPage"),
)
async def read_decisions(
    request: Request, ref: OrderRef, key: ReadOrders, cursor: Cursor = None, limit: Limit = 100
) -> Response:
    """Every decision with its reason, the inputs that mattered and the versions it was made by, oldest first."""
    after = read_cursor(cursor, _ROW_POSITION)[0] if cursor else 0

    def read(c: Connection) -> list[Mapping[str, Any]]:
        return reading.decision_page(c, _order_id(c, key.brand, ref), after_id=after, limit=limit + 1)

    rows = await context_of(request).reader.read(read)
    decisions = [dict(row) for row in rows[:limit]]
    return documents.page("decisions", decisions, write_cursor(rows[limit - 1]["id"]) if len(rows) > limit else None)


@router.get(
    "/v1/orders/{ref:path}/stream",
    summary="Follow an order",
    response_class=StreamingResponse,
    responses={
        **documents.answers(*_READ_ERRORS),
        200: {"description": "Server-sent events, each within two seconds.", "content": {"text/event-stream": {}}},
    },
)
async def follow_order(
    request: Request, ref: OrderRef, key: ReadOrders, last_event_id: Annotated[str | None, Header()] = None
) -> Response:
    """What happens to the order from now on, or since `Last-Event-ID`. Read the order again at each event.

    An event may come twice around a reconnection; its id tells. A comment is sent each 15 seconds.
    """
    context = context_of(request)
    order_id = await context.reader.read(lambda c: _order_id(c, key.brand, ref))
    events = listen(context.hub, order_id, event_number(last_event_id), whole_event)
    return StreamingResponse(events, media_type="text/event-stream", headers={"cache-control": "no-store"})


def event_number(last_event_id: str | None) -> int | None:
    """The number in a Last-Event-ID header; None where it is not one of ours, which then is a fresh start."""
    text = last_event_id or ""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


@router.get(
    "/v1/orders/{ref:path}",
    summary="Read an order",
    response_class=documents.Json,
    responses=documents.answers(200, 304, *_READ_ERRORS, model="OrderDocument"),
)
async def read_order(request: Request, ref: OrderRef, key: ReadOrders) -> Response:
    """The whole order as it stands, without personal data. Send the ETag back as If-None-Match to save the transfer."""
    document = await context_of(request).reader.soon(lambda c: _document(c, key.brand, ref))
    if document is None:
        raise not_found("order")
    body = document.encode()
    etag = f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'
    headers = {"etag": etag, "cache-control": "private, no-cache"}
    if etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return documents.Json(body, headers=headers)


def _document(c: Connection, brand: str, ref: str) -> str | None:
    if not is_reference(ref):
        return None
    key = natural_key(brand, ref)
    return reading.document_by_key(c, key) if key else reading.document(c, brand=brand, order_id=ref)


def _order_id(c: Connection, brand: str, ref: str) -> str:
    """The id of the order meant. Ends the request with 404."""
    if is_reference(ref):
        order_id = reading.order_id_of(c, brand, natural_key(brand, ref) or ref)
        if order_id is not None:
            return order_id
    raise not_found("order")
