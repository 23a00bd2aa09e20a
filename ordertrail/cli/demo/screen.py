"""What the demo shows: a live table on a terminal, a line per change anywhere else."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text
from sqlalchemy import Connection, select

from ordertrail.cli.demo.check import Verdict
from ordertrail.cli.demo.player import Play
from ordertrail.db.tables import deliveries, orders
from ordertrail.domain.vocabulary import DeliveryState

_MARKS: dict[str, str] = {
    DeliveryState.HELD: "waits", DeliveryState.PLANNED: "sending", DeliveryState.CLAIMED: "sending",
    DeliveryState.ACCEPTED: "sent", DeliveryState.DELIVERED: "received", DeliveryState.FAILED: "failed",
}  # fmt: skip
_COLOURS = {
    "delivered": "green",
    "cancelled": "bright_black",
    "attention": "red",
    "returning": "red",
    "returned": "red",
}


@dataclass(frozen=True, kw_only=True)
class Line:
    """One order on the screen."""

    title: str
    brand: str
    number: str
    status: str = "not yet placed"
    last_message: str = ""
    messages: int = 0
    deadline: str = ""


def look(c: Connection, plays: Sequence[Play], now: datetime) -> list[Line]:
    """The present line of each order, straight from the database: two small queries for the whole screen."""
    ids = [play.order_id for play in plays if play.order_id]
    o, d = orders.c, deliveries.c
    found = {row.id: row for row in c.execute(select(o.id, o.status, o.conditions, o.deadline).where(o.id.in_(ids)))}
    messages: dict[str, list[tuple[str, str, str]]] = {}
    statement = select(d.order_id, d.kind, d.channel, d.state).where(d.order_id.in_(ids)).order_by(d.planned_at, d.id)
    for row in c.execute(statement):
        messages.setdefault(row.order_id, []).append((row.kind, row.channel, row.state))
    return [_line(play, found.get(play.order_id), messages.get(play.order_id, []), now) for play in plays]


def _line(play: Play, row: Any, told: Sequence[tuple[str, str, str]], now: datetime) -> Line:
    number = str(play.scenario.order["external_id"])
    base = Line(title=play.scenario.title, brand=play.scenario.brand, number=number)
    if row is None:
        return base
    kind, channel, state = told[-1] if told else ("", "", "")
    return replace(
        base,
        status=" + ".join((row.status, *row.conditions)),
        last_message=f"{kind} by {channel}, {_MARKS.get(state, state)}" if told else "",
        messages=sum(each in (DeliveryState.ACCEPTED, DeliveryState.DELIVERED) for *_, each in told),
        deadline=_until(row.deadline, now),
    )


def _until(deadline: datetime | None, now: datetime) -> str:
    if deadline is None:
        return ""
    left = deadline - now
    if left > timedelta(days=1):
        return f"in {left.days} d"
    seconds = max(0, round(left.total_seconds()))
    return f"in {seconds} s" if seconds < 120 else f"in {seconds // 60} min"


class Screen:
    """Shows lines; on a terminal in place, elsewhere each order's line when it changes."""

    def __init__(self, *, interactive: bool | None = None, write: Callable[[str], object] = sys.stdout.write) -> None:
        self._interactive = sys.stdout.isatty() if interactive is None else interactive
        self._write = write
        self._live: Live | None = None
        self._shown: dict[str, tuple[str, str]] = {}

    @contextmanager
    def live(self) -> Iterator[None]:
        """While inside, `show` draws in place."""
        if not self._interactive:
            yield
            return
        with Live(console=Console(), auto_refresh=False) as self._live:
            yield
        self._live = None

    def show(self, lines: Sequence[Line]) -> None:
        """Show the present state of all orders."""
        if self._live is not None:
            self._live.update(_table(lines), refresh=True)
            return
        for line in lines:
            news = (line.status, line.last_message)
            if line.number not in self._shown or self._shown[line.number] != news:
                self._shown[line.number] = news
                self._write(
                    f"{line.brand} {line.number}  {line.title}: {line.status}; {line.last_message or 'silent'}\n"
                )

    def tell(self, words: str) -> None:
        """Say something besides the lines."""
        if self._live is not None:
            self._live.console.print(Text(words))
        else:
            self._write(words + "\n")

    def verdicts(self, verdicts: Sequence[Verdict]) -> None:
        """Show what the check found."""
        if self._interactive:
            Console().print(_verdict_table(verdicts))
            return
        for verdict in verdicts:
            self._write(f"{'ok   ' if not verdict.wrong else 'WRONG'} {verdict.scenario.title}: {_found(verdict)}\n")


def _table(lines: Sequence[Line]) -> Table:
    table = Table(title="ordertrail demo", title_justify="left", header_style="bold", expand=True)
    for column, ratio in (("order", 5), ("brand", 2), ("status", 4), ("last message", 5), ("sent", 1), ("deadline", 2)):
        table.add_column(column, ratio=ratio, no_wrap=True, overflow="ellipsis")
    for line in lines:
        status = Text(line.status, style=_COLOURS.get(line.status.split(" ")[0], ""))
        if "+" in line.status:
            status.stylize("yellow")
        table.add_row(
            f"{line.number} {line.title}", line.brand, status, line.last_message, str(line.messages), line.deadline
        )
    return table


def _verdict_table(verdicts: Sequence[Verdict]) -> Table:
    table = Table(title="Expected messages against what was sent", title_justify="left", header_style="bold")
    for column in ("", "order", "messages"):
        table.add_column(column, overflow="fold")
    for verdict in verdicts:
        mark = Text("ok", style="green") if not verdict.wrong else Text("WRONG", style="bold red")
        table.add_row(mark, verdict.scenario.title, Text(_found(verdict)))
    return table


def _found(verdict: Verdict) -> str:
    return "; ".join(verdict.wrong) or f"{verdict.sent} messages, as expected"
