"""The `ordertrail` command."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from ordertrail.cli import brands, database, inbox, keys, orders, pieces_alone, templates, temporal_setup, up
from ordertrail.cli.demo import command as demo
from ordertrail.cli.session import DEFAULT_DATA_DIR
from ordertrail.domain.failures import OrdertrailError

_EXPECTED_FAILURE = 2
_INTERRUPTED = 130

app = typer.Typer(
    name="ordertrail",
    help="Every customer order as a durable workflow that tells its customer the right thing, once.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)

_DATA_DIR = typer.Option(
    "--data-dir",
    envvar="ORDERTRAIL_DATA_DIR",
    show_default=".ordertrail",
    help="Where an embedded system keeps its files.",
    file_okay=False,
)


@app.callback()
def root(data_dir: Annotated[Path | None, _DATA_DIR] = None) -> None:
    """Every customer order as a durable workflow that tells its customer the right thing, once.

    Start with [bold]ordertrail demo[/bold]: it needs no account and no configuration.
    """
    os.environ["ORDERTRAIL_DATA_DIR"] = str(data_dir or DEFAULT_DATA_DIR)


demo.add_to(app)
up.add_to(app)
pieces_alone.add_to(app)
temporal_setup.add_to(app)
app.add_typer(database.app, name="db")
app.add_typer(orders.app, name="orders")
app.add_typer(inbox.app, name="inbox")
app.add_typer(keys.app, name="keys")
app.add_typer(brands.app, name="brands")
app.add_typer(templates.app, name="templates")


def main() -> None:
    """Run the command line. An expected failure is one line on stderr and exit code 2, never a traceback."""
    try:
        app()
    except OrdertrailError as error:
        sys.stderr.write(f"ordertrail: {error}\n")
        sys.exit(_EXPECTED_FAILURE)
    except KeyboardInterrupt:
        sys.exit(_INTERRUPTED)
