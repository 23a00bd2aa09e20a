"""What a shop and a carrier send in these tests; all personal values are recognisable, so that a leak is found."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

NAME = "Zebulon Quackenbush"
EMAIL = "zebulon@quackenbush-mail.com"
PHONE = "+34612345678"
STREET = "77 Rue de la Cachotterie"
INSTRUCTIONS = "Ring twice and ask for Wilhelmina"
LEFT_AT = "under the doormat of number 79"
CARRIER_TEXT = "Handed to neighbour Cornelius Vanderbilt"
PERSONAL = (NAME, "Quackenbush", "Zebulon", EMAIL, PHONE, PHONE[1:], "612345678", STREET, "Cachotterie", INSTRUCTIONS,
            "Wilhelmina", LEFT_AT, "doormat", CARRIER_TEXT, "Vanderbilt")  # fmt: skip

CARRIER, NUMBER = "dhl", "JD0123456789"


def order(brand: str, external_id: str, placed_at: datetime, **changes: Any) -> dict[str, Any]:
    """A canonical order of one lamp, as JSON."""
    person = {"name": NAME, "email": EMAIL, "phone": PHONE, "consents": {"sms": True}}
    address = {"lines": [NAME, STREET], "city": "Berlin", "postal_code": "10115", "country": "DE"}
    return {
        "brand": brand,
        "channel": "web",
        "external_id": external_id,
        "placed_at": placed_at.isoformat(),
        "customer": person,
        "lines": [{"sku": "A", "name": "Lamp", "quantity": "1", "unit_price": "10.00"}],
        "currency": "EUR",
        "totals": {"items": "10.00", "total": "10.00"},
        "payment": {"state": "paid"},
        "promise": promise(placed_at + timedelta(days=3)),
        "shipping_address": address,
        "delivery_instructions": INSTRUCTIONS,
    } | changes


def promise(day: datetime) -> dict[str, Any]:
    return {"kind": "date", "on": day.astimezone(UTC).date().isoformat(), "zone": "Europe/Berlin"}


def shipment(ref: str = "S1", number: str = NUMBER, **facts: Any) -> dict[str, Any]:
    return {
        "ref": ref,
        "carrier": CARRIER,
        "tracking_number": number,
        "tracking_url": f"https://dhl.example.org/{number}",
    } | facts


def order_event(event_id: str, kind: str, at: datetime, **facts: Any) -> dict[str, Any]:
    return {"event_id": event_id, "kind": kind, "occurred_at": at.isoformat()} | facts


def scan(event_id: str, status: str, at: datetime, *, number: str = NUMBER, **facts: Any) -> dict[str, Any]:
    """A carrier's scan, with its free text."""
    event = {"event_id": event_id, "occurred_at": at.isoformat(), "status": status, "raw_text": CARRIER_TEXT}
    return event | {"carrier": CARRIER, "tracking_number": number} | facts


def body(payload: dict[str, Any]) -> bytes:
    return json.dumps(payload).encode()


def promise_in(now: datetime, *, days: int) -> dict[str, Any]:
    return promise(now + timedelta(days=days))
