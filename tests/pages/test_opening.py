"""Whether support is open: over midnight, over holidays, in touching hours and when clocks change."""

from datetime import UTC, datetime, time

import pytest

from ordertrail.domain.brand import OpeningHours, Support
from ordertrail.domain.business_time import Opening, opening

DAILY = Support(hours=tuple(OpeningHours(weekday=day, opens=time(9), closes=time(18)) for day in range(7)))
BAR = Support(hours=tuple(OpeningHours(weekday=day, opens=time(18), closes=time(2)) for day in range(7)))
LUNCH = Support(
    hours=(
        OpeningHours(weekday=0, opens=time(9), closes=time(13)),
        OpeningHours(weekday=0, opens=time(13), closes=time(17)),
    )
)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


@pytest.mark.parametrize(
    ("support", "now", "is_open", "changes_at"),
    [
        (DAILY, "2026-11-23T12:00+01:00", True, "2026-11-23T18:00+01:00"),
        (DAILY, "2026-11-23T18:00+01:00", False, "2026-11-24T09:00+01:00"),
        (DAILY, "2026-10-24T20:00+02:00", False, "2026-10-25T09:00+01:00"),
        (BAR, "2026-11-23T01:30+01:00", True, "2026-11-23T02:00+01:00"),
        (LUNCH, "2026-11-23T10:00+01:00", True, "2026-11-23T17:00+01:00"),
        (DAILY.model_copy(update={"holidays": ("2026-12-25",)}), "2026-12-25T12:00+01:00", False,
         "2026-12-26T09:00+01:00"),
    ],
)  # fmt: skip
def test_open_or_closed_and_until_when(support: Support, now: str, is_open: bool, changes_at: str) -> None:
    assert opening(at(now), support, "Europe/Madrid") == Opening(is_open=is_open, changes_at=at(changes_at))


def test_without_hours_somebody_is_always_there() -> None:
    always = Support(hours=())
    assert opening(at("2026-11-23T03:00+01:00"), always, "Europe/Madrid") == Opening(is_open=True, changes_at=None)


def test_hours_that_never_come_are_closed() -> None:
    days = tuple(
        f"{year}-{month:02d}-{day:02d}" for year in (2026, 2027) for month in range(1, 13) for day in range(1, 32)
    )
    shut = DAILY.model_copy(
        update={"holidays": (*days, *(f"2028-{month:02d}-{day:02d}" for month in (1, 2) for day in range(1, 32)))}
    )
    assert opening(at("2026-11-23T12:00+01:00"), shut, "Europe/Madrid") == Opening(is_open=False, changes_at=None)
