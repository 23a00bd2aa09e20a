"""Contact states: whether an address may still be used on a channel, with the history of how that came about."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, insert, select

from ordertrail.db.tables import contact_states
from ordertrail.domain.ids import keyed_hash
from ordertrail.domain.vocabulary import Channel

CLOSED = "closed"
OPEN = "open"


@dataclass(frozen=True, kw_only=True)
class ContactState:
    """What was last reported about an address on a channel."""

    channel: Channel
    address_key: str
    closed: bool
    reason: str
    at: datetime


def address_key(secret: bytes, brand: str, channel: str, address: str) -> str:
    """The pseudonym under which an address is remembered; it cannot be guessed back without the secret."""
    return keyed_hash(secret, "address", brand, channel, address)


def states_of(c: Connection, *, brand: str, address_keys: Sequence[str]) -> list[ContactState]:
    """The newest state of each of these addresses on each channel; addresses nothing was reported about are absent."""
    if not address_keys:
        return []
    table = contact_states.c
    newest = (
        select(func.max(table.id))
        .where(table.brand == brand, table.address_key.in_(address_keys))
        .group_by(table.channel, table.address_key)
    )
    rows = c.execute(
        select(table.channel, table.address_key, table.state, table.reason, table.at).where(table.id.in_(newest))
    )
    return [
        ContactState(
            channel=Channel(row.channel), address_key=row.address_key, closed=row.state == CLOSED, reason=row.reason,
            at=row.at,
        )
        for row in rows
    ]  # fmt: skip


def set_state(
    c: Connection, *, brand: str, channel: Channel, address_key: str, closed: bool, reason: str, source: str,
    now: datetime,
) -> bool:  # fmt: skip
    """Close or open an address on a channel; rows are never changed, so the history stays.

    False, and nothing written, when the address is in that state already.
    """
    known = [s for s in states_of(c, brand=brand, address_keys=[address_key]) if s.channel == channel]
    if closed == (known[0].closed if known else False):
        return False
    c.execute(
        insert(contact_states).values(
            brand=brand, channel=channel, address_key=address_key, state=CLOSED if closed else OPEN, reason=reason,
            source=source, at=now,
        )
    )  # fmt: skip
    return True
