"""Facts about an order and its shipments, and the versioned envelope in which the timeline keeps them."""

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, TypeAdapter, model_validator

from ordertrail.domain.base import NO_NUL, Instant, LongText, ShortText, Slug, Stored, Value
from ordertrail.domain.order import Amount, Currency, OrderLine, PickupPoint, Shipment, Totals
from ordertrail.domain.promise import Promise
from ordertrail.domain.vocabulary import Channel, Condition, DeliveryState, Milestone, ReasonCode, ShipmentStatus

EventId = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=NO_NUL)]
Ref = Annotated[str, StringConstraints(min_length=1, max_length=60, pattern=NO_NUL)]


class _OrderEvent(Value):
    event_id: EventId = Field(description="The source's own id of this event; the same id twice is the same event")
    occurred_at: Instant
    source_version: int | None = Field(None, ge=0, description="Grows with each change of the order at the source")


class OrderPlaced(_OrderEvent):
    kind: Literal["placed"] = "placed"


class OrderProcessing(_OrderEvent):
    kind: Literal["processing"] = "processing"


class OrderPacked(_OrderEvent):
    kind: Literal["packed"] = "packed"
    shipment_ref: Ref | None = None


class ShipmentCreated(_OrderEvent):
    """A parcel is planned, or facts about it (its tracking number, promise, lines) are now known."""

    kind: Literal["shipment_created"] = "shipment_created"
    shipment: Shipment


class ShipmentShipped(_OrderEvent):
    """A parcel was handed over to its carrier or driver."""

    kind: Literal["shipped"] = "shipped"
    shipment: Shipment


class Change(Value):
    """One thing that changed about the order, in facts: no names or addresses."""

    what: Literal[
        "quantity", "line_added", "line_removed", "price", "shipping_method", "address", "instructions", "other"
    ]
    sku: ShortText | None = None
    before: ShortText | None = None
    after: ShortText | None = None


class OrderChanged(_OrderEvent):
    kind: Literal["changed"] = "changed"
    changes: tuple[Change, ...] = Field(min_length=1, max_length=50)
    lines: tuple[OrderLine, ...] | None = Field(None, description="All lines as they are now, if they changed")
    totals: Totals | None = None


class PromiseChanged(_OrderEvent):
    """A new expected date, of the order or of one shipment."""

    kind: Literal["promise_changed"] = "promise_changed"
    promise: Promise
    shipment_ref: Ref | None = None
    reason_code: ReasonCode | None = None


class OrderBackordered(_OrderEvent):
    kind: Literal["backordered"] = "backordered"
    skus: tuple[ShortText, ...] = ()
    promise: Promise | None = Field(None, description="The new expected date, when there is one")
    reason_code: ReasonCode = ReasonCode.BACKORDERED


class OrderOutOfStock(_OrderEvent):
    kind: Literal["out_of_stock"] = "out_of_stock"
    skus: tuple[ShortText, ...] = ()
    reason_code: ReasonCode = ReasonCode.OUT_OF_STOCK


class OrderRestocked(_OrderEvent):
    """What was backordered or out of stock is there again."""

    kind: Literal["restocked"] = "restocked"
    promise: Promise | None = None


class OrderOnHold(_OrderEvent):
    kind: Literal["on_hold"] = "on_hold"
    reason_code: ReasonCode = ReasonCode.OTHER
    action_required: bool = False


class OrderReleased(_OrderEvent):
    kind: Literal["released"] = "released"


class OrderCancelled(_OrderEvent):
    kind: Literal["cancelled"] = "cancelled"
    reason_code: ReasonCode | None = None


class OrderRefunded(_OrderEvent):
    kind: Literal["refunded"] = "refunded"
    refund_id: Ref
    amount: Amount
    currency: Currency
    expected: Promise | None = Field(None, description="When the money arrives, if known")


class OrderReturned(_OrderEvent):
    """Goods came back to the shop after a delivery."""

    kind: Literal["returned"] = "returned"
    return_id: Ref


OrderEvent = Annotated[
    OrderPlaced
    | OrderProcessing
    | OrderPacked
    | ShipmentCreated
    | ShipmentShipped
    | OrderChanged
    | PromiseChanged
    | OrderBackordered
    | OrderOutOfStock
    | OrderRestocked
    | OrderOnHold
    | OrderReleased
    | OrderCancelled
    | OrderRefunded
    | OrderReturned,
    Field(discriminator="kind"),
]


class Place(Value):
    """Where a scan happened, as far as a carrier tells: a town and a country, never a street."""

    city: ShortText | None = None
    region: ShortText | None = None
    postal_code: Annotated[str, StringConstraints(max_length=20)] | None = None
    country: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")] | None = None


class TrackingEvent(Value):
    """A fact from a carrier or driver about one shipment.

    Name the shipment either by `carrier` and `tracking_number`, or by `shipment_ref` of a known order.
    `raw_text` and `left_at` stay in SQL; they never reach Temporal.
    """

    kind: Literal["tracking"] = "tracking"
    event_id: EventId
    occurred_at: Instant
    zone_assumed: bool = Field(False, description="The carrier gave a local time without a zone and one was assumed")
    source_version: int | None = Field(None, ge=0)
    carrier: Slug | None = None
    tracking_number: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9 -]{2,49}$")] | None = None
    shipment_ref: Ref | None = None
    status: ShipmentStatus
    delayed: bool | None = Field(None, description="The carrier's own word: true raises the condition, false clears it")
    stale: bool = Field(False, description="The carrier gave up expecting scans")
    reason_code: ReasonCode | None = None
    action_required: bool = False
    attempt_no: int | None = Field(None, ge=1, le=20)
    milestone: Milestone | None = None
    promise: Promise | None = Field(None, description="The carrier's estimate of delivery")
    to_sender: bool = Field(False, description="This delivery is back to the sender")
    place: Place | None = None
    pickup: PickupPoint | None = None
    pickup_until: Instant | None = None
    left_at: ShortText | None = Field(None, description="Where the parcel was left, such as 'reception'")
    raw_code: ShortText | None = None
    raw_text: LongText | None = None

    @model_validator(mode="after")
    def _names_a_shipment(self) -> "TrackingEvent":
        if self.tracking_number is None and self.shipment_ref is None:
            raise ValueError("give carrier and tracking_number, or order and shipment_ref")
        if self.tracking_number is not None and self.carrier is None:
            raise ValueError("a tracking_number needs its carrier")
        return self


class DeliveryReport(Value):
    """A provider told what became of a message, and the order must do something about it."""

    kind: Literal["delivery_report"] = "delivery_report"
    event_id: EventId
    occurred_at: Instant
    source_version: int | None = None
    delivery_id: str
    channel: Channel
    state: DeliveryState
    reason: str


class ConditionChanged(Value):
    """Policy raised or cleared a condition; the trace of it, which changes no status.

    `scope` is the shipment it is about, or empty for the whole order.
    """

    kind: Literal["condition"] = "condition"
    event_id: EventId
    occurred_at: Instant
    source_version: int | None = None
    condition: Condition
    raised: bool
    scope: str = ""


Event = Annotated[OrderEvent | TrackingEvent | DeliveryReport | ConditionChanged, Field(discriminator="kind")]
"""Anything that may stand on a timeline."""

AnyEvent: TypeAdapter[Any] = TypeAdapter(Event)
AnyOrderEvent: TypeAdapter[Any] = TypeAdapter(OrderEvent)


class Envelope(Stored):
    """One entry of the timeline; append-only.

    `source` is the connection that reported it. `recorded_at` is when the front door stored it. `kind` repeats
    `event.kind` for readers of the table; `event` holds the facts.
    """

    schema_version: Literal[1] = 1
    event_id: str
    source: str
    occurred_at: Instant
    recorded_at: Instant
    source_version: int | None = None
    kind: str
    shipment_ref: str | None = None
    event: Event
