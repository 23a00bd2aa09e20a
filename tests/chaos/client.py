"""Plays lives through the public HTTP API as an OMS would: what is not answered is sent again as it was."""

import asyncio
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.chaos.lives import OMS, Life, Post

_TIMEOUT_S = 4
_GIVE_UP_AFTER_S = 180
_PAUSES_S = (0.2, 0.5, 1.0, 2.0)
"""Between the tries of one request; the last one from then on."""
_AT_ONCE = 16


@dataclass(kw_only=True)
class Ledger:
    """What the senders know. `accepted`: (order number, source, event id) of each event answered 2xx.

    `refused`: what was not taken though it should have been, in words.
    """

    statuses: Counter[str] = field(default_factory=Counter)
    order_ids: dict[str, str] = field(default_factory=dict)
    accepted: set[tuple[str, str, str]] = field(default_factory=set)
    refused: list[str] = field(default_factory=list)
    provoked: Counter[str] = field(default_factory=Counter)


class Senders:
    """One HTTP client per brand and source."""

    def __init__(self, url: str, keys: Mapping[tuple[str, str], str]) -> None:
        self.ledger = Ledger()
        self._at_once = asyncio.Semaphore(_AT_ONCE)
        self._clients = {
            who: httpx.AsyncClient(
                base_url=url, timeout=_TIMEOUT_S, trust_env=False, headers={"authorization": f"Bearer {secret}"}
            )
            for who, secret in keys.items()
        }

    async def close(self) -> None:
        """Close all connections."""
        for client in self._clients.values():
            await client.aclose()

    async def play(self, life: Life) -> None:
        """Play one life to its end."""
        await asyncio.sleep(life.begins + 0.5)
        begun = asyncio.get_running_loop().time()
        async with asyncio.TaskGroup() as group:
            placed = group.create_task(self._place(life))
            for post in life.posts:
                await asyncio.sleep(max(0.0, begun + post.at - asyncio.get_running_loop().time()))
                group.create_task(self._report(life, post, placed))

    async def provoke(self, life: Life) -> None:
        """Send two bodies that must become dead letters: one that is not understood, one under an id taken before."""
        path = f"/v1/orders/{life.reference}/events"
        event = {"event_id": f"{life.number}-x", "occurred_at": "2026-01-01T12:00:00Z", "kind": "processing"}
        await self._send(life, OMS, path, event)
        self.ledger.accepted.add((life.number, OMS, event["event_id"]))
        for reason, body, status in (
            ("invalid", {**event, "kind": "teleported"}, 422),
            ("same_id_other_body", {**event, "kind": "packed"}, 409),
        ):
            answer = await self._send(life, OMS, path, body)
            if answer is not None and answer.status_code == status:
                self.ledger.provoked[reason] += 1
            else:
                self.ledger.refused.append(f"{reason}: answered {_shown(answer)} instead of {status}")

    async def _place(self, life: Life) -> None:
        answer = await self._send(life, OMS, "/v1/orders", life.order)
        if self._is_taken(answer, f"{life.number} as an order") and answer is not None:
            self.ledger.order_ids[life.number] = answer.json()["order_id"]

    async def _report(self, life: Life, post: Post, placed: "asyncio.Task[None]") -> None:
        if post.minted:
            await asyncio.shield(placed)
        name = self.ledger.order_ids.get(life.number, life.reference) if post.minted else life.reference
        path = "/v1/tracking-events" if post.is_scan else f"/v1/orders/{name}/events"
        answer = await self._send(life, post.source, path, post.body)
        if self._is_taken(answer, f"{post.event_id} from {post.source}"):
            self.ledger.accepted.add((life.number, post.source, post.event_id))

    def _is_taken(self, answer: httpx.Response | None, what: str) -> bool:
        taken = answer is not None and answer.is_success
        if not taken:
            self.ledger.refused.append(f"{what}: {_shown(answer)}")
        return taken

    async def _send(self, life: Life, source: str, path: str, body: Mapping[str, Any]) -> httpx.Response | None:
        """Post until there is an answer that is neither "later" nor none at all; None if that does not come."""
        client, content = self._clients[life.brand, source], json.dumps(body)
        give_up = asyncio.get_running_loop().time() + _GIVE_UP_AFTER_S
        pauses = iter(_PAUSES_S)
        while asyncio.get_running_loop().time() < give_up:
            try:
                async with self._at_once:
                    answer = await client.post(path, content=content)
            except httpx.TransportError as error:
                self.ledger.statuses[type(error).__name__] += 1
            else:
                self.ledger.statuses[str(answer.status_code)] += 1
                if answer.status_code < 500 and answer.status_code != 429:
                    return answer
            await asyncio.sleep(next(pauses, _PAUSES_S[-1]))
        return None


def _shown(answer: httpx.Response | None) -> str:
    return f"{answer.status_code} {answer.text[:300]}" if answer is not None else "no answer that counts"
