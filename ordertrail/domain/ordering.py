"""Which timeline entries count, and in what order, whatever the order and number of their arrivals."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

from ordertrail.domain.events import Envelope
from ordertrail.domain.statuses import source_precedence

E = TypeVar("E")
F = TypeVar("F")
T = TypeVar("T")


@dataclass(frozen=True, kw_only=True, slots=True)
class Moment(Generic[E]):
    """One entry in its place. `at` is when it counts as having happened, aware UTC."""

    at: datetime
    entry: Envelope
    event: E


@dataclass(frozen=True, kw_only=True, slots=True)
class Claim(Generic[T]):
    """What one entry says about one fact."""

    value: T
    at: datetime
    entry: Envelope


def _by_source(entry: Envelope) -> tuple[int, ...]:
    return (source_precedence(entry.source),)


def happened_at(entry: Envelope) -> datetime:
    """When the entry counts as having happened, in UTC: a clock that runs ahead is not believed beyond our own."""
    return min(entry.occurred_at, entry.recorded_at).astimezone(UTC)


def distinct(entries: Iterable[Envelope]) -> list[Envelope]:
    """Each (source, event id) once: as first recorded, so that no retransmission can change the past."""
    first: dict[tuple[str, str], Envelope] = {}
    for entry in entries:
        key = (entry.source, entry.event_id)
        known = first.get(key)
        if known is None or _arrival(entry) < _arrival(known):
            first[key] = entry
    return list(first.values())


def _arrival(entry: Envelope) -> tuple[datetime, str]:
    # The text decides only between two different bodies under one id that were recorded in the same instant.
    return (entry.recorded_at, entry.model_dump_json())


def in_order(
    entries: Iterable[Envelope], *, rank: Callable[[Envelope], tuple[int, ...]] = _by_source
) -> list[Moment[Any]]:
    """Distinct entries by time, then `rank` (by default the source's precedence), then event id and source."""
    moments = [Moment(at=happened_at(entry), entry=entry, event=entry.event) for entry in distinct(entries)]
    return sorted(moments, key=lambda m: (m.at, rank(m.entry), m.entry.event_id, m.entry.source))


def only(moments: Iterable[Moment[Any]], *kinds: type[F]) -> list[Moment[F]]:
    """The moments whose event is of one of these kinds, in the order given."""
    return [moment for moment in moments if isinstance(moment.event, kinds)]


def standing(moments: Sequence[Moment[E]], fact: Callable[[E], T | None]) -> list[Claim[T]]:
    """Every claim about one fact that ever stood, in order; the last one stands now.

    `moments` are in order; `fact` reads the fact, None meaning that the event says nothing about it. A claim is left
    out when its source had already made one with a newer `source_version`: the source itself had moved on.
    """
    newest: dict[str, int] = {}
    claims: list[Claim[T]] = []
    for moment in moments:
        value, version, source = fact(moment.event), moment.entry.source_version, moment.entry.source
        if value is None or (version is not None and version < newest.get(source, version)):
            continue
        if version is not None:
            newest[source] = version
        claims.append(Claim(value=value, at=moment.at, entry=moment.entry))
    return claims
