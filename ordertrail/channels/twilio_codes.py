"""Twilio's error codes, and the statuses of texts and calls, as tables.

Sources: the vendor's error and warning dictionary, and `message_enum_status` and `call_enum_status` of its
OpenAPI document. Twilio adds
codes as it likes; one without a row goes by its HTTP status, or in a receipt by its number.
"""

from dataclasses import dataclass
from datetime import timedelta

from ordertrail.channels.verdict import OPERATOR_WAIT, Verdict, ambiguous, permanent, transient
from ordertrail.domain.vocabulary import DeliveryState

BY_CODE: dict[int, Verdict] = {
    # The account and its limits: an operator mends it, or time does.
    20003: transient("credentials", OPERATOR_WAIT),
    20005: transient("account_inactive", OPERATOR_WAIT),
    20404: transient("wrong_endpoint", OPERATOR_WAIT),
    20429: transient("rate_limited"),
    14107: transient("rate_limited"),
    21611: transient("queue_full", timedelta(seconds=60)),
    30001: transient("queue_full", timedelta(seconds=60)),
    30002: transient("account_inactive", OPERATOR_WAIT),
    30022: transient("rate_limited", timedelta(seconds=60)),
    10004: transient("rate_limited", timedelta(seconds=10)),  # too many calls at once
    # The number can never get a text, or a call.
    13224: permanent("invalid_number", closes=True),
    21211: permanent("invalid_number", closes=True),
    21214: permanent("invalid_number", closes=True),
    21217: permanent("invalid_number", closes=True),
    21265: permanent("invalid_number", closes=True),  # a short code
    21268: permanent("invalid_number", closes=True),  # a premium or information number
    21604: permanent("invalid_number", closes=True),  # no number at all
    21614: permanent("not_a_mobile", closes=True),
    21635: permanent("not_a_mobile", closes=True),
    30005: permanent("unknown_number", closes=True),
    30006: permanent("not_a_mobile", closes=True),
    # The person said STOP.
    21610: permanent("opted_out", closes=True),
    # This message, this sender or this route: another message may get through.
    21203: permanent("region_not_enabled"),
    21210: permanent("sender_unusable"),
    21212: permanent("sender_unusable"),
    21213: permanent("sender_unusable"),
    21215: permanent("region_not_enabled"),
    21216: permanent("blocked"),
    21219: permanent("trial_account"),
    21266: permanent("sender_unusable"),
    21267: permanent("sender_unusable"),
    21408: permanent("region_not_enabled"),
    21602: permanent("empty_text"),
    21603: permanent("sender_unusable"),
    21606: permanent("sender_unusable"),
    21608: permanent("trial_account"),
    21609: permanent("callback_refused"),
    21612: permanent("no_route"),
    21617: permanent("too_long"),
    21619: permanent("empty_text"),
    21659: permanent("sender_unusable"),
    21660: permanent("sender_unusable"),
    21661: permanent("sender_unusable"),
    21701: permanent("sender_unusable"),
    21703: permanent("sender_unusable"),
    30003: permanent("unreachable"),  # off, or out of coverage
    30004: permanent("blocked"),
    30007: permanent("filtered"),
    30008: permanent("unknown_carrier_error"),
    30010: permanent("price_limit"),
    30017: permanent("carrier_congested"),
    30023: permanent("daily_limit"),
    30024: permanent("sender_unregistered"),
    30032: permanent("sender_unregistered"),
    30034: permanent("sender_unregistered"),
    30036: permanent("validity_expired"),
}

BY_STATUS: dict[int, Verdict] = {
    400: permanent("rejected"),
    401: transient("credentials", OPERATOR_WAIT),
    403: transient("credentials", OPERATOR_WAIT),
    404: transient("wrong_endpoint", OPERATOR_WAIT),
    405: transient("wrong_endpoint", OPERATOR_WAIT),
    408: transient("request_timeout"),
    429: transient("rate_limited"),
    502: ambiguous("bad_gateway"),
    504: ambiguous("gateway_timeout"),
}
_OTHER_REDIRECT = transient("wrong_endpoint", OPERATOR_WAIT)
_OTHER_REFUSAL = permanent("rejected")
_OTHER_FAILURE = transient("provider_error")


def by_answer(status: int, code: int | None) -> Verdict:
    """The row of an answer of 300 or more: by Twilio's code if it has a row, else by the HTTP status.

    502 and 504 come from what stands in front of Twilio, whatever their body says: they stay ambiguous.
    """
    if status not in (502, 504) and code in BY_CODE:
        return BY_CODE[code]
    if status in BY_STATUS:
        return BY_STATUS[status]
    if status < 400:
        return _OTHER_REDIRECT
    return _OTHER_REFUSAL if status < 500 else _OTHER_FAILURE


@dataclass(frozen=True, kw_only=True)
class Effect:
    """What a message status means for its delivery; `state` None: it is not about a message of ours."""

    state: DeliveryState | None


_S = DeliveryState
BY_MESSAGE_STATUS: dict[str, Effect] = {
    "accepted": Effect(state=_S.ACCEPTED),
    "scheduled": Effect(state=_S.ACCEPTED),
    "queued": Effect(state=_S.ACCEPTED),
    "sending": Effect(state=_S.ACCEPTED),
    "sent": Effect(state=_S.ACCEPTED),  # with the carrier; not yet with the person
    "delivered": Effect(state=_S.DELIVERED),
    "partially_delivered": Effect(state=_S.DELIVERED),
    "read": Effect(state=_S.DELIVERED),
    "undelivered": Effect(state=_S.FAILED),
    "failed": Effect(state=_S.FAILED),
    "canceled": Effect(state=_S.FAILED),
    "receiving": Effect(state=None),  # somebody texts us
    "received": Effect(state=None),
}
BY_CALL_STATUS: dict[str, DeliveryState] = {
    "queued": _S.ACCEPTED,
    "initiated": _S.ACCEPTED,  # in callbacks only
    "ringing": _S.ACCEPTED,
    "in-progress": _S.ACCEPTED,
    "completed": _S.DELIVERED,  # somebody, or a mailbox, took the call
    "busy": _S.FAILED,
    "no-answer": _S.FAILED,
    "failed": _S.FAILED,
    "canceled": _S.FAILED,
}
BY_SIP_STATUS: dict[str, str] = {
    "403": "blocked",
    "404": "unknown_number",
    "408": "unreachable",
    "410": "unknown_number",
    "480": "unreachable",
    "484": "invalid_number",
    "603": "declined",
    "604": "unknown_number",
    "607": "blocked",
    "608": "blocked",
}
"""Why a call failed, by the answer of the phone network (RFC 3261, 8197, 8688). Networks use these loosely: a reason
to tell and never one to close a channel."""
FAILED_STATUSES = frozenset(word for word, effect in BY_MESSAGE_STATUS.items() if effect.state is DeliveryState.FAILED)
