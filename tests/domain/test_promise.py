"""A promise is a local day or window; its end is right on the days the clocks change too."""

from datetime import UTC, date, datetime, timedelta

import pytest
from pydantic import TypeAdapter, ValidationError

from ordertrail.domain.promise import DatePromise, Promise, WindowPromise

ANY_PROMISE: TypeAdapter[DatePromise | WindowPromise] = TypeAdapter(Promise)


@pytest.mark.parametrize(
    ("day", "zone", "starts", "ends", "hours"),
    [
        (date(2026, 3, 29), "Europe/Berlin", "2026-03-28T23:00Z", "2026-03-29T22:00Z", 23),  # clocks go forward
        (date(2026, 10, 25), "Europe/Berlin", "2026-10-24T22:00Z", "2026-10-25T23:00Z", 25),  # clocks go back
        (date(2026, 6, 1), "Europe/Berlin", "2026-05-31T22:00Z", "2026-06-01T22:00Z", 24),
        (date(2026, 6, 1), "America/Los_Angeles", "2026-06-01T07:00Z", "2026-06-02T07:00Z", 24),
        (date(2026, 12, 31), "Pacific/Auckland", "2026-12-30T11:00Z", "2026-12-31T11:00Z", 24),
        # Midnight itself does not exist on this day: the day begins at one.
        (date(2026, 9, 6), "America/Santiago", "2026-09-06T04:00Z", "2026-09-07T03:00Z", 23),
    ],
)
def test_a_promised_day_is_the_local_calendar_day(day, zone, starts, ends, hours):
    promise = DatePromise(on=day, zone=zone)
    assert promise.starts() == datetime.fromisoformat(starts)
    assert promise.ends() == datetime.fromisoformat(ends)
    assert promise.ends().astimezone(UTC) - promise.starts().astimezone(UTC) == timedelta(hours=hours)


def test_a_window_keeps_its_instants_and_its_zone():
    window = WindowPromise(starts_at="2026-10-25T00:30Z", ends_at="2026-10-25T02:30Z", zone="Europe/Berlin")
    assert window.ends() - window.starts() == timedelta(hours=2)
    assert window.zone == "Europe/Berlin"


def test_both_kinds_survive_json():
    for promise in (
        DatePromise(on=date(2026, 3, 29), zone="Europe/Berlin"),
        WindowPromise(starts_at="2026-03-29T10:00+02:00", ends_at="2026-03-29T11:00+02:00", zone="Europe/Berlin"),
    ):
        assert ANY_PROMISE.validate_json(promise.model_dump_json()) == promise


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({"kind": "date", "on": "2026-03-29", "zone": "Berlin"}, "not an IANA time zone"),
        ({"kind": "date", "on": "2026-03-29", "zone": "+02:00"}, "not an IANA time zone"),
        ({"kind": "date", "on": "2026-02-30", "zone": "UTC"}, "day value is outside expected range"),
        ({"kind": "date", "on": "2026-03-29"}, "Field required"),
        ({"kind": "day", "on": "2026-03-29", "zone": "UTC"}, "does not match any of the expected tags"),
        (
            {"kind": "window", "starts_at": "2026-03-29T10:00Z", "ends_at": "2026-03-29T10:00Z", "zone": "UTC"},
            "a window must end after it starts",
        ),
        (
            {"kind": "window", "starts_at": "2026-03-29T10:00", "ends_at": "2026-03-29T11:00Z", "zone": "UTC"},
            "should have timezone info",
        ),
    ],
)
def test_a_promise_that_cannot_be_kept_to_is_refused(given, complaint):
    with pytest.raises(ValidationError, match=complaint):
        ANY_PROMISE.validate_python(given)
