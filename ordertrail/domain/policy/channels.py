"""Which channels a message takes, and when each may be used."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from ordertrail.domain.brand import Policy, QuietHours
from ordertrail.domain.policy.situation import CUSTOMER, Contact
from ordertrail.domain.vocabulary import Channel, Frequency, MessageKind

_K = MessageKind
INTRUSIVE = frozenset({Channel.SMS, Channel.PUSH, Channel.VOICE})
"""Channels that ring; quiet hours apply to them."""
STAND_INS = (Channel.EMAIL, Channel.SMS, Channel.PUSH, Channel.VOICE)
"""The order in which channels stand in for one another."""
RECEIVER_KINDS = frozenset({_K.OUT_FOR_DELIVERY, _K.READY_FOR_PICKUP, _K.DELIVERY_ATTEMPTED, _K.DELIVERED})
"""Kinds that also go to whoever receives the goods; the rest is between the shop and its customer."""
RECORDS = frozenset({_K.ORDER_CONFIRMATION, _K.REFUNDED})
"""Kinds that are kept like a receipt: email where there is one, whatever channel is preferred."""


def audience(kind: MessageKind, contacts: tuple[Contact, ...]) -> list[Contact]:
    """Who is told."""
    return [contact for contact in contacts if contact.role == CUSTOMER or kind in RECEIVER_KINDS]


def choose(
    kind: MessageKind, contact: Contact, policy: Policy, *, tried: frozenset[Channel] = frozenset(), call: bool = False
) -> list[Channel]:
    """The channels to use now; empty when nobody can be reached.

    Email where there is an address; SMS in addition where the customer opted in, or instead where email is not to be
    had. SMS and calls need recorded consent. A preferred channel stands alone while it works. Push joins for its
    kinds, and a phone call where one is in order (`call`, see `may_be_called`). `tried` have failed for this very
    message: then one stand-in is enough.
    """
    usable = [channel for channel in STAND_INS if _usable(channel, contact) and channel not in tried]
    if not call or kind not in policy.voice_kinds:
        usable = [channel for channel in usable if channel is not Channel.VOICE]
    if tried:
        return usable[:1]
    if contact.preferred in usable and kind not in RECORDS:
        return [contact.preferred]
    written = [channel for channel in usable if channel in {Channel.EMAIL, Channel.SMS}]
    if Channel.EMAIL in written and kind not in policy.sms_kinds:
        written = [Channel.EMAIL]
    joins = [channel for channel in usable if channel not in written and _joins(channel, kind, policy)]
    return [*written, *joins] or [channel for channel in usable if channel is Channel.PUSH]


def _joins(channel: Channel, kind: MessageKind, policy: Policy) -> bool:
    return channel is Channel.VOICE or (channel is Channel.PUSH and kind in policy.push_kinds)


def _usable(channel: Channel, contact: Contact) -> bool:
    consents = {Channel.SMS: contact.consents.sms, Channel.VOICE: contact.consents.voice}
    return channel in contact.reachable and consents.get(channel, True)


def is_off(kind: MessageKind, channel: Channel, contact: Contact, policy: Policy) -> bool:
    """Whether the person wants none of this kind on this channel. Critical kinds cannot be switched off."""
    return kind not in policy.critical_kinds and contact.preferences.get((kind, channel)) is Frequency.OFF


def may_be_called(contact: Contact, policy: Policy, now: datetime) -> bool:
    """Whether their phone may ring at `now` (aware): with consent, and never at night, however critical it is.

    Where it may not, the case says that a person may call (`may_call`).
    """
    night = quiet_until(policy.quiet_hours, Channel.VOICE, critical=False, zone=contact.zone, now=now)
    return _usable(Channel.VOICE, contact) and night is None


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
