"""The console provider: stands in for any channel and writes every message to a page a newcomer can open."""

from datetime import datetime

from sqlalchemy import select

from ordertrail.channels.base import Accepted
from ordertrail.db.engine import Database
from ordertrail.db.tables import console_messages
from ordertrail.db.upsert import insert_for
from ordertrail.domain.clock import Clock
from ordertrail.domain.failures import Permanent
from ordertrail.domain.message import OutgoingMessage
from ordertrail.domain.vocabulary import Channel

INVALID_NUMBER = "+15005550001"
"""Twilio's documented magic number that does not work; the console refuses it likewise, so that it can be seen."""


class Console:
    """Keeps messages in `console_messages`, once per delivery: the one provider that is exactly once."""

    name = "console"
    reports_receipts = False
    can_be_asked = True

    def __init__(self, channel: Channel, database: Database, clock: Clock) -> None:
        self.channel = channel
        self._database = database
        self._clock = clock

    def send(self, message: OutgoingMessage) -> Accepted:
        """Write the message down. Raises Permanent for the number that never works, Transient without a database."""
        if message.to == INVALID_NUMBER:
            raise Permanent("invalid_number", closes_channel=True)
        with self._database.write() as c:
            c.execute(
                insert_for(c, console_messages)
                .values(
                    delivery_id=message.delivery_id, brand=message.brand.id, channel=message.channel, kind=message.kind,
                    recipient=message.to, recipient_name=message.to_name, message=message.rendered.model_dump_json(),
                    at=self._clock(),
                )
                .on_conflict_do_nothing(index_elements=["delivery_id"])
            )  # fmt: skip
        return Accepted(provider_id=f"console:{message.delivery_id}")

    def find(self, message: OutgoingMessage, since: datetime) -> Accepted | None:
        """Whether this very delivery was written down before."""
        del since
        with self._database.read() as c:
            found = c.execute(
                select(console_messages.c.id).where(console_messages.c.delivery_id == message.delivery_id)
            ).first()
        return Accepted(provider_id=f"console:{message.delivery_id}") if found else None
