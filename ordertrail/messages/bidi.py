"""Keeps names and numbers whole inside right-to-left sentences, by Unicode's isolates (UAX #9, 2.4)."""

from typing import TypeVar

from pydantic import BaseModel

M = TypeVar("M", bound=BaseModel)

ISOLATES = frozenset("\u2068\u2069")
"""First strong isolate, pop directional isolate: the only direction marks a message of ours may hold."""
_SHOWN = frozenset({
    "order_number", "recipient_name", "name", "shipping_method", "method", "service_level", "tracking_number", "city",
    "left_at", "before", "after", "reply", "reply_by", "opening_hours", "bring", "lines", "postal_code", "code",
})  # fmt: skip
"""Fields of facts that are shown in the midst of a sentence or beside a label."""


def isolated(text: str) -> str:
    """The text in an isolate of its own: '+34 912' keeps its sign in front in an Arabic sentence."""
    return f"\u2068{text}\u2069" if text else text


def isolate_facts(model: M) -> M:
    """The same value with the texts that are shown isolated, however deep; addresses, links and codes stay as is."""
    changes = {name: _isolate(getattr(model, name), name in _SHOWN) for name in type(model).model_fields}
    return model.model_copy(update=changes)


def _isolate(value: object, shown: bool) -> object:
    match value:
        case str() if type(value) is str and shown:
            return isolated(value)
        case BaseModel():
            return isolate_facts(value)
        case tuple():
            return tuple(_isolate(item, shown) for item in value)
        case _:
            return value
