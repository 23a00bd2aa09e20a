"""Column types that mean the same on SQLite and PostgreSQL."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Dialect, Integer, String
from sqlalchemy import types as sa
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP

Json = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
Sequence64 = BigInteger().with_variant(Integer(), "sqlite")
"""An ascending number given by the database; SQLite only auto-numbers INTEGER keys."""


class Utc(sa.TypeDecorator[datetime]):
    """An aware UTC instant. SQLite keeps it as fixed-width text so that it sorts; PostgreSQL as timestamptz.

    A naive datetime is refused at the door instead of being guessed at.
    """

    impl = String(27)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> sa.TypeEngine[Any]:
        if dialect.name == "postgresql":
            return dialect.type_descriptor(TIMESTAMP(timezone=True))
        return dialect.type_descriptor(String(27))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a stored instant needs its offset")
        value = value.astimezone(UTC)
        return value if dialect.name == "postgresql" else value.isoformat(timespec="microseconds")[:26] + "Z"

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if isinstance(value, datetime):
            return value.astimezone(UTC)
        return datetime.fromisoformat(value)
