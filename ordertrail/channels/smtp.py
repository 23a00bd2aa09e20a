"""Email by SMTP: hand a message over to any mail server, and know whether it took it."""

import re
import smtplib
import socket
import ssl
import time
from contextlib import suppress
from datetime import datetime

from pydantic import SecretStr

from ordertrail.channels.base import Accepted
from ordertrail.channels.letter import Letter, letter_of
from ordertrail.channels.smtp_codes import Stage, by_reply
from ordertrail.channels.verdict import OPERATOR_WAIT, SendFailure, ambiguous, permanent, transient
from ordertrail.domain.failures import Ambiguous
from ordertrail.domain.message import OutgoingMessage
from ordertrail.domain.vocabulary import Channel
from ordertrail.settings import SmtpSecurity

_LEADING_DOT = re.compile(rb"(?m)^\.")
_NEEDS_UTF8 = permanent("address_needs_smtputf8")
_TOO_SLOW = transient("no_answer_in_time")

# Before the message's last line is sent nothing can have been taken; after it, silence may mean anything.
_BEFORE_BODY = (
    (socket.gaierror, transient("name_not_resolved")),
    (ConnectionRefusedError, transient("connection_refused")),
    (ssl.SSLCertVerificationError, transient("certificate_refused", OPERATOR_WAIT)),
    (ssl.SSLError, transient("no_tls", OPERATOR_WAIT)),
    (smtplib.SMTPNotSupportedError, transient("no_tls_or_login", OPERATOR_WAIT)),
    (TimeoutError, _TOO_SLOW),
)
_BROKEN = transient("connection_broken")
_BROKEN_IN_BODY = ambiguous("connection_broken")
_SILENT_IN_BODY = ambiguous("no_answer_in_time")


class SmtpEmail:
    """Submission over SMTP (RFC 5321, 6409). Thread-safe: each message has a connection of its own.

    The server cannot be asked afterwards and reports nothing: bounces come as mail to the brand's sender address.
    `timeout` in seconds: once for everything up to the message's content, once for the answer to that. `tls` is the
    trust to use instead of the system's.
    """

    name = "smtp"
    channel = Channel.EMAIL
    reports_receipts = False
    can_be_asked = False

    def __init__(
        self, *, host: str, port: int, security: SmtpSecurity, username: str | None, password: SecretStr | None,
        timeout: float, tls: ssl.SSLContext | None = None,
    ) -> None:  # fmt: skip
        self._server = (host, port)
        self._security = security
        self._login = (username, password.get_secret_value() if password else "") if username else None
        self._timeout = timeout
        self._tls = tls or ssl.create_default_context()

    def send(self, message: OutgoingMessage) -> Accepted:
        """Hand the message over once; the provider's id is its Message-ID. Raises Transient, Permanent or Ambiguous."""
        letter = letter_of(message)
        outcome = self._attempt(letter) if isinstance(letter, Letter) else letter
        if isinstance(outcome, Accepted):
            return outcome
        raise outcome  # outside any `except`: the server's text must not ride along as context

    def find(self, message: OutgoingMessage, since: datetime) -> Accepted | None:
        """Always raises Ambiguous: a mail server cannot be asked (`can_be_asked`), and None would say "not sent"."""
        raise Ambiguous("cannot_be_asked")

    def _attempt(self, letter: Letter) -> Accepted | SendFailure:
        talk = _Conversation(self._server, self._security, self._timeout, self._tls, letter)
        try:
            failure = talk.hand_over(self._login)
        except _Refused as refusal:
            failure = by_reply(talk.stage, refusal.code, refusal.text).failure()
        except smtplib.SMTPResponseException as refusal:
            failure = by_reply(talk.stage, refusal.smtp_code, _bytes(refusal.smtp_error)).failure()
        except Exception as error:
            failure = _failure_of_break(error, talk.stage)
        finally:
            talk.close()
        return failure or Accepted(provider_id=letter.message_id)


class _Refused(Exception):
    """The server said no. Its text never leaves this module."""

    def __init__(self, code: int, text: bytes) -> None:
        super().__init__()
        self.code = code
        self.text = text


class _Conversation:
    """One connection for one letter, and how far it has come."""

    def __init__(
        self, server: tuple[str, int], security: SmtpSecurity, timeout: float, tls: ssl.SSLContext, letter: Letter
    ) -> None:
        self.stage = Stage.CONNECT
        self._server = server
        self._security = security
        self._timeout = timeout
        self._tls = tls
        self._letter = letter
        self._smtp: smtplib.SMTP | None = None

    def hand_over(self, login: tuple[str, str] | None) -> SendFailure | None:
        """None once the server has taken the letter. Raises what breaks, and _Refused."""
        began = time.monotonic()
        letter, smtp = self._letter, self._connect()
        if login is not None:
            self.stage = Stage.LOGIN
            smtp.login(*login)
        if letter.needs_utf8 and not smtp.has_extn("smtputf8"):
            return _NEEDS_UTF8.failure()
        self.stage = Stage.SENDER
        self._expect(250, *smtp.mail(letter.sender, ["SMTPUTF8", "BODY=8BITMIME"] if letter.needs_utf8 else []))
        self.stage = Stage.RECIPIENT
        self._expect(250, *smtp.rcpt(letter.recipient))
        self._expect(354, *smtp.docmd("DATA"))
        if time.monotonic() - began > self._timeout:
            return _TOO_SLOW.failure()  # whoever looks after this attempt may hold it for dead already
        self.stage = Stage.BODY
        smtp.send(_LEADING_DOT.sub(b"..", letter.content) + b".\r\n")
        self._expect(250, *smtp.getreply())
        return None

    def _connect(self) -> smtplib.SMTP:
        host, port = self._server
        # Without a name given, the library asks the DNS for ours at each connection.
        name = self._letter.sender.rpartition("@")[2]
        if self._security is SmtpSecurity.TLS:
            smtp: smtplib.SMTP = smtplib.SMTP_SSL(
                host, port, local_hostname=name, timeout=self._timeout, context=self._tls
            )
        else:
            smtp = smtplib.SMTP(host, port, local_hostname=name, timeout=self._timeout)
        self._smtp = smtp
        smtp.ehlo_or_helo_if_needed()
        if self._security is SmtpSecurity.STARTTLS:
            self._expect(220, *smtp.starttls(context=self._tls))
            smtp.ehlo_or_helo_if_needed()
        return smtp

    @staticmethod
    def _expect(wanted: int, code: int, text: bytes) -> None:
        if code == -1:
            raise ConnectionError  # how the library says that no reply could be read
        if code != wanted and not (wanted == 250 and code in {251, 252}):
            raise _Refused(code, text)

    def close(self) -> None:
        """Part politely where that is possible; what became of the letter is known by now."""
        if self._smtp is None:
            return
        with suppress(OSError, smtplib.SMTPException):
            if self.stage is not Stage.CONNECT and self._smtp.sock is not None:
                self._smtp.sock.settimeout(min(self._timeout, 2.0))
                self._smtp.quit()
        self._smtp.close()


def _failure_of_break(error: BaseException, stage: Stage) -> SendFailure:
    chain = [error, error.__cause__, error.__context__]
    if stage is Stage.BODY:
        silent = any(isinstance(link, TimeoutError) for link in chain)
        return (_SILENT_IN_BODY if silent else _BROKEN_IN_BODY).failure()
    for kind, verdict in _BEFORE_BODY:
        if any(isinstance(link, kind) for link in chain):
            return verdict.failure()
    return _BROKEN.failure()


def _bytes(text: bytes | str) -> bytes:
    return text if isinstance(text, bytes) else text.encode(errors="replace")
