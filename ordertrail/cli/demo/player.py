"""Plays the scenarios through the public HTTP API, at the speed they are written in."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx

from ordertrail.cli.demo.plot import Clock, Reporter, Scenario, event_body, order_body
from ordertrail.domain.failures import OrdertrailError

_AGAIN_AFTER_S = 0.5
_GIVE_UP_AFTER_S = 60.0


class Refused(OrdertrailError):
    """The API answered that a payload is not acceptable."""


@dataclass(kw_only=True)
class Play:
    """One scenario as it is being played. `order_id` is known once the order is placed."""

    scenario: Scenario
    order_id: str = ""
    done: bool = False


class Player:
    """Plays scenarios side by side. `clients`: one per brand, with its key; `clock`: aware UTC; `static_url`: where
    the API serves pictures.

    While the API is away (somebody may be killing it to see what happens) a request is repeated as it is.
    """

    def __init__(
        self, clients: Mapping[str, httpx.AsyncClient], *, clock: Callable[[], datetime], pace: float = 1.0,
        static_url: str = "http://127.0.0.1:8000/static",
    ) -> None:  # fmt: skip
        self._clients = clients
        self._clock = clock
        self._pace = pace
        self._static_url = static_url

    async def play(self, plays: list[Play]) -> None:
        """Play all to their ends. Raises Refused when the API does not accept something, OrdertrailError when it
        stays away."""
        async with asyncio.TaskGroup() as group:
            for each in plays:
                group.create_task(self._one(each))

    async def _one(self, play: Play) -> None:
        scenario = play.scenario
        await asyncio.sleep(scenario.starts * self._pace)
        begun = asyncio.get_running_loop().time()
        clock = Clock(placed_at=self._clock(), zone=scenario.zone, static_url=self._static_url)
        answer = await self._post(scenario, "/v1/orders", order_body(scenario, clock))
        play.order_id = str(answer["order_id"])
        for number, step in sorted(enumerate(scenario.steps), key=lambda pair: pair[1].at):
            elapsed = asyncio.get_running_loop().time() - begun
            await asyncio.sleep(max(0.0, step.at * self._pace - elapsed))
            await self._report(play, number, event_body(scenario, number, clock))
        play.done = True

    async def _report(self, play: Play, number: int, body: dict[str, Any]) -> None:
        scenario = play.scenario
        if scenario.steps[number].reporter is Reporter.OMS:
            await self._post(scenario, f"/v1/orders/{play.order_id}/events", body)
        elif "tracking_number" in body:
            await self._post(scenario, "/v1/tracking-events", body)
        else:
            await self._post(scenario, "/v1/tracking-events", {"order": play.order_id, **body})

    async def _post(self, scenario: Scenario, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Post until there is an answer that counts."""
        client = self._clients[scenario.brand]
        give_up = asyncio.get_running_loop().time() + _GIVE_UP_AFTER_S
        while True:
            try:
                response = await client.post(path, json=body)
            except httpx.TransportError:
                response = None
            if response is not None and response.is_success:
                return dict(response.json())
            if response is not None and response.status_code < 500 and response.status_code != 429:
                raise Refused("refused", f"{scenario.title}: {path} answered {response.status_code} {_why(response)}")
            if asyncio.get_running_loop().time() >= give_up:
                raise OrdertrailError("api_away", f"the API did not take {path} for {_GIVE_UP_AFTER_S:.0f} s")
            await asyncio.sleep(_AGAIN_AFTER_S)


def _why(response: httpx.Response) -> str:
    """The problem's title and fields; the demo's own payloads hold nothing private."""
    return response.text[:400]
