"""Whether a brand can speak: renders every kind on every channel in its languages before anything depends on it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from jinja2 import TemplateError

from ordertrail.domain.brand import Brand
from ordertrail.domain.message import Rendered
from ordertrail.domain.vocabulary import Channel, MessageKind
from ordertrail.messages.catalogue import catalogue_of, message_locale
from ordertrail.messages.clean import web_url
from ordertrail.messages.colour import AA, contrast, palette
from ordertrail.messages.render import Renderer
from ordertrail.messages.samples_extreme import SAMPLES
from ordertrail.messages.sms import MAX_SEGMENTS, segments
from ordertrail.messages.wording_keys import WORDING_KEYS

EMAIL_LIMIT = 100_000
"""Bytes of HTML; Gmail clips a message at 102 kB."""
_HREF = re.compile(r'(?:href|src)="([^"]*)"')

ProblemCode = Literal[
    "template_fails", "says_none", "email_too_large", "sms_too_long", "link_broken", "link_insecure", "low_contrast",
    "logo_width_missing", "contact_missing", "hours_missing", "legal_missing", "language_unknown", "wording_unknown",
]  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One thing to mend. `severity` error: messages would be wrong; warning: poorer than they could be.

    `where` names the setting or, for messages, 'kind/channel/language/sample'. `detail` holds no personal data: the
    samples are invented.
    """

    code: ProblemCode
    severity: Literal["error", "warning"]
    where: str
    detail: str = ""


def check_brand(brand: Brand, renderer: Renderer) -> list[Problem]:
    """All that is wrong with a brand's settings and templates; empty when there is nothing.

    Renders each kind x channel x language of the brand with every set of samples, so it takes seconds: for loading a
    brand, not for sending a message.
    """
    return [
        *_colours(brand),
        *_links(brand),
        *_logo(brand),
        *_contacts(brand),
        *_languages(brand),
        *_messages(brand, renderer),
    ]


def _colours(brand: Brand) -> Iterator[Problem]:
    ratio = contrast(brand.colour, brand.colour_text)
    if ratio < AA:
        used = palette(brand).on_brand
        detail = f"{ratio:.1f}:1, WCAG AA needs {AA}:1; {used} is used instead"
        yield Problem(code="low_contrast", severity="warning", where="colour_text", detail=detail)


def _links(brand: Brand) -> Iterator[Problem]:
    links = {
        "logo_url": brand.logo_url,
        "site_url": brand.site_url,
        "short_url": brand.short_url,
        "support.url": brand.support.url,
    }
    for where, link in links.items():
        if link is not None and not web_url(link):
            yield Problem(code="link_broken", severity="error", where=where)
        elif link is not None and not str(link).startswith("https://"):
            yield Problem(code="link_insecure", severity="warning", where=where, detail="not https")


def _logo(brand: Brand) -> Iterator[Problem]:
    if brand.logo_url is not None and brand.logo_width is None:
        yield Problem(code="logo_width_missing", severity="warning", where="logo_width", detail="at a height of 36")


def _contacts(brand: Brand) -> Iterator[Problem]:
    support = brand.support
    if not (support.email or support.phone or support.url):
        yield Problem(code="contact_missing", severity="error", where="support", detail="no email, phone or page")
    if not support.hours:
        yield Problem(code="hours_missing", severity="warning", where="support.hours")
    if not brand.legal.strip():
        yield Problem(code="legal_missing", severity="warning", where="legal", detail="the footer has no address")


def _languages(brand: Brand) -> Iterator[Problem]:
    named = {f"languages: {tag}" for tag in brand.languages}
    named |= {f"wording_in: {tag}" for tag in brand.wording_in} | {f"tone: {tag}" for tag in brand.tone}
    for entry in sorted(named):
        tag = entry.split(": ")[1]
        if message_locale(tag).language != tag.replace("_", "-").split("-")[0]:
            detail = "no catalogue; messages are in the next of the brand's languages"
            yield Problem(code="language_unknown", severity="warning", where=entry, detail=detail)
    words = {"wording": brand.wording, **{f"wording_in.{tag}": named_in for tag, named_in in brand.wording_in.items()}}
    for where, wording in words.items():
        for key in sorted(set(wording) - WORDING_KEYS):
            yield Problem(code="wording_unknown", severity="warning", where=f"{where}.{key}", detail="no such status")


def _messages(brand: Brand, renderer: Renderer) -> Iterator[Problem]:
    languages = {catalogue_of(message_locale(tag)): tag for tag in reversed(brand.languages)}
    for tag in languages.values():
        for kind in MessageKind:
            for channel in Channel:
                for name in SAMPLES:
                    yield from _message(brand, renderer, kind, channel, tag, name)


def _message(
    brand: Brand, renderer: Renderer, kind: MessageKind, channel: Channel, tag: str, name: str
) -> Iterator[Problem]:
    where = f"{kind}/{channel}/{tag}/{name}"
    facts = SAMPLES[name](kind).model_copy(update={"locale": tag})
    try:
        rendered = renderer.render(brand, facts, channel)
    except (TemplateError, ArithmeticError, LookupError, TypeError, ValueError, AttributeError) as error:
        # Whatever a template written by hand can raise; its text may quote the template and the samples only.
        yield Problem(code="template_fails", severity="error", where=where, detail=f"{type(error).__name__}: {error}")
        return
    yield from _flaws(rendered, channel, where)


def _flaws(rendered: Rendered, channel: Channel, where: str) -> Iterator[Problem]:
    if re.search(r"\bNone\b", rendered.text):
        yield Problem(code="says_none", severity="error", where=where)
    if channel is Channel.SMS and segments(rendered.text) > MAX_SEGMENTS:
        yield Problem(code="sms_too_long", severity="error", where=where)
    html = rendered.html or ""
    if len(html.encode()) > EMAIL_LIMIT:
        yield Problem(code="email_too_large", severity="error", where=where, detail=f"{len(html.encode())} bytes")
    for link in _HREF.findall(html):
        if not link.startswith(("https://", "http://", "mailto:", "tel:")):
            yield Problem(code="link_broken", severity="error", where=where, detail=link[:80])
