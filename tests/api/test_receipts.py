"""Providers' reports: verified, stored once, and the delivery moves as far as it may and no further."""

import base64
import json
from typing import Any
from urllib.parse import urlencode

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pydantic import SecretStr
from sqlalchemy import select
from starlette.testclient import TestClient
from twilio.request_validator import RequestValidator

from ordertrail.db import contacts
from ordertrail.db.deliveries import MOVES
from ordertrail.db.engine import Database
from ordertrail.db.tables import deliveries, handoffs, inbox, outbox_events
from ordertrail.domain.events import DeliveryReport
from ordertrail.domain.vocabulary import DeliveryState
from ordertrail.settings import Settings
from tests.api.bodies import EMAIL, PERSONAL, PHONE, order
from tests.api.conftest import BuildApp, MakeKey, Memory
from tests.api.rows import add_delivery
from tests.conftest import DrivenClock

_S = DeliveryState
TWILIO_TOKEN = "twilio-token"
SIGNER = ec.generate_private_key(ec.SECP256R1())


@pytest.fixture
def settings(settings: Settings) -> Settings:
    public = SIGNER.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return settings.model_copy(
        update={
            "sendgrid_webhook_public_key": base64.b64encode(public).decode(),
            "twilio_auth_token": SecretStr(TWILIO_TOKEN),
        }
    )


@pytest.fixture
def order_id(client: TestClient, dispatcher: Memory) -> str:
    placed: str = client.post("/v1/orders", json=order()).json()["order_id"]
    dispatcher.woken.clear()
    return placed


class Sender:
    """Posts callbacks as the providers sign them."""

    def __init__(self, client: TestClient, clock: DrivenClock, settings: Settings) -> None:
        self._client = client
        self._clock = clock
        self._public_url = str(settings.public_url).rstrip("/")

    def sendgrid(self, *events: Any, raw: bytes | None = None) -> int:
        body = json.dumps(events).encode() if raw is None else raw
        stamp = str(int(self._clock().timestamp()))
        signature = base64.b64encode(SIGNER.sign(stamp.encode() + body, ec.ECDSA(hashes.SHA256()))).decode()
        headers = {
            "x-twilio-email-event-webhook-signature": signature,
            "x-twilio-email-event-webhook-timestamp": stamp,
        }
        status: int = self._client.post("/v1/hooks/sendgrid", content=body, headers=headers).status_code
        return status

    def twilio(self, delivery_id: str, status: str, **fields: str) -> int:
        path = f"/v1/hooks/twilio/acme/{delivery_id}"
        form = {"MessageSid": "SM" + "1" * 32, "MessageStatus": status, "To": PHONE, **fields}
        signature = RequestValidator(TWILIO_TOKEN).compute_signature(self._public_url + path, form)
        headers = {"x-twilio-signature": signature, "content-type": "application/x-www-form-urlencoded"}
        answered: int = self._client.post(path, content=urlencode(form), headers=headers).status_code
        return answered


@pytest.fixture
def sender(client: TestClient, clock: DrivenClock, settings: Settings) -> Sender:
    return Sender(client, clock, settings)


def report(kind: str, event_id: str, delivery_id: str | None = "dlv_1", **fields: Any) -> dict[str, Any]:
    body = {
        "event": kind,
        "sg_event_id": event_id,
        "sg_message_id": "sgm.recv-1",
        "email": EMAIL,
        "timestamp": 1772452800,
    }
    return body | ({"delivery_id": delivery_id} if delivery_id else {}) | fields


def state(database: Database, delivery_id: str = "dlv_1") -> str:
    with database.read() as c:
        return str(c.execute(select(deliveries.c.state).where(deliveries.c.id == delivery_id)).scalar_one())


def stored(database: Database) -> list[Any]:
    with database.read() as c:
        columns = inbox.c.brand, inbox.c.kind, inbox.c.state, inbox.c.reason
        return list(
            c.execute(select(*columns).where(inbox.c.connection.in_(["sendgrid", "twilio"])).order_by(inbox.c.id))
        )


def test_a_receipt_moves_its_delivery_and_is_told(
    sender: Sender, database: Database, clock: DrivenClock, order_id: str, dispatcher: Memory
) -> None:
    with database.write() as c:
        add_delivery(c, order_id, clock())
    assert sender.sendgrid(report("delivered", "a")) == 204
    assert state(database) == "delivered"
    assert stored(database) == [("acme", "receipt", "accepted", None)]
    with database.read() as c:
        told = c.execute(select(outbox_events.c.type, outbox_events.c.data)).one()
        assert c.execute(select(handoffs.c.id).where(handoffs.c.connection == "sendgrid")).all() == []
    assert (told.type, told.data["state"]) == ("delivery.updated", "delivered")
    assert not [word for word in PERSONAL if word in str(told.data)]
    assert dispatcher.woken == []


def test_a_batch_that_comes_again_changes_nothing(
    sender: Sender, database: Database, clock: DrivenClock, order_id: str, dispatcher: Memory
) -> None:
    with database.write() as c:
        add_delivery(c, order_id, clock())
    batch = [report("processed", "a"), report("bounce", "b", type="bounce"), report("open", "c")]
    assert [sender.sendgrid(*batch) for _ in range(3)] == [204] * 3
    assert len(stored(database)) == 3
    assert len(dispatcher.woken) == 1
    with database.read() as c:
        assert len(c.execute(select(outbox_events.c.id)).all()) == 1
        assert len(c.execute(select(handoffs.c.id).where(handoffs.c.connection == "sendgrid")).all()) == 1


@pytest.mark.parametrize("late", ["processed", "deferred"])
def test_a_late_word_does_not_undo_a_receipt(
    sender: Sender, database: Database, clock: DrivenClock, order_id: str, late: str
) -> None:
    with database.write() as c:
        add_delivery(c, order_id, clock())
    sender.sendgrid(report("delivered", "a"))
    sender.sendgrid(report(late, "b"))
    assert state(database) == "delivered"


@pytest.mark.parametrize("unclear", ["claimed", "unknown", "failed", "planned"])
def test_a_receipt_resolves_an_ambiguous_send(
    sender: Sender, database: Database, clock: DrivenClock, order_id: str, unclear: str
) -> None:
    with database.write() as c:
        add_delivery(c, order_id, clock(), state=unclear, unclear_since=clock())
    sender.sendgrid(report("delivered", "a"))
    with database.read() as c:
        row = c.execute(select(deliveries)).one()
    assert (row.state, row.provider_message_id, row.unclear_since) == ("delivered", "sgm", None)
    assert (row.accepted_at, row.settled_at) == (clock(), clock())


def test_a_bounce_reaches_the_order_which_must_act(
    sender: Sender, database: Database, clock: DrivenClock, order_id: str, dispatcher: Memory, settings: Settings
) -> None:
    with database.write() as c:
        add_delivery(c, order_id, clock(), state="delivered", shipment_ref="S1", handled=True)
    sender.sendgrid(report("bounce", "a", type="bounce"))
    assert state(database) == "failed"
    assert stored(database) == [("acme", "delivery_report", "accepted", None)]
    with database.read() as c:
        canonical, inbox_id = c.execute(
            select(inbox.c.canonical, inbox.c.id).where(inbox.c.kind == "delivery_report")
        ).one()
        handed = c.execute(
            select(handoffs.c.order_id, handoffs.c.shipment_ref).where(handoffs.c.inbox_id == inbox_id)
        ).one()
        key = contacts.address_key(settings.secret(), "acme", "email", EMAIL)
        closed = contacts.states_of(c, brand="acme", address_keys=[key])
        assert c.execute(select(deliveries.c.handled)).scalar_one() is False
    event = DeliveryReport.model_validate_json(canonical)
    assert (event.delivery_id, event.state, event.reason) == ("dlv_1", _S.FAILED, "bounced")
    assert tuple(handed) == (order_id, "S1")
    assert [(wake.order_id, wake.inbox_id) for wake in dispatcher.woken] == [(order_id, inbox_id)]
    assert [(contact.closed, contact.reason) for contact in closed] == [(True, "bounced")]


def test_a_second_failure_does_not_wake_the_order_again(
    sender: Sender, database: Database, clock: DrivenClock, order_id: str, dispatcher: Memory
) -> None:
    with database.write() as c:
        add_delivery(c, order_id, clock())
    sender.sendgrid(report("bounce", "a", type="bounce"), report("dropped", "b"))
    assert len(dispatcher.woken) == 1


def test_stop_closes_the_channel_for_good(
    sender: Sender, database: Database, clock: DrivenClock, order_id: str, settings: Settings
) -> None:
    with database.write() as c:
        add_delivery(c, order_id, clock(), channel="sms", provider="twilio")
    assert sender.twilio("dlv_1", "undelivered", ErrorCode="21610") == 204
    with database.read() as c:
        key = contacts.address_key(settings.secret(), "acme", "sms", PHONE)
        states = contacts.states_of(c, brand="acme", address_keys=[key])
    assert (state(database), [contact.closed for contact in states]) == ("failed", [True])


@pytest.mark.parametrize("order_of_arrival", [("sent", "delivered"), ("delivered", "sent")])
def test_statuses_in_any_order_end_the_same(
    sender: Sender, database: Database, clock: DrivenClock, order_id: str, order_of_arrival: tuple[str, str]
) -> None:
    with database.write() as c:
        add_delivery(c, order_id, clock(), channel="sms", provider="twilio", state="claimed")
    for status in order_of_arrival:
        assert sender.twilio("dlv_1", status) == 204
    assert state(database) == "delivered"


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"no json", "not_json"),
        (b"[" * 3000, "not_json"),
        (b'{"event":"delivered"}', "not_an_event"),
        (b"[1]", "not_an_event"),
        (b'[{"event":"moved","sg_event_id":"x"}]', "unknown_event_type"),
        (b'[{"event":"delivered","sg_event_id":"x","delivery_id":"dlv_none"}]', "unknown_delivery"),
    ],
)
def test_what_is_signed_and_not_understood_is_kept_and_thanked_for(
    sender: Sender, database: Database, raw: bytes, reason: str
) -> None:
    assert [sender.sendgrid(raw=raw), sender.sendgrid(raw=raw)] == [204, 204]
    assert stored(database) == [("-", "receipt", "dead", reason)]


def test_mail_of_others_on_the_same_account_is_ignored(sender: Sender, database: Database) -> None:
    assert sender.sendgrid(report("delivered", "a", delivery_id=None)) == 204
    assert stored(database) == [("-", "receipt", "ignored", "not_ours")]


def test_what_is_heard_of_a_test_message_is_no_dead_letter(sender: Sender, database: Database) -> None:
    assert sender.sendgrid(report("delivered", "a", delivery_id="test_01j8")) == 204
    assert sender.twilio("test_01j9", "delivered") == 204
    assert [(state, reason) for _, _, state, reason in stored(database)] == [("ignored", "trial")] * 2


def test_only_what_the_provider_signed_is_believed(client: TestClient, database: Database) -> None:
    unsigned = client.post("/v1/hooks/sendgrid", json=[report("delivered", "a")])
    forged = client.post("/v1/hooks/twilio/acme/dlv_1", data={"MessageSid": "SM1", "MessageStatus": "delivered"})
    assert (unsigned.status_code, forged.status_code) == (403, 403)
    assert unsigned.headers["content-type"] == "application/problem+json"
    assert stored(database) == []


def test_a_provider_that_is_not_set_up_is_said_to_be(
    build_app: BuildApp, database: Database, settings: Settings, make_key: MakeKey
) -> None:
    bare = settings.model_copy(update={"sendgrid_webhook_public_key": None, "twilio_auth_token": None})
    with TestClient(build_app(database, bare)) as client:
        for path in ("/v1/hooks/sendgrid", "/v1/hooks/twilio/acme/dlv_1"):
            answer = client.post(path, content=b"[]")
            assert (answer.status_code, answer.json()["code"]) == (404, "provider_not_configured")


def test_no_move_goes_backwards() -> None:
    """Delivered is left only by a failure, failure only by a receipt, and nothing is ever un-accepted."""
    assert {new for (old, _), new in MOVES.items() if old is _S.DELIVERED} == {_S.FAILED}
    assert {new for (old, _), new in MOVES.items() if old is _S.FAILED} == {_S.DELIVERED}
    assert {new for (old, _), new in MOVES.items() if old is _S.ACCEPTED} == {_S.DELIVERED, _S.FAILED}
    assert not [pair for pair in MOVES if pair[0] is _S.HELD]
