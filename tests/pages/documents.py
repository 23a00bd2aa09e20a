"""Order documents for the tests of the tracking page, as the read model stores them."""

from datetime import UTC, datetime
from typing import Any

from ordertrail.domain.document import OrderDocument

UPDATED = datetime(2026, 11, 22, 13, 5, tzinfo=UTC)

_BASE: dict[str, Any] = {
    "order_id": "01J8XORDER",
    "brand": "casa-verde",
    "channel": "web",
    "external_id": "1042",
    "number": "CV-1042",
    "placed_at": "2026-11-19T09:12:00Z",
    "updated_at": "2026-11-22T13:05:00Z",
    "status": "partially_shipped",
    "fulfilment": "parcel",
    "currency": "EUR",
    "totals": {"items": "128.90", "shipping": "4.90", "tax": "21.49", "discount": "10", "total": "123.80"},
    "payment": {"state": "paid", "method": "Visa ending 4242"},
    "lines": [
        {"sku": "LAMP-1", "name": "Table lamp Alba, oak", "quantity": "1", "unit_price": "79.90", "image_url": None},
        {"sku": "CUSH-2", "name": "Linen cushion, sage", "quantity": "2", "unit_price": "24.50", "image_url": None},
    ],
    "shipping_method": "Standard delivery",
    "destination": {"city": "Madrid", "country": "ES"},
    "promise": {"kind": "date", "on": "2026-11-25", "zone": "Europe/Madrid"},
    "zone": "Europe/Madrid",
    "locale": "en",
    "events": [
        {"at": "2026-11-20T15:30:00Z", "kind": "packed"},
        {"at": "2026-11-19T10:00:00Z", "kind": "processing"},
        {"at": "2026-11-19T09:12:00Z", "kind": "placed"},
    ],
}


def document(**changes: Any) -> dict[str, Any]:
    """A plain order's document with some fields replaced, as JSON-like data."""
    return OrderDocument.model_validate({**_BASE, **changes}).model_dump(mode="json")


TWO_PARCELS = document(
    conditions=["delayed"],
    promise_history=[
        {
            "promise": {"kind": "date", "on": "2026-11-24", "zone": "Europe/Madrid"},
            "source": "order",
            "shown_at": "2026-11-19T09:12:00Z",
        },
        {
            "promise": {"kind": "date", "on": "2026-11-25", "zone": "Europe/Madrid"},
            "source": "carrier",
            "shown_at": "2026-11-21T18:40:00Z",
        },
    ],
    shipments=[
        {
            "ref": "P1",
            "status": "in_transit",
            "carrier": "dhl-express",
            "service_level": "Standard",
            "tracking_number": "JD014600003828",
            "tracking_url": "https://track.dhl.example/JD014600003828",
            "promise": {"kind": "date", "on": "2026-11-25", "zone": "Europe/Madrid"},
            "conditions": ["delayed"],
            "reason_code": "weather",
            "lines": [{"sku": "LAMP-1", "quantity": "1"}],
            "shipped_at": "2026-11-20T17:00:00Z",
            "scans": [
                {
                    "at": "2026-11-22T06:31:00Z",
                    "status": "in_transit",
                    "place": {"city": "Zaragoza", "country": "ES"},
                    "milestone": "local_facility",
                },
                {
                    "at": "2026-11-21T22:02:00Z",
                    "status": "in_transit",
                    "place": {"city": "Barcelona", "country": "ES"},
                    "reason_code": "weather",
                },
                {"at": "2026-11-20T17:00:00Z", "status": "picked_up", "place": {"city": "Girona", "country": "ES"}},
            ],
        },
        {"ref": "P2", "status": "label_created", "carrier": "seur", "lines": [{"sku": "CUSH-2", "quantity": "2"}]},
    ],
)
DELIVERED = document(
    status="delivered",
    shipments=[
        {
            "ref": "P1",
            "status": "delivered",
            "carrier": "dhl-express",
            "tracking_number": "JD014600003828",
            "delivered_at": "2026-11-22T11:42:00Z",
            "left_at": "reception",
            "scans": [{"at": "2026-11-22T11:42:00Z", "status": "delivered"}],
        }
    ],
)
CATERING = document(
    fulfilment="own_fleet",
    status="out_for_delivery",
    brand="forno",
    promise={
        "kind": "window",
        "starts_at": "2026-11-22T11:00:00Z",
        "ends_at": "2026-11-22T11:30:00Z",
        "zone": "Europe/Madrid",
    },
    shipments=[
        {
            "ref": "D1",
            "status": "out_for_delivery",
            "carrier": "own-fleet",
            "promise": {
                "kind": "window",
                "starts_at": "2026-11-22T11:00:00Z",
                "ends_at": "2026-11-22T11:30:00Z",
                "zone": "Europe/Madrid",
            },
        }
    ],
)
PICKUP = document(
    fulfilment="pickup",
    status="ready_for_pickup",
    promise=None,
    shipments=[
        {
            "ref": "C1",
            "status": "ready_for_pickup",
            "pickup": {
                "name": "Casa Verde Malasaña",
                "address": {"lines": ["Calle del Pez 12"], "city": "Madrid", "postal_code": "28004", "country": "ES"},
                "opening_hours": "Monday–Saturday 10:00–20:00",
            },
            "pickup_until": "2026-11-29T19:00:00Z",
        }
    ],
)
CANCELLED = document(
    status="cancelled",
    promise=None,
    cancelled_at="2026-11-21T08:00:00Z",
    payment={"state": "refunded", "method": None},
    refunds=[{"amount": "123.80", "currency": "EUR", "at": "2026-11-21T09:00:00Z"}],
    events=[{"at": "2026-11-21T08:00:00Z", "kind": "cancelled", "reason_code": "out_of_stock"}],
)
ATTENTION = document(
    status="attention",
    case_open=True,
    conditions=["stale"],
    shipments=[
        {
            "ref": "P1",
            "status": "exception",
            "reason_code": "damaged",
            "carrier": "night-owl",
            "shipped_at": "2026-11-20T17:00:00Z",
            "tracking_number": "NO-1",
            "tracking_url": "javascript:alert(1)",
        }
    ],
)
HOSTILE_TEXT = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>\u202e" + "Donaudampfschifffahrt" * 4
_HOSTILE_PARCEL: dict[str, Any] = {
    "ref": "P1",
    "status": "exception",
    "reason_code": "damaged",
    "carrier": HOSTILE_TEXT,
    "service_level": HOSTILE_TEXT,
    "left_at": HOSTILE_TEXT,
    "tracking_number": HOSTILE_TEXT,
    "tracking_url": "javascript:alert(3)",
    "lines": [{"sku": "S", "quantity": "1"}],
    "pickup": {"name": HOSTILE_TEXT, "opening_hours": HOSTILE_TEXT, "bring": HOSTILE_TEXT},
    "scans": [{"at": "2026-11-22T06:31:00Z", "status": "in_transit", "place": {"city": HOSTILE_TEXT[:150]}}],
}
HOSTILE = document(
    number=HOSTILE_TEXT,
    lines=[{"sku": "S", "name": HOSTILE_TEXT, "quantity": "1", "unit_price": "123456789.99"}],
    shipments=[_HOSTILE_PARCEL, {**_HOSTILE_PARCEL, "ref": "P2"}],
    shipping_method=HOSTILE_TEXT,
    payment={"state": "paid", "method": HOSTILE_TEXT},
    destination={"city": HOSTILE_TEXT, "country": "ES"},
    conditions=["delayed"],
)
TEN_PARCELS = document(
    status="partially_delivered",
    shipments=[
        {"ref": f"P{n}", "status": status, "carrier": "dhl", "tracking_number": f"JD0146000038{n:02d}"}
        for n, status in enumerate(
            ["delivered", "out_for_delivery", "in_transit", "picked_up", "label_created", "unknown", "exception",
             "delivery_attempted", "on_hold", "returning"]
        )
    ],
)  # fmt: skip
ALL = {
    "two_parcels": TWO_PARCELS,
    "delivered": DELIVERED,
    "catering": CATERING,
    "pickup": PICKUP,
    "cancelled": CANCELLED,
    "attention": ATTENTION,
}
