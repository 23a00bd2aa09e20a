"""What a demo scenario is made of: an order, timed steps, and the messages its customer should get."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from ordertrail.cli.demo.catalogue import Picture
from ordertrail.domain.vocabulary import Channel, MessageKind

Facts = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class InDays:
    """A promise: a day this many days after the order was placed."""

    days: int


@dataclass(frozen=True, kw_only=True)
class Within:
    """A promise: a window, in seconds after the order was placed."""

    starts: float
    ends: float


class Reporter(StrEnum):
    """Who reports a step."""

    OMS = "oms"
    CARRIER = "carrier"


@dataclass(frozen=True, kw_only=True)
class Step:
    """One event. `at`: when it is sent, `happened`: when it occurred; both in seconds after the order was placed."""

    at: float
    reporter: Reporter
    facts: Facts
    happened: float
    event_id: str = ""


@dataclass(frozen=True, kw_only=True)
class Expected:
    """Messages of one kind that must reach somebody, exactly this many."""

    kind: MessageKind
    channel: Channel = Channel.EMAIL
    recipient: str = "customer"
    count: int = 1


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """One order's life. `starts`: seconds after the demo's begin; `failed`: channels on which a send must fail."""

    title: str
    brand: str
    zone: str
    starts: float
    order: Facts
    steps: tuple[Step, ...]
    expected: tuple[Expected, ...]
    failed: frozenset[Channel] = frozenset()
    case: bool = False

    @property
    def reference(self) -> str:
        """How the outside names the order: `channel:external id`."""
        return f"{self.order['channel']}:{self.order['external_id']}"


@dataclass(frozen=True, kw_only=True)
class Clock:
    """Turns a scenario's seconds into instants, its promises into dates of its zone, and its pictures into addresses.

    `static_url` is where the API serves its static files.
    """

    placed_at: datetime
    zone: str
    static_url: str = "http://127.0.0.1:8000/static"

    def instant(self, seconds: float) -> str:
        """The ISO 8601 instant this long after the order was placed."""
        return (self.placed_at + timedelta(seconds=seconds)).isoformat()

    def resolve(self, value: Any) -> Any:
        """A value with every promise and picture in it made concrete."""
        match value:
            case InDays(days=days):
                local = self.placed_at.astimezone(ZoneInfo(self.zone)).date()
                return {"kind": "date", "on": (local + timedelta(days=days)).isoformat(), "zone": self.zone}
            case Within(starts=starts, ends=ends):
                window = {"starts_at": self.instant(starts), "ends_at": self.instant(ends)}
                return {"kind": "window", "zone": self.zone, **window}
            case Picture(name=name):
                return f"{self.static_url}/demo/{name}.png"
            case Mapping():
                return {name: self.resolve(each) for name, each in value.items()}
            case list() | tuple():
                return [self.resolve(each) for each in value]
            case _:
                return value


def order_body(scenario: Scenario, clock: Clock) -> dict[str, Any]:
    """The order as it is posted."""
    return {"brand": scenario.brand, "placed_at": clock.instant(0), **clock.resolve(scenario.order)}


def event_body(scenario: Scenario, number: int, clock: Clock) -> dict[str, Any]:
    """A step's event as it is posted. The same step gives the same bytes again: it may be sent more than once."""
    step = scenario.steps[number]
    event_id = step.event_id or f"{scenario.order['external_id']}-{number + 1}"
    return {"event_id": event_id, "occurred_at": clock.instant(step.happened), **clock.resolve(step.facts)}


def oms(at: float, kind: str, **facts: Any) -> Step:
    """The order management system reports something about the order."""
    return Step(at=at, reporter=Reporter.OMS, facts={"kind": kind, **facts}, happened=at)


def scan(
    at: float, status: str, parcel: Facts, *, happened: float | None = None, event_id: str = "", **facts: Any
) -> Step:
    """A carrier or driver reports something about a parcel: by its tracking number, else by its ref."""
    named = ("carrier", "tracking_number") if "tracking_number" in parcel else ("ref",)
    names = {"shipment_ref" if name == "ref" else name: parcel[name] for name in named}
    return Step(
        at=at, reporter=Reporter.CARRIER, facts={"status": status, **names, **facts},
        happened=at if happened is None else happened, event_id=event_id,
    )  # fmt: skip


def told(*kinds: MessageKind, by: Channel = Channel.EMAIL) -> tuple[Expected, ...]:
    """Each of these kinds is expected as often as it is named."""
    return tuple(Expected(kind=kind, channel=by, count=kinds.count(kind)) for kind in dict.fromkeys(kinds))
