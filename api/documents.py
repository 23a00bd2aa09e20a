"""What the OpenAPI document says of bodies and answers, beside what the routes' signatures say."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from fastapi import Response


class Json(Response):
    """JSON that is text already."""

    media_type = "application/json"


def encoded(value: object) -> str:
    """JSON text of plain values and aware instants."""
    return json.dumps(value, default=_instant, separators=(",", ":"))


def _instant(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    raise TypeError(type(value).__name__)


def page(name: str, rows: list[dict[str, Any]], next_cursor: str | None) -> Response:
    """One page of a listing; `next_cursor` is null on the last one."""
    return Json(encoded({name: rows, "next_cursor": next_cursor}))


_WORDS = {
    200: "As asked; for a write: this was sent before, and nothing was changed.",
    201: "Stored for the first time.",
    202: "Stored for the first time; it is handed to its order now.",
    304: "Not changed since the given ETag.",
    401: "The API key is missing, unknown or revoked.",
    403: "The API key lacks the scope.",
    404: "There is no such thing in the key's brand.",
    409: "The same id was sent before with another body; this body is kept as a dead letter.",
    413: "The body is too large.",
    422: "Not understood; each wrong field is named, and a body is kept as a dead letter.",
    429: "Too many requests for this key; see Retry-After.",
    503: "Something needed is away; nothing was changed. See Retry-After.",
}
_RETRY = {"Retry-After": {"description": "Seconds to wait", "schema": {"type": "integer"}}}


def answers(*statuses: int, model: str | None = None) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route. `model` names the component schema of its answers below 300."""
    return {status: _answer(status, model) for status in statuses}


def _answer(status: int, model: str | None) -> dict[str, Any]:
    answer: dict[str, Any] = {"description": _WORDS[status]}
    if status in {429, 503}:
        answer["headers"] = _RETRY
    if status >= 400:
        answer["content"] = {"application/problem+json": {"schema": ref("Problem")}}
    elif model is not None and status < 300:
        answer["content"] = {"application/json": {"schema": ref(model)}}
    return answer


def ref(name: str) -> dict[str, str]:
    """A reference to a component schema."""
    return {"$ref": f"#/components/schemas/{name}"}


def accepts(schema: str, example: Mapping[str, Any]) -> dict[str, Any]:
    """The request body of a route that reads the raw bytes itself."""
    content = {"application/json": {"schema": ref(schema), "example": example}}
    return {"requestBody": {"required": True, "content": content}}


ORDER_EXAMPLE: Mapping[str, Any] = {
    "brand": "acme",
    "channel": "web",
    "external_id": "10-442",
    "placed_at": "2026-03-02T09:15:00+01:00",
    "customer": {
        "id": "c-881",
        "name": "Ana Example",
        "email": "ana@example.org",
        "phone": "+34612345678",
        "locale": "en-GB",
        "zone": "Europe/Madrid",
        "consents": {"sms": True},
    },
    "lines": [{"sku": "MUG-1", "name": "Mug", "quantity": "2", "unit_price": "12.50"}],
    "currency": "EUR",
    "totals": {"items": "25.00", "shipping": "4.90", "total": "29.90"},
    "payment": {"state": "paid", "method": "Visa ending 4242"},
    "promise": {"kind": "date", "on": "2026-03-05", "zone": "Europe/Madrid"},
    "shipping_address": {"lines": ["Calle Mayor 1"], "city": "Madrid", "postal_code": "28013", "country": "ES"},
}
ORDER_EVENT_EXAMPLE: Mapping[str, Any] = {
    "kind": "shipped",
    "event_id": "oms-7731",
    "occurred_at": "2026-03-03T16:40:00+01:00",
    "shipment": {"ref": "S1", "carrier": "dhl", "tracking_number": "JD014600003828822193"},
}
TRACKING_EXAMPLE: Mapping[str, Any] = {
    "event_id": "dhl-99812",
    "occurred_at": "2026-03-05T08:02:00+01:00",
    "carrier": "dhl",
    "tracking_number": "JD014600003828822193",
    "status": "out_for_delivery",
    "place": {"city": "Madrid", "country": "ES"},
}
