"""Test messages that operators sent to themselves, and whether an address is a customer's."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, or_, select

from ordertrail.db.tables import people, trials


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One test message. `address_key` is a pseudonym of where it went; `asked_by` names the key of the operator."""

    brand: str
    kind: str
    channel: str
    language: str
    data: str
    address_key: str
    provider: str
    outcome: str
    asked_by: str
    at: datetime


_COLUMNS = [trials.c[name] for name in Trial.__annotations__]


def record(c: Connection, trial: Trial) -> None:
    """Keep that a test was sent, or tried."""
    c.execute(insert(trials).values(**vars(trial)))


def latest(c: Connection, *, brand: str, limit: int) -> list[Trial]:
    """The brand's last tests, newest first."""
    statement = select(*_COLUMNS).where(trials.c.brand == brand).order_by(trials.c.id.desc()).limit(limit)
    return [Trial(**row._mapping) for row in c.execute(statement)]


def is_customers(c: Connection, *, brand: str, address: str) -> bool:
    """Whether a person on any order of the brand has this address; `address` as the front door normalises it."""
    document = people.c.document
    holds = [document.contains(f'"{field}":"{address}"', autoescape=True) for field in ("email", "phone")]
    statement = select(people.c.id).where(people.c.brand == brand, or_(*holds)).limit(1)
    return c.execute(statement).first() is not None
