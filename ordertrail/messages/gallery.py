"""The gallery: every kind of message on every channel, in any language and brand, made from sample data."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from jinja2 import TemplateError

from ordertrail.domain.brand import Brand
from ordertrail.domain.message import MessageFacts, Rendered, ShipmentFacts
from ordertrail.domain.order import OrderLine
from ordertrail.domain.vocabulary import Channel, MessageKind
from ordertrail.messages.catalogue import catalogue_of, languages, message_locale
from ordertrail.messages.pages import Pages
from ordertrail.messages.render import Renderer
from ordertrail.messages.samples import KINDS
from ordertrail.messages.samples_extreme import SAMPLES
from ordertrail.messages.sms import segments

REALISTIC = "realistic"
Scheme = Literal["light", "dark"]
PICTURES = ("lamp.png", "cushion.png", "mug.png")
"""Pictures for the sample goods, in the static folder `demo`."""

_SCHEME = re.compile(r"\(\s*prefers-color-scheme\s*:\s*(dark|light)\s*\)")
_ALWAYS, _NEVER = "(min-width: 0px)", "(max-width: 0px)"


@dataclass(frozen=True, kw_only=True)
class Choice:
    """Which messages to show. `language` is a BCP 47 tag; `data` is one of `SAMPLES`."""

    brand: Brand
    kind: MessageKind
    language: str
    data: str = REALISTIC


@dataclass(frozen=True, kw_only=True)
class Part:
    """One message of the gallery. `problem` says why there is none: the template's own error, without data."""

    channel: Channel
    rendered: Rendered | None = None
    segments: int = 0
    problem: str = ""


class Gallery:
    """Renders samples and the operator's pages about them. `static_url` is where the static files are, without '/'."""

    def __init__(self, renderer: Renderer, pages: Pages, static_url: str) -> None:
        self._renderer = renderer
        self._pages = pages
        self._static_url = static_url

    def part(self, choice: Choice, channel: Channel) -> Part:
        """The message for one channel, or what is wrong with its template."""
        try:
            rendered = self._renderer.render(choice.brand, self.facts(choice), channel)
        except TemplateError as error:
            return Part(channel=channel, problem=f"{type(error).__name__}: {error.message}")
        except (
            ArithmeticError,
            AttributeError,
            LookupError,
            TypeError,
            ValueError,
        ) as error:  # by a brand's own template
            return Part(channel=channel, problem=type(error).__name__)
        return Part(
            channel=channel, rendered=rendered, segments=segments(rendered.text) if channel is Channel.SMS else 0
        )

    def facts(self, choice: Choice) -> MessageFacts:
        """The sample's facts in this language, with pictures of ours where the sample has any."""
        given = SAMPLES[choice.data](choice.kind)
        pictures = {line.sku: self._picture(number) for number, line in enumerate(given.lines) if line.image_url}
        parcel = given.shipment and _pictured_parcel(given.shipment, pictures)
        changes = {"locale": choice.language, "lines": _pictured(given.lines, pictures), "shipment": parcel}
        return given.model_copy(update=changes)

    def _picture(self, number: int) -> str:
        return f"{self._static_url}/demo/{PICTURES[number % len(PICTURES)]}"

    def overview(self, brands: Sequence[Brand], choice: Choice) -> str:
        """The page with every kind in one brand, language and set of samples."""
        kinds = [
            {channel: self.part(_of_kind(choice, kind), channel) for channel in (Channel.EMAIL, Channel.SMS)}
            for kind in KINDS
        ]
        rows = list(zip(KINDS, kinds, strict=True))
        return self._pages.render("gallery.html", None, None, rows=rows, **_choices(brands, choice))

    def sheet(
        self, brands: Sequence[Brand], choice: Choice, *, token: str, channels: Sequence[tuple[str, str]], said: str,
        failed: bool, tests: Sequence[object],
    ) -> str:  # fmt: skip
        """The page with one kind on every channel. `token` goes with the form that sends a test by these `channels`
        (value, words).

        `said` tells what became of the test just asked for, `tests` holds the last ones.
        """
        at = KINDS.index(choice.kind)
        return self._pages.render(
            "gallery_kind.html", None, None,
            parts=[self.part(choice, channel) for channel in Channel],
            before=KINDS[at - 1] if at else None,
            after=KINDS[at + 1] if at + 1 < len(KINDS) else None,
            token=token, channels=channels, said=said, failed=failed, tests=tests,
            **_choices(brands, choice),
        )  # fmt: skip


def languages_of(brand: Brand) -> list[tuple[str, str]]:
    """(BCP 47 tag, its own name) of each language a message can be in; the brand's own first."""
    tags = [*brand.languages, *(name.replace("_", "-") for name in sorted(languages()))]
    own = {catalogue_of(message_locale(tag)) for tag in brand.languages}
    kept = [tag for n, tag in enumerate(tags) if n < len(brand.languages) or tag.replace("-", "_") not in own]
    return [(tag, message_locale(tag).get_display_name() or tag) for tag in kept]


def in_scheme(html: str, scheme: Scheme | None) -> str:
    """The email as a reader sees it who prefers light or dark; None leaves that to the browser."""
    if scheme is None:
        return html
    return _SCHEME.sub(lambda wanted: _ALWAYS if wanted[1] == scheme else _NEVER, html)


def _choices(brands: Sequence[Brand], choice: Choice) -> dict[str, object]:
    return {
        "chosen": choice, "brands": brands, "sets": list(SAMPLES), "languages": languages_of(choice.brand),
        "kinds": KINDS,
    }  # fmt: skip


def _of_kind(choice: Choice, kind: MessageKind) -> Choice:
    return Choice(brand=choice.brand, kind=kind, language=choice.language, data=choice.data)


def _pictured(lines: Sequence[OrderLine], pictures: dict[str, str]) -> tuple[OrderLine, ...]:
    return tuple(
        OrderLine.model_validate({**line.model_dump(), "image_url": pictures[line.sku]})
        if line.sku in pictures
        else line
        for line in lines
    )


def _pictured_parcel(parcel: ShipmentFacts, pictures: dict[str, str]) -> ShipmentFacts:
    return parcel.model_copy(update={"lines": _pictured(parcel.lines, pictures)})
