"""The gallery of message templates, for operators; and tests they send to themselves."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal
from urllib.parse import parse_qs, urlencode

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool

from api.body import read_body
from api.context import Context, context_of
from api.guard import Operator
from api.problems import ProblemError, not_found
from api.routes.portal import PAGE_HEADERS
from api.trials import CHANNELS, Wish
from ordertrail.db import brands as stored_brands
from ordertrail.db import trials
from ordertrail.domain.base import NO_NUL
from ordertrail.domain.brand import Brand
from ordertrail.domain.vocabulary import Channel, MessageKind
from ordertrail.messages.gallery import REALISTIC, Choice, in_scheme, languages_of
from ordertrail.messages.pages import EMAIL_CONTENT_SECURITY_POLICY
from ordertrail.messages.samples_extreme import SAMPLES

router = APIRouter(include_in_schema=False)

Word = Annotated[str, Query(max_length=60, pattern=NO_NUL)]
_TESTS_SHOWN = 20
_FRAMED = {"content-security-policy": EMAIL_CONTENT_SECURITY_POLICY, "x-frame-options": "SAMEORIGIN"}


@dataclass(frozen=True, kw_only=True)
class _Look:
    """What a page needs from the database."""

    brands: list[Brand]
    choice: Choice


@router.get("/ops/templates")
async def overview(
    request: Request, operator: Operator, brand: Word = "", language: Word = "", data: Word = REALISTIC, kind: Word = ""
) -> Response:
    """Every kind of message in one brand and language; with a `kind`, that kind's own page."""
    context = context_of(request)
    look = await _look(context, operator.brand, brand, kind or MessageKind.ORDER_CONFIRMATION, language, data)
    if kind:
        return RedirectResponse(_address(look.choice), 303, PAGE_HEADERS)
    html = await run_in_threadpool(context.parts.gallery.overview, look.brands, look.choice)
    return HTMLResponse(html, headers=PAGE_HEADERS)


@router.get("/ops/templates/{brand}/{kind}")
async def one_kind(
    request: Request, operator: Operator, brand: str, kind: str, language: Word = "", data: Word = REALISTIC
) -> Response:
    """One kind of message on every channel."""
    context = context_of(request)
    look = await _look(context, operator.brand, brand, kind, language, data)
    return await _sheet(context, operator, look)


@router.get("/ops/templates/{brand}/{kind}/email")
async def email(
    request: Request, operator: Operator, brand: str, kind: str, language: Word = "", data: Word = REALISTIC,
    scheme: Literal["light", "dark"] | None = None,
) -> Response:  # fmt: skip
    """The email's HTML alone, for its frame."""
    context = context_of(request)
    look = await _look(context, operator.brand, brand, kind, language, data)
    part = await run_in_threadpool(context.parts.gallery.part, look.choice, Channel.EMAIL)
    if part.rendered is None or part.rendered.html is None:
        raise not_found("message")
    return HTMLResponse(in_scheme(part.rendered.html, scheme), headers=PAGE_HEADERS | _FRAMED)


@router.post("/ops/templates/{brand}/{kind}/test")
async def send_test(request: Request, operator: Operator, brand: str, kind: str) -> Response:
    """Send this message to the operator's own address. The form holds what only our page can have given it."""
    context = context_of(request)
    form = _form(await read_body(request))
    look = await _look(context, operator.brand, brand, kind, form.get("language", ""), form.get("data", REALISTIC))
    if form.get("channel") not in dict(CHANNELS):
        raise ProblemError(422, "invalid_parameter", "There is no test by this channel.")
    if context.trials.allowed(operator.by) > 0:
        return await _sheet(
            context, operator, look, said="Too many tests at once. Wait a minute.", failed=True, status=429
        )
    wish = Wish(
        choice=look.choice, channel=Channel(form["channel"]), to=form.get("to", ""), token=form.get("token", ""),
        by=operator.by,
    )  # fmt: skip
    answer = await run_in_threadpool(context.trials.send, wish)
    status = 422 if answer.failed else 200
    return await _sheet(context, operator, look, said=answer.said, failed=answer.failed, status=status)


async def _sheet(
    context: Context, operator: Operator, look: _Look, *, said: str = "", failed: bool = False, status: int = 200
) -> Response:
    brand = look.choice.brand.id
    tests = await context.reader.read(lambda c: trials.latest(c, brand=brand, limit=_TESTS_SHOWN))

    def page() -> str:
        token = context.trials.token(brand, operator.by)
        return context.parts.gallery.sheet(
            look.brands, look.choice, token=token, channels=CHANNELS, said=said, failed=failed, tests=tests
        )

    return HTMLResponse(await run_in_threadpool(page), status, PAGE_HEADERS)


async def _look(context: Context, allowed: str | None, brand: str, kind: str, language: str, data: str) -> _Look:
    """The brands this operator may see, and the choice made among them; 404 for what there is not."""

    def listing(c: Connection) -> list[Brand]:
        return [each for each in stored_brands.listing(c) if allowed in (None, each.id)]

    found = await context.reader.read(listing)
    chosen = next((each for each in found if each.id == brand), found[0] if found and not brand else None)
    if chosen is None:
        raise not_found("brand")
    if kind not in set(MessageKind) or data not in SAMPLES:
        raise not_found("template")
    choice = Choice(brand=chosen, kind=MessageKind(kind), language=_language(chosen, language), data=data)
    return _Look(brands=found, choice=choice)


def _language(brand: Brand, wanted: str) -> str:
    """The wanted language if a message can be in it, else the brand's first."""
    tags: Sequence[str] = [tag for tag, _ in languages_of(brand)]
    return wanted if wanted in tags else tags[0]


def _address(choice: Choice) -> str:
    query = urlencode({"language": choice.language, "data": choice.data})
    return f"/ops/templates/{choice.brand.id}/{choice.kind}?{query}"


def _form(body: bytes) -> dict[str, str]:
    try:
        fields = parse_qs(body.decode(), max_num_fields=20)
    except ValueError:
        raise ProblemError(422, "invalid_form", "This is not a form.") from None
    return {name: values[0].replace("\x00", "") for name, values in fields.items()}
