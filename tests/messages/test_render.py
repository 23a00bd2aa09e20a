"""Every kind on every channel and in every language: says what it must, whatever the facts are."""

from xml.etree import ElementTree

import pytest

from ordertrail.domain.message import MessageFacts, Rendered
from ordertrail.domain.order import Payment, Totals
from ordertrail.domain.vocabulary import Channel, Fulfilment, MessageKind, Milestone, PaymentState, ReasonCode
from ordertrail.messages.catalogue import languages, translations
from ordertrail.messages.context import reader, still_to_come
from ordertrail.messages.render import Renderer
from ordertrail.messages.samples_extreme import SAMPLES, bare_sample, hostile_sample
from ordertrail.messages.sms import is_gsm, segments, to_gsm
from tests.messages.facts import CASA_VERDE, KINDS, LATER, MARKUP, PAGE_URL, PARCEL, K, facts
from tests.messages.html_check import Page
from tests.messages.stated import EMAIL, FACTS, PHONE, WITHOUT_ORDER

LANGUAGES = sorted(languages())
LATIN = frozenset({"en", "es", "fr", "de", "pt_BR"})


UNSEEN = dict.fromkeys(map(ord, "\u200e\u200f\u2068\u2069"))
"""Marks of direction."""
BRIEF = {
    "expected": lambda facts, fmt: fmt.promise(facts.promise, brief=True),
    "happened": lambda facts, fmt: fmt.moment(facts.happened_at, brief=True),
}
"""Facts as texts in other scripts state them."""
NO_ROOM = {(K.ORDER_UPDATE, "ar"), (K.DELIVERY_ATTEMPTED, "ar"), (K.SUPPORT_REPLY, "ar"), (K.SUPPORT_REPLY, "ja")}
"""Texts whose first sentence and whom to ask leave none for a fact; the link leads to all of them."""


def _main_facts(kind: MessageKind, language: str) -> tuple[str, ...]:
    return ("order",) if (kind, language) in NO_ROOM or kind is K.DIGEST else ("order", *PHONE[kind][:1])


def heard(rendered: Rendered) -> str:
    """All words of a message on a small channel."""
    return "\n".join(part for part in (rendered.title, rendered.text) if part)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", KINDS)
def test_an_email_states_its_facts_in_both_parts(renderer: Renderer, kind: MessageKind, language: str) -> None:
    message = facts(kind, locale=language.replace("_", "-"))
    fmt = reader(CASA_VERDE, message)
    assert fmt.catalogue == language
    email = renderer.render(CASA_VERDE, message, Channel.EMAIL)
    assert email.html is not None and email.subject and email.language == fmt.tag
    page = Page(email.html)
    links = {attributes.get("href") for attributes in page.all("a")}
    always = [] if kind in WITHOUT_ORDER else ["order"]
    contacts = ["+34 912 34 56 78", "help@casaverde.example", "Casa Verde Hogar S.L.", message.unsubscribe_url or ""]
    for fact in [*contacts, *(FACTS[name](message, fmt) for name in ("link", *always, *EMAIL[kind]))]:
        assert fact and fact in email.text
        assert fact in page.text or fact in links
    if always and kind is not K.SUPPORT_REPLY:
        assert "CV-1042" in email.subject
    assert all(image.get("alt") and image.get("width") and image.get("height") for image in page.all("img"))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("channel", [Channel.SMS, Channel.PUSH, Channel.VOICE])
def test_the_same_facts_on_small_channels(
    renderer: Renderer, kind: MessageKind, channel: Channel, language: str
) -> None:
    message = facts(kind, locale=language.replace("_", "-"))
    fmt = reader(CASA_VERDE, message)
    said = heard(renderer.render(CASA_VERDE, message, channel)).translate(UNSEEN)
    spelled = to_gsm if channel is Channel.SMS else str
    for name in (*PHONE[kind], *([] if kind in WITHOUT_ORDER else ["order"])):
        if channel is Channel.SMS and language not in LATIN and name not in _main_facts(kind, language):
            continue  # half as many characters fit; what goes first is the order of the lines
        fact = FACTS[name](message, fmt).translate(UNSEEN)
        if channel is Channel.SMS and language not in LATIN and name in BRIEF:
            fact = BRIEF[name](message, fmt)
        said_so = fact in said or spelled(fact) in said or fact.replace("–", "-") in said
        assert said_so, f"{fact!r} not in {said!r}"
    assert "Casa Verde" in said or channel is Channel.PUSH
    assert "34912345678" in said.replace(" ", "") or channel is Channel.VOICE, "in a call it is key 1"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", KINDS)
def test_a_text_message_fits_and_keeps_its_link(renderer: Renderer, kind: MessageKind, language: str) -> None:
    message = facts(kind, locale=language.replace("_", "-"))
    sms = renderer.render(CASA_VERDE, message, Channel.SMS)
    assert segments(sms.text) <= 2
    assert sms.link and sms.text.endswith("\n" + sms.link)
    assert sms.link.startswith("https://go.casaverde.example/") or kind is K.OFFER
    assert "+34912345678" in sms.text.replace(" ", "")
    assert is_gsm(sms.text) or language not in LATIN


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("channel", list(Channel))
def test_every_sample_renders_whole(renderer: Renderer, kind: MessageKind, name: str, channel: Channel) -> None:
    rendered = renderer.render(CASA_VERDE, SAMPLES[name](kind), channel)
    said = heard(rendered)
    assert said and "None" not in said and "Undefined" not in said
    if channel is Channel.EMAIL:
        assert rendered.html is not None and rendered.subject is not None and len(rendered.subject) <= 150
        Page(rendered.html)
    if channel is Channel.SMS:
        assert segments(rendered.text) <= 2
    if channel is Channel.PUSH:
        assert rendered.title and len(rendered.title) <= 100 and len(rendered.text) <= 400


@pytest.mark.parametrize("kind", KINDS)
def test_hostile_facts_come_out_harmless(renderer: Renderer, kind: MessageKind) -> None:
    by_channel = {channel: renderer.render(CASA_VERDE, hostile_sample(kind), channel) for channel in Channel}
    email = by_channel[Channel.EMAIL]
    assert email.html is not None and email.subject is not None
    page = Page(email.html)
    assert all(script.get("type") == "application/ld+json" for script in page.all("script"))
    assert email.html.count("</script") <= 1
    assert all(str(image.get("src")).startswith("https://") for image in page.all("img"))
    assert not any("javascript:" in str(value) for _, attributes in page.tags for value in attributes.values())
    assert not any(name.startswith("on") for _, attributes in page.tags for name in attributes)
    assert MARKUP not in email.html
    for rendered in by_channel.values():
        for part in (rendered.subject, rendered.preheader, rendered.html, rendered.text, rendered.title, rendered.twiml,
                     rendered.link, *rendered.headers.values()):  # fmt: skip
            assert "\u202e" not in (part or "") and "\u0007" not in (part or "") and "\nBcc:" not in (part or "")
    for line in (email.subject, email.preheader or "", *email.headers.values()):
        assert "\n" not in line and "\r" not in line
    assert "List-Unsubscribe" not in email.headers, "a link with a line feed is no link"
    assert {node.tag for node in ElementTree.fromstring(by_channel[Channel.VOICE].twiml or "").iter()} <= {
        "Response", "Gather", "Say", "Pause", "Hangup",
    }  # fmt: skip


def test_template_syntax_in_a_fact_stays_text(renderer: Renderer) -> None:
    assert "{{ 7*7 }} %(x)s" in renderer.render(CASA_VERDE, hostile_sample(K.SHIPPED), Channel.EMAIL).text


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("channel", list(Channel))
@pytest.mark.parametrize("fulfilment", list(Fulfilment))
def test_the_least_facts_are_enough(
    renderer: Renderer, kind: MessageKind, channel: Channel, fulfilment: Fulfilment
) -> None:
    least = bare_sample(kind).model_copy(update={"fulfilment": fulfilment, "locale": "xx-invalid", "pickup": None})
    text = renderer.render(CASA_VERDE, least, channel).text
    assert "None" not in text and "tracking number below" not in text
    assert PAGE_URL in text or channel is not Channel.EMAIL or kind in {K.OFFER, K.FEEDBACK_INVITE}


@pytest.mark.parametrize("reason", [reason for reason in ReasonCode if reason is not ReasonCode.OTHER])
@pytest.mark.parametrize("kind", [K.DELAY, K.ISSUE, K.DELIVERY_ATTEMPTED, K.RETURNED, K.CORRECTION])
@pytest.mark.parametrize("channel", list(Channel))
def test_every_reason_is_told_in_plain_words(
    renderer: Renderer, kind: MessageKind, reason: ReasonCode, channel: Channel
) -> None:
    with_reason = renderer.render(CASA_VERDE, facts(kind, reason_code=reason), channel)
    without = renderer.render(CASA_VERDE, facts(kind, reason_code=None), channel)
    assert heard(with_reason) != heard(without)
    assert "_" not in reason or reason not in heard(with_reason), "codes are not words"


@pytest.mark.parametrize("milestone", list(Milestone))
def test_each_milestone_reads_differently(renderer: Renderer, milestone: Milestone) -> None:
    subject = renderer.render(CASA_VERDE, facts(K.IN_TRANSIT, milestone=milestone), Channel.EMAIL).subject
    plain = renderer.render(CASA_VERDE, facts(K.IN_TRANSIT, milestone=None), Channel.EMAIL).subject
    assert subject != plain


def test_a_delay_without_a_new_date_says_so(renderer: Renderer) -> None:
    text = renderer.render(CASA_VERDE, facts(K.DELAY, promise=None), Channel.EMAIL).text
    assert "we do not have a new date yet" in text and "We had told you: Tuesday 24 November" in text


def test_what_customers_need_to_know_beyond_facts(renderer: Renderer) -> None:
    said = {kind: renderer.render(CASA_VERDE, facts(kind), Channel.EMAIL).text for kind in KINDS}
    assert all("Why did I get this?" in text and "We answer Monday–Friday 09:00–18:00 (CET)" in text
               for text in said.values())  # fmt: skip
    assert "check the goods" in said[K.DELIVERED] and "missing or damaged" in said[K.DELIVERED]
    assert "What happens next" in said[K.DELIVERY_ATTEMPTED] and "What you can do" in said[K.DELIVERY_ATTEMPTED]
    assert "keep waiting" in said[K.DELAY] and "cancel the order" in said[K.DELAY]
    assert "send us the full address" in said[K.ISSUE]
    assert "Sorry" in said[K.CORRECTION] and "Status now: on its way" in said[K.CORRECTION]
    assert "goes back the way it came" in said[K.CANCELLED]
    assert "send it again" in said[K.RETURNED]


def test_a_gift_hides_its_price(renderer: Renderer) -> None:
    for kind in KINDS:
        if kind in {K.REFUNDED, K.DIGEST, K.OFFER, K.FEEDBACK_INVITE, K.SUPPORT_REPLY}:
            continue
        for channel in Channel:
            message = renderer.render(CASA_VERDE, facts(kind, for_gift_recipient=True), channel)
            assert "€" not in message.text and "€" not in (message.html or "")
            assert "123.80" not in (message.html or "") and "Visa" not in message.text
        text = renderer.render(CASA_VERDE, facts(kind, for_gift_recipient=True), Channel.EMAIL).text
        assert "Somebody ordered from Casa Verde for you" in text


def test_a_free_order_has_nothing_to_pay(renderer: Renderer) -> None:
    free = Totals(items=0, total=0)
    text = renderer.render(CASA_VERDE, facts(K.ORDER_CONFIRMATION, totals=free), Channel.EMAIL).text
    assert "Nothing to pay" in text and "Total: €0.00" in text


def test_an_update_states_no_total_that_does_not_add_up(renderer: Renderer) -> None:
    wrong = Totals(items="128.90", total="1.00")
    assert "New total" not in renderer.render(CASA_VERDE, facts(K.ORDER_UPDATE, totals=wrong), Channel.EMAIL).text


def test_a_name_with_a_link_is_not_repeated(renderer: Renderer) -> None:
    text = renderer.render(CASA_VERDE, facts(K.SHIPPED, recipient_name="Win at evil.example.com"), Channel.EMAIL).text
    assert "evil.example.com" not in text and "Hello," in text


def test_still_to_come_is_only_said_when_it_is_known() -> None:
    assert [line.sku for line in still_to_come(facts(K.SHIPPED))] == ["CUSH-2"]
    second = PARCEL.model_copy(update={"of": 3, "number": 2})
    assert still_to_come(facts(K.SHIPPED, shipment=second)) == ()


def test_another_script_in_a_text_message_keeps_the_link(renderer: Renderer) -> None:
    brand = CASA_VERDE.model_copy(update={"name": "緑の家" * 5})
    sms = renderer.render(brand, facts(K.SHIPPED), Channel.SMS)
    assert sms.text.endswith(str(sms.link)) and segments(sms.text) <= 2 and "CV-1042" in sms.text


def test_old_stored_messages_are_still_read() -> None:
    old = Rendered.model_validate_json('{"subject": "s", "html": "<p>", "text": "t"}')
    assert (old.headers, old.twiml, old.language) == ({}, None, "en")
    stored = facts(K.SHIPPED).model_dump(exclude={"digest", "reply", "offer", "unsubscribe_url", "order_locale"})
    assert MessageFacts.model_validate(stored).unsubscribe_url is None


def test_rendering_is_repeatable(renderer: Renderer) -> None:
    for channel in Channel:
        first = renderer.render(CASA_VERDE, facts(K.DELAY, promise=LATER), channel)
        assert renderer.render(CASA_VERDE, facts(K.DELAY, promise=LATER), channel) == first


def test_a_payment_that_waits_is_said_as_such(renderer: Renderer) -> None:
    pending = facts(K.ORDER_CONFIRMATION, payment=Payment(state=PaymentState.PENDING))
    assert "Payment: Payment pending" in renderer.render(CASA_VERDE, pending, Channel.EMAIL).text


@pytest.mark.parametrize("language", LANGUAGES)
def test_sentences_come_from_the_readers_catalogue(renderer: Renderer, language: str) -> None:
    message = facts(K.CANCELLED, locale=language.replace("_", "-"))
    told = translations(language).gettext("Your order has been cancelled")
    for channel in Channel:
        assert to_gsm(told) in to_gsm(heard(renderer.render(CASA_VERDE, message, channel))) or channel is Channel.SMS
