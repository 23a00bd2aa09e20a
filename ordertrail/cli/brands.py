"""`ordertrail brands`: the shops messages speak for."""

from pathlib import Path
from typing import Annotated, Any

import typer
import yaml
from pydantic import ValidationError

from ordertrail.cli.session import now, opened_database, settings_beside
from ordertrail.cli.tables import show
from ordertrail.db import brands as stored_brands
from ordertrail.domain.brand import Brand
from ordertrail.domain.failures import ConfigurationError

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
        first = error.errors(include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "brand"
        raise ConfigurationError("brands", f"{path}, brand {number}, {where}: {first['msg']}") from None


@app.command("import")
def import_brands(file: Annotated[Path, typer.Argument(help="YAML or JSON: one brand or a list.")]) -> None:
    """Store brands, or replace those with the same id. Running processes see them within seconds."""
    found = read_brands(file)
    with opened_database(settings_beside()) as database, database.write() as c:
        for brand in found:
            stored_brands.put(c, brand, now())
    typer.echo("Imported: " + ", ".join(brand.id for brand in found))


@app.command("list")
def list_brands() -> None:
    """Show all brands."""
    with opened_database(settings_beside()) as database, database.read() as c:
        found = stored_brands.listing(c)
    rows = [(brand.id, brand.name, brand.zone, brand.currency, ", ".join(brand.languages)) for brand in found]
    show("Brands", ("id", "name", "zone", "currency", "languages"), rows)
