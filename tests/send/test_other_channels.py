"""SMTP, web push and calls from the decision to the wire: planned by a step, rendered, sent, and told of."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from pydantic import SecretStr
from sqlalchemy import select
from temporalio.testing import ActivityEnvironment

from activities import SendActivity
from ordertrail.channels.base import Provider
from ordertrail.channels.smtp import SmtpEmail
from ordertrail.channels.twilio_voice import TwilioVoice
from ordertrail.channels.vapid import new_vapid_key
from ordertrail.channels.web_push import WebPush
from ordertrail.db import brands, contacts, preferences, subscriptions
from ordertrail.db.brands import Brands
from ordertrail.db.engine import Database
from ordertrail.db.subscriptions import Subscription
from ordertrail.db.tables import contact_states, decisions, deliveries, orders
from ordertrail.domain.ids import NaturalKey
from ordertrail.domain.outcome import SendInput, SendResult
from ordertrail.domain.vocabulary import Channel, Frequency, MessageKind
from ordertrail.frontdoor.door import FrontDoor
from ordertrail.messages.render import Renderer
from ordertrail.settings import SmtpSecurity
from ordertrail.wiring.shared import templates_dir
from tests.fakes.push import Device, FakePushService
from tests.fakes.smtp import FakeSmtp, SmtpFault, Step
from tests.fakes.twilio import ACCOUNT_SID, AUTH_TOKEN
from tests.fakes.twilio_voice import FakeTwilioVoice
from tests.workflows import shop
from tests.workflows.steps import Steps
from tests.workflows.system import SECRET, brand_of

PRIVATE, PUBLIC = new_vapid_key()
SERVED = {Channel.EMAIL: "smtp", Channel.PUSH: "webpush", Channel.VOICE: "twilio_voice"}
NOW = datetime.now(UTC).replace(microsecond=0)


@pytest.fixture
def mail() -> Iterator[FakeSmtp]:
    with FakeSmtp() as fake:
        yield fake


@pytest.fixture
def push() -> Iterator[FakePushService]:
    with FakePushService(public_key=PUBLIC) as fake:
        yield fake
    assert fake.violations == []


@pytest.fixture
def phone() -> Iterator[FakeTwilioVoice]:
    with FakeTwilioVoice(fates={shop.PHONE: "nothing"}) as fake:
        yield fake
    assert fake.violations == []


class Shop:
    """One order of somebody who may be called, and its messages."""

    def __init__(self, database: Database, providers: dict[tuple[str, Channel], Provider]) -> None:
        self.database = database
        self._front_door = FrontDoor(database, secret=SECRET.encode())
        self._send = SendActivity(
            database, providers, Renderer(templates_dir()), Brands(), secret=SECRET.encode(), clock=lambda: NOW,
            callback_window=timedelta(seconds=60),
        )  # fmt: skip
        self._steps = Steps(
            database, NaturalKey(brand="steps", channel="web", external_id="1"), providers=SERVED,
            receipts=frozenset({Channel.VOICE}),
        )  # fmt: skip
        with database.write() as c:
            brands.put(c, brand_of("steps"), NOW)
        order = shop.order("steps", "1", NOW)
        order["customer"]["consents"] = {"voice": True}
        self._front_door.order("steps", "api", shop.body(order), NOW)
        with database.read() as c:
            self.order_id, self.person_id = c.execute(select(orders.c.id, orders.c.person_id)).one()

    def subscribe(self, device: Device) -> None:
        keys = device.subscription()["keys"]
        with self.database.write() as c:
            subscriptions.put(
                c, subscription=Subscription(id=f"psh_{device.id[:8]}", endpoint=device.endpoint, **keys),
                brand="steps", person_id=self.person_id, order_id=self.order_id, user_agent="other", now=NOW,
            )  # fmt: skip

    def switch_off(self, kind: MessageKind, channel: Channel) -> None:
        with self.database.write() as c:
            preferences.put(
                c, brand="steps", person_id=self.person_id, kind=kind, channel=channel, frequency=Frequency.OFF,
                source="page", now=NOW,
            )  # fmt: skip

    def event(self, name: str, kind: str, **facts: Any) -> None:
        event = shop.order_event(name, kind, NOW, **facts)
        self._front_door.order_event("steps", "api", "web:1", shop.body(event), NOW)

    def scan(self, name: str, status: str, **facts: Any) -> None:
        self._front_door.tracking_event("steps", "api", shop.body(shop.scan(name, status, NOW, **facts)), NOW)

    def step(self, name: str) -> None:
        self._steps.run(self._steps.step(name, now=NOW))

    def rows(self, **wanted: str) -> list[Any]:
        statement = select(deliveries).order_by(deliveries.c.id)
        for column, value in wanted.items():
            statement = statement.where(deliveries.c[column] == value)
        with self.database.read() as c:
            return list(c.execute(statement))

    def send(self, **wanted: str) -> SendResult:
        (row,) = self.rows(**wanted)
        return ActivityEnvironment().run(self._send.send, SendInput(delivery_id=row.id))


@pytest.fixture
def one(database: Database, mail: FakeSmtp, push: FakePushService, phone: FakeTwilioVoice) -> Shop:
    smtp = SmtpEmail(
        host="127.0.0.1", port=mail.port, security=SmtpSecurity.NONE, username=None, password=None, timeout=3
    )
    webpush = WebPush(
        database=database, clock=lambda: datetime.now(UTC), private_key=SecretStr(PRIVATE),
        subject="mailto:ops@example.org", timeout=3, allow_private=True,
    )  # fmt: skip
    voice = TwilioVoice(
        account_sid=ACCOUNT_SID, auth_token=SecretStr(AUTH_TOKEN), base_url=phone.url, default_from="+15005550006",
        status_callback=lambda m: f"https://shop.example.org/{m.delivery_id}",
        keys_callback=lambda m: f"https://shop.example.org/{m.delivery_id}/keys", timeout=3,
    )  # fmt: skip
    providers: list[Provider] = [smtp, webpush, voice]
    return Shop(database, {(provider.name, provider.channel): provider for provider in providers})


def test_an_email_by_smtp_arrives_with_a_link_to_end_its_kind(one: Shop, mail: FakeSmtp) -> None:
    one.step("1")
    one.event("s", "shipped", shipment=shop.shipment())
    one.step("2")
    assert one.send(kind="shipped", channel="email").state == "accepted"
    (kept,) = mail.kept
    (row,) = one.rows(kind="shipped", channel="email")
    assert row.provider_message_id == kept.parsed["Message-ID"]
    assert kept.recipients == [shop.EMAIL]
    assert kept.parsed["List-Unsubscribe"].startswith("<https://shop.example.org/u/")
    assert kept.parsed["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert kept.parsed["References"]


def test_what_is_kept_like_a_receipt_offers_no_end(one: Shop, mail: FakeSmtp) -> None:
    one.step("1")
    one.send(kind="order_confirmation")
    assert mail.kept[0].parsed["List-Unsubscribe"] is None


def test_an_unknown_mailbox_closes_email_and_the_order_is_told(one: Shop, mail: FakeSmtp) -> None:
    one.step("1")
    mail.faults.append(SmtpFault(step=Step.RECIPIENT, reply="550 5.1.1 unknown"))
    result = one.send(kind="order_confirmation")
    assert (result.state, result.reason, result.needs_advance) == ("failed", "unknown_mailbox", True)
    with one.database.read() as c:
        key = contacts.address_key(SECRET.encode(), "steps", "email", shop.EMAIL)
        assert [state.closed for state in contacts.states_of(c, brand="steps", address_keys=[key])] == [True]


def test_a_device_that_follows_the_order_is_notified(one: Shop, push: FakePushService) -> None:
    one.subscribe(push.subscribe())
    one.step("1")
    one.event("s", "shipped", shipment=shop.shipment())
    one.step("2")
    assert [row.kind for row in one.rows(channel="push")] == ["shipped"]
    assert one.send(channel="push").state == "accepted"
    (kept,) = push.messages
    assert kept.fields["link"].startswith("https://shop.example.org/")
    assert kept.fields["title"]
    assert kept.fields["body"]
    assert shop.NAME not in str(kept.fields)


def test_without_a_device_nothing_is_pushed(one: Shop) -> None:
    one.step("1")
    one.event("s", "shipped", shipment=shop.shipment())
    one.step("2")
    assert one.rows(channel="push") == []


def test_a_device_that_left_ends_push_for_the_order(one: Shop, push: FakePushService) -> None:
    device = push.subscribe()
    one.subscribe(device)
    one.step("1")
    one.event("s", "shipped", shipment=shop.shipment())
    one.step("2")
    device.gone = True
    assert one.send(channel="push").reason == "subscription_expired"
    one.scan("d", "delivered")
    one.step("3")
    assert [row.kind for row in one.rows(channel="push")] == ["shipped"]
    with one.database.read() as c:
        assert c.execute(select(contact_states.c.channel, contact_states.c.reason)).all() == [
            ("push", "subscription_expired")
        ]
    one.subscribe(device)
    one.event("c", "cancelled")
    one.step("4")
    assert len(one.rows(channel="push")) >= 1


def test_a_severe_problem_rings_and_says_it(one: Shop, phone: FakeTwilioVoice) -> None:
    one.step("1")
    one.event("s", "shipped", shipment=shop.shipment())
    one.step("2")
    one.scan("x", "exception", reason_code="damaged")
    one.step("3")
    assert [row.kind for row in one.rows(channel="voice")] == ["issue"]
    assert one.send(channel="voice").state == "accepted"
    (kept,) = phone.messages
    spoken = ET.fromstring(kept.fields["Twiml"])
    gather = spoken.find("Gather")
    assert gather is not None
    assert gather.get("action", "").endswith("/keys")
    assert kept.to == shop.PHONE
    assert "damaged" in "".join(spoken.itertext()).lower()


def test_what_was_switched_off_is_not_planned(one: Shop) -> None:
    one.switch_off(MessageKind.SHIPPED, Channel.EMAIL)
    one.step("1")
    one.event("s", "shipped", shipment=shop.shipment())
    one.step("2")
    assert one.rows(kind="shipped") == []
    with one.database.read() as c:
        reasons = c.execute(select(decisions.c.reason).where(decisions.c.message_kind == "shipped")).scalars().all()
    assert "preference_off" in reasons
