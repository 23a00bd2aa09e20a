"""What people said about how often they want which kind on which channel, with its history."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection, bindparam, func, insert, select

from ordertrail.db.tables import preferences
from ordertrail.domain.vocabulary import Channel, Frequency, MessageKind

Preferences = Mapping[tuple[MessageKind, Channel], Frequency]

_T = preferences.c
_NEWEST = (
    select(func.max(_T.id))
    .where(_T.person_id.in_(bindparam("people", expanding=True)))
    .group_by(_T.person_id, _T.kind, _T.channel)
)
_SAID = select(_T.person_id, _T.kind, _T.channel, _T.frequency).where(_T.id.in_(_NEWEST))


def of_people(c: Connection, person_ids: Sequence[str]) -> Mapping[str, Preferences]:
    """The newest word on each kind and channel, by person; people who said nothing are absent."""
    found: dict[str, dict[tuple[MessageKind, Channel], Frequency]] = {}
    for row in c.execute(_SAID, {"people": list(person_ids)}):
        key = (MessageKind(row.kind), Channel(row.channel))
        found.setdefault(row.person_id, {})[key] = Frequency(row.frequency)
    return found


def put(
    c: Connection, *, brand: str, person_id: str, kind: MessageKind, channel: Channel, frequency: Frequency,
    source: str, now: datetime,
) -> bool:  # fmt: skip
    """Keep what a person said; rows are never changed. False, and nothing written, when it was so already."""
    said = of_people(c, [person_id]).get(person_id, {})
    if said.get((kind, channel), Frequency.IMMEDIATELY) is frequency:
        return False
    c.execute(
        insert(preferences).values(
            brand=brand, person_id=person_id, kind=kind, channel=channel, frequency=frequency, source=source, at=now
        )
    )
    return True
