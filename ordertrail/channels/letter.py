"""An email as bytes for SMTP: the same message gives the same bytes, however often it is handed over."""

import re
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from email.utils import format_datetime

from email_validator import EmailNotValidError, validate_email
from ulid import ULID

from ordertrail.domain.failures import Permanent
from ordertrail.domain.message import OutgoingMessage

OURS = frozenset({"from", "to", "cc", "bcc", "sender", "reply-to", "subject", "date", "message-id", "mime-version",
                  "content-type", "content-transfer-encoding", "content-disposition", "return-path", "received",
                  "dkim-signature"})  # fmt: skip
"""Headers that are built here or by mail servers; a message may bring any other one."""
_HEADER_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,75}")


@dataclass(frozen=True, kw_only=True)
class Letter:
    """What SMTP is given. `needs_utf8`: an address cannot be written in ASCII (RFC 6531)."""

    sender: str
    recipient: str
    message_id: str
    content: bytes
    needs_utf8: bool


def letter_of(message: OutgoingMessage) -> Letter | Permanent:
    """Build the email; Permanent when an address is none.

    Content is 7-bit throughout, and everything that libraries like to invent (Message-ID, date, boundary) comes from
    the delivery's id, so that a repeated message is recognised as the same one.
    """
    recipient, sender = _wire_address(message.to), _wire_address(message.brand.sender.email)
    if recipient is None:
        return Permanent("invalid_address", closes_channel=True)
    if sender is None:
        return Permanent("sender_unusable")
    needs_utf8 = not (recipient.isascii() and sender.isascii())
    message_id = f"<{message.delivery_id}@{sender.rpartition('@')[2]}>"
    email = _email(message, sender=sender, recipient=recipient, message_id=message_id)
    policy = (SMTPUTF8 if needs_utf8 else SMTP).clone(cte_type="7bit")
    content = email.as_bytes(policy=policy)
    return Letter(
        sender=sender, recipient=recipient, message_id=message_id, content=content, needs_utf8=needs_utf8
    )  # fmt: skip


def extra_headers(message: OutgoingMessage) -> dict[str, str]:
    """The headers a message brings itself, each on one line; those that are not its to set are left out."""
    return {
        name: one_line(value)
        for name, value in message.rendered.headers.items()
        if _HEADER_NAME.fullmatch(name) and name.lower() not in OURS and one_line(value)
    }


def one_line(text: str) -> str:
    """Without line feeds and other control characters: nothing in a value may become a header of its own."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())


def _email(message: OutgoingMessage, *, sender: str, recipient: str, message_id: str) -> EmailMessage:
    rendered, brand = message.rendered, message.brand
    email = EmailMessage(policy=SMTP.clone(cte_type="7bit"))
    email["From"] = _mailbox(brand.sender.name, sender)
    email["To"] = _mailbox(message.to_name, recipient)
    if brand.sender.reply_to:
        email["Reply-To"] = _mailbox("", _wire_address(brand.sender.reply_to) or brand.sender.reply_to)
    email["Subject"] = one_line(rendered.subject or brand.name)
    email["Message-ID"] = message_id
    if (written := _written_at(message.delivery_id)) is not None:
        email["Date"] = written
    for name, value in extra_headers(message).items():
        email[name] = value
    email.set_content(rendered.text)
    if rendered.html:
        email.add_alternative(rendered.html, subtype="html")
        email.set_boundary(f"=_{message.delivery_id}")
    return email


def _mailbox(name: str, address: str) -> Address:
    local, _, domain = address.rpartition("@")
    return Address(display_name=one_line(name), username=local, domain=domain)


def _wire_address(address: str) -> str | None:
    """With its domain in ASCII, which every server understands; None if it is no address."""
    try:
        valid = validate_email(address, check_deliverability=False)
    except EmailNotValidError:
        return None
    return valid.ascii_email or f"{valid.local_part}@{valid.ascii_domain}"


def _written_at(delivery_id: str) -> str | None:
    """When the delivery was decided, from its id; without it the mail server states a date."""
    try:
        return format_datetime(ULID.from_str(delivery_id.removeprefix("dlv_").upper()).datetime)
    except ValueError:
        return None
