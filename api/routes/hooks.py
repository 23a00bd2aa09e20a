"""Providers' callbacks: verified first, stored whatever they say, and always answered 2xx once stored."""

from datetime import timedelta
from typing import Any

from fastapi import APIRouter, Request, Response
from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool

from api import documents
from api.body import read_body
from api.context import Context, context_of
from api.problems import ProblemError
from ordertrail.channels.sendgrid import verify_sendgrid
from ordertrail.channels.twilio_sms import verify_twilio
from ordertrail.channels.twiml import Support, answer_to_key
from ordertrail.db import deliveries
from ordertrail.db.brands import UnknownBrand
from ordertrail.domain.message import Rendered
from ordertrail.frontdoor.callbacks import SENDGRID, TWILIO, Callback, form_fields, read_sendgrid, read_twilio

router = APIRouter(tags=["Providers"])

_TOLERANCE = timedelta(hours=25)
"""SendGrid posts a batch again for a day, and one that comes twice is recognised by the ids of its events."""
_ANSWERS = (403, 404, 413, 503)


def _not_configured(setting: str) -> ProblemError:
    return ProblemError(404, "provider_not_configured", f"Set {setting} to receive these callbacks.")


@router.post(
    "/v1/hooks/sendgrid",
    summary="SendGrid's signed event webhook",
    status_code=204,
    response_class=Response,
    responses=documents.answers(*_ANSWERS),
    openapi_extra={"requestBody": {"content": {"application/json": {"schema": {"type": "array", "items": {}}}}}},
)
async def sendgrid_events(request: Request) -> Response:
    """Takes a batch of events. Each is stored on its own, so a batch that comes again changes nothing."""
    context = context_of(request)
    settings = context.parts.settings
    if not settings.sendgrid_webhook_public_key:
        raise _not_configured("ORDERTRAIL_SENDGRID_WEBHOOK_PUBLIC_KEY")
    raw = await read_body(request)
    verify_sendgrid(
        settings.sendgrid_webhook_public_key,
        raw,
        request.headers.get("x-twilio-email-event-webhook-signature", ""),
        request.headers.get("x-twilio-email-event-webhook-timestamp", ""),
        now=context.parts.clock(),
        tolerance=_TOLERANCE,
    )
    return await _take(context, SENDGRID, read_sendgrid(raw))


@router.post(
    "/v1/hooks/twilio/{brand}/{delivery_id}",
    summary="Twilio's signed status callback",
    status_code=204,
    response_class=Response,
    responses=documents.answers(*_ANSWERS),
    openapi_extra={"requestBody": {"content": {"application/x-www-form-urlencoded": {"schema": {"type": "object"}}}}},
)
async def twilio_status(request: Request, brand: str, delivery_id: str) -> Response:
    """Takes one status of one text or call. The signature covers the public address: `public_url` must be right."""
    context = context_of(request)
    raw, _ = await _verified(request, context)
    return await _take(context, TWILIO, read_twilio(raw, delivery_id))


@router.post(
    "/v1/hooks/twilio/{brand}/{delivery_id}/keys",
    summary="A key pressed during a call",
    response_class=Response,
    responses={
        **documents.answers(*_ANSWERS),
        200: {"description": "What is said next, as TwiML", "content": {"application/xml": {}}},
    },
    openapi_extra={"requestBody": {"content": {"application/x-www-form-urlencoded": {"schema": {"type": "object"}}}}},
)
async def twilio_keys(request: Request, brand: str, delivery_id: str) -> Response:
    """1 leads to the brand's support line, 2 says the message again; anything else ends the call with its last words.

    Always answered with TwiML once verified: whoever listens would else hear of an application error.
    """
    context = context_of(request)
    raw, url = await _verified(request, context)
    fields = form_fields(raw)
    call = await context.reader.read(lambda c: _call(context, c, brand, delivery_id, fields.get("From")))
    return Response(answer_to_key(fields.get("Digits", ""), call[0], url, call[1]), media_type="application/xml")


def _call(
    context: Context, c: Connection, brand_id: str, delivery_id: str, caller_id: str | None
) -> tuple[str | None, Support | None]:
    """The message that is being spoken and the brand's support line; None for what is unknown or erased."""
    rendered = deliveries.rendered(c, delivery_id, brand=brand_id)
    twiml = Rendered.model_validate_json(rendered).twiml if rendered else None
    try:
        phone = context.parts.brands.get(c, brand_id).brand.support.phone
    except UnknownBrand:
        phone = None
    return twiml, Support(phone=phone, caller_id=caller_id) if phone else None


async def _verified(request: Request, context: Context) -> tuple[bytes, str]:
    """The body that Twilio signed and the address it signed it for. Ends the request where it did not."""
    settings = context.parts.settings
    if settings.twilio_auth_token is None:
        raise _not_configured("ORDERTRAIL_TWILIO_AUTH_TOKEN")
    raw = await read_body(request)
    # What Twilio signed is the address it was given, byte for byte: our public host and the path as it came in.
    path = request.scope["raw_path"].decode("ascii", errors="replace")
    query = request.scope["query_string"].decode("ascii", errors="replace")
    url = f"{str(settings.public_url).rstrip('/')}{path}" + (f"?{query}" if query else "")
    verify_twilio(settings.twilio_auth_token, url, form_fields(raw), request.headers.get("x-twilio-signature", ""))
    return raw, url


async def _take(context: Context, connection: str, callbacks: list[Callback]) -> Response:
    taken = await run_in_threadpool(context.parts.receipts.take, connection, callbacks, context.parts.clock())
    context.parts.dispatcher.wake(taken.wakes)
    _count(context, connection, stored=taken.stored - taken.dead, dead=taken.dead)
    return Response(status_code=204)


def _count(context: Context, connection: str, **numbers: Any) -> None:
    # One batch may touch several brands; the figures by brand are those of deliveries.
    context.metrics.accepted.labels("-", connection, "receipt").inc(numbers["stored"])
    context.metrics.dead_letters.labels("-", connection, "receipt").inc(numbers["dead"])
