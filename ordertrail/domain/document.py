"""The read model of one order: the one JSON document that the API, the portal and the consoles show."""

from decimal import Decimal
from typing import Literal

from ordertrail.domain.base import Instant, Stored
from ordertrail.domain.events import Place
from ordertrail.domain.order import OrderLine, PickupPoint, Totals
from ordertrail.domain.promise import Promise
from ordertrail.domain.vocabulary import (
    Condition,
    Fulfilment,
    Milestone,
    OrderStatus,
    PaymentState,
    ReasonCode,
    ShipmentStatus,
)

PromiseSource = str
"""Who made a promise: `order`, `carrier`, `oms` or `prediction`; shown to operators, never to customers."""


class PaymentView(Stored):
    """How the order stands with its money. `method` is as shown to the customer."""

    state: PaymentState
    method: str | None = None


class PromiseRecord(Stored):
    """A promise as it was once shown to the customer."""

    promise: Promise
    source: PromiseSource
    shown_at: Instant


class Scan(Stored):
    """One tracking event as a customer may see it. `place` is a town; never a street."""

    at: Instant
    status: ShipmentStatus
    place: Place | None = None
    milestone: Milestone | None = None
    reason_code: ReasonCode | None = None


class ShipmentLineView(Stored):
    """How many of an order line are in a parcel; the line's own facts are found by `sku` in the order's lines."""

    sku: str
    quantity: Decimal


class ShipmentView(Stored):
    """One parcel or drop. `lines` empty: everything in the order. `scans` are newest first."""

    ref: str
    status: ShipmentStatus
    carrier: str | None = None
    carrier_name: str | None = None
    service_level: str | None = None
    tracking_number: str | None = None
    tracking_url: str | None = None
    promise: Promise | None = None
    conditions: tuple[Condition, ...] = ()
    lines: tuple[ShipmentLineView, ...] = ()
    pickup: PickupPoint | None = None
    pickup_until: Instant | None = None
    left_at: str | None = None
    shipped_at: Instant | None = None
    delivered_at: Instant | None = None
    reason_code: ReasonCode | None = None
    scans: tuple[Scan, ...] = ()


class OrderEventView(Stored):
    """One event of the order itself. `kind` is that of the order event, such as 'packed'."""

    at: Instant
    kind: str
    reason_code: ReasonCode | None = None


class RefundView(Stored):
    amount: Decimal
    currency: str
    at: Instant


class Destination(Stored):
    """The town the goods go to; all of the address that this document may hold."""

    city: str | None = None
    country: str | None = None


class OrderDocument(Stored):
    """One order, ready to be shown to whoever holds its link.

    It holds no name, email address, phone number or street address. Instants are aware UTC; readers show them in
    `zone` (the recipient's) and `locale`. `promise_history` and `events` hold what was shown and what happened;
    `events` are newest first. `tracking_page` is a path on the public host, such as '/t/<token>'.
    """

    schema_version: Literal[1] = 1
    order_id: str
    brand: str
    channel: str
    external_id: str
    number: str
    placed_at: Instant
    updated_at: Instant
    status: OrderStatus
    conditions: tuple[Condition, ...] = ()
    fulfilment: Fulfilment = Fulfilment.PARCEL
    currency: str
    totals: Totals
    payment: PaymentView
    lines: tuple[OrderLine, ...] = ()
    shipping_method: str | None = None
    destination: Destination | None = None
    promise: Promise | None = None
    promise_history: tuple[PromiseRecord, ...] = ()
    zone: str
    locale: str = "en"
    shipments: tuple[ShipmentView, ...] = ()
    events: tuple[OrderEventView, ...] = ()
    refunds: tuple[RefundView, ...] = ()
    cancelled_at: Instant | None = None
    messages_sent: int = 0
    case_open: bool = False
    tracking_page: str = ""
