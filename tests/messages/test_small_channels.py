"""Push and voice: what a phone shows or says, and that it does no more than that."""

from xml.etree import ElementTree

import pytest

from ordertrail.domain.vocabulary import Channel, MessageKind
from ordertrail.messages.context import short_link
from ordertrail.messages.render import Renderer
from ordertrail.messages.samples_extreme import hostile_sample, long_sample
from ordertrail.messages.voice import script, speaker, spoken
from tests.messages.facts import CASA_VERDE, FORNO, KINDS, PAGE_URL, K, facts


@pytest.mark.parametrize("kind", KINDS)
def test_a_call_says_its_news_twice_and_offers_support(renderer: Renderer, kind: MessageKind) -> None:
    call = renderer.render(CASA_VERDE, facts(kind), Channel.VOICE)
    response = ElementTree.fromstring(call.twiml or "")
    gather = response.find("Gather")
    assert gather is not None and gather.attrib == {"input": "dtmf", "numDigits": "1", "timeout": "6"}
    inside = [say.text for say in gather.findall("Say")]
    after = [say.text for say in response.findall("Say")]
    assert inside[0] == "Hello. This is a message from Casa Verde."
    assert inside[-1] == "To talk to us, press 1. To hear this again, press 2."
    assert after[:-1] == inside[1:-1]
    assert (after[-1] or "").startswith("Why did I get this? ") and (after[-1] or "").endswith(" Goodbye.")
    assert response[-1].tag == "Hangup"
    assert call.text.splitlines() == inside
    assert "https://" not in call.text and "·" not in call.text


def test_a_tracking_number_is_not_read_out(renderer: Renderer) -> None:
    assert "JD014600003828" not in renderer.render(CASA_VERDE, facts(K.SHIPPED), Channel.VOICE).text


def test_without_a_phone_there_is_nobody_to_talk_to(renderer: Renderer) -> None:
    silent = CASA_VERDE.model_copy(update={"support": CASA_VERDE.support.model_copy(update={"phone": None})})
    text = renderer.render(silent, facts(K.DELAY), Channel.VOICE).text
    assert "press 1" not in text and "press 2" in text


@pytest.mark.parametrize("kind", KINDS)
def test_a_call_is_never_long(renderer: Renderer, kind: MessageKind) -> None:
    assert len(renderer.render(CASA_VERDE, long_sample(kind), Channel.VOICE).text) < 1500


def test_text_in_a_call_is_only_ever_said() -> None:
    said = "</Say><Dial>+1900</Dial>&"
    response = ElementTree.fromstring(script("en", hello="Hi", news=[said], menu="1", bye="Bye"))
    assert [say.text for say in response.findall("Say")] == [said, "Bye"] and response.find(".//Dial") is None


@pytest.mark.parametrize(
    ("locale", "language"),
    [("en_GB", "en-GB"), ("en_US", "en-US"), ("es_AR", "es-ES"), ("pt_BR", "pt-BR"), ("ja", "ja-JP"), ("ar", "ar-AE"),
     ("fr_CA", "fr-CA"), ("de_CH", "de-DE"), ("xx", "en-GB")],
)  # fmt: skip
def test_each_language_has_a_voice(locale: str, language: str) -> None:
    assert speaker(locale).language == language and speaker(locale).voice.startswith("Polly.")


def test_sentences_end_and_long_news_is_cut_at_a_sentence() -> None:
    assert spoken(["Hello", "What?", "Ja。"]) == ["Hello.", "What?", "Ja。"]
    assert len(spoken(["x" * 500] * 9)) == 2
    assert spoken(["y" * 3000]) == ["y" * 1200]


def test_a_newer_notification_about_a_parcel_replaces_the_older(renderer: Renderer) -> None:
    shipped = renderer.render(CASA_VERDE, facts(K.SHIPPED), Channel.PUSH)
    out = renderer.render(CASA_VERDE, facts(K.OUT_FOR_DELIVERY), Channel.PUSH)
    order = renderer.render(CASA_VERDE, facts(K.ORDER_UPDATE), Channel.PUSH)
    digest = renderer.render(CASA_VERDE, facts(K.DIGEST), Channel.PUSH)
    assert shipped.collapse_key == out.collapse_key != order.collapse_key
    assert len({shipped.collapse_key, order.collapse_key, digest.collapse_key}) == 3
    assert shipped.title == "Your parcel is on its way · Order CV-1042, parcel 1 of 2"
    assert shipped.html is None and shipped.subject is None


def test_a_notification_holds_no_more_than_a_phone_shows(renderer: Renderer) -> None:
    push = renderer.render(CASA_VERDE, hostile_sample(K.SUPPORT_REPLY), Channel.PUSH)
    assert len((push.title or "") + push.text) <= 500


def test_short_links_keep_the_path() -> None:
    assert short_link(CASA_VERDE, PAGE_URL) == PAGE_URL.replace("orders.casaverde", "go.casaverde")
    assert short_link(CASA_VERDE, "https://a.example/x?y=1#z") == "https://go.casaverde.example/x?y=1#z"
    assert short_link(FORNO, PAGE_URL) == PAGE_URL and short_link(CASA_VERDE, "") == ""


def test_an_offers_link_is_not_ours_to_shorten(renderer: Renderer) -> None:
    assert renderer.render(CASA_VERDE, facts(K.OFFER), Channel.SMS).link == "https://casaverde.example/offers/10"
