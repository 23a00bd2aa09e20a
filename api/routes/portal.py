"""The customer's tracking page: whoever holds the signed link may look, and nobody else learns anything."""

import hmac
import json
from datetime import datetime

from fastapi import APIRouter, Header, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse, StreamingResponse
from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool

from api.context import Context, context_of
from api.routes.orders import event_number
from api.streams import bare_event, listen
from ordertrail.db import reading, short_links
from ordertrail.db.brands import UnknownBrand
from ordertrail.domain.brand import Brand
from ordertrail.messages.brand_css import brand_css
from ordertrail.messages.links import Opened
from ordertrail.messages.pages import CONTENT_SECURITY_POLICY
from ordertrail.settings import PushProvider

router = APIRouter(include_in_schema=False)

PAGE_HEADERS = {
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
    "x-robots-tag": "noindex, nofollow",
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}
"""For every page. The address holds the key to the order, so it must not leak by referrer, cache or search engine."""


@router.api_route("/t/{token}", methods=["GET", "HEAD"])
async def tracking_page(request: Request, token: str) -> Response:
    """The order behind a signed link. A link of ours to an order erased since, and a made-up one, look the same."""
    context = context_of(request)
    opened = context.parts.links.order_of(token)
    html = await run_in_threadpool(_rendered, context, opened, token) if opened else None
    if html is None:
        html = await run_in_threadpool(context.parts.pages.not_found, None)
        return HTMLResponse(html, 404, PAGE_HEADERS)
    return HTMLResponse(html, headers=PAGE_HEADERS)


@router.api_route("/s/{code}", methods=["GET", "HEAD"])
async def short_link(request: Request, code: str) -> Response:
    """The way from a text to the order's page, on whatever host the brand's texts name."""
    context = context_of(request)

    def found() -> tuple[str, str] | None:
        with context.parts.database.read() as c:
            return short_links.find(c, code) if code.isascii() and code.isalnum() else None

    links, meant = context.parts.links, await run_in_threadpool(found)
    # The table says what a code stands for; that it is ours, and of the secret in force, says the code itself.
    if meant is None or not hmac.compare_digest(links.short_code(*meant), code):
        html = await run_in_threadpool(context.parts.pages.not_found, None)
        return HTMLResponse(html, 404, PAGE_HEADERS)
    return RedirectResponse(links.tracking_path(*meant), 302, PAGE_HEADERS)


def _rendered(context: Context, opened: Opened, token: str) -> str | None:
    with context.parts.database.read() as c:
        found = reading.public_document(c, opened.order_id)
        brand = _brand(context, c, found[0]) if found else None
    if found is None or brand is None:
        return None
    view = json.loads(found[1])
    updated_at = datetime.fromisoformat(view["updated_at"])
    pushes = context.parts.settings.push_provider is PushProvider.VAPID
    return context.parts.pages.tracking(
        view,
        brand,
        stream_url=f"/t/{token}/stream",
        updated_at=updated_at,
        now=context.parts.clock(),
        push_url=f"/t/{token}/push-subscriptions" if pushes else None,
        for_recipient=opened.for_recipient,
    )


def _brand(context: Context, c: Connection, brand_id: str) -> Brand | None:
    try:
        return context.parts.brands.get(c, brand_id).brand
    except UnknownBrand:
        return None


@router.get("/t/{token}/stream")
async def tracking_stream(request: Request, token: str, last_event_id: str | None = Header(None)) -> Response:
    """That something changed, and no more: the page then fetches itself again."""
    context = context_of(request)
    opened = context.parts.links.order_of(token)
    if opened is None:
        # EventSource gives up for good on 204, which a stale tab with an old link should.
        return Response(status_code=204, headers=PAGE_HEADERS)
    await context.hub.positioned()
    events = listen(context.hub, opened.order_id, event_number(last_event_id), bare_event)
    return StreamingResponse(events, media_type="text/event-stream", headers=PAGE_HEADERS)


@router.get("/static/brand/{brand_id}.css")
async def brand_style(request: Request, brand_id: str) -> Response:
    """A brand's colours as a stylesheet; empty for a brand nobody knows."""
    context = context_of(request)

    def style() -> str:
        with context.parts.database.read() as c:
            brand = _brand(context, c, brand_id) if "\x00" not in brand_id else None
        return brand_css(brand) if brand else ""

    headers = {"cache-control": "public, max-age=300"}
    return Response(await run_in_threadpool(style), media_type="text/css", headers=headers)
