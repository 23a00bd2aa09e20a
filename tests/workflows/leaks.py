"""Finds personal values in anything that was written down, through the encodings they could hide in."""

import base64
import binascii
import re
from collections.abc import Iterable, Iterator

from tests.workflows import shop

_ENCODED = re.compile(r"[A-Za-z0-9+/_-]{16,}={0,2}")


def leaks_in(text: str, words: Iterable[str] = shop.PERSONAL) -> list[str]:
    """Those of `words` that are in `text`, or in what is base64 inside it, however often wrapped; in any case."""
    seen = "\n".join(_unwrapped(text, depth=3)).lower()
    return [word for word in words if word.lower() in seen]


def assert_tells_nothing(text: str, words: Iterable[str] = shop.PERSONAL) -> None:
    """Fails with the lines that tell."""
    wanted = tuple(words)
    found = leaks_in(text, wanted)
    lines = [line[:600] for line in text.splitlines() if leaks_in(line, found)] if found else []
    assert not found, (found, lines[:3])


def _unwrapped(text: str, *, depth: int) -> Iterator[str]:
    yield text
    if depth == 0:
        return
    for encoded in set(_ENCODED.findall(text)):
        try:
            decoded = base64.b64decode(encoded + "=" * (-len(encoded) % 4)).decode("utf-8")
        except (binascii.Error, UnicodeDecodeError):
            continue
        yield from _unwrapped(decoded, depth=depth - 1)
