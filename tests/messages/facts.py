"""Brands and message facts for the tests of rendering: realistic, extreme and hostile."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from ordertrail.domain.brand import Brand, OpeningHours, Sender, Support
from ordertrail.domain.events import Change, Place
from ordertrail.domain.message import MessageFacts, ShipmentFacts
from ordertrail.domain.order import Address, OrderLine, Payment, PickupPoint, Totals
from ordertrail.domain.promise import DatePromise, WindowPromise
from ordertrail.domain.vocabulary import (
    Fulfilment,
    MessageKind,
    Milestone,
    OrderStatus,
    PaymentState,
    ReasonCode,
    ShipmentStatus,
)

K = MessageKind
HAPPENED = datetime(2026, 11, 22, 13, 5, tzinfo=UTC)
NOW = HAPPENED + timedelta(minutes=1)
PAGE_URL = "https://orders.casaverde.example/t/Ik9SRDAxSjhYIg.7f3kQ2v0mZ1yB4cD5eF6gH7iJ8k"
KINDS = (
    K.ORDER_CONFIRMATION,
    K.ORDER_UPDATE,
    K.SHIPPED,
    K.IN_TRANSIT,
    K.OUT_FOR_DELIVERY,
    K.READY_FOR_PICKUP,
    K.DELIVERY_ATTEMPTED,
    K.DELIVERED,
    K.DELAY,
    K.ISSUE,
    K.BACK_ON_TRACK,
    K.CORRECTION,
    K.CANCELLED,
    K.REFUNDED,
    K.RETURNED,
)

CASA_VERDE = Brand(
    id="casa-verde",
    name="Casa Verde",
    zone="Europe/Madrid",
    colour="#1d6b4f",
    sender=Sender(email="hello@casaverde.example", name="Casa Verde"),
    support=Support(email="help@casaverde.example", phone="+34912345678"),
    legal="Casa Verde Hogar S.L.\nCalle de Alcalá 1, 28014 Madrid",
    site_url="https://casaverde.example",
)
FORNO = Brand(
    id="forno",
    name="Forno Catering",
    zone="Europe/Madrid",
    colour="#f2b705",
    sender=Sender(email="ciao@forno.example", name="Forno"),
    support=Support(
        phone="+34911112222", hours=tuple(OpeningHours(weekday=day, opens=time(8), closes=time(20)) for day in range(6))
    ),
    wording={"processing": "in the kitchen"},
)

LINES = (
    OrderLine(
        sku="LAMP-1",
        name="Table lamp Alba, oak",
        quantity=Decimal(1),
        unit_price=Decimal("79.90"),
        image_url="https://img.casaverde.example/lamp.png",
    ),
    OrderLine(sku="CUSH-2", name="Linen cushion, sage", quantity=Decimal(2), unit_price=Decimal("24.50")),
)
DAY = DatePromise(on=date(2026, 11, 24), zone="Europe/Madrid")
LATER = DatePromise(on=date(2026, 11, 27), zone="Europe/Madrid")
WINDOW = WindowPromise(
    starts_at=datetime(2026, 11, 24, 11, 0, tzinfo=UTC),
    ends_at=datetime(2026, 11, 24, 11, 30, tzinfo=UTC),
    zone="Europe/Madrid",
)
PARCEL = ShipmentFacts(
    ref="P1",
    status=ShipmentStatus.IN_TRANSIT,
    carrier="dhl-express",
    service_level="Standard",
    tracking_number="JD014600003",
    tracking_url="https://track.dhl.example/JD014600003",
    lines=LINES[:1],
    number=1,
    of=2,
    rest=1,
)
PICKUP = PickupPoint(
    name="Casa Verde Malasaña",
    address=Address(lines=("Calle del Pez 12",), city="Madrid", postal_code="28004", country="ES"),
    opening_hours="Monday–Saturday 10:00–20:00",
    bring="an ID and this message",
)

_BASE: dict[str, Any] = {
    "order_number": "CV-1042",
    "order_id": "01J8XORDER",
    "order_status": OrderStatus.SHIPPED,
    "fulfilment": Fulfilment.PARCEL,
    "recipient_name": "Ana García",
    "locale": "en",
    "zone": "Europe/Madrid",
    "currency": "EUR",
    "lines": LINES,
    "totals": Totals(
        items=Decimal("128.90"),
        shipping=Decimal("4.90"),
        tax=Decimal("23.22"),
        discount=Decimal("10"),
        total=Decimal("123.80"),
    ),
    "payment": Payment(state=PaymentState.PAID, method="Visa ending 4242"),
    "shipping_method": "Standard delivery",
    "promise": DAY,
    "happened_at": HAPPENED,
    "page_url": PAGE_URL,
}
_OF_KIND: dict[MessageKind, dict[str, Any]] = {
    K.ORDER_CONFIRMATION: {"order_status": OrderStatus.PLACED},
    K.ORDER_UPDATE: {
        "stage": "changed",
        "changes": (Change(what="quantity", sku="CUSH-2", before="1", after="2"), Change(what="address")),
    },
    K.SHIPPED: {"shipment": PARCEL},
    K.IN_TRANSIT: {
        "shipment": PARCEL,
        "milestone": Milestone.LOCAL_FACILITY,
        "place": Place(city="Zaragoza", country="ES"),
    },
    K.OUT_FOR_DELIVERY: {"shipment": PARCEL},
    K.READY_FOR_PICKUP: {
        "fulfilment": Fulfilment.PICKUP,
        "pickup": PICKUP,
        "pickup_until": HAPPENED + timedelta(days=7),
    },
    K.DELIVERY_ATTEMPTED: {"shipment": PARCEL, "reason_code": ReasonCode.NOBODY_HOME, "attempt_no": 1},
    K.DELIVERED: {"shipment": PARCEL, "left_at": "reception"},
    K.DELAY: {
        "shipment": PARCEL,
        "reason_code": ReasonCode.WEATHER,
        "promise": LATER,
        "previous_promise": DAY,
        "remedies": ("wait", "cancel"),
    },
    K.ISSUE: {"shipment": PARCEL, "reason_code": ReasonCode.ADDRESS_ISSUE, "action_required": True},
    K.BACK_ON_TRACK: {"shipment": PARCEL},
    K.CORRECTION: {"shipment": PARCEL, "reason_code": ReasonCode.LOST},
    K.CANCELLED: {"reason_code": ReasonCode.OUT_OF_STOCK},
    K.REFUNDED: {"refund_amount": Decimal("24.50"), "refund_currency": "EUR", "refund_expected": LATER},
    K.RETURNED: {
        "shipment": PARCEL.model_copy(update={"status": ShipmentStatus.RETURNED}),
        "reason_code": ReasonCode.REFUSED,
    },
}


def facts(kind: MessageKind, **changes: Any) -> MessageFacts:
    """A realistic message of this kind, with some facts replaced."""
    return MessageFacts.model_validate({**_BASE, **_OF_KIND[kind], "kind": kind, **changes})


def extreme(kind: MessageKind) -> MessageFacts:
    """Very long names, forty lines, no pictures, nothing to pay."""
    lines = tuple(
        OrderLine(sku=f"SKU-{n}", name=f"{n:02d}" + "Donaudampfschifffahrtsgesellschaftskapitän" * 2,
                  quantity=Decimal("0.125"), unit_price=Decimal(0))
        for n in range(40)
    )  # fmt: skip
    changes: dict[str, Any] = {
        "lines": lines,
        "recipient_name": "Ŵ" * 80,
        "totals": Totals(items=Decimal(0), total=Decimal(0)),
        "order_number": "N" * 80,
    }
    given = _OF_KIND[kind].get("shipment")
    if given is not None:
        long = {"lines": lines, "service_level": "L" * 150, "carrier": "a" * 50, "of": 99, "number": 98, "rest": 97}
        changes["shipment"] = given.model_copy(update=long)
    if kind is K.READY_FOR_PICKUP:
        changes["pickup"] = PickupPoint(name="P" * 200, opening_hours="o" * 2000, bring="b" * 2000)
    return facts(kind, **changes)


MARKUP = (
    "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>"
    "\r\nBcc: x@evil.example\u202egnp.exe\u0007 {{ 7*7 }} %(x)s"
)


def hostile(kind: MessageKind) -> MessageFacts:
    """Markup, template syntax, line feeds and bidi controls in every field that takes free text."""
    line = OrderLine(sku=MARKUP, name=MARKUP, quantity=Decimal(1), unit_price=Decimal(1))
    changes: dict[str, Any] = {
        "order_number": MARKUP,
        "recipient_name": MARKUP,
        "lines": (line,),
        "skus": (MARKUP,),
        "shipping_method": MARKUP,
        "payment": Payment(state=PaymentState.PAID, method=MARKUP),
        "left_at": MARKUP,
        "place": Place(city=MARKUP, country="ES"),
        "shipment": ShipmentFacts(
            ref=MARKUP, status=ShipmentStatus.EXCEPTION, carrier=MARKUP, service_level=MARKUP, tracking_number=MARKUP,
            tracking_url="javascript:alert(3)", lines=(line,),
        ),
        "pickup": PickupPoint(name=MARKUP, opening_hours=MARKUP, bring=MARKUP,
                              address=Address(lines=(MARKUP,), city=MARKUP, country="ES")),
        "changes": (Change(what="other", sku=MARKUP, before=MARKUP, after=MARKUP),),
    }  # fmt: skip
    return facts(kind, **changes)
