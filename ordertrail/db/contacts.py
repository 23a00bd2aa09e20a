"""Contact states: whether an address may still be used on a channel, with the history of how that came about."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, func, insert, select

from ordertrail.db.tables import contact_states
from ordertrail.domain.ids import keyed_hash
from ordertrail.domain.vocabulary import Channel

CLOSED = "closed"
OPEN = "open"

_T = contact_states.c
_NEWEST = (
    select(func.max(_T.id))
    .where(_T.brand == bindparam("of_brand"), _T.address_key.in_(bindparam("keys", expanding=True)))
    .group_by(_T.channel, _T.address_key)
)
_STATES = select(_T.channel, _T.address_key, _T.state, _T.reason, _T.at).where(_T.id.in_(_NEWEST))


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
    rows = c.execute(_STATES, {"of_brand": brand, "keys": list(address_keys)})
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
