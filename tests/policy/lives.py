"""Plausible lives of orders for property-based tests: what happened, who reported it, and when it arrived."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from hypothesis import strategies as st

from ordertrail.domain.brand import Brand, QuietHours
from ordertrail.domain.events import (
    Envelope,
    OrderBackordered,
    OrderCancelled,
    OrderOnHold,
    OrderOutOfStock,
    OrderPacked,
    OrderProcessing,
    OrderReleased,
    OrderRestocked,
    PromiseChanged,
    ShipmentCreated,
    ShipmentShipped,
)
from ordertrail.domain.order import CanonicalOrder
from ordertrail.domain.vocabulary import Channel, Milestone, ReasonCode, ShipmentStatus
from tests.domain.builders import on, order, parcel, said, scan
from tests.policy.simulator import START, Life, brand, contact

S = ShipmentStatus
SOURCES = ("carrier:ups", "easypost", "driver")
_NEXT = {
    S.LABEL_CREATED: (S.PICKED_UP, S.IN_TRANSIT, S.CANCELLED),
    S.PICKED_UP: (S.IN_TRANSIT, S.IN_TRANSIT, S.EXCEPTION),
    S.IN_TRANSIT: (S.IN_TRANSIT, S.OUT_FOR_DELIVERY, S.EXCEPTION, S.ON_HOLD, S.RETURNING),
    S.OUT_FOR_DELIVERY: (S.DELIVERED, S.DELIVERED, S.DELIVERY_ATTEMPTED, S.IN_TRANSIT, S.EXCEPTION),
    S.DELIVERY_ATTEMPTED: (S.OUT_FOR_DELIVERY, S.IN_TRANSIT, S.READY_FOR_PICKUP, S.RETURNING, S.DELIVERY_ATTEMPTED),
    S.READY_FOR_PICKUP: (S.DELIVERED, S.RETURNING),
    S.ON_HOLD: (S.IN_TRANSIT, S.EXCEPTION, S.RETURNING),
    S.EXCEPTION: (S.IN_TRANSIT, S.OUT_FOR_DELIVERY, S.RETURNING, S.EXCEPTION),
    S.DELIVERED: (S.DELIVERED, S.EXCEPTION, S.RETURNING, S.OUT_FOR_DELIVERY),
    S.RETURNING: (S.IN_TRANSIT, S.DELIVERED, S.RETURNED),
    S.RETURNED: (S.RETURNED,),
    S.CANCELLED: (S.CANCELLED, S.IN_TRANSIT),
}
_REASONS = (None, ReasonCode.WEATHER, ReasonCode.DAMAGED, ReasonCode.CUSTOMS)
_LATENESS = (0, 0, 0, 1, 30, 600, 2000)
"""Minutes from the scan to its arrival."""


@dataclass(frozen=True, kw_only=True)
class Plot:
    """An order, and everything that is reported of it with the moment of its arrival."""

    order: CanonicalOrder
    arrivals: tuple[Envelope, ...]
    brand: Brand
    broken: frozenset[Channel] = frozenset()
    batches: tuple[int, ...] = (1,)

    def life(self) -> Life:
        both = contact(Channel.EMAIL, Channel.SMS)
        return Life(order=self.order, brand=self.brand, broken=set(self.broken), contacts=(both,)).begin()

    def play(self, arrivals: tuple[Envelope, ...] | None = None) -> Life:
        """Live it: arrivals in order of time, cut into batches, each decided when its last one has come."""
        life = self.life()
        waiting = sorted(arrivals if arrivals is not None else self.arrivals, key=lambda e: (e.recorded_at, e.event_id))
        number = 0
        while waiting:
            size = self.batches[number % len(self.batches)]
            batch, waiting = waiting[:size], waiting[size:]
            life.arrive(*batch, now=max(life.now, batch[-1].recorded_at))
            number += 1
        life.pass_time(life.now + timedelta(days=2))
        return life


@st.composite
def journeys(draw: st.DrawFn, ref: str) -> list[Envelope]:
    """The scans of one parcel, some told by several sources."""
    status = draw(st.sampled_from([S.LABEL_CREATED, S.IN_TRANSIT]))
    minutes = draw(st.integers(30, 600))
    found: list[Envelope] = []
    for _ in range(draw(st.integers(0, 8))):
        facts: dict[str, Any] = {}
        if status in (S.EXCEPTION, S.ON_HOLD):
            facts["reason_code"] = draw(st.sampled_from(_REASONS))
        if status is S.IN_TRANSIT:
            facts["milestone"] = draw(st.sampled_from([None, *Milestone]))
            facts["delayed"] = draw(st.sampled_from([None, None, None, True, False]))
            facts["promise"] = draw(st.sampled_from([None, None, on(4), on(6), on(9)]))
        for number, source in enumerate(draw(st.lists(st.sampled_from(SOURCES), min_size=1, max_size=2, unique=True))):
            happened = START + timedelta(minutes=minutes + number)
            found.append(_reported(draw, scan(status, when=happened, ref=ref, source=source, **facts)))
        minutes += draw(st.sampled_from([1, 20, 180, 900, 1700]))
        status = draw(st.sampled_from(_NEXT[status]))
    return found


@st.composite
def shop_words(draw: st.DrawFn, refs: list[str]) -> list[Envelope]:
    """What the shop says of the order."""
    found = [said(OrderProcessing, draw(st.integers(0, 5)))] if draw(st.booleans()) else []
    found += [said(OrderPacked, draw(st.integers(2, 9)))] if draw(st.booleans()) else []
    for ref in refs:
        numbered = {"carrier": "ups", "tracking_number": f"1Z999AA1012345678{ref}"} if draw(st.booleans()) else {}
        kind = draw(st.sampled_from([ShipmentShipped, ShipmentCreated]))
        found.append(said(kind, draw(st.integers(1, 12)), shipment=parcel(ref, **numbered)))
    trouble = draw(
        st.lists(
            st.sampled_from([OrderBackordered, OrderRestocked, OrderOutOfStock, OrderOnHold, OrderReleased,
                             PromiseChanged, OrderCancelled]),
            max_size=3,
        )
    )  # fmt: skip
    for kind in trouble:
        more = {"promise": on(draw(st.integers(3, 12)))} if kind in (PromiseChanged, OrderBackordered) else {}
        found.append(said(kind, draw(st.integers(1, 90)), **more))
    return [_reported(draw, entry) for entry in found]


def _reported(draw: st.DrawFn, entry: Envelope) -> Envelope:
    late = timedelta(minutes=draw(st.sampled_from(_LATENESS)))
    return entry.model_copy(update={"recorded_at": entry.occurred_at + late})


@st.composite
def brands(draw: st.DrawFn) -> Brand:
    quiet = draw(st.sampled_from([None, QuietHours(critical="send"), QuietHours(critical="wait")]))
    hold = draw(st.sampled_from([timedelta(0), timedelta(minutes=2), timedelta(hours=1)]))
    return brand(quiet_hours=quiet, imminence_hold=hold, silence=timedelta(hours=draw(st.sampled_from([20, 72]))))


@st.composite
def plots(draw: st.DrawFn) -> Plot:
    refs = ["A", "B", "C"][: draw(st.integers(1, 3))]
    entries = [entry for ref in refs for entry in draw(journeys(ref))] + draw(shop_words(refs))
    promised = draw(st.sampled_from([None, on(3), on(5)]))
    known = draw(st.booleans())
    shipments = tuple(parcel(ref, promise=draw(st.sampled_from([None, on(4)]))) for ref in refs) if known else ()
    return Plot(
        order=order(placed_at=START, promise=promised, shipments=shipments),
        arrivals=tuple(entries),
        brand=draw(brands()),
        broken=draw(st.sampled_from([frozenset(), frozenset({Channel.SMS}), frozenset(Channel)])),
        batches=tuple(draw(st.lists(st.integers(1, 4), min_size=1, max_size=4))),
    )
