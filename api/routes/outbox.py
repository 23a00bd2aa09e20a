"""The operator's outbox: each message as the console provider was given it."""

import json
from typing import Annotated, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import HTMLResponse

from api.context import Context, context_of
from api.cursors import RowId
from api.guard import OperatorBrand
from api.problems import not_found
from api.routes.portal import PAGE_HEADERS
from ordertrail.db import console
from ordertrail.db.console import ConsoleMessage
from ordertrail.domain.base import NO_NUL
from ordertrail.domain.ids import NaturalKey
from ordertrail.domain.message import Rendered
from ordertrail.messages.gallery import in_scheme
from ordertrail.messages.pages import EMAIL_CONTENT_SECURITY_POLICY, OutboxItem
from ordertrail.temporal_ui import run_url

router = APIRouter(include_in_schema=False)

_ON_A_PAGE = 50
MessageId = Annotated[int, Path(ge=1, le=2**63 - 1)]


@router.get("/outbox")
async def outbox(
    request: Request,
    brand: OperatorBrand,
    order: Annotated[str, Query(max_length=200, pattern=NO_NUL)] = "",
    before: RowId | None = None,
    after: RowId | None = None,
) -> Response:
    """All messages, newest first, or those of one order."""
    context = context_of(request)
    rows = await context.reader.read(
        lambda c: console.page(c, brand=brand, order=order, before_id=before, after_id=after, limit=_ON_A_PAGE + 1)
    )
    more = len(rows) > _ON_A_PAGE
    # One more row was asked for than is shown; it lies on the far side of the direction taken.
    shown = (rows[1:] if after is not None else rows[:-1]) if more else rows
    has_newer = before is not None or (after is not None and more)
    has_older = after is not None or more
    html = context.parts.pages.outbox(
        [_item(row) for row in shown],
        order=order,
        newer=_link(order, after=shown[0].id) if has_newer and shown else "",
        older=_link(order, before=shown[-1].id) if has_older and shown else "",
    )
    return HTMLResponse(html, headers=PAGE_HEADERS)


def _link(order: str, **position: int) -> str:
    return f"/outbox?{urlencode({'order': order, **position} if order else position)}"


@router.get("/outbox/{message_id}")
async def outbox_message(request: Request, message_id: MessageId, brand: OperatorBrand) -> Response:
    """One message with all its parts."""
    context = context_of(request)
    row = await context.reader.read(lambda c: console.by_id(c, message_id, brand=brand))
    if row is None:
        raise not_found("message")
    html = context.parts.pages.outbox_message(_item(row), run_url=_run_url(context, row))
    return HTMLResponse(html, headers=PAGE_HEADERS)


def _run_url(context: Context, row: ConsoleMessage) -> str:
    if not row.document:
        return ""
    order = json.loads(row.document)
    key = NaturalKey(brand=order["brand"], channel=order["channel"], external_id=order["external_id"])
    return run_url(context.parts.settings.temporal_ui_url, key)


@router.get("/outbox/{message_id}/html")
async def outbox_message_html(
    request: Request, message_id: MessageId, brand: OperatorBrand, scheme: Literal["light", "dark"] | None = None
) -> Response:
    """An email's HTML alone, for the frame on its page; shut in, because it is made of what others sent."""
    row = await context_of(request).reader.read(lambda c: console.by_id(c, message_id, brand=brand))
    html = Rendered.model_validate_json(row.message).html if row else None
    if html is None:
        raise not_found("message")
    framed = {"content-security-policy": EMAIL_CONTENT_SECURITY_POLICY, "x-frame-options": "SAMEORIGIN"}
    return HTMLResponse(in_scheme(html, scheme), headers=PAGE_HEADERS | framed)


def _item(row: ConsoleMessage) -> OutboxItem:
    return OutboxItem.model_validate(
        {
            "id": row.id,
            "brand": row.brand,
            "channel": row.channel,
            "kind": row.kind,
            "recipient": row.recipient,
            "recipient_name": row.recipient_name,
            "delivery_id": row.delivery_id,
            "order_id": row.order_id,
            "order_number": json.loads(row.document)["number"] if row.document else None,
            "at": row.at,
            "rendered": Rendered.model_validate_json(row.message),
        }
    )
