"""Which channels a message takes, and when each may be used."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from ordertrail.domain.brand import Policy, QuietHours
from ordertrail.domain.policy.situation import CUSTOMER, Contact
from ordertrail.domain.vocabulary import Channel, MessageKind

_K = MessageKind
INTRUSIVE = frozenset({Channel.SMS, Channel.PUSH, Channel.VOICE})
"""Channels that ring; quiet hours apply to them."""
RECEIVER_KINDS = frozenset({_K.OUT_FOR_DELIVERY, _K.READY_FOR_PICKUP, _K.DELIVERY_ATTEMPTED, _K.DELIVERED})
"""Kinds that also go to whoever receives the goods; the rest is between the shop and its customer."""
RECORDS = frozenset({_K.ORDER_CONFIRMATION, _K.REFUNDED})
"""Kinds that are kept like a receipt: email where there is one, whatever channel is preferred."""


def audience(kind: MessageKind, contacts: tuple[Contact, ...]) -> list[Contact]:
    """Who is told."""
    return [contact for contact in contacts if contact.role == CUSTOMER or kind in RECEIVER_KINDS]


def choose(
    kind: MessageKind, contact: Contact, policy: Policy, *, tried: frozenset[Channel] = frozenset()
) -> list[Channel]:
    """The channels to use now; empty when nobody can be reached.

    Email where there is an address; SMS in addition where the customer opted in, or instead where email is not to be
    had. SMS needs recorded consent. A preferred channel stands alone while it works. `tried` have failed for this
    very message: then one stand-in is enough.
    """
    usable = [channel for channel in (Channel.EMAIL, Channel.SMS) if _usable(channel, contact) and channel not in tried]
    if tried:
        return usable[:1]
    if contact.preferred in usable and kind not in RECORDS:
        return [contact.preferred]
    if Channel.EMAIL in usable and kind not in policy.sms_kinds:
        return [Channel.EMAIL]
    return usable


def _usable(channel: Channel, contact: Contact) -> bool:
    return channel in contact.reachable and (channel is not Channel.SMS or contact.consents.sms)


def quiet_until(
    quiet: QuietHours | None, channel: Channel, *, critical: bool, zone: str, now: datetime
) -> datetime | None:
    """The aware UTC end of the quiet hours that `now` falls into for this recipient and channel, else None."""
    if quiet is None or channel not in INTRUSIVE or (critical and quiet.critical == "send"):
        return None
    local = now.astimezone(ZoneInfo(zone))
    if not _within(local.time(), quiet):
        return None
    day = local.date() if local.time() < quiet.ends else local.date() + timedelta(days=1)
    return datetime.combine(day, quiet.ends, tzinfo=ZoneInfo(zone)).astimezone(now.tzinfo)


def _within(at: time, quiet: QuietHours) -> bool:
    if quiet.starts <= quiet.ends:
        return quiet.starts <= at < quiet.ends
    return at >= quiet.starts or at < quiet.ends
