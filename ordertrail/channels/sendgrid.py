"""Email by SendGrid: hand a message over, and verify and read the signed events that come back."""

import base64
import binascii
import json
from datetime import UTC, datetime, timedelta
from email.header import Header
from functools import lru_cache
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_public_key
from pydantic import SecretStr
from python_http_client.exceptions import HTTPError
from sendgrid import SendGridAPIClient

from ordertrail.channels import sendgrid_codes as codes
from ordertrail.channels.base import Accepted, Receipt
from ordertrail.channels.letter import extra_headers
from ordertrail.channels.receipts import Ignored, Report, Unreadable
from ordertrail.channels.verdict import SendFailure, ambiguous, failure_of_break, silence_wire_logs, wait_asked_for
from ordertrail.domain.failures import Ambiguous, BadSignature, ConfigurationError
from ordertrail.domain.message import OutgoingMessage
from ordertrail.domain.vocabulary import Channel

_UNREADABLE_ANSWER = ambiguous("unreadable_answer")
# The rendered bytes are what the customer gets: no rewritten links, no pixel, no footer.
_AS_RENDERED = {
    "click_tracking": {"enable": False, "enable_text": False},
    "open_tracking": {"enable": False},
    "subscription_tracking": {"enable": False},
}


class SendGridEmail:
    """SendGrid's Mail Send API (v3). Thread-safe. It cannot be asked afterwards; its events carry our delivery id.

    `base_url` such as https://api.sendgrid.com; `timeout` in seconds, for connecting and for each wait on the answer.
    """

    name = "sendgrid"
    channel = Channel.EMAIL
    reports_receipts = True
    can_be_asked = False

    def __init__(self, *, api_key: SecretStr, base_url: str, timeout: float) -> None:
        silence_wire_logs()
        self._api = SendGridAPIClient(api_key.get_secret_value(), host=base_url.rstrip("/"))
        self._api.client.timeout = timeout

    def send(self, message: OutgoingMessage) -> Accepted:
        """Hand the message over once; the provider's id is X-Message-Id. Raises Transient, Permanent or Ambiguous."""
        outcome = self._attempt(message)
        if isinstance(outcome, Accepted):
            return outcome
        raise outcome  # outside any `except`: the provider's text must not ride along as context

    def find(self, message: OutgoingMessage, since: datetime) -> Accepted | None:
        """Always raises Ambiguous: SendGrid cannot be asked (`can_be_asked`), and None would say "not sent"."""
        raise Ambiguous("cannot_be_asked")

    def _attempt(self, message: OutgoingMessage) -> Accepted | SendFailure:
        try:
            # The library opens a connection per request. That is also the safer way here: a pooled connection that
            # the server closes just then makes an attempt ambiguous, and SendGrid cannot be asked about it.
            response = self._api.send(mail_body(message))
        except HTTPError as refusal:
            return _failure_of_refusal(refusal, datetime.now(UTC))
        except Exception as error:
            return failure_of_break(error)
        if response.status_code != codes.ACCEPTED_STATUS:
            return _UNREADABLE_ANSWER.failure()
        return Accepted(provider_id=response.headers.get("X-Message-Id") or "")


def mail_body(message: OutgoingMessage) -> dict[str, Any]:
    """The body of POST /v3/mail/send. The same message gives the same body, down to the order of its keys."""
    sender, rendered = message.brand.sender, message.rendered
    content = [{"type": "text/plain", "value": rendered.text}]
    if rendered.html:
        content.append({"type": "text/html", "value": rendered.html})
    body: dict[str, Any] = {
        "personalizations": [
            {
                "to": [{"email": message.to, "name": message.to_name} if message.to_name else {"email": message.to}],
                "custom_args": {"delivery_id": message.delivery_id, "brand": message.brand.id},
            }
        ],
        "from": {"email": sender.email, "name": sender.name},
        "subject": rendered.subject or message.brand.name,
        "content": content,
        "tracking_settings": _AS_RENDERED,
    }
    if sender.reply_to:
        body["reply_to"] = {"email": sender.reply_to}
    if headers := _own_headers(message):
        body["headers"] = headers
    return body


def _own_headers(message: OutgoingMessage) -> dict[str, str]:
    """What the message brings; SendGrid takes headers as they go on the wire, so other than ASCII is encoded here."""
    return {
        name: value if value.isascii() else Header(value, "utf-8", maxlinelen=10_000).encode()
        for name, value in extra_headers(message).items()
        if name.lower() not in codes.RESERVED
    }


def _failure_of_refusal(refusal: HTTPError, now: datetime) -> SendFailure:
    verdict = codes.by_status(refusal.status_code)
    if refusal.status_code == 400 and _names_recipient(refusal.body):
        verdict = codes.INVALID_RECIPIENT
    told = wait_asked_for(refusal.headers, now) if refusal.status_code in codes.SAYS_WHEN else None
    return verdict.failure(told)


def _names_recipient(body: bytes) -> bool:
    """Whether an error is about the recipient's address. By field only: messages may echo the recipient anyway."""
    try:
        errors = json.loads(body)["errors"]
        fields = [error.get("field") for error in errors]
    except (ValueError, RecursionError, LookupError, TypeError, AttributeError):
        return False
    return any(isinstance(field, str) and codes.NAMES_RECIPIENT.match(field) for field in fields)


def verify_sendgrid(
    public_key: str, raw_body: bytes, signature: str, timestamp: str, *, now: datetime, tolerance: timedelta
) -> None:
    """Make sure that SendGrid signed exactly these bytes, not longer than `tolerance` ago.

    `public_key` is the verification key as SendGrid shows it: base64 of a DER public key. `signature` and `timestamp`
    are the headers X-Twilio-Email-Event-Webhook-Signature and -Timestamp (ECDSA P-256 over SHA-256 of timestamp and
    body). `now` is aware. Raises BadSignature, or ConfigurationError if the key is none.
    """
    key = _public_key(public_key)
    try:
        signed = base64.b64decode(signature, validate=True)
        key.verify(signed, timestamp.encode() + raw_body, ec.ECDSA(hashes.SHA256()))
    except (InvalidSignature, binascii.Error, ValueError):
        raise BadSignature("bad_signature") from None
    signed_at = _instant(timestamp)
    if signed_at is None or abs(now - signed_at) > tolerance:
        raise BadSignature("stale_signature")


@lru_cache(maxsize=16)
def _public_key(text: str) -> ec.EllipticCurvePublicKey:
    try:
        key = load_der_public_key(base64.b64decode(text, validate=True))
    except ValueError:
        key = None
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise ConfigurationError(
            "settings",
            "ORDERTRAIL_SENDGRID_WEBHOOK_PUBLIC_KEY is not an elliptic curve key in base64, as SendGrid shows",
        )
    return key


def check_public_key(text: str) -> None:
    """Raises ConfigurationError if a verification key is none, so that this is known before the first callback."""
    _public_key(text)


def parse_sendgrid(raw_body: bytes) -> list[Report]:
    """One report for each event of a batch, in its order. Never raises: what is not understood is Unreadable.

    A receipt's `event_id` is SendGrid's id of the event and its type, so that a batch posted again is recognised.
    """
    try:
        batch = json.loads(raw_body)
    except (ValueError, RecursionError):
        return [Unreadable(reason="not_json")]
    if not isinstance(batch, list):
        return [Unreadable(reason="not_a_list")]
    return [_report(event) for event in batch]


def _report(event: object) -> Report:
    if not isinstance(event, dict):
        return Unreadable(reason="not_an_event")
    kind, provider_event_id = _text(event, "event"), _text(event, "sg_event_id")
    if kind is None or provider_event_id is None:
        return Unreadable(reason="not_an_event")
    event_id = f"{provider_event_id}:{kind}"
    effect = _effect(kind, event)
    if effect is None:
        return Unreadable(reason="unknown_event_type", event_id=event_id)
    if effect.state is None:
        return Ignored(event_id=event_id, reason=effect.reason)
    message_id = _text(event, "sg_message_id")
    return Receipt(
        event_id=event_id,
        delivery_id=_text(event, "delivery_id"),
        # The event names the message and the machine that handled it; X-Message-Id is the part before the first dot.
        provider_id=message_id.split(".", 1)[0] if message_id else None,
        state=effect.state,
        reason=effect.reason,
        occurred_at=_instant(event.get("timestamp")),
        closes_channel=effect.closes_channel,
    )


def _effect(kind: str, event: dict[str, Any]) -> codes.Effect | None:
    effect = codes.BY_EVENT.get(kind)
    match kind:
        case "bounce":
            return codes.BOUNCE_TYPES.get(_text(event, "type") or "", effect)
        case "dropped":
            reason = (_text(event, "reason") or "").split("(")[0].strip().lower()
            return codes.DROP_REASONS.get(reason, effect)
        case _:
            return effect


def _text(event: dict[str, Any], field: str) -> str | None:
    value = event.get(field)
    return value if isinstance(value, str) and value else None


def _instant(seconds: object) -> datetime | None:
    """Unix seconds, as a number or in digits, as aware UTC; None if they are no point in time."""
    if isinstance(seconds, bool) or not isinstance(seconds, int | float | str):
        return None
    try:
        return datetime.fromtimestamp(float(seconds), UTC)
    except (ValueError, OverflowError, OSError):
        return None
