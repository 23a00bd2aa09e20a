"""Bodies as an OMS and a carrier would send them, with personal data that must never come out again."""

import json
from typing import Any

NAME, EMAIL, PHONE, STREET = "Zoë Quirrell", "zoe.quirrell@example.org", "+34699111222", "Calle Secreta 7"
PERSONAL = (NAME, EMAIL, PHONE, STREET, "quirrell")


def order(external_id: str = "10-442", **changes: Any) -> dict[str, Any]:
    return {
        "brand": "acme",
        "channel": "web",
        "external_id": external_id,
        "placed_at": "2026-03-02T09:15:00+01:00",
        "customer": {"id": "c-881", "name": NAME, "email": EMAIL, "phone": PHONE},
        "lines": [{"sku": "MUG-1", "name": "Mug", "quantity": "2", "unit_price": "12.50"}],
        "currency": "EUR",
        "totals": {"items": "25.00", "total": "25.00"},
        "payment": {"state": "paid"},
        "shipping_address": {"lines": [STREET], "city": "Madrid", "country": "ES"},
        "shipments": [{"ref": "S1", "carrier": "dhl", "tracking_number": "JD0001"}],
        **changes,
    }


def event(event_id: str = "e1", **changes: Any) -> dict[str, Any]:
    return {"kind": "processing", "event_id": event_id, "occurred_at": "2026-03-02T10:00:00Z", **changes}


def scan(event_id: str = "t1", **changes: Any) -> dict[str, Any]:
    body = {
        "event_id": event_id,
        "occurred_at": "2026-03-02T11:00:00Z",
        "carrier": "dhl",
        "tracking_number": "JD0001",
        "status": "in_transit",
        **changes,
    }
    return {name: value for name, value in body.items() if value is not None}


def reformatted(body: dict[str, Any]) -> bytes:
    """The same body as another serializer would write it."""
    return json.dumps(dict(reversed(body.items())), indent=3).encode()
