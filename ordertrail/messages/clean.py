"""Makes facts from outside safe to place in a message: no control, bidi or invisible characters, no line breaks."""

import re
import unicodedata
from typing import TypeVar

from pydantic import BaseModel

M = TypeVar("M", bound=BaseModel)

_BREAKS = re.compile(r"\s*[\r\n\v\f\x1c-\x1e\x85\u2028\u2029]+\s*")
_JOINERS = frozenset("\u200c\u200d")
"""Zero-width (non-)joiners: needed by Persian, Indic scripts and family emoji, and harmless."""
_UNSAFE = frozenset({"Cc", "Cf", "Cs", "Co"})
"""Unicode categories: control, format (all bidi controls, tags, BOM), surrogate, private use."""
_LINK = re.compile(r"://|\bwww\.|\b[\w-]+\.(?:com|net|org|io|co|info|biz|xyz|top|ru|cn|shop|link|app)\b", re.IGNORECASE)


def clean_text(text: str, keep: frozenset[str] = frozenset()) -> str:
    """One line of printable text. Line breaks become ', '; control and direction-changing characters vanish.

    `keep`: marks of ours that stay.
    """
    line = _BREAKS.sub(", ", text.strip())
    if line.isascii() and line.isprintable():
        return line
    spared = _JOINERS | keep
    return "".join(mark for mark in line if mark in spared or unicodedata.category(mark) not in _UNSAFE).strip()


def clean_facts(model: M) -> M:
    """The same value with every text in it cleaned, however deep."""
    changes = {name: _clean(getattr(model, name)) for name in type(model).model_fields}
    return model.model_copy(update=changes)


def greeting_name(name: str) -> str:
    """The name to greet by; empty if it holds a link, as abuse of order forms to send adverts does."""
    return "" if _LINK.search(name) else name


def web_url(url: object) -> str:
    """The address if it is http or https without spaces, quotes or a name before the host, else an empty text."""
    text = str(url or "").strip()
    return text if re.fullmatch(r"https?://[^\s<>\"'\\/?#@]+([/?#][^\s<>\"'\\]*)?", text, re.IGNORECASE) else ""


def _clean(value: object) -> object:
    match value:
        case str() if type(value) is str:
            return clean_text(value)
        case BaseModel():
            return clean_facts(value)
        case tuple():
            return tuple(_clean(item) for item in value)
        case dict():
            return {key: _clean(item) for key, item in value.items()}
        case _:
            return value
