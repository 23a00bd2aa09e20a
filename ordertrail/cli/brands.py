"""`ordertrail brands`: the shops messages speak for."""

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml
from pydantic import ValidationError

from ordertrail.cli.session import now, opened_database, own_templates, settings_beside
from ordertrail.cli.tables import show
from ordertrail.db import brands as stored_brands
from ordertrail.domain.brand import Brand
from ordertrail.domain.failures import ConfigurationError
from ordertrail.messages.brand_check import Problem, check_brand
from ordertrail.messages.render import Renderer
from ordertrail.wiring.shared import templates_dir

app = typer.Typer(help="Brands: name, sender, support, policy.", no_args_is_help=True)


def read_brands(path: Path) -> list[Brand]:
    """The brands in a YAML or JSON file: one, or a list. Raises ConfigurationError naming the field that is wrong."""
    try:
        content: Any = yaml.safe_load(path.read_text())
    except OSError as error:
        raise ConfigurationError("brands", f"{path} cannot be read: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError):
        raise ConfigurationError("brands", f"{path} is neither YAML nor JSON") from None
    items = content if isinstance(content, list) else [content]
    return [_brand(path, number, item) for number, item in enumerate(items, start=1)]


def _brand(path: Path, number: int, item: Any) -> Brand:
    try:
        return Brand.model_validate(item)
    except ValidationError as error:
        first, *more = error.errors(include_input=False)
        where = ".".join(str(part) for part in first["loc"]) or "brand"
        others = f" (and {len(more)} more)" if more else ""
        raise ConfigurationError("brands", f"{path}, brand {number}, {where}: {first['msg']}{others}") from None


@app.command("import")
def import_brands(
    file: Annotated[Path, typer.Argument(help="YAML or JSON: one brand or a list.")],
    unchecked: Annotated[bool, typer.Option("--unchecked", help="Do not render its messages first.")] = False,
) -> None:
    """Store brands, or replace those with the same id. Running processes see them within seconds.

    Every message is rendered in every language of the brand first; what would be wrong stops the import.
    """
    found = read_brands(file)
    if not unchecked:
        _refuse_faulty(file, found)
    with opened_database(settings_beside()) as database, database.write() as c:
        for brand in found:
            stored_brands.put(c, brand, now())
    typer.echo("Imported: " + ", ".join(brand.id for brand in found))


def _refuse_faulty(file: Path, found: Iterable[Brand]) -> None:
    renderer = Renderer(templates_dir(), own_templates())
    for brand in found:
        for problem in check_brand(brand, renderer):
            if problem.severity == "error":
                hint = f"all of it: ordertrail brands check {file}"
                raise ConfigurationError("brands", f"{file}, brand {brand.id}, {_words(problem)}; {hint}")


@app.command("check")
def check_brands(
    file: Annotated[Path, typer.Argument(help="YAML or JSON: one brand or a list.")],
    strict: Annotated[bool, typer.Option("--strict", help="Let warnings fail too.")] = False,
) -> None:
    """Say what is wrong with brands before they are imported: settings, contrast of colours, links, every message.

    One line for each problem, naming the field. The exit code is 1 when messages would be wrong. Nothing is stored.
    """
    renderer = Renderer(templates_dir(), own_templates())
    worst = 0
    for brand in read_brands(file):
        problems = check_brand(brand, renderer)
        for problem in _brief(problems):
            typer.echo(f"{brand.id}: {problem.severity}: {_words(problem)}")
        if not problems:
            typer.echo(f"{brand.id}: nothing to mend")
        elif strict or any(problem.severity == "error" for problem in problems):
            worst = 1
    sys.exit(worst)


_ALIKE_MOST = 5


def _brief(problems: Iterable[Problem]) -> list[Problem]:
    """At most five of a code: a template that fails, fails in every language."""
    shown: list[Problem] = []
    for problem in problems:
        if sum(each.code == problem.code for each in shown) < _ALIKE_MOST:
            shown.append(problem)
    return shown


def _words(problem: Problem) -> str:
    detail = f" ({' '.join(problem.detail.split())})" if problem.detail else ""
    return f"{problem.where}: {problem.code.replace('_', ' ')}{detail}"


@app.command("list")
def list_brands() -> None:
    """Show all brands."""
    with opened_database(settings_beside()) as database, database.read() as c:
        found = stored_brands.listing(c)
    rows = [(brand.id, brand.name, brand.zone, brand.currency, ", ".join(brand.languages)) for brand in found]
    show("Brands", ("id", "name", "zone", "currency", "languages"), rows)
