"""Handing email to a real mail server: whole letters, and failures told apart without telling anything personal."""

import datetime as dt
import ipaddress
import socket
import ssl
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from ordertrail.channels.base import Accepted, Provider
from ordertrail.channels.letter import Letter, letter_of
from ordertrail.channels.smtp import SmtpEmail
from ordertrail.channels.smtp_codes import BY_CODE, BY_ENHANCED, BY_ENHANCED_CLASS, Stage, by_reply
from ordertrail.channels.verdict import Family
from ordertrail.domain.failures import Ambiguous, OrdertrailError, Permanent, Transient
from ordertrail.domain.message import OutgoingMessage, Rendered
from ordertrail.settings import SmtpSecurity
from tests.channels.conftest import BRAND, EMAIL, TEXT, assert_tells_nothing_personal, email_message
from tests.fakes.smtp import FakeSmtp, SmtpFault, Step

HTML = f"<p>{TEXT} ☂</p>" + "<p>long</p>" * 200


def adapter(port: int, **changes: Any) -> SmtpEmail:
    settings: dict[str, Any] = {
        "host": "127.0.0.1",
        "port": port,
        "security": SmtpSecurity.NONE,
        "username": None,
        "password": None,
        "timeout": 5,
    }
    return SmtpEmail(**settings | changes)


def failure(fake: FakeSmtp, message: OutgoingMessage | None = None, **changes: Any) -> OrdertrailError:
    with pytest.raises(OrdertrailError) as raised:
        adapter(fake.port, **changes).send(message or email_message())
    assert_tells_nothing_personal(raised.value)
    return raised.value


def rendered(**changes: Any) -> OutgoingMessage:
    return email_message(
        rendered=Rendered(subject="Out for delivery", html=HTML, text=f"{TEXT} ☂\n.\n..dots\n", **changes)
    )


def letter(message: OutgoingMessage) -> Letter:
    built = letter_of(message)
    assert isinstance(built, Letter)
    return built


def test_it_is_a_provider() -> None:
    provider: Provider = adapter(25)
    assert (provider.name, provider.channel, provider.reports_receipts, provider.can_be_asked) == (
        "smtp",
        "email",
        False,
        False,
    )
    with pytest.raises(Ambiguous):
        provider.find(email_message(), dt.datetime.now(dt.UTC))


def test_a_letter_arrives_whole() -> None:
    extra = {"List-Unsubscribe": "<https://shop.example/u/x>", "References": "<order-1@north.example>"}
    with FakeSmtp() as fake:
        accepted = adapter(fake.port).send(rendered(headers=extra))
        (kept,) = fake.kept
    mail = kept.parsed
    assert accepted == Accepted(provider_id="<dlv_1@north.example>") == Accepted(provider_id=mail["Message-ID"])
    assert (kept.sender, kept.recipients) == ("orders@north.example", [EMAIL])
    assert (mail["From"], mail["To"]) == ("North <orders@north.example>", f"Rosalind Quill <{EMAIL}>")
    assert (mail["Reply-To"], mail["Subject"]) == ("help@north.example", "Out for delivery")
    assert {name: mail[name] for name in extra} == extra
    assert mail.get_content_type() == "multipart/alternative"
    plain, html = mail.iter_parts()
    assert plain.get_content().splitlines() == [f"{TEXT} ☂", ".", "..dots"]
    assert html.get_content().strip() == HTML
    assert kept.raw.isascii()
    assert max(len(line) for line in kept.raw.splitlines()) <= 998


def test_a_letter_without_html_is_plain_text() -> None:
    built = letter(email_message(rendered=Rendered(subject="Hi", text=TEXT)))
    assert b"Content-Type: text/plain" in built.content
    assert b"multipart" not in built.content


def test_the_same_message_gives_the_same_bytes_and_its_date_is_its_own() -> None:
    message = rendered().model_copy(update={"delivery_id": "dlv_01k9zq3v5n8w2x4y6z8a0b2c4d"})
    again = OutgoingMessage.model_validate_json(message.model_dump_json())
    assert letter(message) == letter(again)
    assert b"\nDate: " in letter(message).content
    assert b"\nDate: " not in letter(rendered()).content


def test_nobodys_name_or_subject_or_header_starts_a_header_of_its_own() -> None:
    evil = "x\r\nBcc: all@example.com\n\ninjected\u2028\u0085"
    message = email_message(
        to_name=evil,
        rendered=Rendered(
            subject=evil, text=TEXT, headers={"X-A": evil, "Bcc": "b@example.com", "X\nY": "z", "To": "q@x.example"}
        ),
    )
    with FakeSmtp() as fake:
        adapter(fake.port).send(message)
        (kept,) = fake.kept
    assert set(kept.parsed.keys()) == {
        "From", "To", "Reply-To", "Subject", "Message-ID", "X-A", "Content-Type", "Content-Transfer-Encoding",
        "MIME-Version",
    }  # fmt: skip
    assert kept.parsed.get_content().strip() == TEXT


@given(st.text(max_size=300), st.text(max_size=300), st.dictionaries(st.text(max_size=20), st.text(max_size=200)))
def test_any_words_make_a_letter(name: str, subject: str, headers: dict[str, str]) -> None:
    built = letter(email_message(to_name=name, rendered=Rendered(subject=subject, text=TEXT, headers=headers)))
    head = built.content.partition(b"\r\n\r\n")[0]
    assert b"Bcc" not in head
    assert built.content.isascii()


@pytest.mark.parametrize(
    ("to", "wire", "utf8"),
    [
        ("zoë@example.com", "zoë@example.com", True),
        ("ana@bücher.example", "ana@xn--bcher-kva.example", False),
        ("用户@例え.jp", "用户@xn--r8jz45g.jp", True),
    ],
)
def test_addresses_of_the_whole_world(to: str, wire: str, utf8: bool) -> None:
    with FakeSmtp() as fake:
        adapter(fake.port).send(email_message(to=to))
        (kept,) = fake.kept
    assert kept.recipients == [wire]
    assert ("SMTPUTF8" in kept.options) is utf8
    assert f"\r\nTo: Rosalind Quill <{wire}>\r\n".encode() in kept.raw


def test_a_server_without_utf8_addresses_is_not_given_one() -> None:
    with FakeSmtp(smtputf8=False) as fake:
        error = failure(fake, email_message(to="zoë@example.com"))
    assert isinstance(error, Permanent)
    assert (error.code, error.closes_channel, fake.kept) == ("address_needs_smtputf8", False, [])


@pytest.mark.parametrize("to", ["nobody", "a@b@c.example", "a b@example.com", "", "@example.com"])
def test_what_is_no_address_closes_the_channel(to: str) -> None:
    with pytest.raises(Permanent) as raised:
        adapter(1).send(email_message(to=to))
    assert (raised.value.code, raised.value.closes_channel) == ("invalid_address", True)


@pytest.mark.parametrize(
    ("step", "reply", "family", "code", "closes"),
    [
        (Step.RECIPIENT, "421 4.3.2 closing", Transient, "service_closing", False),
        (Step.RECIPIENT, f"450 4.2.1 {EMAIL} busy", Transient, "mailbox_busy", False),
        (Step.RECIPIENT, "451 4.7.1 greylisted", Transient, "deferred", False),
        (Step.RECIPIENT, "452 full", Transient, "server_full", False),
        (Step.RECIPIENT, f"550 5.1.1 {EMAIL} user unknown", Permanent, "unknown_mailbox", True),
        (Step.RECIPIENT, "550 user unknown", Permanent, "unknown_mailbox", True),
        (Step.RECIPIENT, "550 5.7.1 blocked by policy", Permanent, "blocked", False),
        (Step.RECIPIENT, "550 5.7.99 blocked by policy", Permanent, "blocked", False),
        (Step.RECIPIENT, "552 5.2.2 over quota", Permanent, "mailbox_full", False),
        (Step.RECIPIENT, "552 over quota", Permanent, "mailbox_full", False),
        (Step.RECIPIENT, "553 5.1.3 no address", Permanent, "invalid_address", True),
        (Step.RECIPIENT, "554 no", Permanent, "rejected", False),
        (Step.RECIPIENT, "450 5.1.1 odd", Transient, "mailbox_busy", False),
        (Step.SENDER, "550 5.1.1 who are you", Transient, "sender_refused", False),
        (Step.SENDER, "451 later", Transient, "deferred", False),
        (Step.CONTENT, "421 closing", Transient, "service_closing", False),
        (Step.CONTENT, "451 later", Transient, "deferred", False),
        (Step.CONTENT, "552 5.3.4 too big", Permanent, "too_large", False),
        (Step.CONTENT, "552 too big", Permanent, "too_large", False),
        (Step.CONTENT, "550 5.1.1 unknown after all", Permanent, "unknown_mailbox", True),
        (Step.CONTENT, "550 spam", Permanent, "rejected", False),
        (Step.CONTENT, "554 5.6.0 content", Permanent, "content_refused", False),
    ],
)
def test_each_reply_is_told_apart(
    step: Step, reply: str, family: type[OrdertrailError], code: str, closes: bool
) -> None:
    with FakeSmtp() as fake:
        fake.faults.append(SmtpFault(step=step, reply=reply))
        error = failure(fake)
        assert type(error) is family
        assert (error.code, getattr(error, "closes_channel", False)) == (code, closes)
        assert fake.kept == []
        adapter(fake.port).send(email_message())
        assert len(fake.kept) == 1


@pytest.mark.parametrize("step", [Step.SENDER, Step.RECIPIENT])
def test_a_connection_that_breaks_before_the_content_sent_nothing(step: Step) -> None:
    with FakeSmtp() as fake:
        fake.faults.append(SmtpFault(step=step, drop=True))
        error = failure(fake)
    assert isinstance(error, Transient)
    assert (error.code, fake.kept) == ("connection_broken", [])


@pytest.mark.parametrize("accepts", [True, False])
def test_a_connection_that_breaks_after_the_final_dot_is_ambiguous(accepts: bool) -> None:
    with FakeSmtp() as fake:
        fake.faults.append(SmtpFault(step=Step.CONTENT, drop=True, accepts=accepts))
        error = failure(fake)
    assert isinstance(error, Ambiguous)
    assert (error.code, len(fake.kept)) == ("connection_broken", int(accepts))


def test_silence_before_the_content_is_transient_and_after_it_ambiguous() -> None:
    with FakeSmtp() as fake:
        fake.faults.append(SmtpFault(step=Step.RECIPIENT, seconds=1))
        before = failure(fake, timeout=0.3)
        fake.faults.append(SmtpFault(step=Step.CONTENT, seconds=1, accepts=True))
        after = failure(fake, timeout=0.3)
    assert (type(before), before.code) == (Transient, "no_answer_in_time")
    assert (type(after), after.code) == (Ambiguous, "no_answer_in_time")


def test_a_conversation_that_drags_on_ends_before_the_content() -> None:
    """Each step is within its time and all of them together are not: another attempt may have begun by now."""
    with FakeSmtp() as fake:
        fake.faults += [SmtpFault(step=Step.SENDER, seconds=0.4), SmtpFault(step=Step.RECIPIENT, seconds=0.4)]
        error = failure(fake, timeout=0.6)
    assert (type(error), error.code, fake.kept) == (Transient, "no_answer_in_time", [])


def test_nobody_listening_is_certainly_not_sent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    for provider, code in (
        (adapter(port), "connection_refused"),
        (adapter(port, host="mail.invalid"), "name_not_resolved"),
    ):
        with pytest.raises(Transient) as raised:
            provider.send(email_message())
        assert raised.value.code == code


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """What a server shows, and what a client trusts."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mail")])
    now = dt.datetime.now(dt.UTC)
    alternative = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(hours=1))
        .add_extension(alternative, critical=False)
        .sign(key, hashes.SHA256())
    )
    file: Path = tmp_path_factory.mktemp("tls") / "mail.pem"
    file.write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) + made.public_bytes(Encoding.PEM)
    )
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(file)
    return server, ssl.create_default_context(cafile=file)


@pytest.mark.parametrize("security", [SmtpSecurity.STARTTLS, SmtpSecurity.TLS])
def test_a_protected_connection_with_a_login(
    certificate: tuple[ssl.SSLContext, ssl.SSLContext], security: SmtpSecurity
) -> None:
    server, trusted = certificate
    with FakeSmtp(login=("north", "secret-token"), tls=server, implicit=security is SmtpSecurity.TLS) as fake:
        protected: dict[str, Any] = {"security": security, "tls": trusted, "username": "north"}
        adapter(fake.port, password=SecretStr("secret-token"), **protected).send(email_message())
        assert len(fake.kept) == 1
        wrong = failure(fake, password=SecretStr("secret-token-but-wrong"), **protected)
        untrusted = failure(fake, **protected | {"tls": None})
        plain = failure(fake, security=SmtpSecurity.NONE) if security is SmtpSecurity.STARTTLS else None
    assert (type(wrong), wrong.code) == (Transient, "credentials")
    assert (type(untrusted), untrusted.code) == (Transient, "certificate_refused")
    assert plain is None or (type(plain), plain.code) == (Transient, "sender_refused")
    assert len(fake.kept) == 1


def test_a_server_that_cannot_protect_the_connection_gets_nothing() -> None:
    with FakeSmtp() as fake:
        error = failure(fake, security=SmtpSecurity.STARTTLS)
    assert (type(error), error.code, fake.kept) == (Transient, "no_tls_or_login", [])


def test_a_brand_without_a_usable_sender_closes_nobodys_channel() -> None:
    sender = BRAND.sender.model_copy(update={"email": "nobody"})
    built = letter_of(email_message(brand=BRAND.model_copy(update={"sender": sender})))
    assert isinstance(built, Permanent)
    assert (built.code, built.closes_channel) == ("sender_unusable", False)


def test_only_what_is_permanent_closes_a_channel_and_every_code_is_a_word() -> None:
    for verdict in [*BY_ENHANCED.values(), *BY_ENHANCED_CLASS.values(), *BY_CODE.values()]:
        assert verdict.code.replace("_", "").isalnum()
        assert verdict.family is Family.PERMANENT or not verdict.closes_channel


@given(st.sampled_from(Stage), st.integers(400, 599), st.binary(max_size=40))
def test_every_refusal_has_a_verdict_and_4xx_is_never_for_good(stage: Stage, code: int, text: bytes) -> None:
    verdict = by_reply(stage, code, text)
    assert verdict.family is not Family.AMBIGUOUS
    assert code >= 500 or verdict.family is Family.TRANSIENT
