"""Compares what each customer should have heard with what was sent, as the API and the provider's own records tell."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from ordertrail.cli.demo.player import Play
from ordertrail.cli.demo.plot import Expected, Scenario
from ordertrail.domain.vocabulary import Channel, DeliveryState, MessageKind

_SENT = frozenset({DeliveryState.ACCEPTED, DeliveryState.DELIVERED})

Outbox = Callable[[], Mapping[str, int]]
"""Answers how often the provider was given each delivery, by delivery id."""


@dataclass(frozen=True, kw_only=True)
class Sent:
    """A delivery as the API shows it."""

    id: str
    kind: MessageKind
    channel: Channel
    recipient: str
    state: DeliveryState


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What one order's check found. `wrong` is empty when everything is as it should be."""

    scenario: Scenario
    sent: int
    wrong: tuple[str, ...]


async def check(plays: Sequence[Play], clients: Mapping[str, httpx.AsyncClient], outbox: Outbox) -> list[Verdict]:
    """Judge every order now. Raises httpx.HTTPError when the API does not answer."""
    given = outbox()
    return [await _check_one(play, clients[play.scenario.brand], given) for play in plays]


async def _check_one(play: Play, client: httpx.AsyncClient, given: Mapping[str, int]) -> Verdict:
    deliveries = await read_deliveries(client, play.order_id)
    document = (await client.get(f"/v1/orders/{play.order_id}")).raise_for_status().json()
    wrong = [
        *compare(play.scenario.expected, deliveries),
        *_in_outbox(deliveries, given),
        *_failures(play.scenario, deliveries),
        *_case(play.scenario, bool(document["case_open"])),
    ]
    sent = sum(delivery.state in _SENT for delivery in deliveries)
    return Verdict(scenario=play.scenario, sent=sent, wrong=tuple(wrong))


async def read_deliveries(client: httpx.AsyncClient, order_id: str) -> list[Sent]:
    """All deliveries of an order, over HTTP."""
    answer = (await client.get(f"/v1/orders/{order_id}/deliveries")).raise_for_status().json()
    return [_sent(item) for item in answer["deliveries"]]


def _sent(item: Mapping[str, Any]) -> Sent:
    return Sent(
        id=item["id"],
        kind=MessageKind(item["kind"]),
        channel=Channel(item["channel"]),
        recipient=item["recipient"],
        state=DeliveryState(item["state"]),
    )


def compare(expected: Sequence[Expected], deliveries: Sequence[Sent]) -> list[str]:
    """What is missing, and what came too often or was not expected at all; in words."""
    want = Counter({(each.kind, each.channel, each.recipient): each.count for each in expected})
    have = Counter((each.kind, each.channel, each.recipient) for each in deliveries if each.state in _SENT)
    return [
        f"{kind} by {channel} to {recipient}: expected {want[kind, channel, recipient]}, "
        f"sent {have[kind, channel, recipient]}"
        for kind, channel, recipient in sorted(want.keys() | have.keys())
        if want[kind, channel, recipient] != have[kind, channel, recipient]
    ]


def _in_outbox(deliveries: Sequence[Sent], given: Mapping[str, int]) -> list[str]:
    wanted = {each.id: int(each.state in _SENT) for each in deliveries}
    return [
        f"{each.kind} by {each.channel}: the provider was given it {given.get(each.id, 0)} times"
        for each in deliveries
        if given.get(each.id, 0) != wanted[each.id]
    ]


def _failures(scenario: Scenario, deliveries: Sequence[Sent]) -> list[str]:
    failed = {each.channel for each in deliveries if each.state is DeliveryState.FAILED}
    return [
        f"{channel}: expected {'a failed send' if channel in scenario.failed else 'no failure'}"
        for channel in sorted(failed ^ scenario.failed)
    ]


def _case(scenario: Scenario, is_open: bool) -> list[str]:
    if scenario.case == is_open:
        return []
    return ["a support case was expected" if scenario.case else "a support case that was not expected"]
