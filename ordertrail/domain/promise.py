"""A promise shown to the customer: a local date, or a window, with its zone; never a UTC midnight."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, Field, model_validator

from ordertrail.domain.base import Instant, Value

_ZONES = available_timezones()


def _known_zone(name: str) -> str:
    if name not in _ZONES:
        raise ValueError(f"'{name}' is not an IANA time zone, such as 'Europe/Madrid'")
    return name


Zone = Annotated[str, AfterValidator(_known_zone)]
"""An IANA time zone name."""


def _midnight(day: date, zone: str) -> datetime:
    # In UTC, because differences of datetimes within one zone count hours on the wall: every day would have 24.
    return datetime.combine(day, time.min, tzinfo=ZoneInfo(zone)).astimezone(UTC)


class DatePromise(Value):
    """`on` is a calendar day at the destination, kept until that day ends there."""

    kind: Literal["date"] = "date"
    on: Annotated[date, Field(ge=date(1990, 1, 1), le=date(2199, 12, 30))]
    zone: Zone

    def starts(self) -> datetime:
        """The instant, in UTC, at which the promised day begins."""
        return _midnight(self.on, self.zone)

    def ends(self) -> datetime:
        """The instant, in UTC, after which the promise is missed."""
        return _midnight(self.on + timedelta(days=1), self.zone)


class WindowPromise(Value):
    """From `starts_at` to `ends_at`, shown in `zone`; catering and own-fleet drops."""

    kind: Literal["window"] = "window"
    starts_at: Instant
    ends_at: Instant
    zone: Zone

    @model_validator(mode="after")
    def _ordered(self) -> "WindowPromise":
        if self.ends_at <= self.starts_at:
            raise ValueError("a window must end after it starts")
        return self

    def starts(self) -> datetime:
        """The instant, in UTC, at which the window opens."""
        return self.starts_at.astimezone(UTC)

    def ends(self) -> datetime:
        """The instant, in UTC, after which the promise is missed."""
        return self.ends_at.astimezone(UTC)


Promise = Annotated[DatePromise | WindowPromise, Field(discriminator="kind")]
