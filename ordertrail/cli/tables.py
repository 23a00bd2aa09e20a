"""Tables on the terminal: readable on a screen, one tab-separated line a row in a pipe."""

import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from rich.console import Console
from rich.table import Table
from rich.text import Text


def show(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print rows under their columns; says so when there are none."""
    lines = [[cell(value) for value in row] for row in rows]
    if not sys.stdout.isatty():
        for line in ([*columns], *lines):
            sys.stdout.write("\t".join(line) + "\n")
        return
    table = Table(title=title, title_justify="left", header_style="bold", expand=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    for line in lines:
        table.add_row(*(Text(value) for value in line))
    console = Console()
    console.print(table if lines else f"{title}: none")


def cell(value: object) -> str:
    """A value as one line of text; instants in UTC to the second."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%SZ")
    return "" if value is None else " ".join(str(value).split())
