"""Notices to devices: readable by them alone, signed by us; failures are told apart and name nobody."""

import json
import socket
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import http_ece
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr
from sqlalchemy import select

from ordertrail.channels.base import Provider
from ordertrail.channels.push_endpoint import is_device_key, is_device_secret, is_public_endpoint, push_session
from ordertrail.channels.vapid import new_vapid_key, public_key_of, vapid_key
from ordertrail.channels.verdict import Family
from ordertrail.channels.web_push import BY_STATUS, PAYLOAD_MAX, WebPush, topic_of
from ordertrail.db import subscriptions
from ordertrail.db.engine import Database
from ordertrail.db.subscriptions import Subscription
from ordertrail.db.tables import push_subscriptions
from ordertrail.domain.failures import Ambiguous, ConfigurationError, OrdertrailError, Permanent, Transient
from ordertrail.domain.ids import parse_push_address, push_address
from ordertrail.domain.message import OutgoingMessage, Rendered
from ordertrail.domain.vocabulary import Channel, MessageKind
from tests.channels.conftest import PAYLOADS, TEXT, assert_tells_nothing_personal, email_message
from tests.fakes.faults import Fault
from tests.fakes.push import Device, FakePushService, b64, decrypt, unb64

PRIVATE, PUBLIC = new_vapid_key()
ADDRESS = push_address("per_1", "ord_1")
NOW = datetime.now(UTC)
LINK = "https://shop.example/t/token"


@pytest.fixture
def database(tmp_path: Path, sqlite_template: Path) -> Iterator[Database]:
    """One kind is enough here: the queries have their own tests."""
    file = tmp_path / "push.db"
    file.write_bytes(sqlite_template.read_bytes())
    opened = Database(f"sqlite:///{file}")
    yield opened
    opened.close()


@pytest.fixture
def fake() -> Iterator[FakePushService]:
    with FakePushService(public_key=PUBLIC) as fake:
        yield fake


def keep(database: Database, device: Device, *, name: str = "psh_1", person_id: str = "per_1") -> None:
    keys = device.subscription()["keys"]
    with database.write() as c:
        subscriptions.put(
            c, subscription=Subscription(id=name, endpoint=device.endpoint, **keys), brand="north", person_id=person_id,
            order_id="ord_1", user_agent="firefox", now=NOW,
        )  # fmt: skip


def adapter(database: Database, **changes: Any) -> WebPush:
    settings: dict[str, Any] = {
        "clock": lambda: datetime.now(UTC),
        "private_key": SecretStr(PRIVATE),
        "subject": "mailto:ops@north.example",
        "timeout": 5,
        "allow_private": True,
    }
    return WebPush(database=database, **settings | changes)


def notice(**changes: Any) -> OutgoingMessage:
    told = Rendered(text=TEXT, title="Out for delivery ☂", link=LINK, collapse_key="ord_1.S1")
    return email_message(**{"channel": Channel.PUSH, "to": ADDRESS, "rendered": told} | changes)


def failure(database: Database, message: OutgoingMessage | None = None, **changes: Any) -> OrdertrailError:
    with pytest.raises(OrdertrailError) as raised:
        adapter(database, **changes).send(message or notice())
    assert_tells_nothing_personal(raised.value)
    assert "/push/" not in repr(vars(raised.value)) + str(raised.value)
    return raised.value


def ended(database: Database) -> dict[str, str]:
    table = push_subscriptions.c
    with database.read() as c:
        rows = c.execute(select(table.id, table.expired_reason).where(table.expired_at.is_not(None)))
        return {row.id: row.expired_reason for row in rows}


def test_it_is_a_provider(database: Database) -> None:
    provider: Provider = adapter(database)
    assert (provider.name, provider.channel, provider.reports_receipts, provider.can_be_asked) == (
        "webpush",
        "push",
        False,
        False,
    )
    with pytest.raises(Ambiguous):
        provider.find(notice(), NOW)


def test_a_device_reads_what_it_was_sent(database: Database, fake: FakePushService) -> None:
    device = fake.subscribe()
    keep(database, device)
    accepted = adapter(database).send(notice(not_after=datetime.now(UTC) + timedelta(hours=2)))
    (kept,) = fake.messages
    headers = kept.fields.pop("headers")
    assert accepted.provider_id == "psh_1"
    assert fake.violations == []
    assert kept.fields == {"title": "Out for delivery ☂", "body": TEXT, "link": LINK, "tag": "ord_1.S1"}
    assert TEXT.encode() not in kept.raw
    assert (headers["urgency"], headers["topic"]) == ("high", topic_of("ord_1.S1"))
    assert 7100 < int(headers["ttl"]) <= 7200


@pytest.mark.parametrize(
    ("changes", "urgency", "ttl"),
    [
        ({"kind": MessageKind.SHIPPED}, "normal", 86400),
        ({"kind": MessageKind.DELAY}, "high", 86400),
        ({"not_after": NOW - timedelta(hours=1)}, "high", 60),
        ({"not_after": NOW + timedelta(days=90)}, "high", 28 * 86400),
    ],
)
def test_how_urgent_it_is_and_how_long_it_is_kept(
    database: Database, fake: FakePushService, changes: dict[str, Any], urgency: str, ttl: int
) -> None:
    keep(database, fake.subscribe())
    adapter(database).send(notice(**changes))
    headers = fake.messages[0].fields["headers"]
    assert (headers["urgency"], headers["ttl"]) == (urgency, str(ttl))


def test_a_notice_with_nothing_but_text(database: Database, fake: FakePushService) -> None:
    keep(database, fake.subscribe())
    adapter(database).send(notice(rendered=Rendered(text=TEXT)))
    fields = fake.messages[0].fields
    assert "topic" not in fields.pop("headers")
    assert fields == {"title": "North", "body": TEXT, "link": None, "tag": "dlv_1"}


def test_every_device_of_the_person_gets_it_and_nobody_elses(database: Database, fake: FakePushService) -> None:
    phone, tablet, stranger = fake.subscribe(), fake.subscribe(), fake.subscribe()
    for name, device, person in (("a", phone, "per_1"), ("b", tablet, "per_1"), ("c", stranger, "per_2")):
        keep(database, device, name=name, person_id=person)
    adapter(database).send(notice())
    assert sorted(kept.to for kept in fake.messages) == sorted([phone.id, tablet.id])


def test_a_device_that_is_gone_is_forgotten_and_the_others_are_told(database: Database, fake: FakePushService) -> None:
    phone, tablet = fake.subscribe(), fake.subscribe()
    keep(database, phone, name="psh_phone")
    keep(database, tablet, name="psh_tablet")
    phone.gone = True
    assert adapter(database).send(notice()).provider_id == "psh_tablet"
    assert ended(database) == {"psh_phone": "subscription_expired"}


@pytest.mark.parametrize("forgotten", [True, False], ids=["404", "410"])
def test_without_a_device_left_the_channel_is_closed(
    database: Database, fake: FakePushService, forgotten: bool
) -> None:
    device = fake.subscribe()
    keep(database, device)
    device.gone = True
    if forgotten:
        fake.devices.clear()
    for _ in range(2):
        error = failure(database)
        assert isinstance(error, Permanent)
        assert (error.code, error.closes_channel) == ("subscription_expired", True)
    assert ended(database) == {"psh_1": "subscription_expired"}


def test_one_device_gone_and_one_refusing_does_not_close_the_channel(database: Database, fake: FakePushService) -> None:
    gone, other = fake.subscribe(), fake.subscribe()
    keep(database, gone, name="a")
    keep(database, other, name="b")
    gone.gone = True
    fake.faults.push(Fault.answer(413), Fault.answer(410))
    error = failure(database)
    assert isinstance(error, Permanent)
    assert (error.code, error.closes_channel) == ("too_large", False)


def test_one_device_that_took_it_is_enough(database: Database, fake: FakePushService) -> None:
    """Trying the other one again would ring on this one twice."""
    keep(database, fake.subscribe(), name="a")
    keep(database, fake.subscribe(), name="b")
    fake.faults.push(Fault.server_error())
    adapter(database).send(notice())
    assert len(fake.messages) == 1


@pytest.mark.parametrize(
    ("fault", "family", "code", "wait"),
    [
        (Fault.too_many(retry_after="7"), Transient, "rate_limited", 7),
        (Fault.too_many(retry_after=None), Transient, "rate_limited", None),
        (Fault.answer(401), Transient, "credentials", 60),
        (Fault.answer(403), Transient, "credentials", 60),
        (Fault.answer(400), Permanent, "rejected", None),
        (Fault.answer(413), Permanent, "too_large", None),
        (Fault.answer(302), Permanent, "rejected", None),
        (Fault.answer(500), Transient, "provider_error", None),
        (Fault.answer(503, retry_after="3"), Transient, "provider_unavailable", 3),
        (Fault.answer(502), Ambiguous, "bad_gateway", None),
        (Fault.hang(1.0), Ambiguous, "no_answer_in_time", None),
        (Fault.drop_after_accept(), Ambiguous, "connection_broken", None),
    ],
)
def test_each_answer_is_told_apart(
    database: Database, fake: FakePushService, fault: Fault, family: type[OrdertrailError], code: str, wait: int | None
) -> None:
    keep(database, fake.subscribe())
    fake.faults.push(fault)
    error = failure(database, timeout=0.3)
    assert (type(error), error.code) == (family, code)
    if isinstance(error, Transient):
        assert error.retry_after == (None if wait is None else timedelta(seconds=wait))
    assert ended(database) == {}


def test_a_repeated_notice_replaces_the_first(database: Database, fake: FakePushService) -> None:
    keep(database, fake.subscribe())
    provider = adapter(database)
    provider.send(notice())
    provider.send(notice())
    first, second = fake.messages
    assert first.fields["tag"] == second.fields["tag"]
    assert first.fields["headers"]["topic"] == second.fields["headers"]["topic"]
    assert first.raw != second.raw  # each has a salt and a key of its own


def test_what_no_push_service_takes_does_not_leave(database: Database, fake: FakePushService) -> None:
    keep(database, fake.subscribe())
    empty = len(json.dumps({"title": "T", "body": "", "link": None, "tag": "dlv_1"}, separators=(",", ":")))
    fits = Rendered(title="T", text="x" * (PAYLOAD_MAX - empty))
    adapter(database).send(notice(rendered=fits))
    error = failure(database, notice(rendered=fits.model_copy(update={"text": fits.text + "x"})))
    assert (type(error), error.code, len(fake.messages), fake.memory.refused) == (Permanent, "too_large", 1, 0)


def test_another_key_pair_is_not_taken_for_ours(database: Database, fake: FakePushService) -> None:
    keep(database, fake.subscribe())
    error = failure(database, private_key=SecretStr(new_vapid_key()[0]))
    assert (type(error), error.code, fake.violations) == (Transient, "credentials", ["vapid: another key"])


def test_nobody_listening_is_certainly_not_sent(database: Database, fake: FakePushService) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    device = fake.subscribe()
    device.endpoint = f"http://127.0.0.1:{port}/push/x"
    keep(database, device)
    error = failure(database)
    assert (type(error), error.code) == (Transient, "connection_refused")


def test_a_database_that_is_away_afterwards_rings_nowhere_twice(
    database: Database, fake: FakePushService, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone, there = fake.subscribe(), fake.subscribe()
    keep(database, gone, name="a")
    keep(database, there, name="b")
    gone.gone = True

    def away(*_: object, **__: object) -> None:
        raise Transient("database_unavailable")

    monkeypatch.setattr(subscriptions, "expire", away)
    assert adapter(database).send(notice()).provider_id == "b"


@pytest.mark.parametrize(
    ("private", "subject"),
    [
        ("no key", "mailto:a@b.example"),
        ("AAAA", "mailto:a@b.example"),
        (PRIVATE, "nobody"),
        ("A" * 43, "mailto:a@b.example"),
    ],
    ids=["no base64", "too short", "no subject", "zero"],
)
def test_a_key_or_subject_that_is_none_is_told_at_start(database: Database, private: str, subject: str) -> None:
    with pytest.raises(ConfigurationError):
        adapter(database, private_key=SecretStr(private), subject=subject)


def test_a_new_pair_belongs_together() -> None:
    private, public = new_vapid_key()
    assert public_key_of(vapid_key(SecretStr(private))) == public
    assert is_device_key(public)
    assert private != new_vapid_key()[0]


# Where push services may be.


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://fcm.googleapis.com/fcm/send/abc:def",
        "https://updates.push.services.mozilla.com/wpush/v2/gAAA",
        "https://wns2-par02p.notify.windows.com/w/?token=BQ%3d",
        "https://web.push.apple.com/QAbc",
        "https://push.example:443/x",
    ],
)
def test_real_push_services_are_allowed(endpoint: str) -> None:
    assert is_public_endpoint(endpoint)


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://push.example/x",
        "https://localhost/x",
        "https://127.0.0.1/x",
        "https://[::1]/x",
        "https://169.254.169.254/latest",
        "https://2130706433/x",
        "https://0x7f.1/x",
        "https://10.0.0.1.:443/",
        "https://push.example:8443/x",
        "https://user@push.example/x",
        "https://push.example/x#y",
        "https://push.example/x\r\nHost: y",
        "https://push.example:99999/x",
        "https://[push.example/x",
        "https://münchen.example/x",
        "https://push.example/" + "x" * 1000,
        "file:///etc/passwd",
        "//push.example/x",
        "",
    ],
)
def test_other_addresses_are_not(endpoint: str) -> None:
    assert not is_public_endpoint(endpoint)


@given(st.text(max_size=60))
def test_any_text_is_judged(text: str) -> None:
    assert is_public_endpoint(text) in {True, False}
    assert is_public_endpoint(f"https://{text}") in {True, False}
    assert is_device_key(text) in {True, False}
    assert is_device_secret(text) in {True, False}


def test_a_name_that_leads_inside_is_not_followed(
    database: Database, fake: FakePushService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It passes for a public one until it is resolved; nothing may be sent, not even a TLS greeting."""
    device = fake.subscribe()
    device.endpoint = "https://push.example.com/x"
    keep(database, device)
    greeted = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as inside:
        port = inside.getsockname()[1]

        def resolve(*_: object, **__: object) -> list[tuple[object, ...]]:
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

        monkeypatch.setattr(socket, "getaddrinfo", resolve)
        reader = threading.Thread(target=_listen, args=(inside, greeted), daemon=True)
        reader.start()
        error = failure(database, allow_private=False)
        reader.join(5)
    assert isinstance(error, Permanent)
    assert (error.code, error.closes_channel, greeted.is_set()) == ("endpoint_forbidden", True, False)


def _listen(server: socket.socket, greeted: threading.Event) -> None:
    connected, _ = server.accept()
    if connected.recv(1):
        greeted.set()


def test_without_the_test_setting_only_https_is_spoken(database: Database, fake: FakePushService) -> None:
    keep(database, fake.subscribe())
    error = failure(database, allow_private=False)
    assert isinstance(error, Permanent)
    assert (error.code, fake.messages) == ("endpoint_forbidden", [])
    assert list(push_session(allow_private=False).adapters) == ["https://"]


# Small things, and the standards' own examples.


@pytest.mark.parametrize("key", ["a", "ord_1-S1", "x" * 32, "x" * 33, "with spaces", "", "ünïcode", "a.b"])
def test_any_collapse_key_makes_a_topic(key: str) -> None:
    topic = topic_of(key)
    assert 0 < len(topic) <= 32
    assert topic.isascii()
    assert not set(topic) - set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
    assert topic_of(key) == topic


def test_a_push_address_names_person_and_order() -> None:
    assert parse_push_address(ADDRESS) == ("per_1", "ord_1")


def test_only_what_is_permanent_closes_a_channel() -> None:
    for status, verdict in BY_STATUS.items():
        assert verdict.family is Family.PERMANENT or not verdict.closes_channel, status
        assert verdict.closes_channel == (status in {404, 410})


@pytest.fixture(scope="module")
def vectors() -> dict[str, dict[str, Any]]:
    file = PAYLOADS / "vectors" / "webpush_rfc8291_rfc8188.json"
    if not file.exists():
        pytest.skip("the payload collection is not beside the checkout")
    read: dict[str, dict[str, Any]] = json.loads(file.read_text())
    return read


def private_key(text: str) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(int.from_bytes(unb64(text), "big"), ec.SECP256R1())


@pytest.mark.shared
def test_rfc_8291_appendix_a_is_encrypted_as_written(vectors: dict[str, dict[str, Any]]) -> None:
    example = vectors["rfc8291_appendix_a"]
    assert b64(
        http_ece.encrypt(
            example["plaintext"].encode(), salt=unb64(example["salt"]), private_key=private_key(example["as_private"]),
            dh=unb64(example["ua_public"]), auth_secret=unb64(example["auth_secret"]), version="aes128gcm",
        )
    ) == example["body"]  # fmt: skip


@pytest.mark.shared
def test_rfc_8291_appendix_a_is_read_by_the_fake_device(vectors: dict[str, dict[str, Any]]) -> None:
    example = vectors["rfc8291_appendix_a"]
    read = decrypt(unb64(example["body"]), private_key(example["ua_private"]), unb64(example["auth_secret"]))
    assert read.decode() == example["plaintext"]


@pytest.mark.shared
@pytest.mark.parametrize("name", ["rfc8188_3.1", "rfc8188_3.2"])
def test_rfc_8188_examples_are_read(vectors: dict[str, dict[str, Any]], name: str) -> None:
    example = vectors[name]
    read: Callable[..., bytes] = http_ece.decrypt
    assert read(unb64(example["body"]), key=unb64(example["ikm"])).decode() == example["plaintext"]
