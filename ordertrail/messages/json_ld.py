"""schema.org facts of an email, which mail clients show as an order's card (Order and ParcelDelivery)."""

from decimal import Decimal
from typing import Any

from ordertrail.domain.brand import Brand
from ordertrail.domain.message import MessageFacts
from ordertrail.domain.order import OrderLine
from ordertrail.domain.promise import DatePromise, Promise
from ordertrail.domain.vocabulary import MessageKind, OrderStatus
from ordertrail.messages.clean import web_url
from ordertrail.messages.preflight import totals_add_up

_S = "https://schema.org/"
_O = OrderStatus
_STATUS: dict[OrderStatus, str] = {
    _O.PLACED: "OrderProcessing",
    _O.PROCESSING: "OrderProcessing",
    _O.PACKED: "OrderProcessing",
    _O.ON_HOLD: "OrderProblem",
    _O.BACKORDERED: "OrderProblem",
    _O.PARTIALLY_SHIPPED: "OrderInTransit",
    _O.SHIPPED: "OrderInTransit",
    _O.OUT_FOR_DELIVERY: "OrderInTransit",
    _O.READY_FOR_PICKUP: "OrderPickupAvailable",
    _O.PARTIALLY_DELIVERED: "OrderInTransit",
    _O.DELIVERED: "OrderDelivered",
    _O.ATTENTION: "OrderProblem",
    _O.RETURNING: "OrderReturned",
    _O.RETURNED: "OrderReturned",
    _O.CANCELLED: "OrderCancelled",
}
"""https://schema.org/OrderStatus"""
_NONE = frozenset({MessageKind.DIGEST, MessageKind.OFFER, MessageKind.FEEDBACK_INVITE, MessageKind.SUPPORT_REPLY})


def json_ld(brand: Brand, facts: MessageFacts, carrier: str | None, promise: Promise | None) -> dict[str, Any] | None:
    """The order, or the parcel it is about with its order, as JSON-LD; None for kinds about neither.

    A gift's recipient is told no price. Holds no name and no street.
    """
    if facts.kind in _NONE:
        return None
    order = _order(brand, facts)
    parcel = facts.shipment
    if parcel is None:
        return {"@context": "https://schema.org", **order}
    return _without_empty({
        "@context": "https://schema.org",
        "@type": "ParcelDelivery",
        "trackingNumber": parcel.tracking_number,
        "trackingUrl": web_url(parcel.tracking_url),
        "carrier": {"@type": "Organization", "name": carrier} if carrier else None,
        "itemShipped": [_product(line) for line in parcel.lines],
        "partOfOrder": order,
        **_expected(promise),
    })  # fmt: skip


def _order(brand: Brand, facts: MessageFacts) -> dict[str, Any]:
    priced = not facts.for_gift_recipient and totals_add_up(facts)
    return _without_empty({
        "@type": "Order",
        "orderNumber": facts.order_number,
        "orderStatus": _S + _STATUS[facts.order_status],
        "merchant": {"@type": "Organization", "name": brand.name},
        "url": web_url(facts.page_url),
        "priceCurrency": facts.currency if priced else None,
        "price": _amount(facts.totals.total) if priced else None,
        "acceptedOffer": [_offer(line, facts.currency if priced else None) for line in facts.lines],
    })  # fmt: skip


def _offer(line: OrderLine, currency: str | None) -> dict[str, Any]:
    return _without_empty({
        "@type": "Offer",
        "itemOffered": _product(line),
        "price": _amount(line.unit_price) if currency else None,
        "priceCurrency": currency,
        "eligibleQuantity": {"@type": "QuantitativeValue", "value": _amount(line.quantity)},
    })  # fmt: skip


def _product(line: OrderLine) -> dict[str, Any]:
    return _without_empty({
        "@type": "Product", "name": line.name, "sku": line.sku, "image": web_url(line.image_url),
    })  # fmt: skip


def _expected(promise: Promise | None) -> dict[str, str]:
    if promise is None:
        return {}
    if isinstance(promise, DatePromise):
        return {"expectedArrivalUntil": promise.on.isoformat()}
    return {
        "expectedArrivalFrom": promise.starts().isoformat(),
        "expectedArrivalUntil": promise.ends().isoformat(),
    }


def _amount(amount: Decimal) -> str:
    return f"{amount:f}"


def _without_empty(values: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value}
