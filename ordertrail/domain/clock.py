"""The time is an argument: whoever needs it is given a clock."""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]
"""Gives the present aware UTC time."""


def system_clock() -> datetime:
    """The machine's time; only entry points construct things with it."""
    return datetime.now(UTC)
