"""Sample messages at the edge of what orders hold: long, many, empty and hostile."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from ordertrail.domain.events import Change, Place
from ordertrail.domain.message import DigestItem, MessageFacts, OfferFacts, ShipmentFacts
from ordertrail.domain.order import Address, OrderLine, Payment, PickupPoint, Totals
from ordertrail.domain.vocabulary import MessageKind, PaymentState, ShipmentStatus
from ordertrail.messages.samples import HAPPENED, PAGE_URL, PARCEL, catering_sample, sample

_K = MessageKind

HOSTILE = (
    "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>"
    "\r\nBcc: x@evil.example\u202egnp.exe\u0007 {{ 7*7 }} %(x)s"
)
"""Markup, a header, a bidi override, a bell and template syntax."""


def long_sample(kind: MessageKind) -> MessageFacts:
    """Eighty-character names, forty lines, no picture, nothing to pay, the ninth of ten parcels."""
    lines = tuple(
        OrderLine(sku=f"SKU-{n}", name=f"{n:02d} " + "Donaudampfschifffahrtsgesellschaftskapitän" * 2,
                  quantity=Decimal("0.125"), unit_price=Decimal(0))
        for n in range(40)
    )  # fmt: skip
    changes: dict[str, Any] = {
        "lines": lines,
        "recipient_name": "Wilhelmina-Alexandrina " * 3 + "von Hohenstein",
        "totals": Totals(items=Decimal(0), total=Decimal(0)),
        "order_number": "N" * 80,
        "shipping_method": "L" * 80,
    }
    if (given := sample(kind).shipment) is not None:
        edge = {"lines": lines, "service_level": "L" * 80, "carrier": "a" * 50, "number": 9, "of": 10, "rest": 1}
        changes["shipment"] = given.model_copy(update=edge)
    if kind is _K.READY_FOR_PICKUP:
        changes["pickup"] = PickupPoint(name="P" * 200, opening_hours="o" * 2000, bring="b" * 2000)
    if kind is _K.SUPPORT_REPLY:
        changes["reply"] = ("An answer that goes on and on. " * 40,) * 10
    if kind is _K.DIGEST:
        item = DigestItem(order_number="N" * 80, news=_K.SHIPPED, happened_at=HAPPENED, page_url=PAGE_URL)
        changes["digest"] = (item,) * 40
    return sample(kind, **changes)


def bare_sample(kind: MessageKind) -> MessageFacts:
    """The least that can be known: no pictures, names, dates, carriers or links beyond the page."""
    given = sample(kind)
    parcel = given.shipment
    gone: dict[str, Any] = {"carrier": None, "service_level": None, "tracking_number": None, "tracking_url": None}
    return sample(
        kind,
        lines=tuple(line.model_copy(update={"image_url": None}) for line in given.lines),
        payment=Payment(state=PaymentState.PENDING), shipping_method=None, promise=None, previous_promise=None,
        reason_code=None, milestone=None, place=None, left_at=None, refund_expected=None, remedies=(),
        unsubscribe_url=None, pickup_until=None, attempt_no=None, reply_by=None,
        shipment=parcel.model_copy(update={**gone, "lines": (), "of": 1, "rest": 0}) if parcel else None,
    )  # fmt: skip


def many_parcels_sample(kind: MessageKind) -> MessageFacts:
    """The third of ten parcels, in a currency without cents; for kinds about a parcel."""
    shipment = PARCEL.model_copy(update={"number": 3, "of": 10, "rest": 7}) if sample(kind).shipment else None
    return sample(kind, currency="JPY", shipment=shipment)


def hostile_sample(kind: MessageKind) -> MessageFacts:
    """Markup, template syntax, line feeds and bidi controls in every field that takes free text."""
    line = OrderLine(sku=HOSTILE, name=HOSTILE, quantity=Decimal(1), unit_price=Decimal(1))
    changes: dict[str, Any] = {
        "order_number": HOSTILE, "recipient_name": HOSTILE, "lines": (line,), "skus": (HOSTILE,),
        "order_id": HOSTILE, "shipping_method": HOSTILE, "left_at": HOSTILE,
        "payment": Payment(state=PaymentState.PAID, method=HOSTILE), "place": Place(city=HOSTILE, country="ES"),
        "pickup": PickupPoint(name=HOSTILE, opening_hours=HOSTILE, bring=HOSTILE,
                              address=Address(lines=(HOSTILE,), city=HOSTILE, country="ES")),
        "changes": (Change(what="other", sku=HOSTILE, before=HOSTILE, after=HOSTILE),),
        "reply": (HOSTILE,), "reply_by": HOSTILE, "unsubscribe_url": "https://x.example/u/a\r\nBcc: x@evil.example",
        "digest": (DigestItem(order_number=HOSTILE, news=_K.DELAY, happened_at=HAPPENED, page_url="javascript:1"),),
        "offer": OfferFacts(title=HOSTILE, text=(HOSTILE, HOSTILE), url="javascript:alert(4)", button=HOSTILE,
                            image_url="data:text/html,x", code=HOSTILE),
        "feedback_url": "javascript:alert(5)",
    }  # fmt: skip
    if sample(kind).shipment is not None:
        changes["shipment"] = ShipmentFacts(
            ref=HOSTILE, status=ShipmentStatus.EXCEPTION, carrier=HOSTILE, service_level=HOSTILE,
            tracking_number=HOSTILE, tracking_url="javascript:alert(3)", lines=(line,),
        )  # fmt: skip
    return sample(kind, **changes)


def gift_sample(kind: MessageKind) -> MessageFacts:
    """For somebody who did not pay and must not learn the price."""
    return sample(kind, for_gift_recipient=True)


SAMPLES: dict[str, Callable[[MessageKind], MessageFacts]] = {
    "realistic": sample,
    "catering": catering_sample,
    "long": long_sample,
    "bare": bare_sample,
    "many_parcels": many_parcels_sample,
    "gift": gift_sample,
    "hostile": hostile_sample,
}
"""Every set of samples by its name, as the gallery offers them; a set has a message of every kind."""
