"""Ending messages by their link: a page that asks, and one click for mail programs; no cookie, no login."""

from dataclasses import dataclass

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse
from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool

from api.body import read_body
from api.context import Context, context_of
from api.routes.portal import PAGE_HEADERS
from ordertrail.db import people, preferences
from ordertrail.db.brands import UnknownBrand
from ordertrail.domain.brand import Brand
from ordertrail.domain.vocabulary import Frequency
from ordertrail.messages.formats import Formatter
from ordertrail.messages.links import Unsubscription
from ordertrail.messages.pages import support_now

router = APIRouter(include_in_schema=False)

_ONE_CLICK = b"One-Click"
"""What mail programs post (RFC 8058 section 3.1): `List-Unsubscribe=One-Click`, as a form of either kind."""


@router.api_route("/u/{token}", methods=["GET", "HEAD"])
async def ask(request: Request, token: str) -> Response:
    """Asks before it acts, because mail programs and scanners open links by themselves."""
    return await _page(context_of(request), token, done=False)


@router.post("/u/{token}")
async def end(request: Request, token: str) -> Response:
    """Ends these messages, as often as it is said. What cannot be ended (`critical_kinds`) goes on nevertheless."""
    context = context_of(request)
    about = context.parts.links.unsubscription_of(token)
    source = "one_click" if _ONE_CLICK in await read_body(request) else "page"
    if about is not None:
        await run_in_threadpool(_switch_off, context, about, source)
    return await _page(context, token, done=True)


@dataclass(frozen=True, kw_only=True)
class _Reader:
    """Whom the page speaks to."""

    brand: Brand
    locale: str | None
    zone: str


async def _page(context: Context, token: str, *, done: bool) -> Response:
    about = context.parts.links.unsubscription_of(token)
    reader = await context.reader.read(lambda c: _reader(context, c, about)) if about else None
    if about is None or reader is None:
        return HTMLResponse(await run_in_threadpool(context.parts.pages.not_found, None), 404, PAGE_HEADERS)
    html = await run_in_threadpool(_rendered, context, about, reader, f"/u/{token}", done)
    return HTMLResponse(html, headers=PAGE_HEADERS)


def _rendered(context: Context, about: Unsubscription, reader: _Reader, action: str, done: bool) -> str:
    brand, now = reader.brand, context.parts.clock()
    tags = [tag for tag in (reader.locale, *brand.languages) if tag]
    fmt = Formatter.of(tags, reader.zone, now)
    return context.parts.pages.render(
        "unsubscribe.html", brand, fmt, action=action, kind=about.kind, channel=about.channel, done=done,
        critical=bool(brand.policy.critical_kinds), **support_now(brand, fmt, now),
    )  # fmt: skip


def _reader(context: Context, c: Connection, about: Unsubscription) -> _Reader | None:
    """None for a person erased since, or a brand that is gone."""
    person = people.by_id(c, about.person_id, brand=about.brand)
    try:
        brand = context.parts.brands.get(c, about.brand).brand
    except UnknownBrand:
        return None
    return _Reader(brand=brand, locale=person.locale, zone=person.zone or brand.zone) if person else None


def _switch_off(context: Context, about: Unsubscription, source: str) -> None:
    with context.parts.database.write() as c:
        if people.by_id(c, about.person_id, brand=about.brand) is not None:
            preferences.put(
                c, brand=about.brand, person_id=about.person_id, kind=about.kind, channel=about.channel,
                frequency=Frequency.OFF, source=source, now=context.parts.clock(),
            )  # fmt: skip
