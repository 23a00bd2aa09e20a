"""API keys: only the hash of a key is stored, with the brand and the scopes it opens."""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import Connection, RowMapping, select, update
from ulid import ULID

from ordertrail.db.tables import api_keys
from ordertrail.db.upsert import insert_for
from ordertrail.domain.base import Slug

PREFIX = "otk_"
"""Every key starts so, which lets secret scanners find a leaked one."""

_NAME: TypeAdapter[str] = TypeAdapter(Slug)


class Scope(StrEnum):
    """What a key may do."""

    ORDERS_WRITE = "orders:write"
    EVENTS_WRITE = "events:write"
    ORDERS_READ = "orders:read"
    CASES_READ = "cases:read"
    OPS = "ops"


@dataclass(frozen=True, kw_only=True)
class ApiKey:
    """A key as everybody but its holder sees it. `name` outlives rotation: two keys may share it."""

    id: str
    brand: str
    name: str
    scopes: frozenset[Scope]
    created_at: datetime
    revoked_at: datetime | None = None

    @property
    def connection(self) -> str:
        """The connection its payloads come from: by name, so that a rotated key still knows what was sent before."""
        return f"api:{self.name}"


_COLUMNS = [api_keys.c[name] for name in ApiKey.__annotations__]


def secret_sha256(secret: str) -> str:
    """What is stored of a key. A plain hash is enough: the secret is 256 random bits, not a password."""
    return hashlib.sha256(secret.encode()).hexdigest()


def create(
    c: Connection, *, brand: str, name: str, scopes: Sequence[Scope], now: datetime
) -> tuple[ApiKey, str]:  # fmt: skip
    """Make a key and its secret, which is shown once only. Raises ValidationError if `name` is no slug."""
    secret = PREFIX + secrets.token_urlsafe(32)
    key = ApiKey(
        id=f"key_{ULID.from_datetime(now)!s}".lower(), brand=brand, name=_NAME.validate_python(name),
        scopes=frozenset(scopes), created_at=now,
    )  # fmt: skip
    c.execute(
        insert_for(c, api_keys).values(
            id=key.id, brand=brand, name=key.name, secret_sha256=secret_sha256(secret), scopes=sorted(key.scopes),
            created_at=now,
        )
    )  # fmt: skip
    return key, secret


def find(c: Connection, sha256: str) -> ApiKey | None:
    """The key with this hash of its secret, if it is not revoked."""
    row = c.execute(
        select(*_COLUMNS).where(api_keys.c.secret_sha256 == sha256, api_keys.c.revoked_at.is_(None))
    ).one_or_none()
    return _key(row._mapping) if row else None


def revoke(c: Connection, key_id: str, now: datetime) -> bool:
    """Revoke a key; False when there is no such key or it was revoked before."""
    result = c.execute(
        update(api_keys).where(api_keys.c.id == key_id, api_keys.c.revoked_at.is_(None)).values(revoked_at=now)
    )
    return result.rowcount == 1


def listing(c: Connection, *, brand: str | None = None) -> list[ApiKey]:
    """All keys, of one brand or of all, oldest first; revoked ones too."""
    statement = select(*_COLUMNS).order_by(api_keys.c.created_at, api_keys.c.id)
    if brand:
        statement = statement.where(api_keys.c.brand == brand)
    return [_key(row._mapping) for row in c.execute(statement)]


def _key(row: RowMapping) -> ApiKey:
    values: dict[str, Any] = {str(name): value for name, value in row.items()}
    known = {scope.value for scope in Scope}
    values["scopes"] = frozenset(Scope(scope) for scope in values["scopes"] if scope in known)
    return ApiKey(**values)
