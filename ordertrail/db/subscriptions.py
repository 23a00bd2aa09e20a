"""Devices on which somebody asked to be notified: kept until they are taken back or the push service ends them."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, delete, or_, select, update

from ordertrail.db.tables import push_subscriptions
from ordertrail.db.upsert import insert_for

MOST_DEVICES = 10
"""Per order; one more removes one that has ended, or else the oldest, so that nobody who holds a link can fill the
table or have a server knock everywhere."""


@dataclass(frozen=True, kw_only=True)
class Subscription:
    """One device. `endpoint` is personal data: whoever has it and the keys can be recognised by it."""

    id: str
    endpoint: str
    p256dh: str
    auth: str


_COLUMNS = [push_subscriptions.c[name] for name in Subscription.__annotations__]
_table = push_subscriptions.c
_LIVE = _table.expired_at.is_(None) & _table.endpoint.is_not(None)


def _follows(order_id: str) -> ColumnElement[bool]:
    return or_(_table.order_id == order_id, _table.order_id.is_(None))


def live(c: Connection, *, person_id: str, order_id: str) -> list[Subscription]:
    """The devices on which a person follows an order, oldest first."""
    statement = select(*_COLUMNS).where(_table.person_id == person_id, _follows(order_id), _LIVE)
    return [Subscription(**row._mapping) for row in c.execute(statement.order_by(_table.created_at, _table.id))]


def followers(c: Connection, person_ids: Sequence[str], *, order_id: str) -> set[str]:
    """Those of these people who follow an order on at least one device."""
    statement = select(_table.person_id).where(_table.person_id.in_(person_ids), _follows(order_id), _LIVE)
    return set(c.scalars(statement))


def put(
    c: Connection, *, subscription: Subscription, brand: str, person_id: str, order_id: str, user_agent: str,
    now: datetime,
) -> bool:  # fmt: skip
    """Keep a device for one order; the same device again refreshes its keys. True if it is new."""
    keys = {"p256dh": subscription.p256dh, "auth": subscription.auth, "endpoint": subscription.endpoint}
    statement = insert_for(c, push_subscriptions).values(
        id=subscription.id, brand=brand, person_id=person_id, order_id=order_id, user_agent=user_agent, created_at=now,
        endpoint_sha256=_digest(subscription.endpoint), **keys,
    )  # fmt: skip
    statement = statement.on_conflict_do_update(
        index_elements=["order_id", "endpoint_sha256"],
        set_={**keys, "person_id": person_id, "expired_at": None, "expired_reason": None},
    )
    kept_as = c.execute(statement.returning(_table.id)).scalar_one()
    _remove_surplus(c, order_id)
    return bool(kept_as == subscription.id)


def _remove_surplus(c: Connection, order_id: str) -> None:
    """Rows of ended devices count too; they go first."""
    found = select(_table.id).where(_table.order_id == order_id)
    ordered = found.order_by(_table.expired_at.is_not(None), _table.created_at.desc(), _table.id.desc())
    if surplus := c.scalars(ordered.offset(MOST_DEVICES)).all():
        c.execute(delete(push_subscriptions).where(_table.id.in_(surplus)))


def expire(c: Connection, subscription_id: str, *, reason: str, now: datetime) -> None:
    """This device is not to be used again, unless it subscribes again."""
    statement = update(push_subscriptions).where(_table.id == subscription_id, _table.expired_at.is_(None))
    c.execute(statement.values(expired_at=now, expired_reason=reason))


def withdraw(c: Connection, *, order_id: str, endpoint: str, now: datetime) -> None:
    """The customer takes a device back."""
    statement = update(push_subscriptions).where(
        _table.order_id == order_id, _table.endpoint_sha256 == _digest(endpoint), _table.expired_at.is_(None)
    )
    c.execute(statement.values(expired_at=now, expired_reason="withdrawn"))


def _digest(endpoint: str) -> str:
    return hashlib.sha256(endpoint.encode()).hexdigest()
