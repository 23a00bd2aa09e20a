"""`ordertrail demo`: the whole product on this machine, with orders that go right and wrong."""

import asyncio
import os
import shutil
from collections import Counter
from collections.abc import Mapping
from contextlib import AsyncExitStack, suppress
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import httpx
import typer
from sqlalchemy import select

from ordertrail.cli.brands import read_brands
from ordertrail.cli.demo.check import Verdict, check
from ordertrail.cli.demo.player import Play, Player
from ordertrail.cli.demo.scenarios import SCENARIOS
from ordertrail.cli.demo.screen import Screen, look
from ordertrail.cli.embedded import Embedded, Ports, build, claim_ports, locked
from ordertrail.cli.running import first_of
from ordertrail.cli.session import data_dir, database_at, now
from ordertrail.cli.up import ApiPort, TemporalPort, UiPort, run_embedded
from ordertrail.db import brands, keys
from ordertrail.db.engine import Database
from ordertrail.db.keys import Scope
from ordertrail.db.tables import console_messages
from ordertrail.domain.brand import Brand
from ordertrail.settings import load_settings

BRANDS = Path(__file__).parent / "brands.yaml"
_LOOK_EVERY_S = 0.5
_SETTLES_WITHIN = timedelta(seconds=45)
_STAYS_SETTLED = timedelta(seconds=4)
"""Nothing unexpected may follow for this long after everything expected is there."""
_SCOPES = (Scope.ORDERS_WRITE, Scope.EVENTS_WRITE, Scope.ORDERS_READ)


def demo(
    exit_: Annotated[bool, typer.Option("--exit", help="End after the check instead of staying.")] = False,
    api_port: ApiPort = 8000,
    temporal_port: TemporalPort = 7233,
    ui_port: UiPort = 8233,
) -> None:
    """Run everything and play thirteen orders through the public API, some going wrong on the way.

    It takes about a minute, reaches nothing outside this machine, and checks at the end that each customer got what
    they should, once. Each demo begins with empty data, in its own directory beside the data of 'ordertrail up'.
    """
    ports = claim_ports("127.0.0.1", Ports(api=api_port, temporal=temporal_port, ui=ui_port))
    embedded = build(data_dir() / "demo", "127.0.0.1", ports, environment=os.environ, demo=True)
    with locked(embedded.data_dir):
        _empty(embedded.data_dir)
        raise typer.Exit(_run(embedded, stay=not exit_))


def _run(embedded: Embedded, *, stay: bool) -> int:
    screen = Screen()
    api_keys: dict[str, str] = {}

    async def inside(stop: asyncio.Event) -> int:
        return await Demo(embedded, api_keys, screen).run(stop, stay=stay)

    return run_embedded(
        embedded, inside=inside, prepare=lambda: api_keys.update(_prepare(embedded.url)), tell=screen.tell
    )


def _empty(directory: Path) -> None:
    for pattern in ("*.db", "*.db-wal", "*.db-shm", "addresses.json"):
        for file in directory.glob(pattern):
            file.unlink()
    shutil.rmtree(directory / "logs", ignore_errors=True)


def demo_brands(url: str) -> list[Brand]:
    """The demo's brands, with their logos at the address where this API serves them."""
    logos = f"{url}/static/brands"
    return [
        Brand.model_validate({**brand.model_dump(mode="json"), "logo_url": f"{logos}/{brand.id}.png"})
        for brand in read_brands(BRANDS)
    ]


def _prepare(url: str) -> dict[str, str]:
    """Import the demo brands; a key for each, by brand."""
    database = database_at(load_settings().sqlalchemy_url)
    try:
        with database.write() as c:
            found = demo_brands(url)
            for brand in found:
                brands.put(c, brand, now())
            return {
                brand.id: keys.create(c, brand=brand.id, name="demo", scopes=_SCOPES, now=now())[1] for brand in found
            }
    finally:
        database.close()


class Demo:
    """One run of the demo on a running system. `api_keys` are by brand."""

    def __init__(self, embedded: Embedded, api_keys: Mapping[str, str], screen: Screen) -> None:
        self._embedded = embedded
        self._api_keys = api_keys
        self._screen = screen
        self._plays = [Play(scenario=scenario) for scenario in SCENARIOS]

    async def run(self, stop: asyncio.Event, *, stay: bool) -> int:
        """Play, show, check. The exit code: 0 only if every customer got exactly what they should."""
        database = database_at(load_settings().sqlalchemy_url)
        async with AsyncExitStack() as stack:
            stack.callback(database.close)
            clients = {brand: self._client(key) for brand, key in self._api_keys.items()}
            for client in clients.values():
                await stack.enter_async_context(client)
            played = await first_of(stop, self._play(clients, database))
            if played is None:
                return 0
            self._screen.verdicts(played)
            self._screen.tell(await self._links(clients))
            failed = sum(bool(verdict.wrong) for verdict in played)
            self._screen.tell(_summary(played, failed))
            if stay:
                self._screen.tell("Everything keeps running. Press Ctrl-C to stop.")
                await stop.wait()
            return 1 if failed else 0

    def _client(self, key: str) -> httpx.AsyncClient:
        headers = {"authorization": f"Bearer {key}"}
        return httpx.AsyncClient(base_url=self._embedded.url, headers=headers, timeout=10, trust_env=False)

    async def _play(self, clients: Mapping[str, httpx.AsyncClient], database: Database) -> list[Verdict]:
        with self._screen.live():
            watching = asyncio.create_task(self._watch(database))
            try:
                await Player(clients, clock=now, static_url=f"{self._embedded.url}/static").play(self._plays)
                return await self._settled(clients, database)
            finally:
                watching.cancel()
                with suppress(asyncio.CancelledError):
                    await watching

    async def _settled(self, clients: Mapping[str, httpx.AsyncClient], database: Database) -> list[Verdict]:
        """Check until everything is as expected and stays so for a moment, or until patience ends."""
        patience, right_since = now() + _SETTLES_WITHIN, None
        while True:
            verdicts = await check(self._plays, clients, lambda: given_to_console(database))
            right = not any(verdict.wrong for verdict in verdicts)
            right_since = (right_since or now()) if right else None
            if (right_since and now() - right_since > _STAYS_SETTLED) or (not right and now() > patience):
                return verdicts
            await asyncio.sleep(_LOOK_EVERY_S)

    async def _watch(self, database: Database) -> None:
        """Keep the screen current."""
        while True:
            with database.read() as c:
                lines = look(c, self._plays, now())
            self._screen.show(lines)
            await asyncio.sleep(_LOOK_EVERY_S)

    async def _links(self, clients: Mapping[str, httpx.AsyncClient]) -> str:
        url, directory = self._embedded.url, self._embedded.data_dir
        pages = [f"    {url}{path}  {words}" for words, path in await self._tracking_pages(clients)]
        return "\n".join(
            (
                "",
                "  Tracking pages, each in its customer's language",
                *pages,
                f"  Message outbox   {url}/outbox",
                f"  Templates        {url}/ops/templates",
                *(f"    {brand:14} {url}/ops/templates?brand={brand}" for brand in clients),
                f"  API docs         {url}/docs",
                f"  Temporal Web UI  {self._embedded.ui_url}",
                f"  An order's story ordertrail --data-dir {directory} orders show {self._plays[0].order_id}",
                "",
            )
        )

    async def _tracking_pages(self, clients: Mapping[str, httpx.AsyncClient]) -> list[tuple[str, str]]:
        """(title and language, path) of the first order in each language."""
        first: dict[str, Play] = {}
        for play in self._plays:
            first.setdefault(play.scenario.order["customer"]["locale"].partition("-")[0], play)
        found = []
        for locale, play in first.items():
            answer = await clients[play.scenario.brand].get(f"/v1/orders/{play.order_id}")
            found.append((f"{locale}: {play.scenario.title}", str(answer.raise_for_status().json()["tracking_page"])))
        return found


def given_to_console(database: Database) -> dict[str, int]:
    """How often the console provider was given each delivery: its own side of the wire."""
    with database.read() as c:
        return dict(Counter(c.execute(select(console_messages.c.delivery_id)).scalars()))


def _summary(verdicts: list[Verdict], failed: int) -> str:
    messages = sum(verdict.sent for verdict in verdicts)
    if failed:
        return f"{failed} of {len(verdicts)} orders did not go as expected."
    return f"{len(verdicts)} orders, {messages} messages, each exactly as expected."


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command()(demo)
