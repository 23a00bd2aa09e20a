"""Turns a message's facts into the exact bytes that leave."""

import re
from pathlib import Path
from typing import Any

from jinja2 import Environment

from ordertrail.domain.brand import Brand
from ordertrail.domain.carrier_names import carrier_name
from ordertrail.domain.failures import Permanent
from ordertrail.domain.message import MessageFacts, Rendered
from ordertrail.domain.order import OrderLine
from ordertrail.domain.vocabulary import Channel
from ordertrail.messages.clean import clean_facts, clean_text, web_url
from ordertrail.messages.colour import palette
from ordertrail.messages.environment import Environments, content_hash
from ordertrail.messages.formats import Formatter
from ordertrail.messages.preflight import states_promise
from ordertrail.messages.sms import fit

_SUBJECT_MAX = 150
_BLANK_LINES = re.compile(r"\n[ \t]*(?:\n[ \t]*)+")


class Renderer:
    """Renders messages from `templates_dir`; thread-safe, constructed once in wiring.

    A template is looked for as `brands/<brand id>/messages/<kind>/<part>` first, then as `messages/<kind>/<part>`;
    the parts are `subject.txt`, `email.html`, `email.txt` and `sms.txt`.
    """

    def __init__(self, templates_dir: Path) -> None:
        self._environments = Environments(templates_dir)
        self._versions = content_hash(templates_dir, ("messages", "brands"))

    def versions(self) -> str:
        """A short hash of the content of all message templates, stored with each decision."""
        return self._versions

    def render(self, brand: Brand, facts: MessageFacts, channel: Channel) -> Rendered:
        """Subject, HTML and text for email; text alone for SMS, at most two segments long.

        Facts are cleaned of control and bidi characters first, so nothing in them can add a header or turn text
        around. Raises Permanent('channel_not_rendered') for channels without templates, and jinja2's errors for a
        template that uses a fact it was not given (a defect, caught by the suite).
        """
        context = _context(brand, clean_facts(facts))
        match channel:
            case Channel.EMAIL:
                return self._email(brand, facts.kind, context)
            case Channel.SMS:
                return self._sms(brand, facts.kind, context)
            case _:
                raise Permanent("channel_not_rendered")

    def _email(self, brand: Brand, kind: str, context: dict[str, Any]) -> Rendered:
        text = self._environments.text(brand.id)
        subject = clean_text(_part(text, kind, "subject.txt", context))
        if len(subject) > _SUBJECT_MAX:
            subject = subject[: _SUBJECT_MAX - 1].rstrip() + "…"
        return Rendered(
            subject=subject,
            html=_part(self._environments.html(brand.id), kind, "email.html", context).strip() + "\n",
            text=_BLANK_LINES.sub("\n\n", _part(text, kind, "email.txt", context)).strip() + "\n",
        )

    def _sms(self, brand: Brand, kind: str, context: dict[str, Any]) -> Rendered:
        body = _part(self._environments.text(brand.id), kind, "sms.txt", context)
        sentences = [" ".join(line.split()) for line in body.splitlines()]
        facts: MessageFacts = context["facts"]
        return Rendered(text=fit([line for line in sentences if line], web_url(facts.page_url)))


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


def _part(env: Environment, kind: str, name: str, context: dict[str, Any]) -> str:
    return env.get_template(f"messages/{kind}/{name}").render(context)


def _context(brand: Brand, facts: MessageFacts) -> dict[str, Any]:
    """What every template sees."""
    fmt = Formatter.of(facts.locale, facts.zone, facts.happened_at)
    return {
        "brand": brand,
        "facts": facts,
        "fmt": fmt,
        "language": str(fmt.locale).replace("_", "-"),
        "palette": palette(brand),
        "parcel": facts.shipment,
        "carrier": carrier_name(facts.shipment.carrier) if facts.shipment else None,
        "tracking_link": web_url(facts.shipment.tracking_url) if facts.shipment else "",
        "page_url": web_url(facts.page_url),
        "promise": facts.promise if states_promise(facts) else None,
        "to_come": still_to_come(facts),
        "names_of": {line.sku: line.name for line in facts.lines},
    }
