"""What each kind of message must state, as data: the names of facts, and how each is found in a reader's language."""

from collections.abc import Callable

from ordertrail.domain.carrier_names import carrier_name
from ordertrail.domain.message import MessageFacts
from ordertrail.messages.context import action_url
from ordertrail.messages.formats import Formatter
from tests.messages.facts import K


def _parcel(facts: MessageFacts):
    assert facts.shipment is not None
    return facts.shipment


def _money(facts: MessageFacts, fmt: Formatter) -> str:
    return fmt.money(facts.totals.total, facts.currency)


FACTS: dict[str, Callable[[MessageFacts, Formatter], str]] = {
    "order": lambda facts, fmt: facts.order_number,
    "link": lambda facts, fmt: action_url(facts),
    "item": lambda facts, fmt: facts.lines[0].name,
    "other item": lambda facts, fmt: facts.lines[1].name,
    "item price": lambda facts, fmt: fmt.money(facts.lines[0].unit_price, facts.currency),
    "two of the other": lambda facts, fmt: fmt.money(facts.lines[1].unit_price * 2, facts.currency),
    "payment": lambda facts, fmt: facts.payment.method or "",
    "total": _money,
    "method": lambda facts, fmt: facts.shipping_method or "",
    "expected": lambda facts, fmt: fmt.promise(facts.promise),
    "was expected": lambda facts, fmt: fmt.promise(facts.previous_promise),
    "happened": lambda facts, fmt: fmt.moment(facts.happened_at),
    "carrier": lambda facts, fmt: carrier_name(_parcel(facts).carrier) or "",
    "service": lambda facts, fmt: _parcel(facts).service_level or "",
    "tracking number": lambda facts, fmt: _parcel(facts).tracking_number or "",
    "tracking link": lambda facts, fmt: _parcel(facts).tracking_url or "",
    "country": lambda facts, fmt: fmt.country(facts.place.country),
    "city": lambda facts, fmt: facts.place.city or "",
    "before": lambda facts, fmt: facts.changes[0].before or "",
    "after": lambda facts, fmt: facts.changes[0].after or "",
    "pickup": lambda facts, fmt: facts.pickup.name,
    "street": lambda facts, fmt: facts.pickup.address.lines[0],
    "until": lambda facts, fmt: fmt.moment(facts.pickup_until),
    "opening hours": lambda facts, fmt: facts.pickup.opening_hours,
    "bring": lambda facts, fmt: facts.pickup.bring,
    "left at": lambda facts, fmt: facts.left_at or "",
    "refund": lambda facts, fmt: fmt.money(facts.refund_amount, facts.refund_currency),
    "refund day": lambda facts, fmt: fmt.promise(facts.refund_expected),
    "reply": lambda facts, fmt: facts.reply[1],
    "reply by": lambda facts, fmt: facts.reply_by or "",
    "second order": lambda facts, fmt: facts.digest[1].order_number,
    "offer": lambda facts, fmt: facts.offer.title,
    "code": lambda facts, fmt: facts.offer.code,
    "offer ends": lambda facts, fmt: fmt.promise(facts.offer.until),
}

_TRACKING = ("carrier", "tracking number", "tracking link")
EMAIL: dict[K, tuple[str, ...]] = {
    K.ORDER_CONFIRMATION: ("item", "other item", "item price", "two of the other", "payment", "total", "method",
                           "expected"),
    K.ORDER_UPDATE: ("other item", "before", "after", "total", "expected"),
    K.SHIPPED: (*_TRACKING, "service", "expected", "item", "other item"),
    K.IN_TRANSIT: (*_TRACKING, "city", "country", "happened", "expected"),
    K.OUT_FOR_DELIVERY: (*_TRACKING, "happened", "expected", "item"),
    K.READY_FOR_PICKUP: ("pickup", "street", "until", "opening hours", "bring", "item"),
    K.DELIVERY_ATTEMPTED: (*_TRACKING, "happened", "expected"),
    K.DELIVERED: (*_TRACKING, "happened", "left at", "item"),
    K.DELAY: (*_TRACKING, "expected", "was expected"),
    K.ISSUE: (*_TRACKING, "happened"),
    K.BACK_ON_TRACK: (*_TRACKING, "expected"),
    K.CORRECTION: (*_TRACKING, "happened", "expected"),
    K.CANCELLED: ("happened", "total", "item", "other item"),
    K.REFUNDED: ("refund", "refund day", "payment", "happened"),
    K.RETURNED: (*_TRACKING, "happened", "item"),
    K.FEEDBACK_INVITE: ("item",),
    K.SUPPORT_REPLY: ("reply", "reply by"),
    K.DIGEST: ("second order", "happened"),
    K.OFFER: ("offer", "code", "offer ends"),
}  # fmt: skip
"""Beside the order's number, the link, the contacts and why one gets this, which every kind states."""

PHONE: dict[K, tuple[str, ...]] = {
    K.ORDER_CONFIRMATION: ("expected", "total"),
    K.ORDER_UPDATE: ("before", "after"),
    K.SHIPPED: ("expected", "carrier"),
    K.IN_TRANSIT: ("city", "expected"),
    K.OUT_FOR_DELIVERY: ("expected", "carrier"),
    K.READY_FOR_PICKUP: ("pickup", "until"),
    K.DELIVERY_ATTEMPTED: ("expected",),
    K.DELIVERED: ("happened", "left at"),
    K.DELAY: ("expected",),
    K.ISSUE: (),
    K.BACK_ON_TRACK: ("expected",),
    K.CORRECTION: (),
    K.CANCELLED: (),
    K.REFUNDED: ("refund", "refund day"),
    K.RETURNED: (),
    K.FEEDBACK_INVITE: (),
    K.SUPPORT_REPLY: ("reply",),
    K.DIGEST: ("second order",),
    K.OFFER: ("offer", "code"),
}
"""On SMS, push and in calls; the reason of trouble is looked for apart, as a sentence of the catalogue."""
WITHOUT_ORDER = frozenset({K.DIGEST, K.OFFER})
"""Kinds that are about no single order."""
