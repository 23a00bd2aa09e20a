"""A real SMTP server that keeps what it is given and fails on demand, at the step it is told to."""

import asyncio
import socket
import ssl
from collections import deque
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from enum import StrEnum
from typing import Any, Self

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session


class Step(StrEnum):
    """Where a fault befalls the conversation."""

    SENDER = "sender"
    RECIPIENT = "recipient"
    CONTENT = "content"  # after the final dot


@dataclass(frozen=True, kw_only=True)
class SmtpFault:
    """One way to fail: a reply, a connection closed without one, or none for a while. `accepts`: kept nevertheless."""

    step: Step
    reply: str | None = None
    drop: bool = False
    seconds: float = 0
    accepts: bool = False


@dataclass(frozen=True, kw_only=True)
class KeptMail:
    sender: str
    recipients: list[str]
    raw: bytes
    options: list[str]

    @property
    def parsed(self) -> EmailMessage:
        return message_from_bytes(self.raw, policy=default)


class FakeSmtp:
    """Use it as `with FakeSmtp() as fake`. `login` wants these credentials; `tls` offers STARTTLS, or speaks TLS."""

    def __init__(
        self, *, login: tuple[str, str] | None = None, tls: ssl.SSLContext | None = None, implicit: bool = False,
        smtputf8: bool = True,
    ) -> None:  # fmt: skip
        self.kept: list[KeptMail] = []
        self.faults: deque[SmtpFault] = deque()
        self._login = login
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port: int = free.getsockname()[1]
        starttls: dict[str, Any] = {} if implicit else {"tls_context": tls, "require_starttls": tls is not None}
        self._controller = Controller(
            self,
            hostname="127.0.0.1",
            port=self.port,
            ready_timeout=10,
            ssl_context=tls if implicit else None,
            enable_SMTPUTF8=smtputf8,
            auth_required=login is not None,
            auth_require_tls=tls is not None and not implicit,
            authenticator=self._authenticate,
            data_size_limit=200_000,
            **starttls,
        )

    def __enter__(self) -> Self:
        self._controller.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._controller.stop()

    def _authenticate(self, _: SMTP, __: Session, ___: Envelope, ____: str, data: Any) -> AuthResult:
        assert isinstance(data, LoginPassword)
        right = (data.login.decode(), data.password.decode()) == self._login
        return AuthResult(success=right, handled=False)

    # What aiosmtpd calls.

    async def handle_MAIL(self, server: SMTP, _: Session, envelope: Envelope, address: str, options: list[str]) -> str:
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return await self._fault(server, Step.SENDER) or "250 OK"

    async def handle_RCPT(self, server: SMTP, _: Session, envelope: Envelope, address: str, __: list[str]) -> str:
        refused = await self._fault(server, Step.RECIPIENT)
        if refused is None:
            envelope.rcpt_tos.append(address)
        return refused or "250 OK"

    async def handle_DATA(self, server: SMTP, _: Session, envelope: Envelope) -> str:
        if not self.faults or self.faults[0].accepts:
            content = envelope.original_content or b""
            self.kept.append(
                KeptMail(
                    sender=envelope.mail_from or "",
                    recipients=list(envelope.rcpt_tos),
                    raw=content,
                    options=list(envelope.mail_options),
                )
            )
        return await self._fault(server, Step.CONTENT) or "250 OK: queued"

    async def _fault(self, server: SMTP, step: Step) -> str | None:
        if not self.faults or self.faults[0].step is not step:
            return None
        fault = self.faults.popleft()
        await asyncio.sleep(fault.seconds)
        if fault.drop:
            assert isinstance(server.transport, asyncio.Transport)
            server.transport.abort()
        return fault.reply
