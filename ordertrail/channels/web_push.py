"""Notifications by web push: encrypted for each device, handed to its browser's push service."""

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import requests
from py_vapid import VapidException
from pydantic import SecretStr
from pywebpush import WebPusher, WebPushException
from urllib3.exceptions import MaxRetryError

from ordertrail.channels.base import Accepted
from ordertrail.channels.push_endpoint import NotPublic, is_public_endpoint, is_web_address, push_session
from ordertrail.channels.vapid import vapid_key
from ordertrail.channels.verdict import (
    OPERATOR_WAIT,
    SendFailure,
    Verdict,
    ambiguous,
    failure_of_break,
    permanent,
    silence_wire_logs,
    transient,
    wait_asked_for,
)
from ordertrail.db import subscriptions
from ordertrail.db.engine import Database
from ordertrail.db.subscriptions import Subscription
from ordertrail.domain.clock import Clock
from ordertrail.domain.failures import Ambiguous, ConfigurationError, Permanent, Transient
from ordertrail.domain.ids import parse_push_address
from ordertrail.domain.message import OutgoingMessage
from ordertrail.domain.vocabulary import Channel, MessageKind

PAYLOAD_MAX = 3993
"""Bytes of content that every push service takes: 4096 (RFC 8030 section 7.2) less what RFC 8291 adds."""
SUBSCRIPTION_EXPIRED = "subscription_expired"
_KEPT_AT_LEAST, _KEPT_AT_MOST, _KEPT_OTHERWISE = timedelta(minutes=1), timedelta(days=28), timedelta(days=1)
_SIGNED_FOR = timedelta(hours=12)
_TOPIC = re.compile(r"[A-Za-z0-9_-]{1,32}")
_AT_ONCE = frozenset({MessageKind.OUT_FOR_DELIVERY, MessageKind.READY_FOR_PICKUP})
"""Kinds that a sleeping phone should wake up for, beside the critical ones."""

_GONE = permanent(SUBSCRIPTION_EXPIRED, closes=True)
BY_STATUS: dict[int, Verdict] = {
    400: permanent("rejected"),
    401: transient("credentials", OPERATOR_WAIT),
    403: transient("credentials", OPERATOR_WAIT),  # also: the device subscribed with another key pair
    404: _GONE,
    408: transient("request_timeout"),
    410: _GONE,
    413: permanent("too_large"),
    429: transient("rate_limited"),
    500: transient("provider_error"),
    502: ambiguous("bad_gateway"),
    503: transient("provider_unavailable"),
    504: ambiguous("gateway_timeout"),
}
"""RFC 8030 sections 5 to 8, RFC 8292 section 4.2; the services' own pages add nothing that contradicts them."""
_OTHER_REFUSAL, _OTHER_FAILURE = permanent("rejected"), transient("provider_error")
_UNUSABLE_KEYS = permanent("unusable_keys", closes=True)
_TOO_LARGE, _FORBIDDEN = permanent("too_large"), permanent("endpoint_forbidden", closes=True)


@dataclass(frozen=True, kw_only=True)
class _Notice:
    """What every device of the message gets."""

    content: bytes
    headers: Mapping[str, str]


class WebPush:
    """Web push (RFC 8030) with VAPID (RFC 8292) and message encryption (RFC 8291). Thread-safe.

    A message's address stands for all devices on which its person follows its order; each gets the notice. It counts
    as accepted when one of them took it: a device that failed beside it is not tried again, so that no other rings
    twice. Devices whose subscription is over are forgotten; without any left, the channel is closed. `timeout` in
    seconds, for connecting and for each wait on the answer.
    """

    name = "webpush"
    channel = Channel.PUSH
    reports_receipts = False
    can_be_asked = False

    def __init__(
        self, *, database: Database, clock: Clock, private_key: SecretStr, subject: str, timeout: float,
        allow_private: bool = False,
    ) -> None:  # fmt: skip
        silence_wire_logs()
        self._database = database
        self._clock = clock
        self._vapid = vapid_key(private_key)
        self._subject = subject
        self._timeout = timeout
        self._session = push_session(allow_private=allow_private)
        self._is_allowed = is_web_address if allow_private else is_public_endpoint
        self._authorization("https://push.example", clock())  # a subject that is none is told at start

    def send(self, message: OutgoingMessage) -> Accepted:
        """Notify every device once; the provider's id is that of the first subscription that took it.

        Raises Transient, Permanent or Ambiguous.
        """
        person_id, order_id = parse_push_address(message.to)
        with self._database.read() as c:
            devices = subscriptions.live(c, person_id=person_id, order_id=order_id)
        outcome = self._notify(devices, message)
        if isinstance(outcome, Accepted):
            return outcome
        raise outcome  # outside any `except`: the provider's text must not ride along as context

    def find(self, message: OutgoingMessage, since: datetime) -> Accepted | None:
        """Always raises Ambiguous: push services cannot be asked, and None would say "not sent"."""
        raise Ambiguous("cannot_be_asked")

    def _notify(self, devices: list[Subscription], message: OutgoingMessage) -> Accepted | SendFailure:
        if not devices:
            return _GONE.failure()
        now = self._clock()
        notice = _notice(message, now)
        if len(notice.content) > PAYLOAD_MAX:
            return _TOO_LARGE.failure()
        # All at once: one after the other could take longer than an attempt may.
        with ThreadPoolExecutor(len(devices)) as pool:
            outcomes = list(pool.map(lambda device: self._post(device, notice, now), devices))
        self._forget([device for device, outcome in zip(devices, outcomes, strict=True) if _is_over(outcome)], now)
        taken = (device for device, outcome in zip(devices, outcomes, strict=True) if outcome is None)
        first = next(taken, None)
        return Accepted(provider_id=first.id) if first else _worst([o for o in outcomes if o is not None])

    def _forget(self, devices: list[Subscription], now: datetime) -> None:
        # Without a database they are met again next time; what is notified stays notified.
        with suppress(Transient):
            if devices:
                with self._database.write() as c:
                    for device in devices:
                        subscriptions.expire(c, device.id, reason=SUBSCRIPTION_EXPIRED, now=now)

    def _post(self, device: Subscription, notice: _Notice, now: datetime) -> SendFailure | None:
        """None when the push service took it."""
        if not self._is_allowed(device.endpoint):
            return _FORBIDDEN.failure()
        keys = {"p256dh": device.p256dh, "auth": device.auth}
        try:
            body = WebPusher({"endpoint": device.endpoint, "keys": keys}).encode(notice.content)["body"]
        except (ValueError, WebPushException):
            return _UNUSABLE_KEYS.failure()
        headers = {**notice.headers, **self._authorization(device.endpoint, now)}
        try:
            answer = self._session.post(
                device.endpoint, data=body, headers=headers, timeout=self._timeout, allow_redirects=False
            )
        except Exception as error:
            return _FORBIDDEN.failure() if _leads_inside(error) else failure_of_break(error)
        if answer.ok and answer.status_code < 300:
            return None
        return _verdict(answer.status_code).failure(wait_asked_for(answer.headers, now))

    def _authorization(self, endpoint: str, now: datetime) -> dict[str, str]:
        url = urlsplit(endpoint)
        claims = {
            "aud": f"{url.scheme}://{url.netloc}",
            "exp": int((now + _SIGNED_FOR).timestamp()),
            "sub": self._subject,
        }
        try:
            signed: dict[str, str] = self._vapid.sign(claims)
        except VapidException:
            raise ConfigurationError(
                "settings", "ORDERTRAIL_VAPID_SUBJECT must be a mailto: or https: address of whoever runs this"
            ) from None
        return signed


def _notice(message: OutgoingMessage, now: datetime) -> _Notice:
    rendered = message.rendered
    told = {
        "title": rendered.title or message.brand.name,
        "body": rendered.text,
        "link": rendered.link,
        "tag": rendered.collapse_key or message.delivery_id,
    }
    critical = message.kind in message.brand.policy.critical_kinds
    keep = _KEPT_OTHERWISE if message.not_after is None else message.not_after - now
    headers = {
        "Content-Type": "application/octet-stream",
        "Content-Encoding": "aes128gcm",
        "TTL": str(int(min(max(keep, _KEPT_AT_LEAST), _KEPT_AT_MOST).total_seconds())),
        "Urgency": "high" if critical or message.kind in _AT_ONCE else "normal",
    }
    if rendered.collapse_key:
        headers["Topic"] = topic_of(rendered.collapse_key)
    return _Notice(content=json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode(), headers=headers)


def topic_of(collapse_key: str) -> str:
    """A collapse key as the Topic header takes it: at most 32 characters of base64url (RFC 8030 section 5.4)."""
    if _TOPIC.fullmatch(collapse_key):
        return collapse_key
    return base64.urlsafe_b64encode(hashlib.sha256(collapse_key.encode()).digest()[:24]).decode()


def _verdict(status: int) -> Verdict:
    if status in BY_STATUS:
        return BY_STATUS[status]
    return _OTHER_REFUSAL if status < 500 else _OTHER_FAILURE


def _is_over(outcome: SendFailure | None) -> bool:
    return isinstance(outcome, Permanent) and outcome.closes_channel


def _worst(failures: list[SendFailure]) -> SendFailure:
    """What failed on every device: unclear if one is, else to be tried again if one may be, else for good.

    The channel is closed only when no device is left that could be reached another time.
    """
    unclear = [failure for failure in failures if isinstance(failure, Ambiguous)]
    later = [failure for failure in failures if isinstance(failure, Transient)]
    if unclear or later:
        later.sort(key=lambda failure: failure.retry_after or timedelta(0))
        return unclear[0] if unclear else later[0]
    still_there = [failure for failure in failures if not _is_over(failure)]
    return (still_there or failures)[0]


def _leads_inside(error: BaseException) -> bool:
    wrapped = error.args[0] if isinstance(error, requests.ConnectionError) and error.args else None
    return isinstance(wrapped, MaxRetryError) and isinstance(wrapped.reason, NotPublic)
