"""`INSERT … ON CONFLICT` in the dialect at hand."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, Executable, Table, text
from sqlalchemy.dialects import postgresql, sqlite


def insert_for(connection: Connection, table: Table) -> "postgresql.Insert | sqlite.Insert":
    """An insert that knows `on_conflict_do_nothing` and `on_conflict_do_update` on this connection's database."""
    return postgresql.insert(table) if connection.dialect.name == "postgresql" else sqlite.insert(table)


class Prepared:
    """A statement made once per dialect: making one costs four times as much as running it."""

    def __init__(self, table: Table, finish: Callable[[Any], Executable]) -> None:
        self._made: dict[str, Executable] = {
            "postgresql": finish(postgresql.insert(table)),
            "sqlite": finish(sqlite.insert(table)),
        }

    def on(self, connection: Connection) -> Executable:
        """The statement in this connection's dialect; its values are given when it is executed."""
        return self._made[connection.dialect.name]


def hold(connection: Connection, name: str) -> None:
    """Make transactions that hold the same name follow one another. SQLite's writers do so anyway."""
    if connection.dialect.name == "postgresql":
        connection.execute(_HOLD, {"name": name})


_HOLD = text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))")
