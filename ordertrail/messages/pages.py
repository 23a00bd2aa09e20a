"""Renders the customer's tracking page and the operator's outbox."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from ordertrail.domain.base import Instant, Stored
from ordertrail.domain.brand import Brand
from ordertrail.domain.carrier_names import carrier_name
from ordertrail.domain.document import OrderDocument, PromiseRecord
from ordertrail.domain.message import Rendered
from ordertrail.domain.promise import DatePromise, Promise
from ordertrail.domain.vocabulary import Channel, MessageKind
from ordertrail.messages.clean import clean_facts
from ordertrail.messages.environment import Environments, content_hash
from ordertrail.messages.formats import Formatter
from ordertrail.messages.progress import progress
from ordertrail.messages.sms import segments

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' https: data:; connect-src 'self'; "
    "frame-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
"""What these pages are served with; they hold no inline script or style."""

EMAIL_CONTENT_SECURITY_POLICY = (
    "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; style-src 'unsafe-inline'; "
    "img-src https: data:; frame-ancestors 'self'"
)
"""What `/outbox/{id}/html` is served with: an email needs inline styles and may do nothing else."""


class OutboxItem(Stored):
    """One message as the console provider was given it."""

    id: int
    brand: str
    channel: Channel
    kind: MessageKind
    recipient: str
    recipient_name: str = ""
    order_id: str | None = None
    order_number: str | None = None
    at: Instant
    rendered: Rendered


class Pages:
    """Renders pages from `templates_dir`/portal; thread-safe, constructed once in wiring.

    Static files are expected under `/static/` (templates/portal/static), a brand's colours at
    `/static/brand/{brand}.css`. A brand may override a page as `brands/<brand id>/portal/<page>`.
    """

    def __init__(self, templates_dir: Path) -> None:
        self._environments = Environments(templates_dir)
        self._assets = content_hash(templates_dir, ("portal/static",))

    def tracking(self, view: Mapping[str, Any], brand: Brand, *, stream_url: str | None, updated_at: datetime) -> str:
        """The tracking page of an order document (see `OrderDocument`).

        `stream_url` is a same-origin event stream whose events make the page fetch itself again; None for a page that
        will not change any more. `updated_at` (aware) is when the document last changed.
        """
        order = clean_facts(OrderDocument.model_validate(view))
        fmt = Formatter.of(order.locale, order.zone, updated_at)
        return self._render(
            "tracking.html",
            brand,
            order=order,
            fmt=fmt,
            language=str(fmt.locale).replace("_", "-"),
            steps=progress(order),
            earlier=earlier_promises(order.promise_history, order.promise),
            lines_of={line.sku: line for line in order.lines},
            carrier_name=carrier_name,
            promise_stamp=promise_stamp,
            stream_url=stream_url,
            updated_at=updated_at,
        )

    def outbox(self, messages: Sequence[OutboxItem], *, order: str = "", newer: str = "", older: str = "") -> str:
        """The list of messages as given (newest first). `order` is the filter in force; the others are page links."""
        return self._render("outbox.html", None, messages=messages, order=order, newer=newer, older=older)

    def outbox_message(self, message: OutboxItem) -> str:
        """One message: an email in a frame from `/outbox/{id}/html` beside its text, an SMS as a bubble."""
        count = segments(message.rendered.text) if message.channel is Channel.SMS else 0
        return self._render("outbox_message.html", None, message=message, segments=count)

    def not_found(self, brand: Brand | None) -> str:
        """The page for a link that leads nowhere; in the brand's colours where the brand is known."""
        return self._render("not_found.html", brand)

    def _render(self, name: str, brand: Brand | None, **context: object) -> str:
        env = self._environments.html(brand.id if brand else "")
        return env.get_template(f"portal/{name}").render(brand=brand, assets=self._assets, **context)


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
