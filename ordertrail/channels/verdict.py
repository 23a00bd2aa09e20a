"""How what a provider answered, or failed to answer, becomes one of the three families of failure."""

import logging
import socket
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum
from urllib.error import URLError

from urllib3 import exceptions as urllib3

from ordertrail.domain.failures import Ambiguous, Permanent, Transient

SendFailure = Transient | Permanent | Ambiguous

LONGEST_WAIT = timedelta(hours=1)
"""A provider's clock or header may be wrong; nobody waits longer than this on its word alone."""

OPERATOR_WAIT = timedelta(seconds=60)
"""What an operator must mend (credentials, endpoints) is tried again this often: the message itself is not at fault."""

_CHATTY_LOGGERS = ("python_http_client", "twilio.http_client", "urllib3.connectionpool")


class Family(StrEnum):
    """Which failure an answer becomes."""

    TRANSIENT = "transient"
    PERMANENT = "permanent"
    AMBIGUOUS = "ambiguous"


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """One row of a provider's error table. `code` is a word from a closed list: it goes to logs and metrics."""

    family: Family
    code: str
    closes_channel: bool = False
    retry_after: timedelta | None = None

    def failure(self, told: timedelta | None = None) -> SendFailure:
        """The exception to raise; `told` is the wait the provider itself asked for and wins over the table's."""
        match self.family:
            case Family.TRANSIENT:
                return Transient(self.code, retry_after=self.retry_after if told is None else told)
            case Family.PERMANENT:
                return Permanent(self.code, closes_channel=self.closes_channel)
            case Family.AMBIGUOUS:
                return Ambiguous(self.code)


def transient(code: str, retry_after: timedelta | None = None) -> Verdict:
    """Certainly not done, may work later."""
    return Verdict(family=Family.TRANSIENT, code=code, retry_after=retry_after)


def permanent(code: str, *, closes: bool = False) -> Verdict:
    """Not done and never will be; `closes`: the address must not be used again on this channel."""
    return Verdict(family=Family.PERMANENT, code=code, closes_channel=closes)


def ambiguous(code: str) -> Verdict:
    """May or may not have been done."""
    return Verdict(family=Family.AMBIGUOUS, code=code)


# What broke before the whole request was handed to the network was certainly not done. urllib raises URLError only
# while connecting and writing; what breaks while it waits for the answer is raised as it is.
_BREAKS: tuple[tuple[type[BaseException], Verdict], ...] = (
    (socket.gaierror, transient("name_not_resolved")),
    (urllib3.NameResolutionError, transient("name_not_resolved")),
    (ConnectionRefusedError, transient("connection_refused")),
    (ssl.SSLCertVerificationError, transient("certificate_refused", OPERATOR_WAIT)),
    (urllib3.NewConnectionError, transient("not_connected")),
    (urllib3.ConnectTimeoutError, transient("connect_timeout")),
    (urllib3.ProxyError, transient("proxy_unreachable")),
    (URLError, transient("not_connected")),
    (TimeoutError, ambiguous("no_answer_in_time")),
    (urllib3.ReadTimeoutError, ambiguous("no_answer_in_time")),
    (ConnectionError, ambiguous("connection_broken")),
    (urllib3.ProtocolError, ambiguous("connection_broken")),
    (ValueError, ambiguous("unreadable_answer")),
)
_UNEXPLAINED = ambiguous("connection_broken")


def failure_of_break(error: BaseException) -> SendFailure:
    """What an exchange that ended without a readable answer means.

    Ambiguous unless some error in the chain proves that the request never left. Carries nothing of `error`'s text.
    """
    chain = tuple(_chain(error))
    for kind, verdict in _BREAKS:
        if any(isinstance(link, kind) for link in chain):
            return verdict.failure()
    return _UNEXPLAINED.failure()


def _chain(error: BaseException) -> Iterator[BaseException]:
    """`error` and everything it wraps, as urllib (`reason`), urllib3 (`reason`, `args`) and Python (`__cause__`) do."""
    seen: set[int] = set()
    waiting: list[object] = [error]
    while waiting:
        link = waiting.pop(0)
        if not isinstance(link, BaseException) or id(link) in seen:
            continue
        seen.add(id(link))
        yield link
        waiting += [getattr(link, "reason", None), link.__cause__, link.__context__, *link.args]


def wait_asked_for(headers: Mapping[str, str], now: datetime) -> timedelta | None:
    """How long the provider asks us to wait, between nothing and an hour, or None if it does not say.

    Reads Retry-After (RFC 9110 10.2.3: seconds or a date), then X-RateLimit-Reset (SendGrid: Unix seconds). `now` is
    aware. `headers` is any case-insensitive mapping.
    """
    wait = _retry_after(headers.get("Retry-After"), now)
    if wait is None:
        reset = headers.get("X-RateLimit-Reset")
        wait = timedelta(seconds=int(reset) - now.timestamp()) if reset and _is_short_number(reset) else None
    return None if wait is None else min(max(wait, timedelta(0)), LONGEST_WAIT)


def _retry_after(value: str | None, now: datetime) -> timedelta | None:
    if not value:
        return None
    if _is_short_number(value):
        return timedelta(seconds=int(value))
    try:
        until = parsedate_to_datetime(value)
    except ValueError:
        return None
    return (until if until.tzinfo else until.replace(tzinfo=UTC)) - now


def _is_short_number(value: str) -> bool:
    return value.isascii() and value.isdigit() and len(value) <= 11


def silence_wire_logs() -> None:
    """Stop the vendors' libraries from logging recipients, bodies and keys, which they do at DEBUG and INFO."""
    for name in _CHATTY_LOGGERS:
        logging.getLogger(name).setLevel(logging.WARNING)
