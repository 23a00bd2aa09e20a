"""Phone calls by Twilio: have a message spoken, ask whether an attempt rang, and read the reports that come back."""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from pydantic import SecretStr
from twilio.rest import Client

from ordertrail.channels import twilio_codes as codes
from ordertrail.channels.base import Accepted, Receipt
from ordertrail.channels.receipts import Report, Unreadable
from ordertrail.channels.twilio_wire import CLOCK_SKEW, TwilioWire, reason_of
from ordertrail.channels.twiml import reporting_keys_to
from ordertrail.channels.verdict import SendFailure, ambiguous, failure_of_break, permanent, silence_wire_logs
from ordertrail.domain.failures import Ambiguous, Permanent, Transient
from ordertrail.domain.message import OutgoingMessage
from ordertrail.domain.vocabulary import Channel, DeliveryState

_RINGS_S = 25
"""How long the phone rings: less than most mailboxes wait, so that a person hears it or nobody."""
_LATEST = 100
_CALLED_BY_US = "outbound-api"
_PHONE = re.compile(r"\+[1-9]\d{6,14}")
_NO_SENDER = permanent("no_sender")
_NOT_RENDERED = permanent("channel_not_rendered")
_UNREADABLE_ANSWER = ambiguous("unreadable_answer")


class TwilioVoice:
    """Twilio's Calls API (2010-04-01). Thread-safe. It can be asked what became of an attempt.

    `status_callback` and `keys_callback` give the addresses Twilio reports a call's fate and its keys to;
    `default_from` is the number of brands without their own. `timeout` in seconds, for connecting and for each wait
    on the answer. The message is in the request itself, so a call needs nothing of us once it is accepted.
    """

    name = "twilio_voice"
    channel = Channel.VOICE
    reports_receipts = True
    can_be_asked = True

    def __init__(
        self, *, account_sid: str, auth_token: SecretStr, base_url: str,
        status_callback: Callable[[OutgoingMessage], str], keys_callback: Callable[[OutgoingMessage], str],
        default_from: str | None, timeout: float,
    ) -> None:  # fmt: skip
        silence_wire_logs()
        wire = TwilioWire(base_url, timeout)
        self._calls = Client(account_sid, auth_token.get_secret_value(), http_client=wire).calls
        self._status_callback = status_callback
        self._keys_callback = keys_callback
        self._default_from = default_from

    def send(self, message: OutgoingMessage) -> Accepted:
        """Have the phone rung once; the provider's id is the call's SID. Raises Transient, Permanent or Ambiguous."""
        outcome = self._attempt(message)
        if isinstance(outcome, Accepted):
            return outcome
        raise outcome  # outside any `except`: the provider's text must not ride along as context

    def _attempt(self, message: OutgoingMessage) -> Accepted | SendFailure:
        sender = self._sender(message)
        if sender is None:
            return _NO_SENDER.failure()
        twiml = reporting_keys_to(message.rendered.twiml or "", self._keys_callback(message))
        if twiml is None:
            return _NOT_RENDERED.failure()
        try:
            created = self._calls.create(
                to=message.to,
                from_=sender,
                twiml=twiml,
                timeout=_RINGS_S,
                status_callback=self._status_callback(message),
                status_callback_event=["answered", "completed"],
            )
        except (Transient, Permanent, Ambiguous) as failure:
            return failure
        except Exception as error:
            return failure_of_break(error)
        return Accepted(provider_id=created.sid) if created.sid else _UNREADABLE_ANSWER.failure()

    def _sender(self, message: OutgoingMessage) -> str | None:
        """A number that calls may come from; a brand's sender of texts serves where it is a number."""
        sender = message.brand.sender
        texts_from = sender.sms_from if sender.sms_from and _PHONE.fullmatch(sender.sms_from) else None
        return sender.voice_from or self._default_from or texts_from

    def find(self, message: OutgoingMessage, since: datetime) -> Accepted | None:
        """The call that was made to this number from ours since `since` (aware), or None.

        Twilio's list does not tell what a call says. So another call of ours to the same person within these minutes
        is taken for this one: never a second call for one message. If it was another's, no report will name this
        delivery, and policy takes the next channel when its receipt is overdue. Raises Transient if Twilio cannot
        answer now.
        """
        earliest = since.astimezone(UTC) - CLOCK_SKEW
        outcome = self._search(message, earliest)
        if isinstance(outcome, Transient):
            raise outcome
        return outcome

    def _search(self, message: OutgoingMessage, earliest: datetime) -> Accepted | Transient | None:
        sender = self._sender(message)
        try:
            for candidate in self._candidates(message.to, sender, earliest):
                if _is_same(candidate, message.to, sender, earliest):
                    return Accepted(provider_id=candidate.sid)
        except (Transient, Permanent, Ambiguous) as failure:
            return Transient(failure.code, retry_after=getattr(failure, "retry_after", None))
        except Exception as error:
            return Transient(failure_of_break(error).code)
        return None

    def _candidates(self, to: str, sender: str | None, earliest: datetime) -> Iterator[Any]:
        # StartTime filters by day. A call still in Twilio's queue has none, so the latest ones are looked at as well.
        day = earliest.replace(hour=0, minute=0, second=0, microsecond=0)
        mine = {"to": to} | ({"from_": sender} if sender else {})
        yield from self._calls.list(**mine, start_time_after=day, limit=_LATEST)
        yield from self._calls.list(**mine, limit=_LATEST)


def _is_same(candidate: Any, to: str, sender: str | None, earliest: datetime) -> bool:
    created = candidate.date_created
    return (
        isinstance(created, datetime)
        and created >= earliest
        and candidate.direction == _CALLED_BY_US
        and candidate.to == to
        # Under this name the library keeps what Twilio calls `from`.
        and (sender is None or candidate._from == sender)
    )


def parse_twilio_call(delivery_id: str | None, params: Mapping[str, str]) -> Report:
    """What a call's status callback says about the delivery named in its address. Never raises.

    A call that was taken is delivered; one that was not has failed for a reason, and policy takes the next channel.
    """
    sid, status = params.get("CallSid"), params.get("CallStatus")
    if not sid or not status:
        return Unreadable(reason="not_a_status_callback")
    event_id = f"{sid}:{status}"
    state = codes.BY_CALL_STATUS.get(status)
    if state is None:
        return Unreadable(reason="unknown_call_status", event_id=event_id)
    reason, closes = status.replace("-", "_"), False
    if state is DeliveryState.FAILED:
        by_network = codes.BY_SIP_STATUS.get(params.get("SipResponseCode", ""), reason)
        reason, closes = reason_of(params.get("ErrorCode"), otherwise=by_network if status == "failed" else reason)
    return Receipt(
        event_id=event_id,
        delivery_id=delivery_id,
        provider_id=sid,
        state=state,
        reason=reason,
        occurred_at=_instant(params.get("Timestamp")),
        closes_channel=closes,
    )


def _instant(stamp: str | None) -> datetime | None:
    """RFC 2822, as Twilio writes it, as aware UTC; None if it is no point in time."""
    try:
        moment = parsedate_to_datetime(stamp or "")
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
