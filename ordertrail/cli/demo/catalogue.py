"""The demo's people, goods and places; all fictional, phone numbers from ranges reserved for fiction."""

from typing import Any

Facts = dict[str, Any]

UNREACHABLE_PHONE = "+15005550001"
"""Reserved by Twilio for tests as a number that is not valid; the console provider refuses it for the same reason."""

_GOODS = {
    "TENT-2": ("Two-person tent", "249.00"),
    "MAT-R": ("Sleeping mat, regular", "79.00"),
    "STOVE": ("Trail stove", "59.90"),
    "BOOTS-43": ("Hiking boots, size 43", "189.00"),
    "LAMP": ("Head torch", "34.90"),
    "LUNCH-20": ("Lunch for twenty", "480.00"),
    "PASTRY": ("Breakfast pastries, box of 12", "42.00"),
}


def person(name: str, email: str, *, phone: str | None = None, sms: bool = False, **more: Any) -> Facts:
    """A customer; `sms`: has agreed to text messages."""
    contact = {"phone": phone} if phone else {}
    return {"name": name, "email": email, "consents": {"sms": sms}, **contact, **more}


def order(external_id: str, customer: Facts, *skus: str, fulfilment: str = "parcel", **more: Any) -> Facts:
    """An order for one of each of these goods, paid by card."""
    cents = sum(_cents(sku) for sku in skus)
    american = any(sku in ("LUNCH-20", "PASTRY") for sku in skus)
    total = f"{cents // 100}.{cents % 100:02d}"
    return {
        "channel": "web",
        "external_id": external_id,
        "fulfilment": fulfilment,
        "customer": customer,
        "lines": [{"sku": sku, "name": _GOODS[sku][0], "quantity": "1", "unit_price": _GOODS[sku][1]} for sku in skus],
        "currency": "USD" if american else "EUR",
        "totals": {"items": total, "total": total},
        "payment": {"state": "paid", "method": "Visa ending 4242"},
        "shipping_address": _NEW_YORK if american else _BERLIN,
        **more,
    }


def _cents(sku: str) -> int:
    return int(_GOODS[sku][1].replace(".", ""))


_BERLIN = {"lines": ["Musterweg 7"], "city": "Berlin", "postal_code": "10115", "country": "DE"}
_NEW_YORK = {"lines": ["2 Sample Street"], "city": "New York", "region": "NY", "postal_code": "10001", "country": "US"}
STORE = {
    "name": "Nordlicht Berlin Mitte",
    "address": {"lines": ["Musterstrasse 1"], "city": "Berlin", "postal_code": "10115", "country": "DE"},
    "opening_hours": "Mon-Sat 10-20",
    "bring": "Your order number",
}


def parcel(ref: str, carrier: str, tracking_number: str, *skus: str) -> Facts:
    """A parcel; without goods named it holds the whole order."""
    lines = {"lines": [{"sku": sku, "quantity": "1"} for sku in skus]} if skus else {}
    link = {"tracking_url": f"https://track.example/{carrier}/{tracking_number}"}
    return {"ref": ref, "carrier": carrier, "tracking_number": tracking_number, **link, **lines}


def drop(ref: str, **more: Any) -> Facts:
    """A delivery by the brand's own driver, or a pickup: no carrier, no tracking number."""
    return {"ref": ref, **more}
