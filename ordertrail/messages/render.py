"""Turns a message's facts into the exact bytes that leave."""

import re
from pathlib import Path
from typing import Any

from jinja2 import Environment, Template

from ordertrail.domain.brand import Brand
from ordertrail.domain.message import MessageFacts, Rendered
from ordertrail.domain.vocabulary import Channel, MessageKind
from ordertrail.messages import voice
from ordertrail.messages.bidi import ISOLATES
from ordertrail.messages.clean import clean_facts, clean_text
from ordertrail.messages.context import reader, small_link, template_context
from ordertrail.messages.environment import Environments, content_hash
from ordertrail.messages.formats import Formatter
from ordertrail.messages.sms import fit
from ordertrail.messages.threading import email_headers

_SUBJECT_MAX = 150
_TITLE_MAX, _BODY_MAX = 100, 400
"""Characters: what phones show of a notification, with room to spare."""
_BLANK_LINES = re.compile(r"\n[ \t]*(?:\n[ \t]*)+")
_ALONE = frozenset({MessageKind.FEEDBACK_INVITE, MessageKind.SUPPORT_REPLY, MessageKind.DIGEST, MessageKind.OFFER})
_LAYOUT = "messages/_layout"


class Renderer:
    """Renders messages from `templates_dir`; thread-safe, constructed once in wiring.

    A template is looked for as `brands/<brand id>/messages/<kind>/<part>`, then as `messages/<kind>/<part>`, then as
    `messages/_layout/<part>`; `own_dir`, if given, holds further `<brand id>/messages/...` and goes first. The parts
    are `words.j2` (the kind's sentences), `subject.txt`, `email.html`, `email.txt`, `sms.txt`, `push.txt`, `voice.txt`.
    """

    def __init__(self, templates_dir: Path, own_dir: Path | None = None) -> None:
        self._environments = Environments(templates_dir, own_dir)
        folders = content_hash(templates_dir, ("messages", "brands"))
        self._versions = content_hash(own_dir, (".",), start=folders) if own_dir else folders

    def versions(self) -> str:
        """A short hash of the content of all message templates, stored with each decision."""
        return self._versions

    def render(self, brand: Brand, facts: MessageFacts, channel: Channel) -> Rendered:
        """The message for one channel, in the reader's language; see `Rendered` for what each channel has.

        SMS is at most two segments long. Facts are cleaned of control and bidi characters first, so nothing in them
        can add a header or turn text around. Raises jinja2's errors for a template that uses a fact it was not given
        (a defect, caught by the suite and by `check_brand`).
        """
        facts = clean_facts(facts)
        fmt = reader(brand, facts)
        message = _Message(brand, facts, fmt, self._environments)
        match channel:
            case Channel.EMAIL:
                return message.email()
            case Channel.SMS:
                return message.sms()
            case Channel.PUSH:
                return message.push()
            case Channel.VOICE:
                return message.voice()


class _Message:
    """One message on its way through the templates."""

    def __init__(self, brand: Brand, facts: MessageFacts, fmt: Formatter, environments: Environments) -> None:
        self._brand = brand
        self._facts = facts
        self._fmt = fmt
        self._text = environments.text(brand.id, fmt.catalogue)
        self._html = environments.html
        self._context = template_context(brand, facts, fmt)

    def email(self) -> Rendered:
        html = self._part(self._html(self._brand.id, self._fmt.catalogue), "email.html")
        words = self._words()
        return Rendered(
            subject=_cut(clean_text(self._part(self._text, "subject.txt"), ISOLATES), _SUBJECT_MAX),
            preheader=clean_text(str(words.lead()), ISOLATES),
            html=html.strip() + "\n",
            text=_BLANK_LINES.sub("\n\n", self._part(self._text, "email.txt")).strip() + "\n",
            headers=email_headers(self._brand, self._facts),
            language=self._fmt.tag,
        )

    def sms(self) -> Rendered:
        self._context["brief"] = True
        link = small_link(self._brand, self._facts)
        tail: Any = self._text.get_template(f"{_LAYOUT}/common.j2").make_module(self._context)
        forms = (tail.whom_to_ask(), tail.whom_to_ask(compact=True), tail.contact(compact=True))
        whom = [str(form).strip() for form in forms]
        text = fit(self._lines("sms.txt"), link, contact=whom, why=str(tail.why_this_text()).strip())
        return Rendered(text=text, link=link or None, language=self._fmt.tag)

    def push(self) -> Rendered:
        title, *body = self._lines("push.txt")
        return Rendered(
            title=_cut(title, _TITLE_MAX),
            text=_fitting(body, _BODY_MAX),
            link=small_link(self._brand, self._facts) or None,
            collapse_key=_collapse_key(self._facts),
            language=self._fmt.tag,
        )

    def voice(self) -> Rendered:
        self._context["spoken"] = True
        around: Any = self._text.get_template(f"{_LAYOUT}/voice.j2").make_module(self._context)
        news = voice.spoken(self._lines("voice.txt"), self._fmt.locale.language)
        menu = around.menu if self._brand.support.phone else around.menu_without_support
        said = {"hello": around.hello(), "menu": menu(), "bye": around.bye()}
        said = {part: voice.speakable(str(words)) for part, words in said.items()}
        return Rendered(
            text="\n".join((said["hello"], *news, said["menu"])),
            twiml=voice.script(str(self._fmt.locale), news=news, **said),
            language=self._fmt.tag,
        )

    def _words(self) -> Any:
        return self._text.get_template(f"messages/{self._facts.kind}/words.j2").make_module(self._context)

    def _part(self, env: Environment, name: str) -> str:
        template: Template = env.select_template([f"messages/{self._facts.kind}/{name}", f"{_LAYOUT}/{name}"])
        return template.render(self._context)

    def _lines(self, name: str) -> list[str]:
        lines = (" ".join(line.split()) for line in self._part(self._text, name).splitlines())
        return [line for line in lines if line]


def _collapse_key(facts: MessageFacts) -> str:
    """News of one parcel, or of the order itself, replaces older news of the same; other kinds stand alone."""
    if facts.kind in _ALONE:
        return f"{facts.order_id}:{facts.kind}"
    return f"{facts.order_id}:{facts.shipment.ref if facts.shipment else ''}"


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def _fitting(lines: list[str], most: int) -> str:
    """As many whole lines as fit; the first one cut where it is too long by itself."""
    told = _cut(lines[0], most) if lines else ""
    for line in lines[1:]:
        if len(told) + 1 + len(line) > most:
            break
        told += "\n" + line
    return told
