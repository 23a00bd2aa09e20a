"""Golden messages, for each kind and language on every channel; ORDERTRAIL_RECORD_GOLDEN=1 records them anew."""

import json
import os
import re
from pathlib import Path

import html5lib
import pytest

from ordertrail.domain.message import Rendered
from ordertrail.domain.vocabulary import Channel, MessageKind
from ordertrail.messages.catalogue import languages
from ordertrail.messages.render import Renderer
from ordertrail.messages.sms import MAX_SEGMENTS, is_gsm, segments
from tests.messages.facts import CASA_VERDE, KINDS, facts
from tests.messages.html_check import Page
from tests.messages.test_email import LIMIT

GOLDEN = Path(__file__).parent / "golden"
RECORD = "ORDERTRAIL_RECORD_GOLDEN"


def as_text(by_channel: dict[Channel, Rendered]) -> str:
    """One readable page of a message on all channels, but for its HTML."""
    email, sms, push, voice = (by_channel[channel] for channel in Channel)
    script = (voice.twiml or "").replace("><", ">\n<")
    headers = "\n".join(f"{name}: {value}" for name, value in email.headers.items())
    return (
        f"Subject: {email.subject}\nPreheader: {email.preheader}\n{headers}\n\n{email.text}\n"
        f"=== sms ===\n{sms.text}\n\n"
        f"=== push ===\n{push.title}\n--\n{push.text}\n--\n{push.link}\n{push.collapse_key}\n\n"
        f"=== voice ===\n{script}\n"
    )


@pytest.mark.parametrize("language", sorted(languages()))
@pytest.mark.parametrize("kind", KINDS)
def test_golden(renderer: Renderer, kind: MessageKind, language: str) -> None:
    """After a wanted change record them anew, and read the difference."""
    message = facts(kind, locale=language.replace("_", "-"))
    by_channel = {channel: renderer.render(CASA_VERDE, message, channel) for channel in Channel}
    parts = {f"{kind}.html": by_channel[Channel.EMAIL].html or "", f"{kind}.txt": as_text(by_channel)}
    for name, content in parts.items():
        file = GOLDEN / language / name
        if os.environ.get(RECORD):
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(content, encoding="utf-8")
        assert file.read_text(encoding="utf-8") == content, f"{language}/{name} differs; {RECORD}=1 records it anew"


@pytest.mark.parametrize("file", sorted(GOLDEN.glob("*/*.html")), ids=lambda file: f"{file.parent.name}-{file.stem}")
def test_each_golden_email_is_valid_small_and_machine_readable(file: Path) -> None:
    html = file.read_text(encoding="utf-8")
    html5lib.HTMLParser(strict=True).parse(html)
    assert len(html.encode()) < LIMIT
    page = Page(html)
    links = [str(tag.get("href") or tag.get("src")) for tag in (*page.all("a"), *page.all("img"))]
    assert links and all(link.startswith(("https://", "mailto:", "tel:")) for link in links)
    for card in re.findall(r'<script type="application/ld\+json">(.*?)</script>', html, re.DOTALL):
        assert json.loads(card)["@context"] == "https://schema.org"


@pytest.mark.parametrize("file", sorted(GOLDEN.glob("*/*.txt")), ids=lambda file: f"{file.parent.name}-{file.stem}")
def test_each_golden_text_message_is_at_most_two_segments(file: Path) -> None:
    sms = file.read_text(encoding="utf-8").partition("=== sms ===\n")[2].partition("\n\n=== push")[0]
    assert sms and segments(sms) <= MAX_SEGMENTS
    assert is_gsm(sms) or file.parent.name in ("ar", "ja")
