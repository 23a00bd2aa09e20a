"""What a message says: the facts a template may use, and the rendered bytes a provider is given."""

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field

from ordertrail.domain.base import Instant, Stored
from ordertrail.domain.brand import Brand, Remedy
from ordertrail.domain.events import Change, Place
from ordertrail.domain.order import OrderLine, Payment, PickupPoint, Totals
from ordertrail.domain.promise import Promise
from ordertrail.domain.vocabulary import (
    Channel,
    Fulfilment,
    MessageKind,
    Milestone,
    OrderStatus,
    ReasonCode,
    ShipmentStatus,
)

OrderStage = Literal["processing", "packed", "changed", "restocked", "released"]


class ShipmentFacts(Stored):
    """The parcel or drop a message is about. `lines` are what is in it; `rest` is how many are still to come."""

    ref: str
    status: ShipmentStatus
    carrier: str | None = None
    service_level: str | None = None
    tracking_number: str | None = None
    tracking_url: str | None = None
    lines: tuple[OrderLine, ...] = ()
    number: int = 1
    of: int = 1
    rest: int = 0


class MessageFacts(Stored):
    """Everything a template may state; facts that do not apply to the kind are None or empty.

    Instants are aware UTC; templates show them in `zone`. Amounts are in `currency`.
    """

    kind: MessageKind
    occurrence: int = 1
    order_number: str
    order_id: str
    order_status: OrderStatus
    fulfilment: Fulfilment
    recipient_name: str
    for_gift_recipient: bool = False
    locale: str
    zone: str
    currency: str
    lines: tuple[OrderLine, ...] = ()
    totals: Totals
    payment: Payment
    shipping_method: str | None = None
    shipment: ShipmentFacts | None = None
    promise: Promise | None = None
    previous_promise: Promise | None = None
    happened_at: Instant
    stage: OrderStage | None = None
    changes: tuple[Change, ...] = ()
    reason_code: ReasonCode | None = None
    action_required: bool = False
    attempt_no: int | None = None
    milestone: Milestone | None = None
    place: Place | None = None
    pickup: PickupPoint | None = None
    pickup_until: Instant | None = None
    left_at: str | None = None
    skus: tuple[str, ...] = ()
    refund_amount: Annotated[Decimal, Field(ge=0)] | None = None
    refund_currency: str | None = None
    refund_expected: Promise | None = None
    remedies: tuple[Remedy, ...] = ()
    page_url: str


class Rendered(Stored):
    """The exact bytes that leave, rendered once at claim. SMS has `text` only."""

    subject: str | None = None
    html: str | None = None
    text: str


class OutgoingMessage(Stored):
    """One delivery as a provider adapter is given it. `to` is an email address or an E.164 phone number."""

    delivery_id: str
    key: str
    brand: Brand
    kind: MessageKind
    channel: Channel
    to: str
    to_name: str
    rendered: Rendered
