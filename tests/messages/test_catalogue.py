"""Every language is whole, the template of translations is current, and each reader gets the best language there is."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po

from ordertrail.domain.vocabulary import Channel, MessageKind
from ordertrail.messages.catalogue import LOCALE_DIR, catalogue_of, languages, message_locale, translations
from ordertrail.messages.context import reader
from ordertrail.messages.extract import TEMPLATE, as_text, collect
from ordertrail.messages.render import Renderer
from tests.messages.conftest import TEMPLATES
from tests.messages.facts import CASA_VERDE, KINDS, K, facts

REQUIRED = ("es", "fr", "de", "pt_BR", "ja", "ar")
"""English is the language of the templates themselves."""
PLACEHOLDER = re.compile(r"%\((\w+)\)s")
LEFT_ALONE = frozenset({"%(label)s: %(value)s", "%(headline)s · Order %(order)s", "%(before)s → %(after)s",
                        "%(item)s: %(before)s → %(after)s"})  # fmt: skip
"""Patterns that may be the same in any language."""


def _catalogue(language: str) -> Catalog:
    file = LOCALE_DIR / language / "LC_MESSAGES" / "messages.po"
    assert file.is_file(), f"there is no catalogue for {language}"
    with file.open("rb") as source:
        return read_po(source, locale=language)


def _template() -> Catalog:
    with TEMPLATE.open("rb") as source:
        return read_po(source)


def _forms(text: str | tuple[str, ...] | list[str]) -> tuple[str, ...]:
    return (text,) if isinstance(text, str) else tuple(text)


def _messages(catalogue: Catalog) -> Iterator[Message]:
    return (message for message in catalogue if message.id)


def test_the_template_of_translations_is_current() -> None:
    now = as_text(collect(TEMPLATES)).split("\n\n", 1)[1]
    assert TEMPLATE.read_text().split("\n\n", 1)[1] == now, "run python -m ordertrail.messages.extract"


@pytest.mark.parametrize("language", REQUIRED)
def test_every_sentence_is_translated(language: str) -> None:
    catalogue = _catalogue(language)
    missing, fuzzy = [], []
    for wanted in _messages(_template()):
        message = catalogue.get(_forms(wanted.id)[0], wanted.context)
        if message is None or not all(_forms(message.string)):
            missing.append(wanted.id)
        elif message.fuzzy:
            fuzzy.append(wanted.id)
    assert not missing and not fuzzy


@pytest.mark.parametrize("language", REQUIRED)
def test_translations_name_what_their_sentences_name(language: str) -> None:
    wrong = []
    for message in _messages(_catalogue(language)):
        named = {*PLACEHOLDER.findall(" ".join(_forms(message.id)))}
        for form in _forms(message.string):
            mine = set(PLACEHOLDER.findall(form))
            # A form for exactly one or two may leave the number out.
            if (
                mine - named
                or (named - mine - {"num"})
                or form.replace("%%", "").count("%") != len(PLACEHOLDER.findall(form))
            ):
                wrong.append((message.id, form))
    assert not wrong


@pytest.mark.parametrize("language", REQUIRED)
def test_plurals_have_a_form_for_each_number(language: str) -> None:
    catalogue = _catalogue(language)
    for message in _messages(catalogue):
        if message.pluralizable:
            assert len(_forms(message.string)) == catalogue.num_plurals, message.id
    words = translations(language)
    for count in (1, 2, 3, 11, 100):
        assert words.ngettext("%(num)s more parcel is still to come.", "%(num)s more parcels are still to come.", count)


@pytest.mark.parametrize("language", REQUIRED)
@pytest.mark.parametrize("kind", KINDS)
def test_no_english_is_left_in_a_message(renderer: Renderer, kind: MessageKind, language: str) -> None:
    assert language in languages(), f"there is no catalogue for {language}"
    tag = language.replace("_", "-")
    english = renderer.render(CASA_VERDE, facts(kind), Channel.EMAIL)
    other = renderer.render(CASA_VERDE, facts(kind, locale=tag), Channel.EMAIL)
    assert other.subject != english.subject or kind is K.OFFER
    for sentence in ("Why did I get this?", "Questions? We are happy to help.", "We answer", "Hello Ana García"):
        assert sentence in english.text and sentence not in other.text


@pytest.mark.parametrize("language", sorted(languages()))
def test_direction_follows_the_language(renderer: Renderer, language: str) -> None:
    html = renderer.render(
        CASA_VERDE, facts(K.ORDER_CONFIRMATION, locale=language.replace("_", "-")), Channel.EMAIL
    ).html
    assert html is not None
    rtl = language == "ar"
    assert f'dir="{"rtl" if rtl else "ltr"}"' in html
    assert re.search(r'class="name"[^>]*padding-(\w+): 18px', html)[1] == ("right" if rtl else "left")  # type: ignore[index]
    assert f'class="price" align="{"left" if rtl else "right"}"' in html
    assert not re.search(r"(?:padding|margin)-(?:start|end)", html)


@pytest.fixture
def two_languages(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    known = frozenset({"en", "de", "pt_BR"})
    monkeypatch.setattr("ordertrail.messages.catalogue.languages", lambda: known)
    message_locale.cache_clear()
    yield
    message_locale.cache_clear()


@pytest.mark.usefixtures("two_languages")
@pytest.mark.parametrize(
    ("tags", "locale", "catalogue"),
    [
        (("de-AT",), "de_AT", "de"),
        (("ko-KR", "de"), "de", "de"),
        (("ko-KR", "pt-PT", "de"), "pt_PT", "pt_BR"),
        (("pt",), "pt", "pt_BR"),
        (("en", "de"), "en_GB", "en"),
        (("en-US",), "en_US", "en"),
        (("ko-KR",), "en_GB", "en"),
        (("ta-IN",), "en_IN", "en"),
        (("nonsense", ""), "en_GB", "en"),
        ((), "en_GB", "en"),
    ],
)
def test_the_next_best_language_is_taken(tags: tuple[str, ...], locale: str, catalogue: str) -> None:
    chosen = message_locale(*tags)
    assert (str(chosen), catalogue_of(chosen)) == (locale, catalogue)


@pytest.mark.usefixtures("two_languages")
def test_the_reader_comes_before_the_order_and_the_order_before_the_brand() -> None:
    brand = CASA_VERDE.model_copy(update={"languages": ("pt-BR", "de")})
    for locale, order_locale, language in [("de-CH", "pt", "de"), ("ko", "de", "de"), ("ko", "nl", "pt_BR")]:
        message = facts(K.SHIPPED, locale=locale, order_locale=order_locale)
        assert reader(brand, message).catalogue == language


def test_a_catalogue_needs_no_compiled_file() -> None:
    assert not list(Path(LOCALE_DIR).rglob("*.mo"))
