"""The canonical order: what every sales channel's payload becomes at the front door."""

import re
from decimal import Decimal
from typing import Annotated, Literal

import phonenumbers
from babel import Locale, UnknownLocaleError
from babel.numbers import list_currencies
from email_validator import EmailNotValidError, validate_email
from pydantic import AfterValidator, AnyHttpUrl, Field, PlainSerializer, StringConstraints, model_validator

from ordertrail.domain.base import NO_NUL, Instant, LongText, ShortText, Slug, Value
from ordertrail.domain.promise import Promise, Zone
from ordertrail.domain.vocabulary import Channel, Fulfilment, PaymentState

_CURRENCIES = frozenset(list_currencies())


def _email(value: str) -> str:
    try:
        return validate_email(value, check_deliverability=False).normalized
    except EmailNotValidError as error:
        raise ValueError(str(error)) from None


def _phone(value: str) -> str:
    try:
        parsed = phonenumbers.parse(value, None)
    except phonenumbers.NumberParseException:
        raise ValueError("not an international phone number, such as +34612345678") from None
    if not phonenumbers.is_possible_number(parsed):
        raise ValueError("not a possible phone number; give it with its country code, such as +34612345678")
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


_EXTENSIONS = re.compile(r"-[0-9a-zA-Z]-.*$")
"""What browsers add ('en-US-u-hc-h12') and nothing here depends on."""


def _locale(value: str) -> str:
    tag = _EXTENSIONS.sub("", value.replace("_", "-"))
    try:
        Locale.parse(tag, sep="-")
    except (UnknownLocaleError, ValueError):
        raise ValueError(f"'{value}' is not a BCP 47 language tag, such as 'pt-BR'") from None
    return tag


def _currency(value: str) -> str:
    if value not in _CURRENCIES:
        raise ValueError(f"'{value}' is not an ISO 4217 currency code, such as 'EUR'")
    return value


Email = Annotated[str, AfterValidator(_email)]
Phone = Annotated[str, AfterValidator(_phone)]
LocaleTag = Annotated[str, AfterValidator(_locale)]
Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$"), AfterValidator(_currency)]
Country = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
Amount = Annotated[Decimal, Field(max_digits=14, decimal_places=4), PlainSerializer(str, return_type=str)]
"""A sum of money in the order's currency; a decimal string on the wire, never a float."""
Url = Annotated[AnyHttpUrl, PlainSerializer(str, return_type=str)]


class Consents(Value):
    """What the person has agreed to, as recorded by the shop. SMS, voice and marketing need a recorded yes."""

    sms: bool = False
    voice: bool = False
    marketing: bool = False


class Person(Value):
    """Somebody messages go to. Names are one field, as the world has them."""

    id: ShortText | None = Field(None, description="The shop's own id of the customer, when there is an account")
    name: ShortText
    email: Email | None = None
    phone: Phone | None = None
    locale: LocaleTag | None = None
    zone: Zone | None = None
    consents: Consents = Consents()
    preferred_channel: Channel | None = Field(None, description="Use this channel instead of the default ones")


class Address(Value):
    """A postal address: free lines as written locally, then the parts machines need."""

    lines: tuple[ShortText, ...] = Field(min_length=1, max_length=6)
    city: ShortText | None = None
    region: ShortText | None = None
    postal_code: Annotated[str, StringConstraints(max_length=20)] | None = None
    country: Country


class OrderLine(Value):
    sku: ShortText
    name: ShortText
    quantity: Annotated[Decimal, Field(gt=0, max_digits=12, decimal_places=3), PlainSerializer(str, return_type=str)]
    unit_price: Amount
    image_url: Url | None = None


class Totals(Value):
    """Sums in the order's currency; `total` is what the customer pays."""

    items: Amount
    shipping: Amount = Decimal(0)
    tax: Amount = Decimal(0)
    discount: Amount = Decimal(0)
    total: Amount


class Payment(Value):
    state: PaymentState
    method: ShortText | None = Field(None, description="As shown to the customer, such as 'Visa ending 4242'")


class PickupPoint(Value):
    """Where the customer collects."""

    name: ShortText
    address: Address | None = None
    opening_hours: LongText | None = None
    bring: LongText | None = Field(None, description="What to bring, such as an ID and the order number")


class ShipmentLine(Value):
    sku: ShortText
    quantity: Annotated[Decimal, Field(gt=0, max_digits=12, decimal_places=3), PlainSerializer(str, return_type=str)]


class Shipment(Value):
    """One parcel or drop as the OMS knows it. `ref` is the OMS's name for it, unique within the order."""

    ref: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._#-]{0,59}$")]
    carrier: Slug | None = None
    service_level: ShortText | None = None
    tracking_number: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9 -]{2,49}$")] | None = None
    tracking_url: Url | None = None
    lines: tuple[ShipmentLine, ...] = Field((), description="Empty: everything in the order")
    promise: Promise | None = None
    pickup: PickupPoint | None = None


class CanonicalOrder(Value):
    """An order as it was placed. One (brand, channel, external_id) is one order for ever."""

    schema_version: Literal[1] = 1
    brand: Slug
    channel: Slug = Field(description="The sales channel, such as 'web' or 'amazon'")
    external_id: Annotated[
        str, StringConstraints(min_length=1, max_length=120, strip_whitespace=True, pattern=NO_NUL)
    ] = Field(description="The channel's own order id")
    number: ShortText | None = Field(None, description="The order number the customer knows, if not external_id")
    placed_at: Instant
    fulfilment: Fulfilment = Fulfilment.PARCEL
    customer: Person
    recipient: Person | None = Field(None, description="Who receives the goods, if not the customer (a gift)")
    lines: tuple[OrderLine, ...] = Field(min_length=1, max_length=500)
    currency: Currency
    totals: Totals
    payment: Payment
    shipping_method: ShortText | None = None
    promise: Promise | None = None
    ship_by: Instant | None = None
    shipping_address: Address | None = None
    billing_address: Address | None = None
    delivery_instructions: LongText | None = None
    shipments: tuple[Shipment, ...] = Field((), max_length=100)
    imported: bool = Field(
        False, description="A finished or old order brought over from elsewhere: nothing is announced"
    )

    @model_validator(mode="after")
    def _unique_shipments(self) -> "CanonicalOrder":
        refs = [shipment.ref for shipment in self.shipments]
        if len(set(refs)) != len(refs):
            raise ValueError("two shipments have the same ref")
        return self

    @property
    def shown_number(self) -> str:
        """The order number to show the customer."""
        return self.number or self.external_id
