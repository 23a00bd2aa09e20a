"""Clocks that run only while a brand's support is open."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from ordertrail.domain.brand import Support

_HORIZON_DAYS = 400


def add_business_time(start: datetime, span: timedelta, support: Support, zone: str) -> datetime:
    """The aware UTC instant at which `span` of opening time has passed since `start`.

    Opening hours are wall-clock times in `zone`, so a DST change moves them as it moves people. A brand without any
    opening hours answers around the clock.
    """
    if not support.hours:
        return (start + span).astimezone(UTC)
    left = span
    for opens, closes in _sessions(start, support, ZoneInfo(zone)):
        begin = max(opens, start.astimezone(UTC))
        if closes <= begin:
            continue
        if closes - begin >= left:
            return begin + left
        left -= closes - begin
    return (start + span).astimezone(UTC)


def _sessions(start: datetime, support: Support, zone: ZoneInfo) -> Iterator[tuple[datetime, datetime]]:
    first: date = start.astimezone(zone).date()
    for day in (first + timedelta(days=offset) for offset in range(_HORIZON_DAYS)):
        if day.isoformat() in support.holidays:
            continue
        for hours in support.hours:
            if hours.weekday == day.weekday():
                opens = datetime.combine(day, hours.opens, tzinfo=zone).astimezone(UTC)
                closes = datetime.combine(day, hours.closes, tzinfo=zone).astimezone(UTC)
                yield opens, closes
