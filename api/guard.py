"""Who may do what: API keys as bearer tokens, and for people in a browser as the password of HTTP Basic."""

import base64
import binascii
import ipaddress
import math
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Request
from fastapi.openapi.models import HTTPBearer
from fastapi.security.base import SecurityBase

from api.context import Context, context_of
from api.problems import ProblemError
from ordertrail.db.keys import ApiKey, Scope

_UNAUTHORIZED = {"www-authenticate": 'Bearer realm="ordertrail"'}
_ASK_BROWSER = {"www-authenticate": 'Basic realm="ordertrail operators", charset="UTF-8"'}


class Allow(SecurityBase):
    """A dependency that yields the API key of a request, if it has one with this scope and is within its rate.

    Ends the request with 401 for a missing or unknown key, 403 for a key without the scope, 429 above its rate.
    """

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.scheme_name = "apiKey"
        self.model = HTTPBearer(
            description="An API key of one brand, such as `otk_…`, made by `ordertrail keys create`."
        )

    async def __call__(self, request: Request) -> ApiKey:
        context = context_of(request)
        scheme, _, secret = request.headers.get("authorization", "").partition(" ")
        key = await _find(context, secret.strip()) if scheme.lower() == "bearer" else None
        if key is None:
            raise ProblemError(401, "unauthorized", "Send a valid API key as a bearer token.", headers=_UNAUTHORIZED)
        if self.scope not in key.scopes:
            raise ProblemError(403, "scope_missing", f"This key lacks the scope '{self.scope}'.")
        wait = context.limit.wait(key.id)
        if wait > 0:
            headers = {"retry-after": str(max(1, math.ceil(wait)))}
            raise ProblemError(429, "rate_limited", "This key sends more requests than it may.", headers=headers)
        return key


async def _find(context: Context, secret: str) -> ApiKey | None:
    known, key = context.parts.keyring.cached(secret)
    return key if known else await context.reader.found(lambda: context.parts.keyring.find(secret))


WriteOrders = Annotated[ApiKey, Depends(Allow(Scope.ORDERS_WRITE))]
WriteEvents = Annotated[ApiKey, Depends(Allow(Scope.EVENTS_WRITE))]
ReadOrders = Annotated[ApiKey, Depends(Allow(Scope.ORDERS_READ))]
ReadCases = Annotated[ApiKey, Depends(Allow(Scope.CASES_READ))]
Operate = Annotated[ApiKey, Depends(Allow(Scope.OPS))]


@dataclass(frozen=True, kw_only=True)
class OperatorAccess:
    """A person in a browser. `brand` is whose messages they may see, None all of them; `by` names their key."""

    brand: str | None
    by: str


async def operator(request: Request) -> OperatorAccess:
    """The operator behind a request.

    Open on the embedded system (`ops_open`) to requests from this very machine, else to holders of a key with the
    scope 'ops', given as the password. The host must be loopback too: a page elsewhere can make a browser on this
    machine ask us under its own name.
    """
    context = context_of(request)
    if context.parts.settings.ops_open and _is_local(request):
        return OperatorAccess(brand=None, by="this machine")
    key = await _find(context, _basic_password(request.headers.get("authorization", "")))
    if key is None or Scope.OPS not in key.scopes:
        raise ProblemError(
            401, "unauthorized", "Give an API key with the scope 'ops' as the password.", headers=_ASK_BROWSER
        )
    return OperatorAccess(brand=key.brand, by=f"{key.name} ({key.id})"[:100])


async def operator_brand(request: Request) -> str | None:
    """The brand whose messages an operator may see; None is all of them. See `operator`."""
    return (await operator(request)).brand


Operator = Annotated[OperatorAccess, Depends(operator)]
OperatorBrand = Annotated[str | None, Depends(operator_brand)]


def _is_local(request: Request) -> bool:
    host = urlsplit(f"//{request.headers.get('host', '')}").hostname or ""
    return request.client is not None and _is_loopback(request.client.host) and _is_loopback(host)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _basic_password(header: str) -> str:
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        return ""
    try:
        return base64.b64decode(encoded, validate=True).decode().partition(":")[2]
    except (binascii.Error, UnicodeDecodeError):
        return ""
