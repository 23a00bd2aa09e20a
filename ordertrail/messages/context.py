"""What every template sees: the facts, the reader's formats and the values that sentences name."""

from typing import Any
from urllib.parse import urlsplit

from ordertrail.domain.brand import Brand
from ordertrail.domain.carrier_names import carrier_name
from ordertrail.domain.message import MessageFacts
from ordertrail.domain.order import OrderLine
from ordertrail.domain.vocabulary import Fulfilment, MessageKind
from ordertrail.messages.bidi import isolate_facts, isolated
from ordertrail.messages.brand_words import tone_of, writes_first_in
from ordertrail.messages.clean import greeting_name, web_url
from ordertrail.messages.colour import palette
from ordertrail.messages.formats import Formatter, phone_text
from ordertrail.messages.json_ld import json_ld
from ordertrail.messages.message_steps import message_steps
from ordertrail.messages.preflight import states_promise, totals_add_up

MOST_LINES = 20
"""How many lines of goods a message shows; more are on the order's page."""

_ABOUT_WHEN = frozenset(
    {
        MessageKind.ORDER_CONFIRMATION, MessageKind.ORDER_UPDATE, MessageKind.SHIPPED, MessageKind.IN_TRANSIT,
        MessageKind.OUT_FOR_DELIVERY, MessageKind.BACK_ON_TRACK,
    }
)  # fmt: skip
"""Kinds whose email shows the expected date large."""

_FONTS = "-apple-system,BlinkMacSystemFont,Segoe UI,Roboto,Helvetica,Arial,sans-serif"
_FONTS_OF = {
    "ja": "-apple-system,BlinkMacSystemFont,Hiragino Sans,Yu Gothic,Meiryo,Noto Sans JP,sans-serif",
    "ar": "-apple-system,BlinkMacSystemFont,Segoe UI,Geeza Pro,Noto Sans Arabic,Tahoma,Arial,sans-serif",
}
"""Fonts that a reader's device has; nothing is loaded."""


def reader(brand: Brand, facts: MessageFacts) -> Formatter:
    """The formats of this message's reader: the recipient's language, the order's, then the brand's."""
    tags = (facts.locale, *([facts.order_locale] if facts.order_locale else ()), *brand.languages)
    return Formatter.of(tags, facts.zone, facts.happened_at)


def template_context(brand: Brand, facts: MessageFacts, fmt: Formatter) -> dict[str, Any]:
    """The variables of all templates. `facts` are clean; `v` holds every value a sentence may name."""
    carrier = carrier_name(facts.shipment.carrier) if facts.shipment else None
    promise = facts.promise if states_promise(facts) else None
    card, order_number = json_ld(brand, facts, carrier, promise), facts.order_number
    if fmt.rtl:
        facts, carrier = isolate_facts(facts), carrier and isolated(carrier)
    parcel = facts.shipment
    return {
        "brand": brand, "facts": facts, "fmt": fmt, "parcel": parcel, "carrier": carrier, "promise": promise,
        "steps": message_steps(facts), "page_url": web_url(facts.page_url), "action_url": action_url(facts),
        "hero_date": promise is not None and facts.kind in _ABOUT_WHEN, "spoken": False, "brief": False,
        "order_number": order_number,
        "unsubscribe_url": web_url(facts.unsubscribe_url),
        "language": fmt.tag,
        "first_language": writes_first_in(brand, fmt.catalogue),
        "fonts": _FONTS_OF.get(fmt.locale.language, _FONTS),
        "palette": palette(brand),
        "tone": tone_of(brand, fmt.catalogue, facts.kind),
        "tracking_link": web_url(parcel.tracking_url) if parcel else "",
        "totals_known": not facts.for_gift_recipient and totals_add_up(facts),
        "to_come": still_to_come(facts),
        "names_of": {line.sku: line.name for line in facts.lines},
        "most": MOST_LINES,
        "name": greeting_name(facts.recipient_name),
        "own": facts.fulfilment is Fulfilment.OWN_FLEET,
        "collect": facts.fulfilment is Fulfilment.PICKUP,
        "several": parcel is not None and parcel.of > 1,
        "contacts": contacts(brand, fmt),
        "legal": [_placed(line, fmt) for line in brand.legal.splitlines()],
        "json_ld": card,
        "v": _values(brand, facts, fmt, carrier),
    }  # fmt: skip


def _values(brand: Brand, facts: MessageFacts, fmt: Formatter, carrier: str | None) -> dict[str, object]:
    support, parcel = brand.support, facts.shipment
    ways = [_placed(way, fmt) for way in (support.email, phone_text(support.phone).replace(" ", "\u00a0")) if way]
    return {
        "brand": _placed(brand.name, fmt),
        "order": facts.order_number,
        "number": parcel.number if parcel else 1,
        "total": parcel.of if parcel else 1,
        "carrier": carrier or "",
        "when": fmt.moment(facts.happened_at),
        "contact": fmt.either(ways) or str(support.url or "") or mailbox(brand),
    }


def mailbox(brand: Brand) -> str:
    """The address that reads what customers write back."""
    return brand.support.email or brand.sender.reply_to or brand.sender.email


def _placed(text: str, fmt: Formatter) -> str:
    return isolated(text) if fmt.rtl else text


def contacts(brand: Brand, fmt: Formatter) -> tuple[tuple[str, str], ...]:
    """(link, label) of each way to support; an empty label is for the help pages."""
    support = brand.support
    ways = [(f"mailto:{mailbox(brand)}", _placed(mailbox(brand), fmt))]
    if support.phone:
        ways.append((f"tel:{support.phone}", _placed(phone_text(support.phone), fmt)))
    if support.url:
        ways.append((str(support.url), ""))
    return tuple(ways)


def action_url(facts: MessageFacts) -> str:
    """Where the message's button leads: to the order, unless the kind has a place of its own."""
    special = {
        MessageKind.FEEDBACK_INVITE: facts.feedback_url,
        MessageKind.OFFER: facts.offer.url if facts.offer else None,
    }
    return web_url(special.get(facts.kind)) or web_url(facts.page_url)


def small_link(brand: Brand, facts: MessageFacts) -> str:
    """Where a text or notification leads; an offer's place is the brand's own, which has no short form."""
    url = action_url(facts)
    if facts.kind is MessageKind.OFFER:
        return url
    return short_link(brand, (url == web_url(facts.page_url) and web_url(facts.short_url)) or url)


def short_link(brand: Brand, url: str) -> str:
    """The link as texts carry it: the same path on the brand's short domain, where the brand has one.

    Only for pages of ours, which the short domain serves as well; `url` is clean.
    """
    if not url or brand.short_url is None:
        return url
    return str(brand.short_url).rstrip("/") + urlsplit(url)._replace(scheme="", netloc="").geturl()


def still_to_come(facts: MessageFacts) -> tuple[OrderLine, ...]:
    """The order lines, with quantities, that are in none of the parcels up to this one.

    Known only when the parcel is the first of several to leave; otherwise empty, and the number of parcels still to
    come (`shipment.rest`) is all that can be said.
    """
    parcel = facts.shipment
    if parcel is None or not parcel.lines or parcel.rest != parcel.of - 1 or not parcel.rest:
        return ()
    packed = {line.sku: line.quantity for line in parcel.lines}
    left = ((line, line.quantity - packed.get(line.sku, 0)) for line in facts.lines)
    return tuple(line.model_copy(update={"quantity": quantity}) for line, quantity in left if quantity > 0)
