"""Collects the sentences of all templates into `locale/messages.pot`, from which translations are made.

Run `python -m ordertrail.messages.extract` after changing a sentence; with `--update` it also brings every
catalogue up to date: new sentences are added untranslated, vanished ones dropped, and nothing is guessed.
"""

import argparse
import io
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from babel.messages import frontend
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from ordertrail.messages.catalogue import LOCALE_DIR

TEMPLATE = LOCALE_DIR / "messages.pot"
MAPPING = Path(__file__).parent / "babel.cfg"
# A date of its own would change the file at every run, and say nothing that the file's history does not.
_CREATED = datetime(2026, 1, 1, tzinfo=UTC)
_WIDTH = 110
_parse_mapping: Callable[..., tuple[list[tuple[str, str]], dict[str, dict[str, Any]]]] = frontend.parse_mapping_cfg


def collect(templates_dir: Path) -> Catalog:
    """Every sentence of the templates, in the order of the files, with translators' notes (`NOTE:` comments)."""
    catalogue = Catalog(
        project="ordertrail", version="1", charset="utf-8", creation_date=_CREATED, fuzzy=False,
        header_comment="# Sentences of the message and page templates. Made by ordertrail.messages.extract.",
    )  # fmt: skip
    with MAPPING.open(encoding="utf-8") as file:
        methods, options = _parse_mapping(file, filename=str(MAPPING))
    found = extract_from_dir(
        templates_dir, method_map=methods, options_map=options, comment_tags=("NOTE:",), strip_comment_tags=True,
        directory_filter=lambda _: True,  # Babel passes over folders with a leading underscore
    )  # fmt: skip
    for path, _, message, comments, context in sorted(found, key=lambda entry: (entry[0], entry[1])):
        catalogue.add(message, None, [(path.replace("\\", "/"), 0)], auto_comments=comments, context=context)
    return catalogue


def as_text(catalogue: Catalog) -> str:
    """The catalogue as a gettext file; the same sentences give the same text."""
    out = io.BytesIO()
    write_po(out, catalogue, width=_WIDTH, include_lineno=False, ignore_obsolete=True)
    return out.getvalue().decode()


def update(catalogue: Catalog) -> list[Path]:
    """Bring each language's file in line with the sentences there are; returns the files written."""
    written = []
    for file in sorted(LOCALE_DIR.glob("*/LC_MESSAGES/messages.po")):
        with file.open("rb") as source:
            translated = read_po(source, locale=file.parents[1].name)
        translated.update(catalogue, no_fuzzy_matching=True, update_header_comment=False, keep_user_comments=True)
        file.write_text(as_text(translated), encoding="utf-8")
        written.append(file)
    return written


def main(arguments: Sequence[str] | None = None) -> None:
    """The command. `--templates` is the folder to read, beside the package unless told otherwise."""
    parser = argparse.ArgumentParser(prog="python -m ordertrail.messages.extract", description=__doc__)
    parser.add_argument("--templates", type=Path, default=Path(__file__).parents[2] / "templates")
    parser.add_argument("--update", action="store_true", help="bring every language's catalogue up to date as well")
    options = parser.parse_args(arguments)
    catalogue = collect(options.templates)
    TEMPLATE.parent.mkdir(exist_ok=True)
    TEMPLATE.write_text(as_text(catalogue), encoding="utf-8")
    if options.update:
        update(catalogue)


if __name__ == "__main__":
    main()
