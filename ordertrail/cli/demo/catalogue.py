"""The demo's people, goods and places; all fictional, phone numbers from ranges reserved for fiction."""

from dataclasses import dataclass
from typing import Any

Facts = dict[str, Any]

UNREACHABLE_PHONE = "+15005550001"
"""Reserved by Twilio for tests as a number that is not valid; the console provider refuses it for the same reason."""

GOODS: dict[str, tuple[str, str]] = {
    "TENT-2": ("tent", "249.00"),
    "MAT-R": ("mat", "79.00"),
    "STOVE": ("stove", "59.90"),
    "BOOTS-43": ("boots", "189.00"),
    "LAMP": ("lamp-head", "34.90"),
    "LUNCH-20": ("lunch", "480.00"),
    "PASTRY": ("pastry", "42.00"),
}
"""Picture and price by SKU."""
NAMES: dict[str, dict[str, str]] = {
    "TENT-2": {"en": "Two-person tent", "de": "Zweipersonenzelt", "fr": "Tente deux places"},
    "MAT-R": {"en": "Sleeping mat, regular", "ja": "スリーピングマット レギュラー", "pt": "Isolante térmico, regular"},
    "STOVE": {"en": "Trail stove", "de": "Trekkingkocher"},
    "BOOTS-43": {"en": "Hiking boots, size 43", "fr": "Chaussures de randonnée, pointure 43",
                 "es": "Botas de montaña, talla 43"},
    "LAMP": {"en": "Head torch", "de": "Stirnlampe", "fr": "Lampe frontale", "ar": "مصباح رأس"},
    "LUNCH-20": {"en": "Lunch for twenty"},
    "PASTRY": {"en": "Breakfast pastries, box of 12", "es": "Bollería para desayuno, caja de 12"},
}  # fmt: skip
"""What the shop calls its goods, by SKU and language; English where it has no other name."""


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A picture of goods; its address is known once it is known where the API listens."""

    name: str


def person(
    name: str, email: str, *, locale: str = "en", zone: str = "Europe/Berlin", phone: str | None = None,
    sms: bool = False, **more: Any,
) -> Facts:  # fmt: skip
    """A customer; `sms`: has agreed to text messages."""
    contact = {"phone": phone} if phone else {}
    return {"name": name, "email": email, "locale": locale, "zone": zone, "consents": {"sms": sms}, **contact, **more}


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
        "lines": [_line(sku, customer["locale"]) for sku in skus],
        "currency": "USD" if american else "EUR",
        "totals": {"items": total, "total": total},
        "payment": {"state": "paid", "method": "Visa 4242"},
        "shipping_address": NEW_YORK if american else BERLIN,
        **more,
    }


def _line(sku: str, locale: str) -> Facts:
    picture, price = GOODS[sku]
    name = NAMES[sku].get(locale.partition("-")[0], NAMES[sku]["en"])
    return {"sku": sku, "name": name, "quantity": "1", "unit_price": price, "image_url": Picture(name=picture)}


def _cents(sku: str) -> int:
    return int(GOODS[sku][1].replace(".", ""))


def at(city: str, country: str) -> Facts:
    """Where a scan was made."""
    return {"place": {"city": city, "country": country}}


BERLIN = {"lines": ["Musterweg 7"], "city": "Berlin", "postal_code": "10115", "country": "DE"}
NEW_YORK = {"lines": ["2 Sample Street"], "city": "New York", "region": "NY", "postal_code": "10001", "country": "US"}
LYON = {"lines": ["1 rue de l'Exemple"], "city": "Lyon", "postal_code": "69001", "country": "FR"}
SEVILLE = {"lines": ["Calle Ejemplo 4"], "city": "Sevilla", "postal_code": "41001", "country": "ES"}
DUSSELDORF = {"lines": ["Beispielallee 3"], "city": "Düsseldorf", "postal_code": "40210", "country": "DE"}
AMMAN = {"lines": ["شارع المثال 5"], "city": "عمّان", "postal_code": "11118", "country": "JO"}
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
