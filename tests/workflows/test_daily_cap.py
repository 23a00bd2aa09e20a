"""A cap of so many messages a day counts the days of whoever gets them."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from activities.loading import _midnight


@pytest.mark.parametrize(
    ("zone", "began"),
    [
        ("America/New_York", datetime(2026, 11, 21, 5, 0, tzinfo=UTC)),
        ("Europe/Berlin", datetime(2026, 11, 21, 23, 0, tzinfo=UTC)),
        ("Pacific/Auckland", datetime(2026, 11, 21, 11, 0, tzinfo=UTC)),
    ],
)
def test_the_day_began_at_the_readers_midnight(zone: str, began: datetime) -> None:
    assert _midnight(datetime(2026, 11, 22, 3, 0, tzinfo=UTC), ZoneInfo(zone)) == began
