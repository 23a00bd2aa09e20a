"""What an OMS, a sales channel or a carrier posts: orders, order events, tracking events."""

import json
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool

from api import documents
from api.body import read_body
from api.context import context_of
from api.documents import accepts
from api.guard import WriteEvents, WriteOrders
from api.problems import invalid_body, not_found
from ordertrail.db.inbox import InboxKind
from ordertrail.db.keys import ApiKey
from ordertrail.frontdoor.acceptance import Acceptance, Conflict, UnacceptableField
from ordertrail.frontdoor.references import is_reference
from ordertrail.frontdoor.rejections import rejection_of

router = APIRouter(tags=["Write"])

OrderRef = Annotated[
    str,
    Path(
        description="The order's id, or `channel:external id` within the brand of the key; it may hold slashes",
        examples=["ord_01k9zq3v5n8w2x4y6z8a0b2c4d", "web:10-442"],
    ),
]
Take = Callable[[bytes, datetime], Acceptance]


@router.post(
    "/v1/orders",
    summary="Place an order",
    status_code=201,
    response_class=documents.Json,
    responses=documents.answers(201, 200, 401, 403, 409, 413, 422, 429, 503, model="OrderAccepted"),
    openapi_extra=accepts("CanonicalOrder", documents.ORDER_EXAMPLE),
)
async def place_order(request: Request, key: WriteOrders) -> Response:
    """Stores an order and starts to look after it.

    One (brand, channel, external_id) is one order for ever. The same order again, in any formatting, gets the same
    answer with status 200 and has no effect; another body under the same id is answered 409 and kept as a dead
    letter. Once this is answered 2xx the order is stored durably, whatever happens next.
    """
    door = context_of(request).parts.front_door
    acceptance = await _take(
        request, key, InboxKind.ORDER, lambda raw, now: door.order(key.brand, key.connection, raw, now)
    )
    headers = {"location": f"/v1/orders/{acceptance.answer['order_id']}"}
    return documents.Json(json.dumps(acceptance.answer), 200 if acceptance.repeated else 201, headers)


@router.post(
    "/v1/orders/{ref:path}/events",
    summary="Report an event of an order",
    status_code=202,
    response_class=documents.Json,
    responses=documents.answers(202, 200, 401, 403, 404, 409, 413, 422, 429, 503, model="EventAccepted"),
    openapi_extra=accepts("OrderEvent", documents.ORDER_EVENT_EXAMPLE),
)
async def report_order_event(request: Request, ref: OrderRef, key: WriteEvents) -> Response:
    """Stores a fact about an order.

    `event_id` makes it safe to repeat: the same event again is answered 200 with the same answer and has no effect,
    another body under the same id 409. An event for a `channel:external id` that is not known yet is accepted with
    status `unmatched` and reaches its order as soon as that is placed; an id that was never minted is a 404.
    """
    door = context_of(request).parts.front_door

    def take(raw: bytes, now: datetime) -> Acceptance:
        return door.order_event(key.brand, key.connection, ref, raw, now)

    return _accepted(await _take(request, key, InboxKind.ORDER_EVENT, take, ref))


@router.post(
    "/v1/tracking-events",
    summary="Report a tracking event",
    status_code=202,
    response_class=documents.Json,
    responses=documents.answers(202, 200, 401, 403, 404, 409, 413, 422, 429, 503, model="EventAccepted"),
    openapi_extra=accepts("TrackingReport", documents.TRACKING_EXAMPLE),
)
async def report_tracking_event(
    request: Request,
    key: WriteEvents,
    order: Annotated[
        str | None,
        Query(description="The order `shipment_ref` belongs to, if the body does not name it"),
    ] = None,
) -> Response:
    """Stores a fact about a shipment, named by `carrier` and `tracking_number`, or by `order` and `shipment_ref`.

    Safe to repeat, as for order events. A scan for a tracking number nobody knows yet is accepted with status
    `unmatched` and reaches its shipment as soon as that appears.
    """
    door = context_of(request).parts.front_door

    def take(raw: bytes, now: datetime) -> Acceptance:
        return door.tracking_event(key.brand, key.connection, raw, now, reference=order)

    return _accepted(await _take(request, key, InboxKind.TRACKING_EVENT, take, order))


def _accepted(acceptance: Acceptance) -> Response:
    return documents.Json(json.dumps(acceptance.answer), 200 if acceptance.repeated else 202)


async def _take(request: Request, key: ApiKey, kind: InboxKind, take: Take, reference: str | None = None) -> Acceptance:
    """Store a body, hand it on, count it. What is not understood is kept and ends the request with a problem."""
    context = context_of(request)
    if reference is not None and not is_reference(reference):
        raise not_found("order")
    raw = await read_body(request)
    now = context.parts.clock()
    try:
        acceptance = await run_in_threadpool(take, raw, now)
    except (ValidationError, UnacceptableField) as error:
        why = rejection_of(error, raw)
        context.metrics.dead_letters.labels(key.brand, "api", why.reason).inc()
        reject = partial(
            context.parts.front_door.reject,
            key.brand,
            key.connection,
            kind,
            raw,
            now,
            reason=why.reason,
            detail=why.detail,
        )
        dead_letter = await run_in_threadpool(reject, reference=reference)
        raise invalid_body(why, dead_letter=dead_letter) from None
    except Conflict as error:
        context.metrics.dead_letters.labels(key.brand, "api", error.code).inc()
        raise
    context.parts.dispatcher.wake(acceptance.wakes)
    if not acceptance.repeated:
        context.metrics.accepted.labels(key.brand, "api", kind.value).inc()
    return acceptance
