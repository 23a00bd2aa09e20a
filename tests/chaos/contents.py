"""Which order a message is about and what it says, read off its words alone, as its reader would."""

import re

from tests.chaos.providers import Message

_NUMBER = re.compile(r"\bK\d+-\d{4}\b")
_PHRASES = {
    "order_confirmation": r"is confirmed|thank you, we have your",
    "delivered": r"has been (delivered|collected)",
    "cancelled": r"has been cancelled",
    "refunded": r"[Yy]our refund of|we have refunded",
    "returned": r"came back to us|is back with us|what you returned|return has arrived",
}
"""In an email's subject, or in the first line of a text."""
COUNTED = frozenset(_PHRASES)
"""The kinds of message that are told apart: what every customer must hear exactly once."""


def number_of(message: Message) -> str | None:
    """The order number it shows."""
    found = _NUMBER.search(message.text)
    return found.group() if found else None


def kind_of(message: Message) -> str | None:
    """Which of the counted kinds it is, or None if it is of another."""
    first = message.text.splitlines()[0] if message.text else ""
    return next((kind for kind, phrase in _PHRASES.items() if re.search(phrase, first)), None)
