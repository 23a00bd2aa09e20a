"""The demo's player and check, against a small API with memory; and that every scenario is a valid story."""

import asyncio
import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime

import httpx
import pytest
from pydantic import TypeAdapter

from ordertrail.cli.brands import read_brands
from ordertrail.cli.demo.check import Sent, Verdict, check, compare
from ordertrail.cli.demo.command import BRANDS
from ordertrail.cli.demo.player import Play, Player, Refused
from ordertrail.cli.demo.plot import Clock, Expected, Reporter, Scenario, event_body, order_body, told
from ordertrail.cli.demo.scenarios import SCENARIOS
from ordertrail.cli.demo.screen import Line, Screen
from ordertrail.domain.events import AnyOrderEvent, TrackingEvent
from ordertrail.domain.failures import OrdertrailError
from ordertrail.domain.order import CanonicalOrder
from ordertrail.domain.vocabulary import Channel, DeliveryState, MessageKind

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
_K = MessageKind


class SmallApi:
    """Takes orders and events, remembers them in the order of arrival, and 'sends' what it was told to send."""

    def __init__(self, sends: dict[str, list[Expected]] | None = None) -> None:
        self.orders: dict[str, dict[str, object]] = {}
        self.events: list[tuple[str, dict[str, object]]] = []
        self.sends = sends or {}
        self.away = 0
        self.refuses = False
        self.keys: Counter[str] = Counter()

    def client(self, brand: str) -> httpx.AsyncClient:
        transport, headers = httpx.MockTransport(self._answer), {"authorization": f"Bearer {brand}"}
        return httpx.AsyncClient(transport=transport, base_url="http://api", headers=headers)

    def clients(self) -> dict[str, httpx.AsyncClient]:
        return {brand: self.client(brand) for brand in ("nordlicht", "tavola")}

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.keys[request.headers["authorization"]] += 1
        if self.away:
            self.away -= 1
            return httpx.Response(503) if self.away % 2 else self._hang_up(request)
        if self.refuses:
            return httpx.Response(422, json={"title": "not acceptable"})
        if request.method == "GET":
            return self._read(request.url.path)
        body = json.loads(request.content)
        if request.url.path == "/v1/orders":
            order_id = f"ord_{body['external_id']}"
            self.orders[order_id] = body
            return httpx.Response(201, json={"order_id": order_id})
        self.events.append((request.url.path, body))
        return httpx.Response(202, json={"status": "accepted"})

    def _hang_up(self, request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    def _read(self, path: str) -> httpx.Response:
        order_id = path.split("/")[3]
        if not path.endswith("/deliveries"):
            return httpx.Response(200, json={"order_id": order_id, "case_open": False})
        items = list(self._deliveries(order_id))
        return httpx.Response(200, json={"deliveries": items})

    def _deliveries(self, order_id: str) -> Iterator[dict[str, str]]:
        for each in self.sends.get(order_id, []):
            for number in range(each.count):
                yield {
                    "id": f"{order_id}:{each.kind}:{each.channel}:{number}", "kind": each.kind, "channel": each.channel,
                    "recipient": each.recipient, "state": "accepted",
                }  # fmt: skip

    def outbox(self) -> dict[str, int]:
        return {item["id"]: 1 for order_id in self.orders for item in self._deliveries(order_id)}


def by_title(words: str) -> Scenario:
    (found,) = [scenario for scenario in SCENARIOS if words in scenario.title]
    return found


async def play(api: SmallApi, *scenarios: Scenario, pace: float = 0.0) -> list[Play]:
    plays = [Play(scenario=scenario) for scenario in scenarios]
    await Player(api.clients(), clock=lambda: NOW, pace=pace).play(plays)
    return plays


async def judge(api: SmallApi, plays: list[Play]) -> list[Verdict]:
    return await check(plays, api.clients(), api.outbox)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.title)
def test_every_payload_is_one_the_api_understands(scenario: Scenario) -> None:
    clock = Clock(placed_at=NOW, zone=scenario.zone)
    order = CanonicalOrder.model_validate_json(json.dumps(order_body(scenario, clock)))
    assert order.brand in {brand.id for brand in read_brands(BRANDS)}
    for number, step in enumerate(scenario.steps):
        text = json.dumps(event_body(scenario, number, clock))
        kind: TypeAdapter[object] | None = AnyOrderEvent if step.reporter is Reporter.OMS else None
        event = kind.validate_json(text) if kind else TrackingEvent.model_validate_json(text)
        assert event is not None


def test_the_demo_shows_what_was_promised_in_about_a_minute() -> None:
    assert len(SCENARIOS) == 13
    assert len({scenario.reference for scenario in SCENARIOS}) == 13
    assert {scenario.brand for scenario in SCENARIOS} == {"nordlicht", "tavola"}
    assert 35 < max(scenario.starts + scenario.steps[-1].at for scenario in SCENARIOS) < 60
    emails = [scenario.order["customer"]["email"] for scenario in SCENARIOS]
    assert len(set(emails)) == 13, "no two orders share a customer, whose daily cap would join them"


def test_the_demo_brands_really_differ() -> None:
    one, other = read_brands(BRANDS)
    for field in ("zone", "currency", "colour", "wording", "support", "legal"):
        assert getattr(one, field) != getattr(other, field), field


async def test_the_player_sends_each_event_in_its_turn_and_repeats_word_for_word() -> None:
    api = SmallApi()
    await play(api, by_title("shuffled"), pace=0.01)
    sent = [body for _, body in api.events]
    delivered = [body for body in sent if body["event_id"] == "N-1010-d"]
    assert len(delivered) == 3
    assert delivered[0] == delivered[1] == delivered[2]
    assert [body.get("status") or body["kind"] for body in sent][:3] == ["shipped", "delivered", "delivered"]
    scans = [str(body["occurred_at"]) for body in sent[1:]]
    assert scans != sorted(scans)


async def test_the_player_names_a_shipment_without_tracking_number_by_its_order() -> None:
    api = SmallApi()
    (played,) = await play(api, by_title("store pickup"))
    scans = [body for path, body in api.events if path == "/v1/tracking-events"]
    assert {(body["order"], body["shipment_ref"]) for body in scans} == {(played.order_id, "store")}


async def test_each_brand_speaks_with_its_own_key() -> None:
    api = SmallApi()
    await play(api, by_title("Catering"), by_title("plain"))
    assert api.keys == {"Bearer tavola": 4, "Bearer nordlicht": 7}


async def test_the_player_waits_for_an_api_that_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ordertrail.cli.demo.player._AGAIN_AFTER_S", 0.01)
    api = SmallApi()
    api.away = 5
    (played,) = await play(api, by_title("cancelled"))
    assert played.done
    assert len(api.orders) == 1
    monkeypatch.setattr("ordertrail.cli.demo.player._GIVE_UP_AFTER_S", 0.05)
    api.away = 10_000
    with pytest.RaisesGroup(OrdertrailError):
        await play(api, by_title("cancelled"))


async def test_a_refused_payload_is_not_repeated() -> None:
    api = SmallApi()
    api.refuses = True
    with pytest.RaisesGroup(Refused):
        await play(api, by_title("plain"))
    assert sum(api.keys.values()) == 1


async def test_the_check_accepts_what_was_expected_and_nothing_else() -> None:
    scenario = by_title("A store pickup")
    order_id = f"ord_{scenario.order['external_id']}"
    right = list(scenario.expected)
    wrongs = {
        "expected 1, sent 0": right[1:],
        "expected 1, sent 2": [*right, right[0]],
        "expected 0, sent 1": [*right, Expected(kind=_K.RETURNED)],
    }
    assert await _found(scenario, order_id, right) == ()
    for words, sends in wrongs.items():
        (wrong, *_) = await _found(scenario, order_id, sends)
        assert words in wrong


async def _found(scenario: Scenario, order_id: str, sends: list[Expected]) -> tuple[str, ...]:
    api = SmallApi({order_id: sends})
    (verdict,) = await judge(api, await play(api, scenario))
    return verdict.wrong


async def test_the_check_wants_the_case_the_failure_and_the_providers_word() -> None:
    scenario = by_title("missed promise")
    api = SmallApi({"ord_N-1005": list(scenario.expected)})
    plays = await play(api, scenario)
    (verdict,) = await judge(api, plays)
    assert verdict.wrong == ("a support case was expected",)
    (verdict,) = await check(plays, api.clients(), dict)
    assert sum("the provider was given it 0 times" in words for words in verdict.wrong) == 5
    phone = by_title("does not work")
    assert await _found(phone, "ord_T-2002", list(phone.expected)) == ("sms: expected a failed send",)


def test_only_what_the_provider_took_counts_as_sent() -> None:
    def sent(state: DeliveryState) -> Sent:
        return Sent(id="1", kind=_K.DELAY, channel=Channel.EMAIL, recipient="customer", state=state)

    assert compare(told(_K.DELAY), [sent(DeliveryState.ACCEPTED), sent(DeliveryState.SUPERSEDED)]) == []
    assert compare(told(_K.DELAY), [sent(DeliveryState.DELIVERED)]) == []
    for state in (DeliveryState.FAILED, DeliveryState.CLAIMED, DeliveryState.UNKNOWN):
        assert compare(told(_K.DELAY), [sent(state)]) == ["delay by email to customer: expected 1, sent 0"]


def test_without_a_terminal_each_change_is_one_line() -> None:
    written: list[str] = []
    screen = Screen(interactive=False, write=written.append)
    line = Line(title="A plain parcel", brand="nordlicht", number="N-1", status="placed")
    later = Line(title="A plain parcel", brand="nordlicht", number="N-1", status="placed", deadline="in 3 s")
    shipped = Line(
        title="A plain parcel", brand="nordlicht", number="N-1", status="shipped", last_message="shipped by x"
    )
    with screen.live():
        for each in (line, line, later, shipped):
            screen.show([each])
    assert written == [
        "nordlicht N-1  A plain parcel: placed; silent\n",
        "nordlicht N-1  A plain parcel: shipped; shipped by x\n",
    ]


def test_the_player_keeps_the_pace(monkeypatch: pytest.MonkeyPatch) -> None:
    """Steps are sent at their own times after the order, whatever the requests take."""
    slept: list[float] = []
    real = asyncio.sleep

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        await real(0)

    monkeypatch.setattr("ordertrail.cli.demo.player.asyncio.sleep", sleep)
    scenario = by_title("cancelled")
    asyncio.run(play(SmallApi(), scenario, pace=1.0))
    assert slept == [scenario.starts, pytest.approx(6, abs=0.5), pytest.approx(12, abs=0.5)]
