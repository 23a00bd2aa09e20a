"""The load half of a step: append what has come to the timeline, and gather everything the decision is made from."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from activities.carrier_watch import CarrierWatch
from ordertrail.db import advancing, contacts, inbox, orders, preferences, subscriptions, trackers
from ordertrail.db.brands import Brands, KnownBrand
from ordertrail.db.inbox import InboxKind, InboxState, Waiting
from ordertrail.db.orders import OrderRow
from ordertrail.domain.brand import Brand
from ordertrail.domain.events import AnyEvent, AnyOrderEvent, DeliveryReport, Envelope, OrderPlaced, TrackingEvent
from ordertrail.domain.ids import push_address
from ordertrail.domain.order import CanonicalOrder, Person
from ordertrail.domain.order_state import OrderState, fold_order
from ordertrail.domain.policy.memory import Memory
from ordertrail.domain.policy.situation import CUSTOMER, RECIPIENT, Contact, Situation
from ordertrail.domain.vocabulary import Channel
from ordertrail.frontdoor.matching import rematch

AT_ONCE = 200
"""Rows appended per round. Appending may make shipments known whose scans were waiting: then there is another round."""


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """Everything a step has read, and what it appended."""

    row: OrderRow
    brand: KnownBrand
    situation: Situation
    entries: list[Envelope]
    duplicates: tuple[str, ...]
    addresses: Mapping[tuple[str, Channel], str]


class Loader:
    """Reads an order for its next step. `providers`: who serves each channel; `receipts`: channels that report back."""

    def __init__(
        self, brands: Brands, *, secret: bytes, providers: dict[Channel, str], receipts: frozenset[Channel]
    ) -> None:
        self._brands = brands
        self._secret = secret
        self._providers = providers
        self._receipts = receipts
        self._carriers = CarrierWatch()

    def load(self, c: Connection, row: OrderRow, now: datetime) -> Loaded:
        """Append and gather, inside the step's transaction."""
        brand = self._brands.get(c, row.brand)
        order = CanonicalOrder.model_validate_json(row.canonical)
        state, entries, batch, duplicates = self._append(c, row, order, now)
        people = {CUSTOMER: (row.person_id, order.customer)}
        if order.recipient is not None and row.recipient_id != row.person_id:
            people[RECIPIENT] = (row.recipient_id, order.recipient)
        orders.lock_people(c, [person_id for person_id, _ in people.values()])
        addresses = self._addresses(c, row, people)
        found = self._contacts(c, brand.brand, people, addresses, now)
        situation = Situation(
            order_id=row.id, order=order, state=state, memory=Memory.model_validate_json(row.memory),
            brand=brand.brand, now=now, batch=tuple(batch), contacts=found,
            deliveries=advancing.delivery_views(c, row.id), cases=advancing.case_views(c, row.id),
            providers=self._providers, receipts=self._receipts,
            silent_carriers=self._carriers.silent(c, brand.brand, now),
        )  # fmt: skip
        return Loaded(
            row=row,
            brand=brand,
            situation=situation,
            entries=entries,
            duplicates=tuple(duplicates),
            addresses=addresses,
        )

    def _append(
        self, c: Connection, row: OrderRow, order: CanonicalOrder, now: datetime
    ) -> tuple[OrderState, list[Envelope], list[Envelope], list[str]]:
        entries = advancing.entries(c, row.id)
        batch: list[Envelope] = []
        duplicates: list[str] = []
        state: OrderState | None = None
        while True:  # ends, because each round consumes what it found
            waiting = inbox.waiting_for(c, row.id, limit=AT_ONCE)
            for item in waiting:
                entry = _envelope(item)
                fresh = advancing.append(
                    c, brand=row.brand, order_id=row.id, entry=entry, inbox_id=item.inbox_id, seq=row.seq + 1
                )
                (batch if fresh else duplicates).append(entry if fresh else entry.event_id)  # type: ignore[arg-type]
                if not fresh and _tells_otherwise(entry, [*entries, *batch]):
                    inbox.settle(c, item.inbox_id, InboxState.DEAD, reason="same_id_other_body", order_id=row.id)
            inbox.consume(c, [item.id for item in waiting])
            state = fold_order(order, [*entries, *batch])
            linked = any(map(_may_name_tracker, waiting)) and self._link_trackers(c, row, state, now)
            if not linked and len(waiting) < AT_ONCE:
                break
        return state or fold_order(order, entries), [*entries, *batch], batch, duplicates

    def _link_trackers(self, c: Connection, row: OrderRow, state: OrderState, now: datetime) -> bool:
        """Link shipments to their trackers; True when scans had been waiting for them."""
        fresh = []
        for shipment in state.shipments:
            facts = shipment.facts
            if facts.carrier is not None and facts.tracking_number is not None:
                key = trackers.link(
                    c, brand=row.brand, carrier=facts.carrier, tracking_number=facts.tracking_number, order_id=row.id,
                    shipment_ref=shipment.ref, now=now,
                )  # fmt: skip
                fresh += [key] if key else []
        return rematch(c, fresh, now) > 0 if fresh else False

    def _addresses(
        self, c: Connection, row: OrderRow, people: Mapping[str, tuple[str, Person]]
    ) -> dict[tuple[str, Channel], str]:
        """Where each of the people can be reached on each channel that is served. Push: where devices follow."""
        found = {
            (role, channel): address
            for role, (_, person) in people.items()
            for channel, address in _addresses(person)
            if channel in self._providers
        }
        if Channel.PUSH in self._providers:
            follow = subscriptions.followers(c, [person_id for person_id, _ in people.values()], order_id=row.id)
            found |= {
                (role, Channel.PUSH): push_address(person_id, row.id)
                for role, (person_id, _) in people.items()
                if person_id in follow
            }
        return found

    def _contacts(
        self, c: Connection, brand: Brand, people: Mapping[str, tuple[str, Person]],
        addresses: Mapping[tuple[str, Channel], str], now: datetime,
    ) -> tuple[Contact, ...]:  # fmt: skip
        keys = {
            place: contacts.address_key(self._secret, brand.id, place[1], address)
            for place, address in addresses.items()
            if place[1] is not Channel.PUSH  # each device says itself whether it is still there
        }
        known = contacts.states_of(c, brand=brand.id, address_keys=list(keys.values()))
        closed = {(state.channel, state.address_key) for state in known if state.closed}
        ids = [person_id for person_id, _ in people.values()]
        zones = {person_id: ZoneInfo(person.zone or brand.zone) for person_id, person in people.values()}
        sent: dict[tuple[str, Channel], int] = {}
        for person_id, zone in zones.items():
            sent |= advancing.sent_since(c, [person_id], _midnight(now, zone))
        said = preferences.of_people(c, ids)
        return tuple(
            Contact(
                role=role,
                person_id=person_id,
                reachable=frozenset(
                    channel
                    for whose, channel in addresses
                    if whose == role and (channel, keys.get((role, channel))) not in closed
                ),
                consents=person.consents,
                preferred=person.preferred_channel,
                zone=person.zone or brand.zone,
                locale=person.locale or brand.languages[0],
                sent_today={channel: number for (who, channel), number in sent.items() if who == person_id},
                preferences=said.get(person_id, {}),
            )
            for role, (person_id, person) in people.items()
        )


def _midnight(now: datetime, zone: ZoneInfo) -> datetime:
    """When the day began for somebody who lives there: a cap of so many messages a day counts their days."""
    return datetime.combine(now.astimezone(zone).date(), time.min, tzinfo=zone).astimezone(UTC)


def _addresses(person: Person) -> list[tuple[Channel, str]]:
    pairs = ((Channel.EMAIL, person.email), (Channel.SMS, person.phone), (Channel.VOICE, person.phone))
    return [(channel, address) for channel, address in pairs if address]


def _tells_otherwise(repeated: Envelope, known: Iterable[Envelope]) -> bool:
    """Whether an event of the same id said something else, which the front door sees for one name of the order only."""
    same = ("source", "event_id", "shipment_ref")
    first = next((e for e in known if all(getattr(e, name) == getattr(repeated, name) for name in same)), None)
    return first is not None and first.event != repeated.event


def _may_name_tracker(item: Waiting) -> bool:
    """Scans and delivery reports tell nothing new about which tracking number a shipment has."""
    return item.kind in (InboxKind.ORDER, InboxKind.ORDER_EVENT)


def _envelope(item: Waiting) -> Envelope:
    """A row of the inbox as an entry of the timeline."""
    event: OrderPlaced | TrackingEvent | DeliveryReport
    match item.kind:
        case InboxKind.ORDER:
            order = CanonicalOrder.model_validate_json(item.canonical)
            event = OrderPlaced(event_id="placed", occurred_at=order.placed_at)
        case InboxKind.ORDER_EVENT:
            event = AnyOrderEvent.validate_json(item.canonical)
        case _:
            event = AnyEvent.validate_json(item.canonical)
    return Envelope(
        event_id=event.event_id, source=item.connection, occurred_at=event.occurred_at, recorded_at=item.received_at,
        source_version=event.source_version, kind=event.kind, shipment_ref=_shipment_ref(item, event), event=event,
    )  # fmt: skip


def _shipment_ref(item: Waiting, event: object) -> str | None:
    """The shipment an entry belongs to: the one its scan was matched to, or the one the OMS names."""
    shipment = getattr(event, "shipment", None)
    return item.shipment_ref or getattr(event, "shipment_ref", None) or (shipment.ref if shipment else None)
