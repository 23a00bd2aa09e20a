"""Every kind on every channel: says what it must, whatever the facts are."""

import os
from decimal import Decimal
from pathlib import Path

import pytest

from ordertrail.domain.failures import Permanent
from ordertrail.domain.message import MessageFacts
from ordertrail.domain.order import Payment, Totals
from ordertrail.domain.vocabulary import Channel, Fulfilment, MessageKind, Milestone, PaymentState, ReasonCode
from ordertrail.messages.render import Renderer, still_to_come
from ordertrail.messages.sms import is_gsm, segments
from tests.messages.facts import (
    CASA_VERDE,
    FORNO,
    KINDS,
    LATER,
    MARKUP,
    PAGE_URL,
    PARCEL,
    WINDOW,
    K,
    extreme,
    facts,
    hostile,
)
from tests.messages.html_check import Page

GOLDEN = Path(__file__).parent / "golden"
RECORD = "ORDERTRAIL_RECORD_GOLDEN"

EVERYWHERE = ("CV-1042", PAGE_URL, "+34 912 34 56 78", "help@casaverde.example", "Why did I get this?")
STATED: dict[MessageKind, tuple[str, ...]] = {
    K.ORDER_CONFIRMATION: ("Tuesday 24 November", "Table lamp Alba, oak", "€79.90", "€49.00", "€123.80",
                           "Visa ending 4242",                            "Standard delivery", "Tax included"),
    K.ORDER_UPDATE: ("Linen cushion, sage", "1 becomes 2", "Delivery address", "€123.80"),
    K.SHIPPED: ("DHL Express", "JD014600003", "https://track.dhl.example/JD014600003", "Tuesday 24 November",
                "Table lamp Alba, oak", "Still to come", "Linen cushion, sage"),
    K.IN_TRANSIT: ("depot", "Zaragoza, Spain", "Sunday 22 November, 14:05 (CET)", "JD014600003"),
    K.OUT_FOR_DELIVERY: ("DHL Express", "14:05", "JD014600003"),
    K.READY_FOR_PICKUP: ("Casa Verde Malasaña", "Calle del Pez 12", "Sunday 29 November", "10:00–20:00",
                         "an ID and this message"),
    K.DELIVERY_ATTEMPTED: ("nobody was there", "What happens next", "What you can do", "14:05 (CET)", "JD014600003"),
    K.DELIVERED: ("Sunday 22 November, 14:05 (CET)", "reception", "check the goods", "1 more parcel"),
    K.DELAY: ("bad weather", "Friday 27 November", "Tuesday 24 November", "keep waiting", "cancel the order"),
    K.ISSUE: ("address is incomplete", "send us the full address"),
    K.BACK_ON_TRACK: ("Tuesday 24 November", "JD014600003"),
    K.CORRECTION: ("on its way", "cannot find it", "Sorry"),
    K.CANCELLED: ("sold out", "goes back the way it came", "€123.80"),
    K.REFUNDED: ("€24.50", "Visa ending 4242", "Friday 27 November"),
    K.RETURNED: ("refused at the door", "back with us", "send it again"),
}  # fmt: skip
STATED_BY_SMS: dict[MessageKind, str] = {
    K.ORDER_CONFIRMATION: "Tuesday 24 November",
    K.ORDER_UPDATE: "changed",
    K.SHIPPED: "DHL Express",
    K.IN_TRANSIT: "near you",
    K.OUT_FOR_DELIVERY: "out for delivery",
    K.READY_FOR_PICKUP: "Casa Verde Malasaña",
    K.DELIVERY_ATTEMPTED: "could not deliver",
    K.DELIVERED: "reception",
    K.DELAY: "Friday 27 November",
    K.ISSUE: "full address",
    K.BACK_ON_TRACK: "back on track",
    K.CORRECTION: "on its way",
    K.CANCELLED: "cancelled",
    K.REFUNDED: "€24.50",
    K.RETURNED: "back with us",
}


@pytest.mark.parametrize("kind", KINDS)
def test_an_email_states_its_facts_in_both_parts(renderer: Renderer, kind: MessageKind) -> None:
    email = renderer.render(CASA_VERDE, facts(kind), Channel.EMAIL)
    assert email.html is not None and email.subject
    page = Page(email.html)
    links = {attributes.get("href") for attributes in page.all("a")}
    for fact in (*EVERYWHERE, *STATED[kind]):
        assert fact in email.text
        assert fact in page.text or fact in links
    assert "CV-1042" in email.subject
    assert all(image.get("alt") for image in page.all("img"))


@pytest.mark.parametrize("kind", KINDS)
def test_a_text_message_states_its_news_and_keeps_its_link(renderer: Renderer, kind: MessageKind) -> None:
    text = renderer.render(CASA_VERDE, facts(kind), Channel.SMS).text
    assert text.startswith("Casa Verde: ")
    assert "CV-1042" in text and STATED_BY_SMS[kind] in text
    assert text.endswith("\n" + PAGE_URL)
    assert is_gsm(text) and segments(text) <= 2


@pytest.mark.parametrize("kind", KINDS)
def test_extreme_facts_still_fit(renderer: Renderer, kind: MessageKind) -> None:
    message = extreme(kind)
    email = renderer.render(CASA_VERDE, message, Channel.EMAIL)
    assert email.html is not None and email.subject is not None
    Page(email.html)
    assert len(email.subject) <= 150
    text = renderer.render(CASA_VERDE, message, Channel.SMS).text
    assert segments(text) <= 2 and text.endswith(PAGE_URL)


@pytest.mark.parametrize("kind", KINDS)
def test_hostile_facts_come_out_harmless(renderer: Renderer, kind: MessageKind) -> None:
    email = renderer.render(CASA_VERDE, hostile(kind), Channel.EMAIL)
    assert email.html is not None and email.subject is not None
    page = Page(email.html)
    assert not page.all("script")
    assert all(str(image.get("src")).startswith("https://") for image in page.all("img"))
    assert not any("javascript:" in str(value) for _, attributes in page.tags for value in attributes.values())
    assert not any(name.startswith("on") for _, attributes in page.tags for name in attributes)
    assert "{{ 7*7 }}" in email.text, "template syntax in a fact must stay text"
    sms = renderer.render(CASA_VERDE, hostile(kind), Channel.SMS).text
    for part in (email.subject, email.html, email.text, sms):
        assert "\u202e" not in part and "\u0007" not in part
        assert "\nBcc:" not in part
    assert "\n" not in email.subject and "\r" not in email.subject
    assert segments(sms) <= 2 and sms.endswith(PAGE_URL)
    assert MARKUP not in email.html


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("channel", [Channel.EMAIL, Channel.SMS])
@pytest.mark.parametrize("fulfilment", list(Fulfilment))
def test_the_least_facts_are_enough(
    renderer: Renderer, kind: MessageKind, channel: Channel, fulfilment: Fulfilment
) -> None:
    given = facts(kind)
    least = MessageFacts(
        kind=kind, order_number="7", order_id="o", order_status=given.order_status, fulfilment=fulfilment,
        recipient_name="Bo", locale="xx-invalid", zone="UTC", currency="EUR",
        totals=Totals(items=Decimal(0), total=Decimal(0)), payment=Payment(state=PaymentState.PENDING),
        happened_at=given.happened_at, page_url=PAGE_URL, stage=given.stage,
        shipment=PARCEL.model_copy(update={"carrier": None, "tracking_number": None, "tracking_url": None, "lines": ()})
        if given.shipment
        else None,
    )  # fmt: skip
    text = renderer.render(CASA_VERDE, least, channel).text
    assert PAGE_URL in text and "None" not in text and "tracking number below" not in text


@pytest.mark.parametrize("reason", list(ReasonCode))
@pytest.mark.parametrize("kind", [K.DELAY, K.ISSUE, K.DELIVERY_ATTEMPTED, K.CANCELLED, K.RETURNED, K.CORRECTION])
def test_every_reason_is_told_in_plain_words(renderer: Renderer, kind: MessageKind, reason: ReasonCode) -> None:
    text = renderer.render(CASA_VERDE, facts(kind, reason_code=reason), Channel.EMAIL).text
    assert "_" not in text.replace(PAGE_URL, ""), "codes are not words"


@pytest.mark.parametrize("milestone", list(Milestone))
def test_each_milestone_reads_differently(renderer: Renderer, milestone: Milestone) -> None:
    subject = renderer.render(CASA_VERDE, facts(K.IN_TRANSIT, milestone=milestone), Channel.EMAIL).subject
    plain = renderer.render(CASA_VERDE, facts(K.IN_TRANSIT, milestone=None), Channel.EMAIL).subject
    assert subject != plain


@pytest.mark.parametrize(
    ("stage", "said"),
    [("processing", "in the kitchen"), ("packed", "packed"), ("restocked", "in stock again"), ("released", "moving")],
)
def test_a_brand_renames_statuses(renderer: Renderer, stage: str, said: str) -> None:
    message = facts(K.ORDER_UPDATE, stage=stage, changes=(), fulfilment=Fulfilment.OWN_FLEET, promise=WINDOW)
    email = renderer.render(FORNO, message, Channel.EMAIL)
    assert said in (email.subject or "")
    assert "catering order" in email.text
    assert "Tuesday 24 November, 12:00–12:30 (CET)" in email.text


def test_a_delay_without_a_new_date_says_so(renderer: Renderer) -> None:
    text = renderer.render(CASA_VERDE, facts(K.DELAY, promise=None), Channel.EMAIL).text
    assert "We do not have a new date yet" in text and "We had told you: Tuesday 24 November" in text


def test_a_gift_hides_its_price(renderer: Renderer) -> None:
    for kind in KINDS:
        if kind is K.REFUNDED:
            continue
        email = renderer.render(CASA_VERDE, facts(kind, for_gift_recipient=True), Channel.EMAIL)
        assert "€" not in email.text and "€" not in (email.html or "")
        assert "Visa" not in email.text
        assert "Somebody ordered from Casa Verde for you" in email.text


def test_a_name_with_a_link_is_not_repeated(renderer: Renderer) -> None:
    text = renderer.render(CASA_VERDE, facts(K.SHIPPED, recipient_name="Win at evil.example.com"), Channel.EMAIL).text
    assert "evil.example.com" not in text and "Hello," in text


def test_still_to_come_is_only_said_when_it_is_known() -> None:
    assert [line.sku for line in still_to_come(facts(K.SHIPPED))] == ["CUSH-2"]
    second = PARCEL.model_copy(update={"of": 3, "number": 2})
    assert still_to_come(facts(K.SHIPPED, shipment=second)) == ()


def test_another_script_in_a_text_message_keeps_the_link(renderer: Renderer) -> None:
    brand = CASA_VERDE.model_copy(update={"name": "緑の家" * 5})
    text = renderer.render(brand, facts(K.SHIPPED), Channel.SMS).text
    assert text.endswith(PAGE_URL) and segments(text) <= 2 and "CV-1042" in text


def test_a_brands_own_template_goes_first(tmp_path: Path, renderer: Renderer) -> None:
    shipped = tmp_path / "templates"
    source = Path(__file__).parents[2] / "templates"
    shipped.mkdir()
    (shipped / "messages").symlink_to(source / "messages")
    own = shipped / "brands" / "forno" / "messages" / "shipped"
    own.mkdir(parents=True)
    (own / "subject.txt").write_text("Ciao {{ facts.order_number }}")
    mine = Renderer(shipped)
    assert mine.render(FORNO, facts(K.SHIPPED), Channel.EMAIL).subject == "Ciao CV-1042"
    assert mine.render(CASA_VERDE, facts(K.SHIPPED), Channel.EMAIL).subject != "Ciao CV-1042"
    before = mine.versions()
    (own / "subject.txt").write_text("Ehi {{ facts.order_number }}")
    assert Renderer(shipped).versions() != before
    assert len(renderer.versions()) == 12


def test_a_channel_without_templates_fails_for_good(renderer: Renderer) -> None:
    with pytest.raises(Permanent, match="channel_not_rendered"):
        renderer.render(CASA_VERDE, facts(K.SHIPPED), Channel.PUSH)


def test_rendering_is_repeatable(renderer: Renderer) -> None:
    first = renderer.render(CASA_VERDE, facts(K.DELAY, promise=LATER), Channel.EMAIL)
    assert renderer.render(CASA_VERDE, facts(K.DELAY, promise=LATER), Channel.EMAIL) == first


@pytest.mark.parametrize("kind", KINDS)
def test_golden(renderer: Renderer, kind: MessageKind) -> None:
    """Re-record after a wanted change with ORDERTRAIL_RECORD_GOLDEN=1, and read the difference."""
    email = renderer.render(CASA_VERDE, facts(kind), Channel.EMAIL)
    sms = renderer.render(CASA_VERDE, facts(kind), Channel.SMS)
    parts = {
        f"{kind}.html": email.html or "",
        f"{kind}.txt": f"Subject: {email.subject}\n\n{email.text}\n=== SMS ===\n{sms.text}\n",
    }
    for name, content in parts.items():
        file = GOLDEN / name
        if os.environ.get(RECORD):
            file.write_text(content, encoding="utf-8")
        assert file.read_text(encoding="utf-8") == content, f"{name} differs; {RECORD}=1 records it anew"
