"""Short ways to write orders, events and timeline entries in tests of the domain."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any

from ordertrail.domain.events import Envelope, Event, TrackingEvent
from ordertrail.domain.order import CanonicalOrder, OrderLine, Payment, Person, Shipment, ShipmentLine, Totals
from ordertrail.domain.promise import DatePromise
from ordertrail.domain.vocabulary import PaymentState, ShipmentStatus

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
"""A Monday; hour 0 of the stories told in tests."""

_ids = count()


def at(hours: float) -> datetime:
    return NOON + timedelta(hours=hours)


def on(day: int, zone: str = "Europe/Madrid") -> DatePromise:
    return DatePromise(on=date(2026, 3, day), zone=zone)


def entry(event: Event, *, source: str = "oms", ref: str | None = None, recorded: datetime | None = None) -> Envelope:
    return Envelope(
        event_id=event.event_id,
        source=source,
        occurred_at=event.occurred_at,
        recorded_at=recorded or event.occurred_at + timedelta(minutes=1),
        source_version=event.source_version,
        kind=event.kind,
        shipment_ref=ref,
        event=event,
    )


def scan(
    status: ShipmentStatus | str,
    hours: float = 0,
    *,
    source: str = "carrier:ups",
    ref: str = "S1",
    event_id: str | None = None,
    recorded: datetime | None = None,
    when: datetime | None = None,
    **facts: Any,
) -> Envelope:
    """A tracking entry `hours` after noon (or at `when`)."""
    event = TrackingEvent(
        event_id=event_id or f"scan-{next(_ids):05}",
        occurred_at=when or at(hours),
        shipment_ref=ref,
        status=ShipmentStatus(status),
        **facts,
    )
    return entry(event, source=source, ref=ref, recorded=recorded)


def said(
    kind: type[Any], hours: float = 0, *, source: str = "oms", event_id: str | None = None, **facts: Any
) -> Envelope:
    """An entry of the OMS."""
    event = kind(event_id=event_id or f"oms-{next(_ids):05}", occurred_at=at(hours), **facts)
    return entry(event, source=source)


def parcel(ref: str = "S1", *, lines: dict[str, int] | None = None, **facts: Any) -> Shipment:
    parts = tuple(ShipmentLine(sku=sku, quantity=Decimal(quantity)) for sku, quantity in (lines or {}).items())
    return Shipment(ref=ref, lines=parts, **facts)


def line(sku: str = "MUG", quantity: int = 1) -> OrderLine:
    return OrderLine(sku=sku, name=sku.title(), quantity=Decimal(quantity), unit_price=Decimal("9.50"))


def order(**facts: Any) -> CanonicalOrder:
    given: dict[str, Any] = {
        "brand": "acme",
        "channel": "web",
        "external_id": "1001",
        "placed_at": at(-24),
        "customer": Person(name="Test Customer"),
        "lines": (line("MUG", 2), line("TEA", 1)),
        "currency": "EUR",
        "totals": Totals(items=Decimal(28), total=Decimal(28)),
        "payment": Payment(state=PaymentState.PAID),
        **facts,
    }
    return CanonicalOrder(**given)
