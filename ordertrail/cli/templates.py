"""`ordertrail templates`: messages as customers would get them, as files."""

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import typer

from ordertrail.cli.brands import read_brands
from ordertrail.cli.session import opened_database, own_templates, settings_beside
from ordertrail.db import brands as stored_brands
from ordertrail.domain.brand import Brand
from ordertrail.domain.failures import ConfigurationError
from ordertrail.domain.vocabulary import Channel, MessageKind
from ordertrail.messages.gallery import PICTURES, REALISTIC, Choice, Gallery, Part, in_scheme, languages_of
from ordertrail.messages.pages import Pages
from ordertrail.messages.render import Renderer
from ordertrail.messages.samples_extreme import SAMPLES
from ordertrail.wiring.shared import templates_dir

app = typer.Typer(help="Message templates: look at them.", no_args_is_help=True)

_STATIC_URL = "https://pictures.invalid"
"""Stands for the pictures beside the files until a message is written; only addresses of the web are rendered."""


@app.callback()
def group() -> None:
    """Message templates: look at them."""


@app.command("preview")
def preview(
    brand: Annotated[str, typer.Option("--brand", help="The brand's id.")],
    out: Annotated[Path, typer.Option("--out", help="Directory to write to.", file_okay=False)],
    kind: Annotated[list[MessageKind] | None, typer.Option("--kind", help="Only this kind; may be repeated.")] = None,
    language: Annotated[list[str] | None, typer.Option("--language", help="Only this language, such as 'de'.")] = None,
    data: Annotated[list[str] | None, typer.Option("--data", help=f"Sample data: {', '.join(SAMPLES)}.")] = None,
    file: Annotated[Path | None, typer.Option("--file", help="Take the brand from a file, not the database.")] = None,
) -> None:
    """Write every message of a brand as files, and an index.html that leads to them."""
    chosen = _from_file(file, brand) if file else _stored(brand)
    wanted = _wanted(chosen, kind or list(MessageKind), language or [], data or [REALISTIC])
    templates = templates_dir()
    pages = Pages(templates, own_templates())
    gallery = Gallery(Renderer(templates, own_templates()), pages, _STATIC_URL)
    out.mkdir(parents=True, exist_ok=True)
    rows = [(choice, _write_all(gallery, choice, out)) for choice in wanted]
    static = templates / "portal" / "static"
    (out / "demo").mkdir(exist_ok=True)
    for name in PICTURES:
        shutil.copyfile(static / "demo" / name, out / "demo" / name)
    shutil.copyfile(static / "portal.css", out / "portal.css")
    (out / "index.html").write_text(pages.render("preview_index.html", None, None, of=chosen, rows=rows), "utf-8")
    typer.echo(f"{sum(len(files) for _, files in rows)} files in {out}; open {out / 'index.html'}")


def _from_file(file: Path, wanted: str) -> Brand:
    for brand in read_brands(file):
        if brand.id == wanted:
            return brand
    raise ConfigurationError("brands", f"{file} has no brand '{wanted}'")


def _stored(wanted: str) -> Brand:
    with opened_database(settings_beside()) as database, database.read() as c:
        for brand in stored_brands.listing(c):
            if brand.id == wanted:
                return brand
    raise ConfigurationError("brands", f"there is no brand '{wanted}'; see: ordertrail brands list")


def _wanted(brand: Brand, kinds: Sequence[MessageKind], languages: Sequence[str], sets: Sequence[str]) -> list[Choice]:
    known = [tag for tag, _ in languages_of(brand)]
    for name, values, allowed in (("--language", languages, known), ("--data", sets, list(SAMPLES))):
        for value in values:
            if value not in allowed:
                raise ConfigurationError("templates", f"{name} {value}: not one of {', '.join(allowed)}")
    return [
        Choice(brand=brand, kind=kind, language=language, data=data)
        for kind in kinds
        for language in languages or known
        for data in sets
    ]


def _write_all(gallery: Gallery, choice: Choice, out: Path) -> list[str]:
    """Writes one kind in one language; the names of the files, from `out`."""
    folder = f"{choice.kind}/{choice.language}-{choice.data}"
    (out / folder).mkdir(parents=True, exist_ok=True)
    written = []
    for channel in Channel:
        for name, text in _files(gallery.part(choice, channel)):
            (out / folder / name).write_text(text, "utf-8")
            written.append(f"{folder}/{name}")
    return written


def _files(part: Part) -> Iterator[tuple[str, str]]:
    """(name, content) of what one message is made of."""
    message = part.rendered
    if message is None:
        raise ConfigurationError("templates", f"{part.channel} does not render: {part.problem}")
    match part.channel:
        case Channel.EMAIL:
            html = (message.html or "").replace(_STATIC_URL, "../..")
            yield "email-light.html", in_scheme(html, "light")
            yield "email-dark.html", in_scheme(html, "dark")
            headers = "".join(f"{name}: {value}\n" for name, value in message.headers.items())
            yield "email.txt", f"Subject: {message.subject}\n{headers}\n{message.text}"
        case Channel.SMS:
            yield "sms.txt", message.text + "\n"
        case Channel.PUSH:
            yield "push.txt", f"{message.title}\n{message.text}\n{message.link or ''}\n"
        case Channel.VOICE:
            yield "voice.xml", (message.twiml or "") + "\n"
