"""A brand: the shop a message speaks for, with its policy."""

from datetime import time, timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints

from ordertrail.domain.base import LongText, ShortText, Slug, Value
from ordertrail.domain.order import Currency, Email, LocaleTag, Phone, Url
from ordertrail.domain.promise import Zone
from ordertrail.domain.vocabulary import Channel, MessageKind

_K = MessageKind

Colour = Annotated[str, StringConstraints(pattern=r"^#[0-9a-fA-F]{6}$")]


def _positive(value: timedelta) -> timedelta:
    if value < timedelta(0):
        raise ValueError("a duration cannot be negative")
    return value


Span = Annotated[timedelta, AfterValidator(_positive)]


class OpeningHours(Value):
    """Business hours of one weekday, 0 is Monday, local to the brand's zone."""

    weekday: int = Field(ge=0, le=6)
    opens: time
    closes: time


class Support(Value):
    email: Email | None = None
    phone: Phone | None = None
    url: Url | None = None
    hours: tuple[OpeningHours, ...] = tuple(
        OpeningHours(weekday=day, opens=time(9), closes=time(18)) for day in range(5)
    )
    holidays: tuple[str, ...] = Field((), description="ISO dates on which support is closed")
    answers_within: ShortText = "one business day"


class Sender(Value):
    email: Email
    name: ShortText
    reply_to: Email | None = None
    sms_from: ShortText | None = Field(None, description="A phone number or alphanumeric sender id")
    voice_from: Phone | None = Field(None, description="The phone number that calls come from")


class QuietHours(Value):
    """Local to the recipient; `critical`: whether critical kinds wait too."""

    starts: time = time(21)
    ends: time = time(8)
    critical: Literal["wait", "send"] = "send"


Remedy = Literal["refund", "partial_refund", "discount", "expedite", "cancel", "wait"]


class Policy(Value):
    """The rules of section 4 of the design, per brand. All spans are ISO 8601 durations in JSON."""

    critical_kinds: frozenset[MessageKind] = frozenset(
        {_K.DELAY, _K.ISSUE, _K.DELIVERY_ATTEMPTED, _K.CANCELLED, _K.SUPPORT_REPLY}
    )
    sms_kinds: frozenset[MessageKind] = frozenset(
        {_K.SHIPPED, _K.OUT_FOR_DELIVERY, _K.READY_FOR_PICKUP, _K.DELIVERY_ATTEMPTED, _K.DELIVERED, _K.DELAY, _K.ISSUE,
         _K.BACK_ON_TRACK, _K.CORRECTION, _K.CANCELLED}
    )  # fmt: skip
    """Kinds that also go by SMS to a customer who opted in."""
    push_kinds: frozenset[MessageKind] = sms_kinds
    """Kinds that also go to the devices on which the customer asked for notifications."""
    voice_kinds: frozenset[MessageKind] = frozenset({_K.DELAY, _K.ISSUE})
    """Kinds for which a customer who agreed to calls is called, when it is severe."""
    low_value_kinds: frozenset[MessageKind] = frozenset({_K.ORDER_UPDATE, _K.IN_TRANSIT})
    """Kinds held for `imminence_hold`, because the next status may overtake them."""
    imminence_hold: Span = timedelta(minutes=2)
    readiness_wait: Span = timedelta(minutes=30)
    """How long `shipped` waits for a tracking number before it goes without."""
    late_after: Span = timedelta(days=7)
    """News older than this is on the timeline only."""
    promise_grace: Span = timedelta(hours=2)
    ship_by_grace: Span = timedelta(hours=4)
    promise_hysteresis: Span = timedelta(hours=12)
    """A promise that moves later by no more than this is not a delay (windows: a quarter of it)."""
    silence: Span = timedelta(hours=72)
    """No scan for longer than this while on the way raises `stale`."""
    silence_by_service: dict[str, Span] = Field(default_factory=dict)
    useful_life: Span = timedelta(hours=48)
    """A message that could not be sent within this span is worth nothing any more."""
    receipt_window: Span = timedelta(hours=4)
    """A critical message without a receipt for this long goes to the next channel."""
    quiet_hours: QuietHours | None = QuietHours()
    daily_cap: int = Field(12, ge=1)
    """Messages per recipient and day on one channel, critical kinds apart."""
    jitter: Span = timedelta(minutes=10)
    """Date deadlines are spread over this span, by order."""
    remedies: tuple[Remedy, ...] = ("wait", "cancel")
    high_value: dict[Currency, Annotated[int, Field(gt=0)]] = Field(default_factory=lambda: {"EUR": 500, "USD": 500})
    """Orders worth at least this are escalated with a higher priority."""
    escalate_delays_after: int = Field(2, ge=1)
    """The how-manyeth delay of an order opens a case (a missed promise always does)."""
    case_sla: Span = timedelta(hours=8)
    """In business hours; when it runs out unacknowledged the priority is raised."""


class Tone(Value):
    """A brand's own sentences around a message: before the news, and after it."""

    greeting: ShortText | None = None
    closing: ShortText | None = None


class Brand(Value):
    """One shop. Served from the `brands` table; imported from a YAML or JSON file."""

    id: Slug
    name: ShortText
    zone: Zone
    languages: tuple[LocaleTag, ...] = ("en",)
    currency: Currency = "EUR"
    logo_url: Url | None = None
    logo_width: int | None = Field(
        None,
        ge=1,
        le=400,
        description="Of the logo, in pixels, where it is 36 high; keeps an email's layout steady",
    )
    colour: Colour = "#1f4e79"
    colour_text: Colour = "#ffffff"
    sender: Sender
    support: Support = Support()
    legal: LongText = Field("", description="Legal name and postal address, shown in the footer")
    site_url: Url | None = None
    wording: dict[str, ShortText] = Field(
        default_factory=dict, description="Names of statuses shown to customers, in the first of `languages`"
    )
    wording_in: dict[LocaleTag, dict[str, ShortText]] = Field(
        default_factory=dict, description="The same in further languages; what is missing has the product's own name"
    )
    tone: dict[LocaleTag, dict[Literal["any"] | MessageKind, Tone]] = Field(
        default_factory=dict, description="By language and kind; 'any' is for kinds that are not named"
    )
    short_url: Url | None = Field(
        None, description="Origin for links in texts, such as https://go.brand.example; serves the same paths"
    )
    policy: Policy = Policy()

    def next_channels(self) -> tuple[Channel, ...]:
        """The order in which channels stand in for one another."""
        return (Channel.EMAIL, Channel.SMS)
