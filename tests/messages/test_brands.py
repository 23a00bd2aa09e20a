"""A brand speaks in its own words, and what is wrong with it is found before it speaks."""

from pathlib import Path

import pytest

from ordertrail.domain.brand import Brand, Support, Tone
from ordertrail.domain.vocabulary import Channel, Fulfilment
from ordertrail.messages.brand_check import Problem, check_brand
from ordertrail.messages.brand_words import own_word, tone_of
from ordertrail.messages.catalogue import languages
from ordertrail.messages.render import Renderer
from tests.messages.conftest import TEMPLATES
from tests.messages.facts import CASA_VERDE, FORNO, WINDOW, K, facts


@pytest.mark.parametrize(
    ("stage", "said"),
    [
        ("processing", "In the kitchen"),
        ("packed", "packed"),
        ("restocked", "in stock again"),
        ("released", "moving again"),
    ],
)
def test_a_brand_renames_statuses(renderer: Renderer, stage: str, said: str) -> None:
    message = facts(K.ORDER_UPDATE, stage=stage, changes=(), fulfilment=Fulfilment.OWN_FLEET, promise=WINDOW)
    email = renderer.render(FORNO, message, Channel.EMAIL)
    assert said in (email.subject or "")
    assert "Tuesday 24 November, 12:00–12:30 (CET)" in email.text


@pytest.mark.parametrize("channel", list(Channel))
def test_its_words_are_used_on_every_channel(renderer: Renderer, channel: Channel) -> None:
    message = facts(K.OUT_FOR_DELIVERY, fulfilment=Fulfilment.OWN_FLEET)
    rendered = renderer.render(FORNO, message, channel)
    assert "Left the kitchen" in f"{rendered.title} {rendered.text}"


def test_words_in_one_language_are_not_put_into_another() -> None:
    assert own_word(FORNO, "en", "processing") == "in the kitchen"
    assert own_word(FORNO, "de", "processing") == ""
    assert own_word(CASA_VERDE, "en", "processing") == ""
    assert tone_of(FORNO, "de", K.DELIVERED) == Tone()


def test_its_tone_frames_the_news(renderer: Renderer) -> None:
    delivered = renderer.render(FORNO, facts(K.DELIVERED), Channel.EMAIL)
    shipped = renderer.render(FORNO, facts(K.SHIPPED), Channel.EMAIL)
    for part in (delivered.text, delivered.html or ""):
        assert "Buon appetito!" in part and "See you at the next feast." in part and "Ciao, your" not in part
    assert "Ciao, your Forno kitchen" in shipped.text and "Buon appetito!" not in shipped.text


def test_answering_times_in_own_words_stay_in_their_language(renderer: Renderer) -> None:
    quick = FORNO.support.model_copy(update={"answers_within": "two cups of espresso"})
    brand = FORNO.model_copy(update={"support": quick})
    assert "within two cups of espresso" in renderer.render(brand, facts(K.SHIPPED), Channel.EMAIL).text
    elsewhere = brand.model_copy(update={"languages": ("es", "en")})
    spanish_first = "es" in languages()
    assert ("espresso" in renderer.render(elsewhere, facts(K.SHIPPED), Channel.EMAIL).text) is not spanish_first


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """The product's templates, with room for a brand's own."""
    templates = tmp_path / "templates"
    templates.mkdir()
    (templates / "messages").symlink_to(TEMPLATES / "messages")
    return templates


def _override(folder: Path, name: str, text: str) -> Path:
    file = folder / "forno" / "messages" / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return file


def test_a_brands_own_template_goes_first(shop: Path, renderer: Renderer) -> None:
    own = _override(shop / "brands", "shipped/subject.txt", "Ciao {{ facts.order_number }}")
    mine = Renderer(shop)
    assert mine.render(FORNO, facts(K.SHIPPED), Channel.EMAIL).subject == "Ciao CV-1042"
    assert mine.render(CASA_VERDE, facts(K.SHIPPED), Channel.EMAIL).subject != "Ciao CV-1042"
    before = mine.versions()
    own.write_text("Ehi {{ facts.order_number }}")
    assert Renderer(shop).versions() != before
    assert len(renderer.versions()) == 12


def test_any_part_can_be_overridden_and_styled(shop: Path) -> None:
    _override(shop / "brands", "_layout/email.css", "p.text { color: #123456 }")
    _override(shop / "brands", "shipped/email.html", '<p class="text">{{ facts.order_number }}</p>')
    email = Renderer(shop).render(FORNO, facts(K.SHIPPED), Channel.EMAIL)
    assert email.html == '<p class="text" style="color: #123456">CV-1042</p>\n'


def test_a_folder_from_the_settings_goes_before_all(shop: Path, tmp_path: Path) -> None:
    _override(shop / "brands", "shipped/subject.txt", "shipped with the product")
    own = _override(tmp_path / "own", "shipped/subject.txt", "from the operator")
    renderer = Renderer(shop, tmp_path / "own")
    assert renderer.render(FORNO, facts(K.SHIPPED), Channel.EMAIL).subject == "from the operator"
    own.write_text("changed")
    assert Renderer(shop, tmp_path / "own").versions() != renderer.versions()


def _codes(problems: list[Problem]) -> set[tuple[str, str]]:
    return {(problem.code, problem.where) for problem in problems}


def test_a_good_brand_has_no_problems(renderer: Renderer) -> None:
    assert check_brand(CASA_VERDE, renderer) == []


def test_what_is_poor_about_a_brand_is_named(renderer: Renderer) -> None:
    poor = Brand(
        id="poor", name="Poor", zone="UTC", colour="#f2b705", sender=FORNO.sender, support=Support(hours=()),
        logo_url="http://poor.example/logo.png", languages=("en", "xh"), wording={"proccessing": "in work"},
    )  # fmt: skip
    assert _codes(check_brand(poor, renderer)) == {
        ("low_contrast", "colour_text"), ("link_insecure", "logo_url"),
        ("logo_width_missing", "logo_width"), ("contact_missing", "support"),
        ("hours_missing", "support.hours"), ("legal_missing", "legal"), ("language_unknown", "languages: xh"),
        ("wording_unknown", "wording.proccessing"),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "text", "code"),
    [
        ("shipped/subject.txt", "{{ facts.no_such_fact }}", "template_fails"),
        ("shipped/email.txt", "{% if %}", "template_fails"),
        ("shipped/sms.txt", "{{ facts.stage }} is the stage", "says_none"),
        ("shipped/email.html", '<a href="ftp://x.example">x</a>', "link_broken"),
        ("shipped/email.html", "{{ 'x' * 100001 }}", "email_too_large"),
    ],
)
def test_a_broken_template_is_found_before_it_is_sent(shop: Path, name: str, text: str, code: str) -> None:
    _override(shop / "brands", name, text)
    problems = check_brand(FORNO, Renderer(shop))
    assert any(problem.code == code and problem.where.startswith("shipped/") for problem in problems)
    assert any(problem.severity == "error" for problem in problems)
