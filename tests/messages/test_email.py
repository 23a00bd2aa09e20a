"""An email survives real clients: valid, small, inlined, threaded, and one click to stop."""

import json
import re
from functools import lru_cache
from pathlib import Path
from typing import Any

import html5lib
import pytest

from ordertrail.domain.vocabulary import Channel, Fulfilment, MessageKind
from ordertrail.messages.inlining import rules_for
from ordertrail.messages.render import Renderer
from ordertrail.messages.samples_extreme import SAMPLES
from tests.messages.conftest import SHARED
from tests.messages.facts import CASA_VERDE, KINDS, WINDOW, K, facts
from tests.messages.html_check import Page

CANIEMAIL = SHARED / "payloads" / "caniemail" / "caniemail.json"
CLIENTS = ("gmail", "outlook", "apple-mail")
LIMIT = 100_000

FALLBACKS = {
    "css-border-radius": "corners are square",
    "css-max-height": "only hides the preheader, with display:none beside it",
    "css-opacity": "only hides the preheader, with display:none beside it",
    "css-overflow": "only hides the preheader, with display:none beside it",
    "css-table-layout": "columns have widths of their own",
    "css-white-space": "prices may break between sign and figure",
    "css-word-break": "a very long word widens the card",
    "css-at-media": "all rules are inlined; phones without it get the same fluid table",
    "css-at-media-prefers-color-scheme": "the light design, or the client's own dark colours",
    "css-color-scheme": "the light design, or the client's own dark colours",
    "html-meta-color-scheme": "the light design, or the client's own dark colours",
    "css-selector-class": "only in media queries, see css-at-media",
    "css-selector-grouping": "only in media queries, see css-at-media",
    "html-style": "all rules but those of media queries are inlined",
    "html-body": "the background is on a table as well",
    "html-role": "only tells screen readers that a table is layout",
}
"""What a client of ours lacks, and what its reader sees instead."""
UNKNOWN_TO_CANIEMAIL = {
    "-webkit-text-size-adjust", "border-bottom", "border-color", "border-left", "border-right", "color", "font-family",
    "mso-hide", "mso-padding-alt", "padding-left", "padding-right", "padding-top", "padding-bottom",
}  # fmt: skip
"""Long in use everywhere, parts of a property that is listed, or one client's own."""


@lru_cache
def _features() -> dict[str, Any]:
    if not CANIEMAIL.is_file():
        pytest.skip("needs the payload collection beside the checkout")
    return {feature["slug"]: feature for feature in json.loads(CANIEMAIL.read_text())["data"]}


def _lacking(slug: str) -> list[str]:
    stats = _features()[slug]["stats"]
    lack = []
    for client in CLIENTS:
        for platform, versions in stats.get(client, {}).items():
            if next(reversed(versions.values())).startswith(("n", "u")):
                lack.append(f"{client} {platform}")
    return lack


def _used(html: str) -> tuple[set[str], set[str]]:
    """The CSS properties of an email, and the caniemail names of its elements and attributes."""
    page = Page(html)
    styles = [str(attributes.get("style") or "") for _, attributes in page.tags]
    styles += re.findall(r"\{([^{}]*)\}", "".join(re.findall(r"<style>\n(.*?)</style>", html, re.DOTALL)))
    properties = {part.split(":")[0].strip() for style in styles for part in style.split(";") if part.strip()}
    names = {f"html-{tag}" for tag, _ in page.tags} | {f"html-{name}" for _, given in page.tags for name in given}
    return properties, names


@pytest.mark.shared
@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_used_that_a_client_lacks_without_a_fallback(renderer: Renderer, kind: MessageKind) -> None:
    known = _features()
    html = renderer.render(CASA_VERDE, facts(kind), Channel.EMAIL).html or ""
    properties, names = _used(html)
    unlisted = {name for name in properties if f"css-{name}" not in known}
    assert unlisted <= UNKNOWN_TO_CANIEMAIL
    used = {f"css-{name}" for name in properties} | names
    used |= {"css-at-media", "css-at-media-prefers-color-scheme", "css-selector-class", "html-meta-color-scheme"}
    for slug in sorted(used & known.keys()):
        assert slug in FALLBACKS or not _lacking(slug), f"{slug} is missing in {_lacking(slug)}"


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize("kind", KINDS)
def test_an_email_is_valid_and_small(renderer: Renderer, kind: MessageKind, name: str) -> None:
    html = renderer.render(CASA_VERDE, SAMPLES[name](kind), Channel.EMAIL).html or ""
    html5lib.HTMLParser(strict=True).parse(html)
    assert len(html.encode()) < LIMIT
    page = Page(html)
    for link in [*page.all("a"), *page.all("img")]:
        assert str(link.get("href") or link.get("src")).startswith(("https://", "mailto:", "tel:"))


@pytest.mark.parametrize("kind", KINDS)
def test_styles_are_inlined(renderer: Renderer, kind: MessageKind) -> None:
    page = Page(renderer.render(CASA_VERDE, facts(kind), Channel.EMAIL).html or "")
    bare = [(tag, given["class"]) for tag, given in page.tags if given.get("class") and not given.get("style")]
    assert not bare, "a class without a rule in the stylesheet"
    assert all(table.get("role") == "presentation" for table in page.all("table"))


def test_an_elements_own_style_wins_over_the_stylesheet() -> None:
    assert rules_for("p.a { color: #111111; margin: 0 }", "p", "a") == "color: #111111;margin: 0"
    assert rules_for("p.a { color: #111111 }", "p", "b") == ""


def test_the_preheader_is_hidden_and_says_the_news(renderer: Renderer) -> None:
    email = renderer.render(CASA_VERDE, facts(K.SHIPPED), Channel.EMAIL)
    assert email.preheader == "Your parcel has left us and travels with DHL Express."
    hidden = re.search(r'<div class="hidden" style="display: none[^>]*>([^&]*)&', email.html or "")
    assert hidden and hidden[1] == email.preheader


def _json_ld(html: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(re.findall(r'<script type="application/ld\+json">(.*?)</script>', html)[0])
    return found


@pytest.mark.parametrize(
    "kind", [kind for kind in KINDS if kind not in {K.DIGEST, K.OFFER, K.SUPPORT_REPLY, K.FEEDBACK_INVITE}]
)
@pytest.mark.parametrize("name", ["realistic", "catering", "bare", "hostile", "gift"])
def test_an_orders_card_is_machine_readable(renderer: Renderer, kind: MessageKind, name: str) -> None:
    message = SAMPLES[name](kind)
    card = _json_ld(renderer.render(CASA_VERDE, message, Channel.EMAIL).html or "")
    assert card["@context"] == "https://schema.org"
    order = card if card["@type"] == "Order" else card["partOfOrder"]
    assert order["orderNumber"] and order["merchant"]["name"] == "Casa Verde"
    assert order["orderStatus"].startswith("https://schema.org/Order")
    assert ("price" in order) is (name not in {"gift", "hostile"}), (
        "not to a gift's recipient, nor sums that do not add up"
    )
    assert "evil" not in str(card.get("trackingUrl", ""))


def test_a_parcels_card_says_when_it_comes(renderer: Renderer) -> None:
    card = _json_ld(renderer.render(CASA_VERDE, facts(K.SHIPPED, promise=WINDOW), Channel.EMAIL).html or "")
    assert card["@type"] == "ParcelDelivery" and card["trackingNumber"] == "JD014600003828"
    assert card["expectedArrivalFrom"] == "2026-11-24T11:00:00+00:00"
    assert card["expectedArrivalUntil"] == "2026-11-24T11:30:00+00:00"
    assert card["carrier"]["name"] == "DHL Express"


def test_an_orders_emails_form_one_conversation(renderer: Renderer) -> None:
    threads = {renderer.render(CASA_VERDE, facts(kind), Channel.EMAIL).headers["References"] for kind in KINDS}
    assert len(threads) == 1
    other = renderer.render(CASA_VERDE, facts(K.SHIPPED, order_id="other"), Channel.EMAIL).headers
    assert other["References"] not in threads and other["In-Reply-To"] == other["References"]
    assert re.fullmatch(r"<order\.[0-9a-f]{24}@casaverde\.example>", threads.pop())


def test_stopping_is_one_click_where_there_is_a_link(renderer: Renderer) -> None:
    headers = renderer.render(CASA_VERDE, facts(K.OFFER), Channel.EMAIL).headers
    assert headers["List-Unsubscribe"] == "<https://orders.casaverde.example/u/Ik9SRDAxSjhYIg.Zm9vYmFy>"
    assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert headers["Auto-Submitted"] == "auto-generated"
    without = renderer.render(CASA_VERDE, facts(K.SHIPPED, unsubscribe_url=None), Channel.EMAIL).headers
    assert "List-Unsubscribe" not in without


@pytest.mark.parametrize(
    ("kind", "fulfilment", "states"),
    [
        (K.ORDER_CONFIRMATION, Fulfilment.PARCEL, "current todo todo todo todo"),
        (K.OUT_FOR_DELIVERY, Fulfilment.PARCEL, "done done done current todo"),
        (K.OUT_FOR_DELIVERY, Fulfilment.OWN_FLEET, "done done current todo"),
        (K.READY_FOR_PICKUP, Fulfilment.PICKUP, "done done current todo"),
        (K.DELIVERED, Fulfilment.PARCEL, "done done done done current"),
        (K.CANCELLED, Fulfilment.PARCEL, ""),
    ],
)
def test_progress_is_seen_at_a_glance(
    renderer: Renderer, kind: MessageKind, fulfilment: Fulfilment, states: str
) -> None:
    page = Page(renderer.render(CASA_VERDE, facts(kind, fulfilment=fulfilment), Channel.EMAIL).html or "")
    tracks = [str(given["class"]) for _, given in page.tags if str(given.get("class")).startswith("track")]
    here = [str(given["class"]) for _, given in page.tags if str(given.get("class")).startswith("label")]
    shown = ["todo" if "todo" in track else "current" if "here" in label else "done"
             for track, label in zip(tracks, here, strict=True)]  # fmt: skip
    assert " ".join(shown) == states


def test_the_stylesheet_holds_only_what_can_be_inlined() -> None:
    css = (Path(__file__).parents[2] / "templates/messages/_layout/email.css").read_text()
    selectors = re.findall(r"^([^/{}]+)\{", css, re.MULTILINE)
    assert selectors and all(re.fullmatch(r"[a-z0-9]*\.[a-z]+ ", selector) for selector in selectors)


def test_a_logo_has_its_size(renderer: Renderer) -> None:
    shop = CASA_VERDE.model_copy(update={"logo_url": "https://casaverde.example/logo.png", "logo_width": 120})
    (logo,) = Page(renderer.render(shop, facts(K.DELIVERED), Channel.EMAIL).html or "").all("img")[:1]
    assert (logo["alt"], logo["width"], logo["height"]) == ("Casa Verde", "120", "36")
