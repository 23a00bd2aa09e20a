"""`INSERT … ON CONFLICT` in the dialect at hand."""

from sqlalchemy import Connection, Table, text
from sqlalchemy.dialects import postgresql, sqlite


def insert_for(connection: Connection, table: Table) -> "postgresql.Insert | sqlite.Insert":
    """An insert that knows `on_conflict_do_nothing` and `on_conflict_do_update` on this connection's database."""
    return postgresql.insert(table) if connection.dialect.name == "postgresql" else sqlite.insert(table)


def hold(connection: Connection, name: str) -> None:
    """Make transactions that hold the same name follow one another. SQLite's writers do so anyway."""
    if connection.dialect.name == "postgresql":
        connection.execute(_HOLD, {"name": name})


_HOLD = text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))")
