"""Renders the customer's tracking page and the operator's outbox."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from babel.dates import format_timedelta, get_timezone_location

from ordertrail.domain.base import Instant, Stored
from ordertrail.domain.brand import Brand
from ordertrail.domain.business_time import opening
from ordertrail.domain.carrier_names import carrier_name
from ordertrail.domain.document import OrderDocument, PromiseRecord
from ordertrail.domain.message import Rendered
from ordertrail.domain.promise import DatePromise, Promise
from ordertrail.domain.vocabulary import Channel, MessageKind
from ordertrail.messages.brand_words import writes_first_in
from ordertrail.messages.catalogue import SOURCE
from ordertrail.messages.clean import clean_facts
from ordertrail.messages.environment import Environments, content_hash
from ordertrail.messages.formats import Formatter
from ordertrail.messages.gift import without_money
from ordertrail.messages.progress import parcel_progress, progress
from ordertrail.messages.sms import segments
from ordertrail.messages.troubles import troubles

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; worker-src 'self'; img-src 'self' https: data:; "
    "connect-src 'self'; frame-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
"""What these pages are served with; they hold no inline script or style."""

EMAIL_CONTENT_SECURITY_POLICY = (
    "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; style-src 'unsafe-inline'; "
    "img-src 'self' https: data:; frame-ancestors 'self'"
)
"""What an email is shown with in a frame: it needs inline styles and may do nothing else."""


class OutboxItem(Stored):
    """One message as the console provider was given it."""

    id: int
    brand: str
    channel: Channel
    kind: MessageKind
    recipient: str
    recipient_name: str = ""
    delivery_id: str = ""
    order_id: str | None = None
    order_number: str | None = None
    at: Instant
    rendered: Rendered


class Pages:
    """Renders pages from `templates_dir`/portal; thread-safe, constructed once in wiring.

    Static files are expected under `/static/` (templates/portal/static), a brand's colours at
    `/static/brand/{brand}.css`. A brand may override a page as `brands/<brand id>/portal/<page>`, or in `own_dir`, if
    given, as `<brand id>/portal/<page>`.
    """

    def __init__(self, templates_dir: Path, own_dir: Path | None = None) -> None:
        self._environments = Environments(templates_dir, own_dir)
        self._assets = content_hash(templates_dir, ("portal/static",))

    def tracking(
        self, view: Mapping[str, Any], brand: Brand, *, stream_url: str | None, updated_at: datetime,
        now: datetime | None = None, push_url: str | None = None, for_recipient: bool = False,
    ) -> str:  # fmt: skip
        """The tracking page of an order document (see `OrderDocument`), in the order's language and its reader's zone.

        `stream_url` is a same-origin event stream whose events make the page fetch itself again; None for a page that
        will not change any more. `push_url` takes and gives back subscriptions to notifications; None offers none.
        `updated_at` (aware) is when the document last changed, `now` (aware) when it is looked at; None is then.
        `for_recipient`: it is looked at by the recipient of a gift, who learns nothing of prices and payment.
        """
        order = clean_facts(OrderDocument.model_validate(view))
        order = without_money(order) if for_recipient else order
        seen = now or updated_at
        fmt = Formatter.of((order.locale, *brand.languages), order.zone, seen)
        return self.render(
            "tracking.html",
            brand,
            fmt,
            order=order,
            steps=progress(order),
            parcel_steps=parcel_progress,
            troubles=troubles(order),
            missed=order.promise is not None and order.promise.ends() <= seen,
            earlier=earlier_promises(order.promise_history, order.promise),
            lines_of={line.sku: line for line in order.lines},
            carrier_name=carrier_name,
            promise_stamp=promise_stamp,
            stream_url=stream_url,
            push_url=push_url,
            for_recipient=for_recipient,
            updated_at=updated_at,
            updated_ago=_ago(seen - updated_at, fmt),
            zone_city=_city(order.zone, fmt),
            **support_now(brand, fmt, seen),
        )

    def outbox(self, messages: Sequence[OutboxItem], *, order: str = "", newer: str = "", older: str = "") -> str:
        """The list of messages as given (newest first). `order` is the filter in force; the others are page links."""
        return self.render("outbox.html", None, None, messages=messages, order=order, newer=newer, older=older)

    def outbox_message(self, message: OutboxItem, *, run_url: str = "") -> str:
        """One message as its reader gets it: an email in frames from `/outbox/{id}/html`, the others as on a phone.

        `run_url` is where the order's run is seen.
        """
        count = segments(message.rendered.text) if message.channel is Channel.SMS else 0
        return self.render("outbox_message.html", None, None, message=message, segments=count, run_url=run_url)

    def not_found(self, brand: Brand | None) -> str:
        """The page for a link that leads nowhere; in the brand's colours where the brand is known."""
        return self.render("not_found.html", brand, None)

    def render(self, name: str, brand: Brand | None, fmt: Formatter | None, /, **context: object) -> str:
        """Any page of templates/portal in the reader's language; operators' pages have no `fmt` and are English."""
        known = {"fmt": fmt} if fmt else {}
        env = self._environments.html(brand.id if brand else "", fmt.catalogue if fmt else SOURCE)
        language = fmt.tag if fmt else SOURCE
        template = env.get_template(f"portal/{name}")
        first = not (brand and fmt) or writes_first_in(brand, fmt.catalogue)
        return template.render(
            brand=brand, assets=self._assets, language=language, first_language=first, **known, **context
        )


def support_now(brand: Brand, fmt: Formatter, now: datetime) -> dict[str, object]:
    """What `contact.html` says of opening hours: `opening`, and `there`, the reader's formats in the brand's zone."""
    return {"opening": opening(now, brand.support, brand.zone), "there": replace(fmt, zone=ZoneInfo(brand.zone))}


def _ago(span: timedelta, fmt: Formatter) -> str:
    """'3 minutes ago' in the reader's language; empty for less than a minute, which is just now."""
    return format_timedelta(-span, add_direction=True, locale=fmt.locale) if span >= timedelta(minutes=1) else ""


def _city(zone: str, fmt: Formatter) -> str:
    """The place a zone is named after, as the reader writes it; the zone itself where it is no place, such as 'UTC'."""
    return get_timezone_location(zone, locale=fmt.locale, return_city=True).split("/")[-1] if "/" in zone else zone


def earlier_promises(history: Sequence[PromiseRecord], current: Promise | None) -> tuple[PromiseRecord, ...]:
    """What was shown before the current promise, oldest first; repeats of the same promise are shown once."""
    told: list[PromiseRecord] = []
    for record in sorted(history, key=lambda entry: entry.shown_at):
        if not told or told[-1].promise != record.promise:
            told.append(record)
    if told and told[-1].promise == current:
        told.pop()
    return tuple(told)


def promise_stamp(promise: Promise) -> str:
    """The machine-readable form of a promise for `<time datetime>`."""
    return promise.on.isoformat() if isinstance(promise, DatePromise) else promise.starts_at.isoformat()
