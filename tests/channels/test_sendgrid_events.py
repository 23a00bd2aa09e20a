"""SendGrid's signed events: only what SendGrid signed is believed, and every event is understood or says why not."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from ordertrail.channels import sendgrid_codes
from ordertrail.channels.base import Receipt
from ordertrail.channels.receipts import Ignored, Unreadable
from ordertrail.channels.sendgrid import SendGridEmail, parse_sendgrid, verify_sendgrid
from ordertrail.domain.failures import BadSignature, ConfigurationError
from ordertrail.domain.vocabulary import DeliveryState
from tests.channels.conftest import EMAIL, Callback, Receiver, email_message, payload
from tests.fakes.faults import Fault
from tests.fakes.sendgrid import FATES, FakeSendGrid

SIGNATURE = "x-twilio-email-event-webhook-signature"
TIMESTAMP = "x-twilio-email-event-webhook-timestamp"
DAY = timedelta(days=1)
_S = DeliveryState


@pytest.fixture
def fake(receiver: Receiver) -> Iterator[FakeSendGrid]:
    with FakeSendGrid(callback_url=f"{receiver.url}/hooks/sendgrid", callback_pause=0.01) as fake:
        yield fake


def send(fake: FakeSendGrid) -> str:
    provider = SendGridEmail(api_key=SecretStr(fake.api_key), base_url=fake.url, timeout=5)
    return provider.send(email_message()).provider_id


def verify(
    fake: FakeSendGrid, callback: Callback, *, body: bytes | None = None, after: timedelta = timedelta()
) -> None:
    verify_sendgrid(
        fake.public_key,
        callback.body if body is None else body,
        callback.headers[SIGNATURE],
        callback.headers[TIMESTAMP],
        now=datetime.now(UTC) + after,
        tolerance=timedelta(minutes=10),
    )


def event(kind: object = "delivered", **more: Any) -> dict[str, Any]:
    base = {"event": kind, "sg_event_id": "e1", "sg_message_id": "m1.recvd-1", "delivery_id": "dlv_1"}
    return base | {"timestamp": 1600112492, "email": EMAIL} | more


def only(kind: object, **more: Any) -> Receipt | Ignored | Unreadable:
    (report,) = parse_sendgrid(json.dumps([event(kind, **more)]).encode())
    return report


@pytest.mark.shared
def test_the_vendors_own_vectors() -> None:
    cases = json.loads(payload("vectors", "sendgrid_event_webhook_ecdsa.json"))["cases"]
    assert {case["valid"] for case in cases} == {True, False}
    for case in cases:
        signed_at = datetime.fromtimestamp(1600112502, UTC)
        arguments = (case["public_key"], case["payload"].encode(), case["signature"], case["timestamp"])
        if case["valid"]:
            verify_sendgrid(*arguments, now=signed_at, tolerance=DAY)
            continue
        with pytest.raises(BadSignature):
            verify_sendgrid(*arguments, now=signed_at, tolerance=DAY)


def test_a_signed_batch_tells_what_became_of_its_message(fake: FakeSendGrid, receiver: Receiver) -> None:
    provider_id = send(fake)
    callback = receiver.next()
    assert callback.path == "/hooks/sendgrid"
    verify(fake, callback)
    processed, delivered = parse_sendgrid(callback.body)
    assert isinstance(processed, Receipt)
    assert isinstance(delivered, Receipt)
    assert [processed.state, delivered.state] == [_S.ACCEPTED, _S.DELIVERED]
    assert {processed.delivery_id, delivered.delivery_id} == {"dlv_1"}
    assert {processed.provider_id, delivered.provider_id} == {provider_id}
    assert processed.event_id != delivered.event_id
    assert delivered.occurred_at is not None
    assert abs(datetime.now(UTC) - delivered.occurred_at) < timedelta(minutes=1)


def test_an_altered_body_is_refused(fake: FakeSendGrid, receiver: Receiver) -> None:
    send(fake)
    callback = receiver.next()
    for altered in (callback.body + b" ", callback.body.strip(), callback.body.replace(b"dlv_1", b"dlv_2"), b"\xff"):
        with pytest.raises(BadSignature) as raised:
            verify(fake, callback, body=altered)
        assert raised.value.code == "bad_signature"


@pytest.mark.parametrize("after", [timedelta(minutes=11), -timedelta(minutes=11)])
def test_an_old_signature_is_refused(fake: FakeSendGrid, receiver: Receiver, after: timedelta) -> None:
    send(fake)
    with pytest.raises(BadSignature) as raised:
        verify(fake, receiver.next(), after=after)
    assert raised.value.code == "stale_signature"


@pytest.mark.parametrize("signature", ["", "not base64!", "AAAA", "é"])
def test_a_signature_that_is_none_is_refused(fake: FakeSendGrid, signature: str) -> None:
    with pytest.raises(BadSignature):
        verify_sendgrid(fake.public_key, b"[]", signature, "1600112502", now=datetime.now(UTC), tolerance=DAY)


@pytest.mark.parametrize("key", ["", "not base64!", "AAAA"])
def test_a_key_that_is_none_is_told_as_a_setting(key: str) -> None:
    with pytest.raises(ConfigurationError):
        verify_sendgrid(key, b"[]", "AAAA", "1600112502", now=datetime.now(UTC), tolerance=DAY)


@pytest.mark.shared
def test_a_real_event_of_a_dropped_message() -> None:
    (report,) = parse_sendgrid(payload("symfony_webhooks", "mail_Sendgrid", "webhook.json"))
    assert report == Receipt(
        event_id="ZHJvcC0xMDk5NDkxOS1MUnpYbF9OSFN0T0doUTRrb2ZTbV9BLTA:dropped",
        delivery_id=None,
        provider_id="LRzXl_NHStOGhQ4kofSm_A",
        state=_S.FAILED,
        reason="dropped_bounced",
        occurred_at=datetime(2020, 9, 14, 19, 41, 32, tzinfo=UTC),
        closes_channel=True,
    )


@pytest.mark.shared
def test_a_real_batch_gives_one_report_an_event_each_with_its_own_id() -> None:
    dropped, clicked = parse_sendgrid(payload("symfony_webhooks", "mail_Sendgrid", "batch.json"))
    assert isinstance(dropped, Receipt)
    assert isinstance(clicked, Ignored)
    assert clicked.reason == "engagement"
    assert dropped.event_id != clicked.event_id


@pytest.mark.parametrize(
    ("kind", "more", "state", "reason", "closes"),
    [
        ("processed", {}, _S.ACCEPTED, "processed", False),
        ("deferred", {}, _S.ACCEPTED, "deferred", False),
        ("delivered", {}, _S.DELIVERED, "delivered", False),
        ("bounce", {"type": "bounce"}, _S.FAILED, "bounced", True),
        ("bounce", {}, _S.FAILED, "bounced", True),
        ("bounce", {"type": "blocked"}, _S.FAILED, "blocked", False),
        ("dropped", {"reason": "Bounced Address"}, _S.FAILED, "dropped_bounced", True),
        ("dropped", {"reason": "Invalid"}, _S.FAILED, "dropped_invalid", True),
        ("dropped", {"reason": "Unsubscribed Address"}, _S.FAILED, "dropped_unsubscribed", True),
        ("dropped", {"reason": "Spam Reporting Address"}, _S.FAILED, "dropped_spam_report", True),
        ("dropped", {"reason": "Spam Content (if Spam Checker app enabled)"}, _S.FAILED, "dropped_content", False),
        ("dropped", {"reason": f"never heard of {EMAIL}"}, _S.FAILED, "dropped", False),
        ("dropped", {}, _S.FAILED, "dropped", False),
        ("spamreport", {}, _S.DELIVERED, "spam_report", True),
        ("unsubscribe", {}, _S.DELIVERED, "unsubscribed", True),
    ],
)
def test_what_an_event_means(kind: str, more: dict[str, Any], state: DeliveryState, reason: str, closes: bool) -> None:
    report = only(kind, **more)
    assert isinstance(report, Receipt)
    assert (report.state, report.reason, report.closes_channel) == (state, reason, closes)


@pytest.mark.parametrize("kind", ["open", "click", "group_unsubscribe", "group_resubscribe", "account_status_change"])
def test_what_is_no_state_is_ignored_with_a_reason(kind: str) -> None:
    report = only(kind)
    assert isinstance(report, Ignored)
    assert report.reason


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "not_json"),
        (b"\xff\xfe", "not_json"),
        (b"[" * 100_000, "not_json"),
        (b'{"event": "delivered"}', "not_a_list"),
        (b"[1]", "not_an_event"),
        (b"[{}]", "not_an_event"),
        (b'[{"event": ["delivered"], "sg_event_id": "e1"}]', "not_an_event"),
        (b'[{"event": "teleported", "sg_event_id": "e1"}]', "unknown_event_type"),
    ],
)
def test_what_is_not_understood_says_why(raw: bytes, reason: str) -> None:
    (report,) = parse_sendgrid(raw)
    assert isinstance(report, Unreadable)
    assert report.reason == reason


@pytest.mark.parametrize("timestamp", [None, True, "soon", 1e300, -1e300, float("nan"), [1]])
def test_a_time_that_is_none_is_left_out(timestamp: object) -> None:
    report = only("delivered", timestamp=timestamp)
    assert isinstance(report, Receipt)
    assert report.occurred_at is None


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
_EVENT = st.fixed_dictionaries(
    {},
    optional={
        "event": st.sampled_from(sorted(sendgrid_codes.BY_EVENT)) | _JSON,
        "sg_event_id": st.text(max_size=5) | _JSON,
        "sg_message_id": _JSON,
        "type": _JSON,
        "reason": _JSON,
        "timestamp": _JSON,
        "delivery_id": _JSON,
    },
)


@given(st.lists(_EVENT | _JSON, max_size=4))
def test_no_batch_ever_raises_and_each_event_gives_one_report(batch: list[Any]) -> None:
    assert len(parse_sendgrid(json.dumps(batch).encode())) == len(batch)


@given(st.binary())
def test_no_bytes_ever_raise(raw: bytes) -> None:
    assert isinstance(parse_sendgrid(raw), list)


@pytest.mark.parametrize("fate", sorted(set(FATES) - {"nothing"}))
def test_every_fate_the_fake_knows_is_understood(fake: FakeSendGrid, receiver: Receiver, fate: str) -> None:
    fake.settings.fates = {EMAIL: fate}
    send(fake)
    callback = receiver.next()
    verify(fake, callback)
    assert not [report for report in parse_sendgrid(callback.body) if isinstance(report, Unreadable)]


def test_a_message_whose_answer_was_lost_is_still_reported(fake: FakeSendGrid, receiver: Receiver) -> None:
    fake.faults.push(Fault.drop_after_accept())
    with pytest.raises(Exception, match="connection_broken"):
        send(fake)
    reports = parse_sendgrid(receiver.next().body)
    assert {report.delivery_id for report in reports if isinstance(report, Receipt)} == {"dlv_1"}


def test_a_callback_nobody_takes_is_posted_again_with_the_same_ids(fake: FakeSendGrid, receiver: Receiver) -> None:
    receiver.answers.put(503)
    send(fake)
    assert parse_sendgrid(receiver.next().body) == parse_sendgrid(receiver.next().body)


def test_callbacks_can_be_lost(fake: FakeSendGrid, receiver: Receiver) -> None:
    fake.settings.callback_loss = 1
    send(fake)
    assert [posted.lost for posted in fake.callbacks] == [True]
    fake.settings.callback_loss = 0
    send(fake)
    receiver.next()
    assert receiver.received.empty()
