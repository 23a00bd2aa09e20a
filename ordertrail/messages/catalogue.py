"""The languages messages are written in: gettext catalogues, and the choice of one for a reader."""

import io
from collections.abc import Iterable, Iterator
from functools import lru_cache
from gettext import GNUTranslations, NullTranslations
from pathlib import Path

from babel import Locale, UnknownLocaleError
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

LOCALE_DIR = Path(__file__).parent / "locale"
SOURCE = "en"
"""The language of the templates themselves; it has no catalogue."""

# Plain English without a country is written for everyone: day before month, 24 hours.
_NEUTRAL = "en_GB"


@lru_cache(maxsize=1)
def languages() -> frozenset[str]:
    """The languages there are words in, named as CLDR does: 'en', 'de', 'pt_BR'."""
    return frozenset({SOURCE, *(file.parents[1].name for file in LOCALE_DIR.glob("*/LC_MESSAGES/messages.po"))})


@lru_cache(maxsize=64)
def translations(language: str) -> NullTranslations:
    """The words of one of `languages()`. Entries that are missing or marked fuzzy stay English.

    The catalogue is compiled here, in memory, so that no compiled file has to be kept beside its source.
    """
    if language == SOURCE:
        return NullTranslations()  # its ngettext has the plural rule of English
    with (LOCALE_DIR / language / "LC_MESSAGES" / "messages.po").open("rb") as file:
        catalogue = read_po(file, locale=language)
    compiled = io.BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return GNUTranslations(compiled)


@lru_cache(maxsize=512)
def message_locale(*tags: str) -> Locale:
    """The locale a message is written in: the first of these BCP 47 tags whose language we write.

    The order is the reader's, the order's, then the brand's languages. Where we write none of them the message is in
    English, with numbers and dates as the first tag's country writes English if CLDR knows that ('ko-IN' becomes
    'en-IN'), so that a sentence never mixes two languages.
    """
    wanted = list(_parsed(tags))
    for locale in wanted:
        if catalogue_of(locale):
            return Locale.parse(_NEUTRAL) if str(locale) == SOURCE else locale
    country = wanted[0].territory if wanted else None
    english = next(_parsed((f"en_{country}",)), None) if country else None
    return english or Locale.parse(_NEUTRAL)


def catalogue_of(locale: Locale) -> str | None:
    """Which of `languages()` serves this locale: its own, its language's, or that of another country's variant."""
    known = languages()
    for name in (f"{locale.language}_{locale.territory}", locale.language):
        if name in known:
            return name
    return min((name for name in known if name.split("_")[0] == locale.language), default=None)


def _parsed(tags: Iterable[str]) -> Iterator[Locale]:
    for tag in tags:
        try:
            yield Locale.parse(tag.replace("-", "_"))
        except (UnknownLocaleError, ValueError):
            continue
