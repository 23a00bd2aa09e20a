"""Random but plausible lives of orders: what is posted about each, and the messages that must come of it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from random import Random  # noqa: TID251  seeded: the same seed gives the same lives
from typing import Any

from tests.chaos.people import Contact, contact, gift_recipient

Facts = dict[str, Any]
OMS, CARRIER, AGGREGATOR = "oms", "carrier", "aggregator"
SOURCES = (OMS, CARRIER, AGGREGATOR)
BRANDS = {"careful": "Europe/Berlin", "sparing": "America/New_York"}
_MINUTES_APART = 4
_CARRIERS = ("dhl", "ups", "gls", "dpd")


@dataclass(frozen=True, kw_only=True)
class Post:
    """One request about an order. `at`: seconds after its life begins; the order itself is posted at 0.

    `minted`: names the order by the id it was given, instead of by `channel:external id`.
    """

    at: float
    source: str
    body: Mapping[str, Any]
    minted: bool = False

    @property
    def is_scan(self) -> bool:
        """Whether it is a tracking event; else an order event."""
        return "status" in self.body

    @property
    def event_id(self) -> str:
        """The source's id of the event."""
        return str(self.body["event_id"])


@dataclass(frozen=True, kw_only=True)
class Life:
    """One order. `expected`: how often each (kind, address) must be found at the providers.

    `unreachable`: nobody can be told, and the dead letters that say so are expected.
    """

    number: str
    brand: str
    plot: str
    begins: float
    order: Mapping[str, Any]
    posts: tuple[Post, ...]
    expected: Mapping[tuple[str, str], int]
    unreachable: bool = False

    @property
    def reference(self) -> str:
        """How the outside names the order."""
        return f"web:{self.number}"


@dataclass(kw_only=True)
class _Draft:
    """A life being written: events in the order in which they happened."""

    number: str
    rng: Random
    placed_at: datetime
    events: list[tuple[str, Facts]] = field(default_factory=list)
    told: Counter[str] = field(default_factory=Counter)

    def say(self, source: str, **facts: Any) -> None:
        """Add what happens next, and perhaps the same from another source a little later."""
        at = self.placed_at + timedelta(minutes=_MINUTES_APART * (len(self.events) + 1))
        body = {"event_id": f"{self.number}-{len(self.events)}", "occurred_at": at.isoformat(), **facts}
        self.events.append((source, body))
        if source == CARRIER and self.rng.random() < 0.25:
            again = (at + timedelta(seconds=self.rng.randrange(50))).isoformat()
            self.events.append((AGGREGATOR, {**body, "event_id": f"{body['event_id']}-a", "occurred_at": again}))

    def date(self, days: int) -> Facts:
        """A promise some days from now."""
        on = (self.placed_at + timedelta(days=days)).date()
        return {"kind": "date", "on": on.isoformat(), "zone": "Europe/Berlin"}


def lives(seed: int, *, orders: int, seconds: float, life_seconds: float, now: datetime) -> list[Life]:
    """This many lives, begun within `seconds`, each played within about `life_seconds`. `now` is aware UTC."""
    rng = Random(seed)
    return [_life(rng, f"K{seed}-{n:04d}", n, seconds * n / orders, life_seconds, now) for n in range(orders)]


def _life(rng: Random, number: str, n: int, begins: float, life_seconds: float, now: datetime) -> Life:
    draft = _Draft(number=number, rng=rng, placed_at=now - timedelta(hours=4))
    brand = rng.choice(list(BRANDS))
    who = contact(rng, n)
    plot = rng.choices(("parcels", "cancelled", "pickup"), weights=(7, 2, 1))[0]
    gift = gift_recipient(n) if plot == "parcels" and rng.random() < 0.15 else None
    more = {"parcels": _parcels, "cancelled": _cancelled, "pickup": _pickup}[plot](draft)
    draft.told["order_confirmation"] += 1
    order = _order(draft, brand, who, gift, more)
    return Life(
        number=number, brand=brand, plot=plot, begins=begins, order=order, posts=_posted(draft, life_seconds),
        expected=_expected(draft.told, who, gift), unreachable=who.unreachable,
    )  # fmt: skip


def _order(draft: _Draft, brand: str, who: Contact, gift: Contact | None, more: Facts) -> Facts:
    return {
        "brand": brand, "channel": "web", "external_id": draft.number, "placed_at": draft.placed_at.isoformat(),
        "customer": who.person, "currency": "EUR", "payment": {"state": "paid"}, "promise": draft.date(5),
        "lines": [{"sku": f"S{i}", "name": f"Thing {i}", "quantity": "1", "unit_price": "10.00"} for i in range(3)],
        "totals": {"items": "30.00", "total": "30.00"}, **({"recipient": gift.person} if gift else {}), **more,
    }  # fmt: skip


def _parcels(draft: _Draft) -> Facts:
    """One to three shipments, each with a journey of its own; some goods come back afterwards."""
    rng = draft.rng
    number = rng.choice((1, 1, 1, 2, 3))
    boxes = [_box(draft, i, number) for i in range(number)]
    draft.say(OMS, kind="processing")
    if rng.random() < 0.5:
        draft.say(OMS, kind="packed")
    for box in boxes:
        draft.say(OMS, kind="shipped", shipment=box)
    journeys = [(box, iter(rng.choice(JOURNEYS))) for box in boxes]
    while journeys:
        box, journey = journeys[rng.randrange(len(journeys))]
        step = next(journey, None)
        if step is None:
            journeys = [pair for pair in journeys if pair[0] is not box]
        else:
            _scan(draft, box, step)
    if draft.told["delivered"] == number and rng.random() < 0.15:
        draft.say(OMS, kind="returned", return_id="R1")
        draft.told["returned"] += 1
        _refund(draft)
    return {"shipments": boxes} if rng.random() < 0.3 else {}


Step = tuple[str, Facts]
JOURNEYS: Sequence[Sequence[Step]] = (
    (("picked_up", {}), ("in_transit", {}), ("out_for_delivery", {}), ("delivered", {})),
    (("in_transit", {}), ("in_transit", {"milestone": "local_facility"}), ("delivered", {"left_at": "reception"})),
    (("in_transit", {}), ("out_for_delivery", {}),
     ("delivery_attempted", {"reason_code": "nobody_home", "attempt_no": 1}), ("out_for_delivery", {}),
     ("delivered", {})),
    (("in_transit", {}), ("exception", {"reason_code": "weather"}), ("in_transit", {}), ("out_for_delivery", {}),
     ("delivered", {})),
    (("in_transit", {}), ("in_transit", {"delayed": True, "reason_code": "carrier_capacity", "promise": 9}),
     ("out_for_delivery", {}), ("delivered", {})),
    (("in_transit", {}), ("out_for_delivery", {}), ("delivery_attempted", {"reason_code": "refused"}),
     ("returning", {"reason_code": "refused"}), ("returned", {})),
    (("in_transit", {}), ("exception", {"reason_code": "address_issue", "action_required": True}),
     ("delivered", {"to_sender": True})),
)  # fmt: skip
"""What carriers report of one shipment. A delay's promise is in days from when the order was placed."""


def _scan(draft: _Draft, box: Facts, step: Step) -> None:
    status, facts = step
    if "promise" in facts:
        facts = {**facts, "promise": draft.date(facts["promise"])}
    final = "returned" if facts.get("to_sender") else status
    if final in ("delivered", "returned"):
        draft.told[final] += 1
    draft.say(
        CARRIER, status=status, carrier=box["carrier"], tracking_number=box["tracking_number"], **facts
    )  # fmt: skip


def _box(draft: _Draft, number: int, of: int) -> Facts:
    lines = {"lines": [{"sku": f"S{i}", "quantity": "1"} for i in range(3) if i % of == number]} if of > 1 else {}
    tracking = f"{draft.number.replace('-', 'N')}B{number}"
    link = f"https://track.example/{tracking}"
    carrier = draft.rng.choice(_CARRIERS)
    return {"ref": f"P{number}", "carrier": carrier, "tracking_number": tracking, "tracking_url": link, **lines}


def _cancelled(draft: _Draft) -> Facts:
    """Called off before anything has left, mostly with the money given back."""
    if draft.rng.random() < 0.5:
        draft.say(OMS, kind="processing")
    if draft.rng.random() < 0.3:
        draft.say(OMS, kind="out_of_stock", skus=["S1"])
    draft.say(OMS, kind="cancelled", reason_code="customer_request")
    draft.told["cancelled"] += 1
    if draft.rng.random() < 0.7:
        _refund(draft)
    return {}


def _refund(draft: _Draft) -> None:
    draft.say(OMS, kind="refunded", refund_id="M1", amount="30.00", currency="EUR")
    draft.told["refunded"] += 1


def _pickup(draft: _Draft) -> Facts:
    """Collected in a store; its shipment is named by the order and not by a tracking number."""
    named = {"order": f"web:{draft.number}", "shipment_ref": "store"}
    draft.say(OMS, kind="packed")
    draft.say(CARRIER, status="ready_for_pickup", **named)
    draft.say(CARRIER, status="delivered", **named)
    draft.told["delivered"] += 1
    return {"fulfilment": "pickup", "shipments": [{"ref": "store", "pickup": {"name": "The shop round the corner"}}]}


def _posted(draft: _Draft, life_seconds: float) -> tuple[Post, ...]:
    """The events as they are posted: out of order in some lives, some twice, some before the order itself."""
    rng, number = draft.rng, len(draft.events)
    gap = life_seconds * rng.uniform(0.6, 1.0) / (number + 1)
    mess = rng.choice((0.0, 0.3, 2.0, number))
    posts = [
        Post(at=(i + 1) * gap + rng.uniform(-mess, mess) * gap, source=source, body=body, minted=rng.random() < 0.3)
        for i, (source, body) in enumerate(draft.events)
    ]
    posts = [replace(post, at=min(max(post.at, -0.5), life_seconds * 1.1)) for post in posts]
    twice = [replace(post, at=post.at + rng.choice((0.0, 0.05, gap))) for post in posts if rng.random() < 0.2]
    return tuple(sorted((*posts, *twice), key=lambda post: post.at))


def _expected(told: Counter[str], who: Contact, gift: Contact | None) -> dict[tuple[str, str], int]:
    wanted: Counter[tuple[str, str]] = Counter()
    for kind, times in told.items():
        for address in who.told_by(kind):
            wanted[kind, address] += times
        if gift is not None and kind == "delivered":
            for address in gift.told_by(kind):
                wanted[kind, address] += times
    return dict(wanted)
