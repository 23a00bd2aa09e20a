"""Brings a database's schema to this version's; safe to run from several processes at once."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from ordertrail.db.engine import Database
from ordertrail.db.tables import metadata

_SCRIPTS = Path(__file__).parent / "migrations"
_LOCK = 0x0DE27A11
"""PostgreSQL advisory lock of this product's migrations; any fixed number does."""


def upgrade(database: Database) -> tuple[str | None, str]:
    """Apply every revision that is missing, all in one transaction. The revisions before and after.

    A second process waits for the first and then finds nothing to do. Raises Transient when the database is away.
    """
    with _exclusively(database) as connection:
        before = current(connection)
        command.upgrade(_config(connection), "head")
        return before, current(connection) or ""


def current(connection: Connection) -> str | None:
    """The revision a database is at; None for an empty one."""
    return MigrationContext.configure(connection).get_current_revision()


def newest() -> str:
    """The revision this version of the code needs."""
    return ScriptDirectory(str(_SCRIPTS)).get_current_head() or ""


def is_current(database: Database) -> bool:
    """Whether the schema is the one this version of the code needs. Raises Transient when the database is away."""
    with database.read() as connection:
        return current(connection) == newest()


def differences(connection: Connection) -> list[object]:
    """What tells a migrated database from the tables in code; empty when they agree."""
    # PostgreSQL is asked whether two defaults are equal; on SQLite their spellings would be compared ('' with nothing).
    ask = connection.dialect.name == "postgresql"
    context = MigrationContext.configure(connection, opts={"compare_server_default": ask})
    return list(compare_metadata(context, metadata))


def revise(database: Database, message: str) -> None:
    """Write a new revision file from the differences between an up-to-date database and the tables in code."""
    with _exclusively(database) as connection:
        scripts = ScriptDirectory(str(_SCRIPTS))
        number = len(list(scripts.walk_revisions())) + 1
        command.revision(_config(connection), message, autogenerate=True, rev_id=f"{number:04d}")


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


@contextmanager
def _exclusively(database: Database) -> Iterator[Connection]:
    """A write transaction nobody else migrates in: SQLite's writers exclude each other by themselves."""
    with database.write() as connection:
        if not database.is_sqlite:
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        yield connection
