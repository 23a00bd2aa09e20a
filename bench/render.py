"""What rendering costs, against an empty template with the same layout.

The floor is Jinja2 alone, rendering the product's own layout (head, styles, bar, help, foot) with no words of any kind
of message in it, from variables made beforehand. What the product adds is what a message is about: facts cleaned and
formatted, its sentences in the reader's language, its goods, structured data, and a text part beside the HTML.
"""

import gc
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from jinja2 import ChoiceLoader, Environment, FunctionLoader, Template

from bench.figures import Figure, compared, percentile, say
from ordertrail.domain.vocabulary import Channel
from ordertrail.messages.catalogue import languages
from ordertrail.messages.clean import clean_facts
from ordertrail.messages.context import reader, template_context
from ordertrail.messages.environment import Environments
from ordertrail.messages.pages import Pages
from ordertrail.messages.render import Renderer
from ordertrail.messages.samples import KINDS, sample
from ordertrail.wiring.shared import templates_dir
from tests.messages.facts import CASA_VERDE
from tests.pages import documents

NO_WORDS = """
{% macro headline() %}{% endmacro %}{% macro subject() %}{% endmacro %}{% macro lead() %}{% endmacro %}
{% macro details(parts) %}{% endmacro %}{% macro more() %}{% endmacro %}
"""
"""A kind of message that says nothing."""

PARTS = {
    Channel.EMAIL: ("email.html", "email.txt", "subject.txt"),
    Channel.SMS: ("sms.txt",),
    Channel.PUSH: ("push.txt",),
    Channel.VOICE: ("voice.txt",),
}
PAGES = (documents.TWO_PARCELS, documents.DELIVERED, documents.CATERING, documents.PICKUP)

Job = Callable[[], object]
Pair = tuple[Job, Job]
"""The product's rendering and the floor's of the same thing."""


@dataclass(frozen=True)
class Times:
    """Seconds of the processor that each rendering took."""

    product: list[float] = field(default_factory=list)
    floor: list[float] = field(default_factory=list)


async def measure(*, quick: bool) -> list[Figure]:
    """Every kind in every language on each channel, and the tracking page in every language, several times over."""
    rounds = 2 if quick else 12
    figures: list[Figure] = []
    for channel in Channel:
        figures += _figures(channel, timed([*messages(channel)], rounds))
        say(f"rendered {channel}")
    return [*figures, *_figures("page", timed([*pages()], rounds * 4))]


def _figures(name: str, times: Times) -> list[Figure]:
    ms = {
        share: [percentile(taken, share) * 1000 for taken in (times.product, times.floor)] for share in (0.5, 0.99)
    }  # fmt: skip
    rates = [len(taken) / sum(taken) for taken in (times.product, times.floor)]
    return [
        compared(f"render.{name}.p50", *ms[0.5], "ms"),
        compared(f"render.{name}.p99", *ms[0.99], "ms"),
        compared(f"render.{name}.per_s", *rates, "/s on one core"),
    ]


def timed(pairs: Sequence[Pair], rounds: int) -> Times:
    """Both of each pair in turn; the first round, which reads templates and catalogues, does not count."""
    times = Times()
    for counted in (False, *[True] * rounds):
        gc.collect()
        for product, floor in pairs:
            taken = _seconds(product), _seconds(floor)
            if counted:
                times.product.append(taken[0])
                times.floor.append(taken[1])
    return times


def _seconds(job: Job) -> float:
    began = time.thread_time()
    job()
    return time.thread_time() - began


def messages(channel: Channel) -> Iterator[Pair]:
    """Realistic messages of one brand."""
    renderer, environments = Renderer(templates_dir()), Environments(templates_dir())
    for language in sorted(languages()):
        html = _wordless(environments.html(CASA_VERDE.id, language))
        text = _wordless(environments.text(CASA_VERDE.id, language))
        layouts = [
            (html if part.endswith(".html") else text).get_template(f"messages/_layout/{part}")
            for part in PARTS[channel]
        ]  # fmt: skip
        for kind in KINDS:
            facts = sample(kind, locale=language.replace("_", "-"))
            ready = template_context(CASA_VERDE, clean_facts(facts), reader(CASA_VERDE, facts))
            ready |= {"json_ld": None, "spoken": channel is Channel.VOICE}
            yield partial(renderer.render, CASA_VERDE, facts, channel), partial(_all, layouts, ready)


def pages() -> Iterator[Pair]:
    """Tracking pages of four kinds of order."""
    made, environments = Pages(templates_dir()), Environments(templates_dir())
    for language in sorted(languages()):
        empty = environments.html(CASA_VERDE.id, language).from_string('{% extends "portal/base.html" %}')
        ready = {"brand": CASA_VERDE, "language": language, "assets": "0"}
        for document in PAGES:
            view = {**document, "locale": language.replace("_", "-")}
            shown = partial(made.tracking, view, CASA_VERDE, stream_url="/stream", updated_at=documents.UPDATED)
            yield shown, partial(_all, [empty], ready)


def _wordless(env: Environment) -> Environment:
    """The same environment, in which no kind of message has any words."""
    silent = FunctionLoader(lambda name: NO_WORDS if name.endswith("/words.j2") else None)
    return env.overlay(loader=ChoiceLoader([silent, *([env.loader] if env.loader else [])]))


def _all(templates: Sequence[Template], context: Mapping[str, object]) -> list[str]:
    return [template.render(context) for template in templates]
