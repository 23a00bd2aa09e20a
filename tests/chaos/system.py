"""The whole system as real processes that can be killed: Temporal, the worker, the api, and the two providers."""

import asyncio
import os
import secrets
import signal
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from ordertrail.cli.children import Piece
from ordertrail.cli.embedded import Embedded, Ports, build, claim_ports
from ordertrail.cli.pieces import api_piece, task_queue_of, temporal_piece, worker_piece
from ordertrail.cli.ports import claim
from ordertrail.cli.supervisor import Backoff, Supervisor
from ordertrail.db import brands, keys, migrate
from ordertrail.db.engine import Database
from ordertrail.db.keys import Scope
from ordertrail.domain.brand import Brand
from tests.chaos.databases import ChaosDatabase
from tests.chaos.lives import BRANDS, SOURCES
from tests.chaos.providers import SENDGRID, TWILIO, FakeProviderProcess

KILLABLE = ("worker", "api", "temporal")
WINDOW_S = 6
"""How long an unclear email waits for its callback."""
PROVIDER_TIMEOUT_S = 2
_ROOT = Path(__file__).resolve().parents[2]
_QUICK = Backoff(first=0.2, most=1, healthy_after=5)
# Everything that must arrive is critical to one brand: it would rather tell twice than not at all.
_CRITICAL = [
    "order_confirmation", "delivered", "returned", "cancelled", "refunded", "delay", "issue", "delivery_attempted",
]  # fmt: skip
_POLICY: dict[str, Any] = {
    "imminence_hold": "PT1S", "readiness_wait": "PT2S", "quiet_hours": None, "daily_cap": 1000, "jitter": "PT0S",
}  # fmt: skip
_POLICIES: Mapping[str, dict[str, Any]] = {
    "careful": {**_POLICY, "critical_kinds": _CRITICAL},
    "sparing": {**_POLICY, "receipt_window": "PT10S"},
}


class System:
    """Start it, use it, kill parts of it, stop it. `log` is where incidents are told, one line each."""

    def __init__(self, directory: Path, database: ChaosDatabase, *, seed: int) -> None:
        self.directory = directory
        self.database = database
        self.api_keys: dict[tuple[str, str], str] = {}
        self.incidents: list[str] = []
        self.kills: Counter[str] = Counter()
        self._began = time.monotonic()
        self._supervisor = Supervisor(logs=directory / "logs", tell=self.note, backoff=_QUICK)
        env = dict(os.environ) | {"PYTHONPATH": str(_ROOT), "PYTHONUNBUFFERED": "1"}
        self.providers = {
            name: FakeProviderProcess(name, claim("127.0.0.1", 0, what=name, option=""), seed=seed, env=env)
            for name in (SENDGRID, TWILIO)
        }
        self.embedded: Embedded | None = None

    @property
    def url(self) -> str:
        """Where the api is."""
        assert self.embedded is not None
        return self.embedded.url

    def note(self, line: str) -> None:
        """Remember an incident, with the second at which it was."""
        self.incidents.append(f"{time.monotonic() - self._began:6.1f} s  {line}")

    async def start(self, refused_numbers: Sequence[str]) -> None:
        """Bring everything up; `refused_numbers` are phone numbers Twilio must not know."""
        await self._all_started(provider.piece for provider in self.providers.values())
        await self.providers[TWILIO].settings(rejects=dict.fromkeys(refused_numbers, "21211"))
        ports = claim_ports("127.0.0.1", Ports(api=0, temporal=0, ui=0))
        self.embedded = build(self.directory, "127.0.0.1", ports, environment=await self._environment())
        await self.providers[SENDGRID].settings(callback_url=f"{self.embedded.url}/v1/hooks/sendgrid")
        self._prepare_database()
        await self._all_started(self._pieces(self.embedded))
        self._began = time.monotonic()

    async def _all_started(self, pieces: Iterable[Piece]) -> None:
        """At the same time: each waits by itself for what it needs."""
        async with asyncio.TaskGroup() as group:
            for piece in pieces:
                group.create_task(self._supervisor.start(piece))

    def _pieces(self, embedded: Embedded) -> tuple[Piece, ...]:
        worker = worker_piece(embedded, task_queue=task_queue_of(embedded.env))
        return temporal_piece(embedded), worker, api_piece(embedded)

    async def _environment(self) -> dict[str, str]:
        sendgrid, twilio = await self.providers[SENDGRID].info(), await self.providers[TWILIO].info()
        foreign = {name: value for name, value in os.environ.items() if not name.startswith("ORDERTRAIL_")}
        return foreign | {
            "PYTHONPATH": str(_ROOT),
            "ORDERTRAIL_SECRET_KEY": secrets.token_urlsafe(40),
            "ORDERTRAIL_DATABASE_URL": self.database.url,
            "ORDERTRAIL_EMAIL_PROVIDER": SENDGRID,
            "ORDERTRAIL_SENDGRID_API_KEY": sendgrid["api_key"],
            "ORDERTRAIL_SENDGRID_BASE_URL": sendgrid["url"],
            "ORDERTRAIL_SENDGRID_WEBHOOK_PUBLIC_KEY": sendgrid["public_key"],
            "ORDERTRAIL_SENDGRID_CALLBACK_WINDOW_S": str(WINDOW_S),
            "ORDERTRAIL_SMS_PROVIDER": TWILIO,
            "ORDERTRAIL_TWILIO_ACCOUNT_SID": twilio["account_sid"],
            "ORDERTRAIL_TWILIO_AUTH_TOKEN": twilio["auth_token"],
            "ORDERTRAIL_TWILIO_BASE_URL": twilio["url"],
            "ORDERTRAIL_TWILIO_FROM": "+15005550006",
            "ORDERTRAIL_PROVIDER_TIMEOUT_S": str(PROVIDER_TIMEOUT_S),
        }

    def _prepare_database(self) -> None:
        now = datetime.now(UTC)
        with self.opened() as database:
            migrate.upgrade(database)
            with database.write() as c:
                for brand, zone in BRANDS.items():
                    sender = {"email": f"orders@{brand}.example", "name": brand.title()}
                    shop = {"id": brand, "name": brand.title(), "zone": zone, "sender": sender}
                    brands.put(c, Brand.model_validate({**shop, "policy": _POLICIES[brand]}), now)
                    for source in SOURCES:
                        scopes = [Scope.ORDERS_WRITE, Scope.EVENTS_WRITE]
                        _, secret = keys.create(c, brand=brand, name=source, scopes=scopes, now=now)
                        self.api_keys[brand, source] = secret

    @contextmanager
    def opened(self) -> Iterator[Database]:
        """The product's database, for looking into it."""
        database = Database(self.database.url, pool_size=2)
        try:
            yield database
        finally:
            database.close()

    async def temporal(self) -> Client:
        """A client of the Temporal server."""
        assert self.embedded is not None
        return await Client.connect(self.embedded.temporal_address, data_converter=pydantic_data_converter)

    async def kill(self, name: str) -> None:
        """SIGKILL, once it is up; the supervisor starts it again, as it does for `ordertrail up`."""
        await self.up(name)
        pid = self._supervisor.pid(name)
        if pid is not None:
            self.note(f"killed {name}")
            os.kill(pid, signal.SIGKILL)
            self.kills[name] += 1

    async def up(self, *names: str, seconds: float = 240) -> None:
        """Wait until none of these is down. Raises TimeoutError."""
        assert self.embedded is not None
        async with asyncio.timeout(seconds):
            for piece in self._pieces(self.embedded):
                while piece.name in names and (self._supervisor.pid(piece.name) is None or not await piece.ready()):
                    await asyncio.sleep(0.2)

    async def stop(self) -> None:
        """End everything."""
        for provider in self.providers.values():
            await provider.close()
        await self._supervisor.stop()
        self.database.close()
