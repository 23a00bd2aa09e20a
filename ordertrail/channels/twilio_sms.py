"""SMS by Twilio: hand a text over, ask whether it got through, and verify and read the status callbacks."""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from pydantic import SecretStr
from twilio.request_validator import RequestValidator
from twilio.rest import Client

from ordertrail.channels import twilio_codes as codes
from ordertrail.channels.base import Accepted, Receipt
from ordertrail.channels.receipts import Ignored, Report, Unreadable
from ordertrail.channels.twilio_wire import CLOCK_SKEW, TwilioWire, reason_of
from ordertrail.channels.verdict import SendFailure, ambiguous, failure_of_break, permanent, silence_wire_logs
from ordertrail.domain.failures import Ambiguous, BadSignature, Permanent, Transient
from ordertrail.domain.message import OutgoingMessage
from ordertrail.domain.vocabulary import Channel, DeliveryState

_LATEST = 100
"""How many of a person's latest texts are looked at; a claim is minutes old when this is asked."""
_MESSAGING_SERVICE = "MG"
_NO_SENDER = permanent("no_sender")
_UNREADABLE_ANSWER = ambiguous("unreadable_answer")


class TwilioSms:
    """Twilio's Messages API (2010-04-01). Thread-safe. It can be asked what became of an attempt.

    `base_url` such as https://api.twilio.com; `status_callback` gives the address Twilio reports a message's fate to;
    `default_from` is the sender of brands without their own: a phone number, an alphanumeric sender id or a messaging
    service (MG…). `timeout` in seconds, for connecting and for each wait on the answer.
    """

    name = "twilio"
    channel = Channel.SMS
    reports_receipts = True
    can_be_asked = True

    def __init__(
        self,
        *,
        account_sid: str,
        auth_token: SecretStr,
        base_url: str,
        status_callback: Callable[[OutgoingMessage], str],
        default_from: str | None,
        timeout: float,
    ) -> None:
        silence_wire_logs()
        wire = TwilioWire(base_url, timeout)
        self._messages = Client(account_sid, auth_token.get_secret_value(), http_client=wire).messages
        self._status_callback = status_callback
        self._default_from = default_from

    def send(self, message: OutgoingMessage) -> Accepted:
        """Hand the text over once; the provider's id is the message's SID. Raises Transient, Permanent or Ambiguous."""
        outcome = self._attempt(message)
        if isinstance(outcome, Accepted):
            return outcome
        raise outcome  # outside any `except`: the provider's text must not ride along as context

    def _attempt(self, message: OutgoingMessage) -> Accepted | SendFailure:
        sender = message.brand.sender.sms_from or self._default_from
        if not sender:
            return _NO_SENDER.failure()
        by_service = sender.startswith(_MESSAGING_SERVICE) and len(sender) == 34
        try:
            created = self._messages.create(
                to=message.to,
                body=message.rendered.text,
                status_callback=self._status_callback(message),
                **({"messaging_service_sid": sender} if by_service else {"from_": sender}),
            )
        except (Transient, Permanent, Ambiguous) as failure:
            return failure
        except Exception as error:
            return failure_of_break(error)
        return Accepted(provider_id=created.sid) if created.sid else _UNREADABLE_ANSWER.failure()

    def find(self, message: OutgoingMessage, since: datetime) -> Accepted | None:
        """The text Twilio accepted for this very message since `since` (aware), or None; failed ones do not count.

        A match is the same number and the same words, created not before `since` (less two minutes for clocks that
        differ). Raises Transient if Twilio cannot answer now.
        """
        earliest = since.astimezone(UTC) - CLOCK_SKEW
        outcome = self._search(message, earliest)
        if isinstance(outcome, Transient):
            raise outcome
        return outcome

    def _search(self, message: OutgoingMessage, earliest: datetime) -> Accepted | Transient | None:
        try:
            for candidate in self._candidates(message.to, earliest):
                if _is_same(candidate, message, earliest):
                    return Accepted(provider_id=candidate.sid)
        except (Transient, Permanent, Ambiguous) as failure:
            return Transient(failure.code, retry_after=getattr(failure, "retry_after", None))
        except Exception as error:
            return Transient(failure_of_break(error).code)
        return None

    def _candidates(self, to: str, earliest: datetime) -> Iterator[Any]:
        # DateSent filters by day. A text still in Twilio's queue has none, so the latest ones are looked at as well.
        day = earliest.replace(hour=0, minute=0, second=0, microsecond=0)
        yield from self._messages.list(to=to, date_sent_after=day, limit=_LATEST)
        yield from self._messages.list(to=to, limit=_LATEST)


def _is_same(candidate: Any, message: OutgoingMessage, earliest: datetime) -> bool:
    created = candidate.date_created
    return (
        isinstance(created, datetime)
        and created >= earliest
        and candidate.status not in codes.FAILED_STATUSES
        and candidate.to == message.to
        and candidate.sid not in message.others
        # A trial account puts its own sentence before ours.
        and _words(candidate.body).endswith(_words(message.rendered.text))
    )


def _words(text: str | None) -> str:
    return " ".join((text or "").split())


def verify_twilio(auth_token: SecretStr, url: str, params: Mapping[str, str], signature: str) -> None:
    """Make sure that Twilio signed this form post to `url`, the address as Twilio knows it. Raises BadSignature.

    `signature` is the header X-Twilio-Signature: HMAC-SHA1 over the address and the sorted fields. Compared in
    constant time. A replay is harmless: the same status of the same message is the same event.
    """
    if not RequestValidator(auth_token.get_secret_value()).validate(url, params, signature):
        raise BadSignature("bad_signature")


def parse_twilio(delivery_id: str | None, params: Mapping[str, str]) -> Report:
    """What a status callback says about the delivery named in its address. Never raises.

    Twilio tells no time, so `occurred_at` is None. `reason` is the code's word, or the status where there is no code.
    """
    sid, status = params.get("MessageSid"), params.get("MessageStatus")
    if not sid or not status:
        return Unreadable(reason="not_a_status_callback")
    event_id = f"{sid}:{status}"
    effect = codes.BY_MESSAGE_STATUS.get(status)
    if effect is None:
        return Unreadable(reason="unknown_message_status", event_id=event_id)
    if effect.state is None:
        return Ignored(event_id=event_id, reason="inbound")
    reason, closes = status, False
    if effect.state is DeliveryState.FAILED:
        reason, closes = reason_of(params.get("ErrorCode"), otherwise=status)
    return Receipt(
        event_id=event_id,
        delivery_id=delivery_id,
        provider_id=sid,
        state=effect.state,
        reason=reason,
        occurred_at=None,
        closes_channel=closes,
    )
