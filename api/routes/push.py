"""The tracking page's own interface to notifications: the key to subscribe with, and devices that come and go."""

from typing import Annotated, TypeVar

from fastapi import APIRouter, Request, Response
from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError
from starlette.concurrency import run_in_threadpool
from ulid import ULID

from api import documents
from api.body import read_body
from api.context import Context, context_of
from api.problems import ProblemError, not_found
from ordertrail.channels.push_endpoint import (
    ENDPOINT_MAX,
    is_device_key,
    is_device_secret,
    is_public_endpoint,
    is_web_address,
)
from ordertrail.channels.vapid import public_key_of, vapid_key
from ordertrail.db import orders, subscriptions
from ordertrail.db.orders import OrderRow
from ordertrail.db.subscriptions import Subscription
from ordertrail.settings import PushProvider

router = APIRouter(include_in_schema=False)
T = TypeVar("T", "Device", "Leaving")

_BROWSERS = (("edg", "edge"), ("opr/", "opera"), ("samsungbrowser", "samsung"), ("firefox", "firefox"),
             ("chrome", "chrome"), ("safari", "safari"))  # fmt: skip
"""A word in the user agent and the family it means; the first that is found counts."""


def _key(value: str) -> str:
    if not is_device_key(value):
        raise ValueError("not a public key of P-256 in base64url")
    return value.rstrip("=")


def _secret(value: str) -> str:
    if not is_device_secret(value):
        raise ValueError("not 16 bytes in base64url")
    return value.rstrip("=")


class Keys(BaseModel):
    p256dh: Annotated[str, AfterValidator(_key)]
    auth: Annotated[str, AfterValidator(_secret)]


class Device(BaseModel):
    """What `PushSubscription.toJSON()` gives in a browser."""

    model_config = ConfigDict(extra="ignore")

    endpoint: str
    keys: Keys


class Leaving(BaseModel):
    """The device that is taken back."""

    model_config = ConfigDict(extra="ignore")

    endpoint: str


@router.get("/v1/push/key")
async def push_key(request: Request) -> Response:
    """The `applicationServerKey` to subscribe with; 404 where notifications are not sent to real devices."""
    settings = context_of(request).parts.settings
    if settings.push_provider is not PushProvider.VAPID or settings.vapid_private_key is None:
        raise _off()
    key = public_key_of(vapid_key(settings.vapid_private_key))
    return documents.Json(documents.encoded({"key": key}), headers={"cache-control": "public, max-age=300"})


@router.post("/t/{token}/push-subscriptions")
async def subscribe(request: Request, token: str) -> Response:
    """Notify this device about the order behind the link: 201, or 200 where it was known. It follows this order only:
    links are passed on, and whoever has this one may not hear of the customer's other orders."""
    context = context_of(request)
    settings = context.parts.settings
    if settings.push_provider is PushProvider.OFF:
        raise _off()
    order, person_id = await _order(context, token)
    device = _read(Device, await read_body(request))
    is_allowed = is_web_address if settings.push_allow_private else is_public_endpoint
    if not is_allowed(device.endpoint):
        raise _invalid("/endpoint", "This is no push service that we send to.", "endpoint_forbidden")
    family = _family(request.headers.get("user-agent", ""))
    is_new = await run_in_threadpool(_keep, context, order, person_id, device, family)
    return documents.Json(documents.encoded({"status": "subscribed"}), 201 if is_new else 200)


@router.delete("/t/{token}/push-subscriptions")
async def unsubscribe(request: Request, token: str) -> Response:
    """Notify this device no more: 204, also where it was not known."""
    context = context_of(request)
    order, _ = await _order(context, token)
    device = _read(Leaving, await read_body(request))

    def withdraw() -> None:
        with context.parts.database.write() as c:
            subscriptions.withdraw(c, order_id=order.id, endpoint=device.endpoint, now=context.parts.clock())

    await run_in_threadpool(withdraw)
    return Response(status_code=204)


async def _order(context: Context, token: str) -> tuple[OrderRow, str]:
    """The order behind the link and the person it was made for, whose messages a device then gets."""
    opened = context.parts.links.order_of(token)
    order = await context.reader.soon(lambda c: orders.by_id(c, opened.order_id)) if opened else None
    if opened is None or order is None:
        raise not_found("order")
    return order, order.recipient_id if opened.for_recipient else order.person_id


def _keep(context: Context, order: OrderRow, person_id: str, device: Device, family: str) -> bool:
    now = context.parts.clock()
    subscription = Subscription(
        id=f"psh_{ULID.from_datetime(now)!s}".lower(),
        endpoint=device.endpoint,
        p256dh=device.keys.p256dh,
        auth=device.keys.auth,
    )
    with context.parts.database.write() as c:
        return subscriptions.put(
            c, subscription=subscription, brand=order.brand, person_id=person_id, order_id=order.id,
            user_agent=family, now=now,
        )  # fmt: skip


def _read(model: type[T], raw: bytes) -> T:
    try:
        body = model.model_validate_json(raw)
    except ValidationError as error:
        problem = error.errors(include_input=False, include_url=False)[0]
        pointer = "".join(f"/{part}" for part in problem["loc"])
        raise _invalid(pointer, "This is not as a browser gives it.", problem["type"]) from None
    if len(body.endpoint) > ENDPOINT_MAX:
        raise _invalid("/endpoint", "This is longer than any push service's.", "too_long")
    return body


def _invalid(pointer: str, detail: str, code: str) -> ProblemError:
    errors = [{"pointer": pointer, "detail": detail, "code": code}]
    return ProblemError(422, "invalid", "The subscription was not understood.", members={"errors": errors})


def _off() -> ProblemError:
    return ProblemError(404, "push_off", "Notifications are not offered here.")


def _family(user_agent: str) -> str:
    """Which browser it is, so that operators can tell devices apart; no more of the user agent is kept."""
    told = user_agent.lower()
    return next((family for word, family in _BROWSERS if word in told), "other")
