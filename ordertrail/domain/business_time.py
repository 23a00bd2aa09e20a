"""Clocks that run only while a brand's support is open."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from ordertrail.domain.brand import OpeningHours, Support

_HORIZON_DAYS = 400


@dataclass(frozen=True, kw_only=True)
class Opening:
    """Whether support is open, and the aware UTC instant at which that changes; None if it never does."""

    is_open: bool
    changes_at: datetime | None


def opening(now: datetime, support: Support, zone: str) -> Opening:
    """How a brand's support stands at `now` (aware). A brand without any opening hours is always open."""
    if not support.hours:
        return Opening(is_open=True, changes_at=None)
    until: datetime | None = None
    for opens, closes in _sessions(now, support, ZoneInfo(zone)):
        if closes <= now:
            continue
        if until is None and opens > now:
            return Opening(is_open=False, changes_at=opens)
        if until is not None and opens > until:
            break
        until = max(until or closes, closes)  # hours that touch are one stretch
    return Opening(is_open=until is not None, changes_at=until)


def add_business_time(start: datetime, span: timedelta, support: Support, zone: str) -> datetime:
    """The aware UTC instant at which `span` of opening time has passed since `start`.

    Opening hours are wall-clock times in `zone`, so a DST change moves them as it moves people; hours that close at or
    before they open last past midnight and belong to the day they open on. A brand without any opening hours answers
    around the clock. Where support does not open for more than a year, the span is counted as if it were always open.
    """
    begin = start.astimezone(UTC)
    if not support.hours:
        return begin + span
    left = span
    for opens, closes in _sessions(begin, support, ZoneInfo(zone)):
        begin = max(begin, opens)
        if closes - begin >= left:
            return begin + left
        left -= max(closes - begin, timedelta(0))
        begin = max(begin, closes)
    return start.astimezone(UTC) + span


def _sessions(start: datetime, support: Support, zone: ZoneInfo) -> Iterator[tuple[datetime, datetime]]:
    """Opening hours as UTC instants by their beginnings, from the evening before `start`; they may overlap."""
    first: date = start.astimezone(zone).date() - timedelta(days=1)
    for day in (first + timedelta(days=offset) for offset in range(_HORIZON_DAYS)):
        if day.isoformat() not in support.holidays:
            today = [hours for hours in support.hours if hours.weekday == day.weekday()]
            yield from sorted(_session(day, hours, zone) for hours in today)


def _session(day: date, hours: OpeningHours, zone: ZoneInfo) -> tuple[datetime, datetime]:
    over_midnight = hours.closes <= hours.opens
    closing_day = day + timedelta(days=1) if over_midnight else day
    return _instant(day, hours.opens, zone), _instant(closing_day, hours.closes, zone)


def _instant(day: date, at: time, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, at, tzinfo=zone).astimezone(UTC)
