"""Dead letters: seen by their brand's operators only, and replayed as if they had just come in."""

import base64
import json
from datetime import timedelta

import pytest
from sqlalchemy import select, update
from starlette.testclient import TestClient

from ordertrail.db import inbox as inbox_rows
from ordertrail.db.engine import Database
from ordertrail.db.inbox import InboxKind, InboxState
from ordertrail.db.tables import deliveries, handoffs, inbox
from ordertrail.domain.ids import NaturalKey
from ordertrail.domain.outcome import RawSignal
from ordertrail.frontdoor.acceptance import receive
from ordertrail.frontdoor.callbacks import read_sendgrid
from ordertrail.frontdoor.receipts import Receipts
from ordertrail.frontdoor.replay import NotDead, Replayed, StillDead
from ordertrail.frontdoor.signals import refuse_signal, take_signal
from ordertrail.settings import Settings
from tests.api.bodies import EMAIL, event, order, scan
from tests.api.conftest import MakeKey, Memory
from tests.api.rows import add_delivery
from tests.conftest import DrivenClock


def bury(client: TestClient, path: str, raw: bytes) -> int:
    letter: int = client.post(path, content=raw).json()["dead_letter"]
    return letter


def mend(database: Database, letter: int, raw: bytes) -> None:
    """What a newer version of the code would do, from the outside: the payload is understood now."""
    with database.write() as c:
        c.execute(update(inbox).where(inbox.c.id == letter).values(payload=raw))


def test_listed_without_and_read_with_their_payload(client: TestClient) -> None:
    letters = [bury(client, "/v1/orders", json.dumps({"x": EMAIL, "n": number}).encode()) for number in range(3)]
    client.post("/v1/orders", json=order())
    conflict = client.post("/v1/orders", json=order(currency="USD")).json()["dead_letter"]
    listed = client.get("/v1/dead-letters")
    assert [row["id"] for row in listed.json()["dead_letters"]] == [conflict, *reversed(letters)]
    assert EMAIL not in listed.text
    pages: list[int] = []
    cursor = None
    while len(pages) < 5:
        answer = client.get("/v1/dead-letters", params={"limit": 1} | ({"cursor": cursor} if cursor else {})).json()
        pages += [row["id"] for row in answer["dead_letters"]]
        cursor = answer["next_cursor"]
        if cursor is None:
            break
    assert pages == [conflict, *reversed(letters)]
    read = client.get(f"/v1/dead-letters/{letters[0]}").json()
    assert (json.loads(read["payload"]), read["payload_encoding"]) == ({"x": EMAIL, "n": 0}, "utf-8")
    assert "/x: extra_forbidden" in read["detail"]


def test_bytes_that_are_no_text_are_given_as_base64(client: TestClient) -> None:
    letter = bury(client, "/v1/orders", b"\xff\xfe")
    read = client.get(f"/v1/dead-letters/{letter}").json()
    assert (read["payload"], read["payload_encoding"]) == ("//4=", "base64")


def test_another_brand_can_neither_read_nor_replay(client: TestClient, make_key: MakeKey) -> None:
    letter = bury(client, "/v1/orders", b"{}")
    stranger = make_key(brand="globex")
    assert client.get(f"/v1/dead-letters/{letter}", headers=stranger).status_code == 404
    assert client.post(f"/v1/dead-letters/{letter}/replay", headers=stranger).status_code == 404


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/orders", order("new")),
        ("/v1/orders/web:10-442/events", event()),
        ("/v1/tracking-events", scan()),
        ("/v1/tracking-events?order=web:10-442", scan(carrier=None, tracking_number=None, shipment_ref="S1")),
    ],
)
def test_what_is_understood_today_goes_its_way(
    client: TestClient, database: Database, dispatcher: Memory, path: str, body: dict[str, object]
) -> None:
    client.post("/v1/orders", json=order())
    letter = bury(client, path, b'{"not": "yet"}')
    still = client.post(f"/v1/dead-letters/{letter}/replay").json()
    assert (still["state"], still["reason"]) == ("dead", "invalid")
    mend(database, letter, json.dumps(body).encode())
    dispatcher.woken.clear()
    done = client.post(f"/v1/dead-letters/{letter}/replay").json()
    assert done["state"] == "replayed"
    unmatched = done["answer"]["status"] == "unmatched"
    assert len(dispatcher.woken) == (0 if unmatched else 1)
    with database.read() as c:
        row = c.execute(select(inbox.c.state, inbox.c.replays).where(inbox.c.id == letter)).one()
    assert tuple(row) == ("replayed", 2)
    again = client.post(f"/v1/dead-letters/{letter}/replay")
    assert (again.status_code, again.json()["code"]) == (409, "not_dead")
    assert client.post(path, json=body).status_code == 200, "the sender's own correction is recognised"


def test_a_conflict_stays_one(client: TestClient) -> None:
    client.post("/v1/orders", json=order())
    letter = client.post("/v1/orders", json=order(currency="USD")).json()["dead_letter"]
    still = client.post(f"/v1/dead-letters/{letter}/replay").json()
    assert (still["state"], still["reason"]) == ("dead", "same_id_other_body")


def test_one_that_waited_in_vain_is_matched_once_its_order_is_there(
    client: TestClient, database: Database, dispatcher: Memory
) -> None:
    letter = client.post("/v1/orders/web:10-442/events", json=event()).json()["inbox_id"]
    expire = update(inbox).where(inbox.c.id == letter).values(state="dead", reason="unmatched_expired")
    with database.write() as c:
        c.execute(expire)
    assert client.post(f"/v1/dead-letters/{letter}/replay").json()["reason"] == "unmatched_expired"
    order_id = client.post("/v1/orders", json=order()).json()["order_id"]
    dispatcher.woken.clear()
    assert client.post(f"/v1/dead-letters/{letter}/replay").json()["state"] == "replayed"
    assert [wake.order_id for wake in dispatcher.woken] == [order_id]
    with database.read() as c:
        assert c.execute(select(handoffs.c.order_id).where(handoffs.c.inbox_id == letter)).scalars().all() == [order_id]


def test_a_receipt_for_a_delivery_that_is_known_by_now(
    client: TestClient, database: Database, settings: Settings, clock: DrivenClock
) -> None:
    replay = client.app.state.context.parts.replay  # type: ignore[attr-defined]
    receipts = Receipts(database, secret=settings.secret())
    raw = b'[{"event":"delivered","sg_event_id":"x","delivery_id":"dlv_1"}]'
    assert receipts.take("sendgrid", read_sendgrid(raw), clock()).dead == 1
    with database.read() as c:
        letter = inbox_rows.listing(c, states=[InboxState.DEAD])[0].id
    assert replay.replay(letter, clock()) == StillDead(reason="unknown_delivery")
    order_id = client.post("/v1/orders", json=order()).json()["order_id"]
    with database.write() as c:
        add_delivery(c, order_id, clock())
    clock.advance(timedelta(hours=1))
    assert isinstance(replay.replay(letter, clock()), Replayed)
    assert replay.replay(letter, clock()) == NotDead(state="replayed")
    with database.read() as c:
        assert c.execute(select(deliveries.c.state)).scalar_one() == "delivered"


def test_a_kind_nobody_reads_stays_where_it_is(client: TestClient, database: Database, clock: DrivenClock) -> None:
    with database.write() as c:
        received = receive("acme", "somewhere", "1", InboxKind.SIGNAL, b"{}", clock())
        letter = inbox_rows.insert(c, received, state=InboxState.DEAD, reason="unknown_signal")
    still = client.post(f"/v1/dead-letters/{letter}/replay").json()
    assert (still["state"], still["reason"]) == ("dead", "kind_cannot_be_replayed")
    assert client.get(f"/v1/dead-letters/{letter}").json()["reason"] == "unknown_signal"


def signal(name: str, body: object, clock: DrivenClock) -> RawSignal:
    raw = base64.b64encode(json.dumps(body).encode()).decode()
    return RawSignal(number=1, name=name, encoding="json/plain", body=raw, received_at=clock())


def dead_letters(client: TestClient) -> list[dict[str, object]]:
    found: list[dict[str, object]] = client.get("/v1/dead-letters").json()["dead_letters"]
    return found


def test_a_signal_that_was_not_understood_is_replayed_for_its_order(
    client: TestClient, database: Database, clock: DrivenClock
) -> None:
    order_id = client.post("/v1/orders", json=order()).json()["order_id"]
    with database.write() as c:
        take_signal(c, "acme", order_id, signal("order_event", event(kind="not yet known"), clock), clock())
    (letter,) = dead_letters(client)
    assert (letter["kind"], letter["reason"], letter["order_id"]) == ("order_event", "not_understood", order_id)
    mend(database, int(str(letter["id"])), json.dumps(event()).encode())
    answer = client.post(f"/v1/dead-letters/{letter['id']}/replay").json()
    assert (answer["state"], answer["answer"]["order_ids"]) == ("replayed", [order_id])


def test_a_signal_for_an_order_placed_since_is_replayed_for_it(
    client: TestClient, database: Database, clock: DrivenClock
) -> None:
    placed = order()
    key = NaturalKey(brand="acme", channel=placed["channel"], external_id=placed["external_id"])
    with database.write() as c:
        refuse_signal(c, key, signal("order_event", event(), clock), clock())
        refuse_signal(c, key, signal("order_evnt", event(), clock), clock())
        refuse_signal(c, None, signal("order_event", event(), clock), clock())
        far = NaturalKey(brand="acme", channel="web", external_id="x" * 900)
        refuse_signal(c, far, signal("order_event", event(), clock), clock())
    order_id = client.post("/v1/orders", json=placed).json()["order_id"]
    letters = dead_letters(client)
    assert sorted(str(letter["kind"]) for letter in letters) == ["order_event", "signal", "signal"]
    (letter,) = (letter for letter in letters if letter["kind"] == "order_event")
    answer = client.post(f"/v1/dead-letters/{letter['id']}/replay").json()
    assert (answer["state"], answer["answer"]["order_ids"]) == ("replayed", [order_id])
