"""SMTP's replies as tables.

Sources: RFC 5321 section 4.2 (reply codes), RFC 3463 with IANA's registry of enhanced status codes, RFC 4954 (login).
"""

import re
from datetime import timedelta
from enum import StrEnum

from ordertrail.channels.verdict import OPERATOR_WAIT, Verdict, permanent, transient


class Stage(StrEnum):
    """How far the conversation has come: what a refusal, or a connection that breaks, is about."""

    CONNECT = "connect"
    LOGIN = "login"
    SENDER = "sender"
    RECIPIENT = "recipient"
    BODY = "body"  # from here on the server may have taken the message


_GREYLISTED = timedelta(seconds=60)

BY_ENHANCED: dict[str, Verdict] = {
    # The address is none, or no longer one.
    "5.1.1": permanent("unknown_mailbox", closes=True),
    "5.1.2": permanent("unknown_domain", closes=True),
    "5.1.3": permanent("invalid_address", closes=True),
    "5.1.6": permanent("mailbox_moved", closes=True),
    "5.1.10": permanent("domain_takes_no_mail", closes=True),
    "5.2.1": permanent("mailbox_disabled", closes=True),
    # This message, this time: the address may be good.
    "5.2.2": permanent("mailbox_full"),
    "5.2.3": permanent("too_large"),
    "5.3.4": permanent("too_large"),
    "5.4.1": permanent("no_route"),
    "5.4.4": permanent("no_route"),
    "5.4.6": permanent("routing_loop"),
    "5.6.7": permanent("address_needs_smtputf8"),
    "5.7.1": permanent("blocked"),
    "5.7.23": permanent("sender_unauthenticated"),
    "5.7.25": permanent("sender_unauthenticated"),
    "5.7.26": permanent("sender_unauthenticated"),
}
BY_ENHANCED_CLASS: dict[str, Verdict] = {
    "5.2": permanent("mailbox_refuses"),
    "5.6": permanent("content_refused"),
    "5.7": permanent("blocked"),
}
"""By class and subject, for details without a row; a policy's refusal says nothing about the address."""

BY_CODE: dict[tuple[Stage, int], Verdict] = {
    (Stage.RECIPIENT, 550): permanent("unknown_mailbox", closes=True),
    (Stage.RECIPIENT, 551): permanent("mailbox_moved", closes=True),
    (Stage.RECIPIENT, 552): permanent("mailbox_full"),
    (Stage.RECIPIENT, 553): permanent("invalid_address", closes=True),
    (Stage.RECIPIENT, 556): permanent("domain_takes_no_mail", closes=True),
    (Stage.RECIPIENT, 450): transient("mailbox_busy", _GREYLISTED),
    (Stage.RECIPIENT, 451): transient("deferred", _GREYLISTED),
    (Stage.RECIPIENT, 452): transient("server_full", _GREYLISTED),
    (Stage.BODY, 450): transient("deferred", _GREYLISTED),
    (Stage.BODY, 452): transient("server_full", _GREYLISTED),
    (Stage.BODY, 552): permanent("too_large"),
}
_ANYWHERE: dict[int, Verdict] = {421: transient("service_closing", _GREYLISTED)}
_TEMPORARY = transient("deferred")
_REFUSED: dict[Stage, Verdict] = {
    # What stands before the message is for an operator to mend: the message itself is not at fault.
    Stage.CONNECT: transient("connection_refused", OPERATOR_WAIT),
    Stage.LOGIN: transient("credentials", OPERATOR_WAIT),
    Stage.SENDER: transient("sender_refused", OPERATOR_WAIT),
    Stage.RECIPIENT: permanent("rejected"),
    Stage.BODY: permanent("rejected"),
}
_ABOUT_MESSAGE = frozenset({Stage.RECIPIENT, Stage.BODY})
_ENHANCED = re.compile(rb"^(\d\.\d{1,3})\.(\d{1,3})\b")


def by_reply(stage: Stage, code: int, text: bytes) -> Verdict:
    """The row of a reply that is not a success: by enhanced status, then by stage and code, then by stage alone.

    `text` is read for its enhanced status and nothing else. A code of 4xx is temporary whatever its text says.
    """
    if code in _ANYWHERE:
        return _ANYWHERE[code]
    if stage in _ABOUT_MESSAGE and code >= 500 and (found := _ENHANCED.match(text)):
        subject, detail = found[1].decode(), found[2].decode()
        verdict = BY_ENHANCED.get(f"{subject}.{detail}") or BY_ENHANCED_CLASS.get(subject)
        if verdict is not None:
            return verdict
    if (stage, code) in BY_CODE:
        return BY_CODE[(stage, code)]
    return _REFUSED[stage] if code >= 500 else _TEMPORARY
