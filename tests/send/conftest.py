"""The send activity over real databases, against fake providers that are real servers."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx
import pytest
from pydantic import SecretStr
from sqlalchemy import Connection, select, update
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities import SendActivity
from ordertrail.channels.base import Provider
from ordertrail.channels.sendgrid import SendGridEmail
from ordertrail.channels.twilio_sms import TwilioSms
from ordertrail.db.brands import Brands
from ordertrail.db.engine import Database
from ordertrail.db.tables import deliveries
from ordertrail.domain.failures import Transient
from ordertrail.domain.outcome import SendInput, SendResult
from ordertrail.domain.vocabulary import Channel
from ordertrail.frontdoor.door import FrontDoor
from ordertrail.frontdoor.receipts import Receipts
from ordertrail.messages.render import Renderer
from ordertrail.wiring.shared import templates_dir
from tests.conftest import DrivenClock
from tests.fakes.sendgrid import API_KEY, FakeSendGrid
from tests.fakes.server import FakeProvider
from tests.fakes.twilio import ACCOUNT_SID, AUTH_TOKEN, FakeTwilio
from tests.workflows import shop
from tests.workflows.steps import Steps, placed
from tests.workflows.system import SECRET

WINDOW = timedelta(seconds=60)
TIMEOUT_S = 1.5
PROVIDERS = {Channel.EMAIL: "sendgrid", Channel.SMS: "twilio"}


class Flaky(Database):
    """A database that is away for the next `outages` writes once the provider has been called."""

    outages = 0

    @contextmanager
    def write(self) -> Iterator[Connection]:
        if self.outages:
            self.outages -= 1
            raise Transient("database_unavailable")
        with super().write() as connection:
            yield connection


@dataclass(frozen=True, kw_only=True)
class Sending:
    """Deliveries by `kind/channel`, and attempts to send them."""

    database: Flaky
    clock: DrivenClock
    activity: SendActivity
    receipts: Receipts
    steps: Steps
    ids: dict[str, str]

    def attempt(self, name: str) -> SendResult:
        return self.by_id(self.ids[name])

    def by_id(self, delivery_id: str) -> SendResult:
        return ActivityEnvironment().run(self.activity.send, SendInput(delivery_id=delivery_id))

    def refused(self, name: str) -> ApplicationError:
        """An attempt that asks to be tried again."""
        with pytest.raises(ApplicationError) as caught:
            self.attempt(name)
        assert not caught.value.non_retryable
        return caught.value

    def row(self, name: str) -> Any:
        with self.database.read() as c:
            return c.execute(select(deliveries).where(deliveries.c.id == self.ids[name])).one()

    def change(self, name: str, **values: Any) -> None:
        with self.database.write() as c:
            c.execute(update(deliveries).where(deliveries.c.id == self.ids[name]).values(**values))


@pytest.fixture(scope="session")
def running_sendgrid() -> Iterator[FakeSendGrid]:
    with FakeSendGrid() as fake:
        # The first request makes the fake load the vendor's document, which takes longer than a sender waits.
        httpx.post(f"{fake.url}/v3/mail/send", headers={"Authorization": f"Bearer {API_KEY}"}, json={}, timeout=60)
        yield fake


@pytest.fixture(scope="session")
def running_twilio() -> Iterator[FakeTwilio]:
    with FakeTwilio() as fake:
        path = f"/2010-04-01/Accounts/{ACCOUNT_SID}/Messages.json"
        httpx.get(f"{fake.url}{path}", auth=(ACCOUNT_SID, AUTH_TOKEN), timeout=60)
        yield fake


def _as_new(fake: FakeProvider) -> None:
    fake.memory.clear()
    fake.faults.clear()
    fake.settings.latency = 0
    fake.settings.rejects = {}


@pytest.fixture
def sendgrid(running_sendgrid: FakeSendGrid) -> Iterator[FakeSendGrid]:
    _as_new(running_sendgrid)
    yield running_sendgrid
    assert running_sendgrid.violations == []


@pytest.fixture
def twilio(running_twilio: FakeTwilio) -> Iterator[FakeTwilio]:
    _as_new(running_twilio)
    running_twilio.settings.fates = {shop.PHONE: "nothing"}
    yield running_twilio
    assert running_twilio.violations == []


@pytest.fixture
def sending(database_url: str, clock: DrivenClock, sendgrid: FakeSendGrid, twilio: FakeTwilio) -> Iterator[Sending]:
    """An order that was placed and cancelled: a confirmation by email, and critical news by email and SMS."""
    database = Flaky(database_url)
    steps = placed(database, now=clock(), providers=PROVIDERS, receipts=frozenset(PROVIDERS))
    steps.run(steps.step("1", now=clock()))
    event = shop.body(shop.order_event("c", "cancelled", clock()))
    FrontDoor(database, secret=SECRET.encode()).order_event("steps", "api", "web:1", event, clock())
    steps.run(steps.step("2", now=clock()))
    with database.read() as c:
        rows = c.execute(select(deliveries.c.id, deliveries.c.kind, deliveries.c.channel))
        ids = {f"{row.kind}/{row.channel}": row.id for row in rows}
    activity = SendActivity(
        database, _providers(sendgrid, twilio), Renderer(templates_dir()), Brands(), secret=SECRET.encode(),
        clock=clock, callback_window=WINDOW,
    )  # fmt: skip
    receipts = Receipts(database, secret=SECRET.encode())
    yield Sending(database=database, clock=clock, activity=activity, receipts=receipts, steps=steps, ids=ids)
    database.close()


def _providers(sendgrid: FakeSendGrid, twilio: FakeTwilio) -> dict[tuple[str, Channel], Provider]:
    email = SendGridEmail(api_key=SecretStr(API_KEY), base_url=sendgrid.url, timeout=TIMEOUT_S)
    sms = TwilioSms(
        account_sid=ACCOUNT_SID, auth_token=SecretStr(AUTH_TOKEN), base_url=twilio.url,
        status_callback=lambda message: f"https://shop.example.org/{message.delivery_id}", default_from=None,
        timeout=TIMEOUT_S,
    )  # fmt: skip
    return {("sendgrid", Channel.EMAIL): email, ("twilio", Channel.SMS): sms}
