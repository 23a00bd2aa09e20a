"""What reading a provider's callback may yield besides a receipt: something to ignore, or something not understood."""

from dataclasses import dataclass

from ordertrail.channels.base import Receipt


@dataclass(frozen=True, kw_only=True)
class Ignored:
    """A report we understand and have no use for. `reason` is a word from a closed list."""

    event_id: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Unreadable:
    """A report we do not understand; a dead letter. `reason` is a word from a closed list, never its text."""

    reason: str
    event_id: str | None = None


Report = Receipt | Ignored | Unreadable
