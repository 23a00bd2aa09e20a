"""A brand's own words, in the language of the message."""

from collections.abc import Mapping
from typing import TypeVar

from babel import Locale

from ordertrail.domain.brand import Brand, Tone
from ordertrail.domain.vocabulary import MessageKind
from ordertrail.messages.catalogue import catalogue_of, message_locale

T = TypeVar("T")
_SILENT = Tone()


def own_word(brand: Brand, language: str, key: str) -> str:
    """What the brand calls a status (`wording`) in a language of the catalogue; empty where it has no word for it."""
    named = _in_language(brand.wording_in, language)
    if named and key in named:
        return named[key]
    return brand.wording.get(key, "") if writes_first_in(brand, language) else ""


def writes_first_in(brand: Brand, language: str) -> bool:
    """Whether the brand's free texts, which are in the first of its languages, fit this language."""
    return catalogue_of(message_locale(*brand.languages)) == language


def tone_of(brand: Brand, language: str, kind: MessageKind) -> Tone:
    """The brand's own sentences for this kind, those for 'any' kind where it has none; silent in other languages."""
    tones = _in_language(brand.tone, language) or {}
    return tones.get(kind) or tones.get("any") or _SILENT


def _in_language(by_tag: Mapping[str, T], language: str) -> T | None:
    for tag, words in by_tag.items():
        if catalogue_of(Locale.parse(tag.replace("-", "_"))) == language:
            return words
    return None
