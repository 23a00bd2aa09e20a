"""SendGrid's answers and event types as tables.

Sources: the responses of POST /v3/mail/send in the vendor's OpenAPI document, and the vendor's pages on API errors
and on the Event Webhook.
"""

import re
from dataclasses import dataclass

from ordertrail.channels.verdict import OPERATOR_WAIT, Verdict, ambiguous, permanent, transient
from ordertrail.domain.vocabulary import DeliveryState

ACCEPTED_STATUS = 202

BY_STATUS: dict[int, Verdict] = {
    400: permanent("rejected"),
    401: transient("credentials", OPERATOR_WAIT),  # also how SendGrid says that the plan's credits are used up
    403: transient("credentials", OPERATOR_WAIT),  # also an unverified sender
    404: transient("wrong_endpoint", OPERATOR_WAIT),
    405: transient("wrong_endpoint", OPERATOR_WAIT),
    408: transient("request_timeout"),
    413: permanent("too_large"),
    415: permanent("rejected"),
    429: transient("rate_limited"),
    500: transient("provider_error"),
    502: ambiguous("bad_gateway"),  # what stands in front of SendGrid gave up; SendGrid itself may have accepted
    503: transient("provider_unavailable"),
    504: ambiguous("gateway_timeout"),
}
SAYS_WHEN = frozenset({429, 503})
"""Where headers tell how long to wait. SendGrid's rate limit headers come with every answer and mean it here only."""
INVALID_RECIPIENT = permanent("invalid_recipient", closes=True)
NAMES_RECIPIENT = re.compile(r"^personalizations\.\d+\.to(\.\d+(\.email)?)?$")
"""The `field` of an error of a 400 that is about the recipient's address and nothing else."""

RESERVED = frozenset({"x-sg-id", "x-sg-eid"})
"""Headers that are SendGrid's own, beside those no message may bring (the vendor's page on limits of mail/send)."""

_OTHER_REDIRECT = transient("wrong_endpoint", OPERATOR_WAIT)
_OTHER_REFUSAL = permanent("rejected")
_OTHER_FAILURE = ambiguous("provider_error")


def by_status(status: int) -> Verdict:
    """The row of an HTTP status; statuses without one go by their class."""
    if status in BY_STATUS:
        return BY_STATUS[status]
    if status < 400:
        return _OTHER_REDIRECT
    return _OTHER_REFUSAL if status < 500 else _OTHER_FAILURE


@dataclass(frozen=True, kw_only=True)
class Effect:
    """What an event means for its delivery; `state` None: nothing, for `reason`."""

    state: DeliveryState | None
    reason: str
    closes_channel: bool = False


def _effect(state: DeliveryState | None, reason: str, *, closes: bool = False) -> Effect:
    return Effect(state=state, reason=reason, closes_channel=closes)


_S = DeliveryState
BY_EVENT: dict[str, Effect] = {
    "processed": _effect(_S.ACCEPTED, "processed"),
    "deferred": _effect(_S.ACCEPTED, "deferred"),  # SendGrid goes on trying for 72 hours, then reports a bounce
    "delivered": _effect(_S.DELIVERED, "delivered"),
    "bounce": _effect(_S.FAILED, "bounced", closes=True),
    "dropped": _effect(_S.FAILED, "dropped"),
    # These two come from a person who got the message: it stays delivered, and none may follow.
    "spamreport": _effect(_S.DELIVERED, "spam_report", closes=True),
    "unsubscribe": _effect(_S.DELIVERED, "unsubscribed", closes=True),
    "group_unsubscribe": _effect(None, "group_preference"),  # no message of ours belongs to a group
    "group_resubscribe": _effect(None, "group_preference"),
    "open": _effect(None, "engagement"),
    "click": _effect(None, "engagement"),
    "account_status_change": _effect(None, "account"),
}
BOUNCE_TYPES: dict[str, Effect] = {
    "bounce": _effect(_S.FAILED, "bounced", closes=True),
    "blocked": _effect(
        _S.FAILED, "blocked"
    ),  # refused this time: full, greylisted, reputation; the address may be good
}
DROP_REASONS: dict[str, Effect] = {
    "bounced address": _effect(_S.FAILED, "dropped_bounced", closes=True),
    "invalid": _effect(_S.FAILED, "dropped_invalid", closes=True),
    "unsubscribed address": _effect(_S.FAILED, "dropped_unsubscribed", closes=True),
    "spam reporting address": _effect(_S.FAILED, "dropped_spam_report", closes=True),
    "spam content": _effect(_S.FAILED, "dropped_content"),
    "invalid smtpapi header": _effect(_S.FAILED, "dropped_rejected"),
    "recipient list over package quota": _effect(_S.FAILED, "dropped_quota"),
}
"""By the event's `reason`, lower case, up to an opening parenthesis."""
