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
    Frequency,
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


class DigestItem(Stored):
    """One piece of news in a digest: what happened to one order, and where to follow it."""

    order_number: str
    news: MessageKind
    happened_at: Instant
    promise: Promise | None = None
    page_url: str


class OfferFacts(Stored):
    """An offer the brand makes, in its own words and in the recipient's language. `text` holds paragraphs."""

    title: str
    text: tuple[str, ...] = ()
    url: str
    button: str | None = None
    image_url: str | None = None
    code: str | None = None
    until: Promise | None = None


class MessageFacts(Stored):
    """Everything a template may state; facts that do not apply to the kind are None or empty.

    `locale` is the recipient's; `order_locale` is that of the order and comes next where we do not write the first.
    `page_url` is the order's page, `short_url` a short way there for texts, `unsubscribe_url` and `feedback_url` are
    links on the public host, all made for this recipient. `reply` holds the paragraphs that support wrote.

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
    short_url: str | None = None
    order_locale: str | None = None
    unsubscribe_url: str | None = None
    digest: tuple[DigestItem, ...] = ()
    digest_every: Frequency = Frequency.DAILY
    reply: tuple[str, ...] = ()
    reply_by: str | None = None
    feedback_url: str | None = None
    offer: OfferFacts | None = None


class Rendered(Stored):
    """The exact bytes that leave, rendered once at claim. SMS has `text` only.

    Email: `subject`, `preheader`, `html`, `text` and `headers` beyond the ordinary ones, such as List-Unsubscribe.
    Push: `title`, `text`, `link` (opened by a tap) and `collapse_key` (a later message with the same one replaces it).
    Voice: `twiml`, a whole `<Response>`; the address its `<Gather>` reports keys to is filled in when it is sent, and
    what follows the `<Gather>` is said to whoever presses no key or a wrong one.
    """

    subject: str | None = None
    preheader: str | None = None
    html: str | None = None
    text: str
    headers: dict[str, str] = Field(default_factory=dict)
    title: str | None = None
    link: str | None = None
    collapse_key: str | None = None
    twiml: str | None = None
    language: str = "en"
    """The BCP 47 tag of the words."""


class OutgoingMessage(Stored):
    """One delivery as a provider adapter is given it.

    `to` is an email address, an E.164 phone number or, for push, a `push_address`. After `not_after` it is worth
    nothing: a push service need not keep it longer. `others`: the provider's ids of other messages of the same order;
    what is found under one of them, word for word the same, is not this one.
    """

    delivery_id: str
    key: str
    brand: Brand
    kind: MessageKind
    channel: Channel
    to: str
    to_name: str
    rendered: Rendered
    not_after: Instant | None = None
    others: frozenset[str] = frozenset()
