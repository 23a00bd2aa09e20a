"""Alembic's entry: runs on the connection, and inside the transaction, that `ordertrail.db.migrate` opened."""

from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext

from ordertrail.db.tables import metadata
from ordertrail.db.types import Json, Sequence64, Utc

_OWN_TYPES = {id(Json): "Json", id(Sequence64): "Sequence64"}


def render_item(kind: str, item: Any, autogenerate: AutogenContext) -> str | Literal[False]:
    """Write our own column types by name, with their import, into a generated revision."""
    name = "Utc" if isinstance(item, Utc) or item is Utc else _OWN_TYPES.get(id(item))
    if kind != "type" or name is None:
        return False
    autogenerate.imports.add(f"from ordertrail.db.types import {name}")
    return "Utc()" if name == "Utc" else name


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    render_item=render_item,
)
context.run_migrations()
