"""Sample messages, realistic and extreme: for the gallery, for checking a brand when it is loaded, and for tests."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from ordertrail.domain.events import Change, Place
from ordertrail.domain.message import DigestItem, MessageFacts, OfferFacts, ShipmentFacts
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

_K = MessageKind
KINDS: tuple[MessageKind, ...] = tuple(MessageKind)
"""All kinds; each has templates."""

HAPPENED = datetime(2026, 11, 22, 13, 5, tzinfo=UTC)
"""When the news of every sample happened; a sample is valid at this moment."""
PAGE_URL = "https://orders.casaverde.example/t/Ik9SRDAxSjhYIg.7f3kQ2v0mZ1yB4cD5eF6gH7iJ8k"
SHORT_URL = "https://orders.casaverde.example/s/7f3kQ2v0mZ1y"
UNSUBSCRIBE_URL = "https://orders.casaverde.example/u/Ik9SRDAxSjhYIg.Zm9vYmFy"
ZONE = "Europe/Madrid"

LAMP = OrderLine(
    sku="LAMP-1", name="Table lamp Alba, oak", quantity=Decimal(1), unit_price=Decimal("79.90"),
    image_url="https://img.casaverde.example/lamp.png",
)  # fmt: skip
CUSHION = OrderLine(sku="CUSH-2", name="Linen cushion, sage", quantity=Decimal(2), unit_price=Decimal("24.50"))
LINES = (LAMP, CUSHION)
TOTALS = Totals(
    items=Decimal("128.90"), shipping=Decimal("4.90"), tax=Decimal("21.49"), discount=Decimal(10),
    total=Decimal("123.80"),
)  # fmt: skip
DAY = DatePromise(on=date(2026, 11, 24), zone=ZONE)
LATER = DatePromise(on=date(2026, 11, 27), zone=ZONE)
WINDOW = WindowPromise(
    starts_at=datetime(2026, 11, 24, 11, 0, tzinfo=UTC), ends_at=datetime(2026, 11, 24, 11, 30, tzinfo=UTC), zone=ZONE
)
PARCEL = ShipmentFacts(
    ref="P1", status=ShipmentStatus.IN_TRANSIT, carrier="dhl-express", service_level="Express Worldwide",
    tracking_number="JD014600003828", tracking_url="https://track.dhl.example/JD014600003828",
    lines=(LAMP,), number=1, of=2, rest=1,
)  # fmt: skip
DROP = ShipmentFacts(ref="drop-1", status=ShipmentStatus.IN_TRANSIT, carrier="own-fleet")
PICKUP = PickupPoint(
    name="Casa Verde Malasaña",
    address=Address(lines=("Calle del Pez 12",), city="Madrid", postal_code="28004", country="ES"),
    opening_hours="10:00–20:00",
    bring="DNI, CV-1042",
)

_BASE: dict[str, Any] = {
    "order_number": "CV-1042", "order_id": "01J8XORDER", "order_status": OrderStatus.SHIPPED,
    "fulfilment": Fulfilment.PARCEL, "recipient_name": "Ana García", "locale": "en", "zone": ZONE, "currency": "EUR",
    "lines": LINES, "totals": TOTALS, "payment": Payment(state=PaymentState.PAID, method="Visa 4242"),
    "shipping_method": "Express", "promise": DAY, "happened_at": HAPPENED, "page_url": PAGE_URL, "short_url": SHORT_URL,
    "unsubscribe_url": UNSUBSCRIBE_URL,
}  # fmt: skip
_OF_KIND: dict[MessageKind, dict[str, Any]] = {
    _K.ORDER_CONFIRMATION: {"order_status": OrderStatus.PLACED},
    _K.ORDER_UPDATE: {
        "order_status": OrderStatus.PROCESSING,
        "stage": "changed",
        "changes": (Change(what="quantity", sku="CUSH-2", before="1", after="2"), Change(what="address")),
    },
    _K.SHIPPED: {"shipment": PARCEL},
    _K.IN_TRANSIT: {
        "shipment": PARCEL, "milestone": Milestone.LOCAL_FACILITY, "place": Place(city="Zaragoza", country="ES"),
    },
    _K.OUT_FOR_DELIVERY: {"shipment": PARCEL, "promise": WINDOW, "order_status": OrderStatus.OUT_FOR_DELIVERY},
    _K.READY_FOR_PICKUP: {
        "fulfilment": Fulfilment.PICKUP, "order_status": OrderStatus.READY_FOR_PICKUP, "pickup": PICKUP,
        "pickup_until": HAPPENED + timedelta(days=7),
    },
    _K.DELIVERY_ATTEMPTED: {"shipment": PARCEL, "reason_code": ReasonCode.NOBODY_HOME, "attempt_no": 1},
    _K.DELIVERED: {
        "shipment": PARCEL.model_copy(update={"status": ShipmentStatus.DELIVERED}),
        "order_status": OrderStatus.PARTIALLY_DELIVERED, "left_at": "Recepción",
    },
    _K.DELAY: {
        "shipment": PARCEL, "reason_code": ReasonCode.WEATHER, "promise": LATER, "previous_promise": DAY,
        "remedies": ("wait", "cancel"),
    },
    _K.ISSUE: {
        "shipment": PARCEL, "order_status": OrderStatus.ATTENTION, "reason_code": ReasonCode.ADDRESS_ISSUE,
        "action_required": True,
    },
    _K.BACK_ON_TRACK: {"shipment": PARCEL},
    _K.CORRECTION: {"shipment": PARCEL},
    _K.CANCELLED: {"order_status": OrderStatus.CANCELLED, "reason_code": ReasonCode.OUT_OF_STOCK},
    _K.REFUNDED: {
        "order_status": OrderStatus.CANCELLED, "refund_amount": Decimal("24.50"), "refund_currency": "EUR",
        "refund_expected": LATER,
    },
    _K.RETURNED: {
        "shipment": PARCEL.model_copy(update={"status": ShipmentStatus.RETURNED}), "reason_code": ReasonCode.REFUSED,
        "order_status": OrderStatus.RETURNED,
    },
    _K.FEEDBACK_INVITE: {
        "order_status": OrderStatus.DELIVERED, "feedback_url": "https://orders.casaverde.example/f/Ik9SRDAxSjhYIg",
    },
    _K.SUPPORT_REPLY: {
        "reply": ("Hello Ana,", "We have asked the carrier, and your lamp is in Zaragoza."), "reply_by": "Lucía",
    },
    _K.DIGEST: {
        "digest": (
            DigestItem(order_number="CV-1042", news=_K.SHIPPED, happened_at=HAPPENED, promise=DAY, page_url=PAGE_URL),
            DigestItem(order_number="CV-1043", news=_K.DELIVERED, happened_at=HAPPENED, page_url=PAGE_URL),
        ),
    },
    _K.OFFER: {
        "offer": OfferFacts(
            title="10 % for your next order", text=("Thank you for being with us.", "It is yours until Friday."),
            url="https://casaverde.example/offers/10", code="VERDE10", until=LATER,
        ),
    },
}  # fmt: skip


def sample(kind: MessageKind, **changes: Any) -> MessageFacts:
    """A realistic message of this kind, with some facts replaced."""
    return MessageFacts.model_validate({**_BASE, **_OF_KIND[kind], "kind": kind, **changes})


def catering_sample(kind: MessageKind, **changes: Any) -> MessageFacts:
    """The same for an order that the brand's own drivers bring within a window."""
    given = _OF_KIND[kind]
    drop = {"shipment": DROP} if "shipment" in given else {}
    return sample(kind, **{"fulfilment": Fulfilment.OWN_FLEET, "promise": WINDOW, **drop, **changes})
