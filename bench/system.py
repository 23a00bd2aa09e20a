"""The whole system as real processes in a temporary directory: Temporal, a provider, api, worker, and the floor's."""

import asyncio
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psutil
from pydantic import SecretStr
from temporalio.client import Client

from bench.arrivals import Arrivals, start_provider
from bench.figures import say
from bench.floor import QUEUE
from bench.life import BRAND, BRAND_DOCUMENT
from bench.wire import Http
from ordertrail.cli import pieces
from ordertrail.cli.children import Piece
from ordertrail.cli.embedded import Embedded, Ports, build, claim_ports
from ordertrail.cli.supervisor import Supervisor
from ordertrail.db import brands, keys, migrate
from ordertrail.db.engine import Database
from ordertrail.domain.brand import Brand
from ordertrail.settings import Settings
from ordertrail.wiring.shared import connect_temporal

_ROOT = Path(__file__).absolute().parents[1]


@dataclass(frozen=True, kw_only=True)
class System:
    """Everything a measurement talks to. `database` is the product's own, for looking into it afterwards."""

    api_port: int
    key: str
    http: Http
    temporal: Client
    arrivals: Arrivals
    database: Database
    metrics_port: int
    supervisor: Supervisor

    def rss_mb(self, name: str) -> float:
        """Resident memory of a process and its children, in MB."""
        return sum(p.memory_info().rss for p in self._tree(name)) / 1e6

    def cpu_s(self, name: str) -> float:
        """Processor time a process and its children have used, in seconds."""
        return sum(p.cpu_times().user + p.cpu_times().system for p in self._tree(name))

    def _tree(self, name: str) -> list[psutil.Process]:
        pid = self.supervisor.pid(name)
        if pid is None:
            raise RuntimeError(f"{name} is not running")
        process = psutil.Process(pid)
        return [process, *process.children(recursive=True)]


@asynccontextmanager
async def running(what: str) -> AsyncIterator[System]:
    """Start everything afresh; stop it and remove its files when the block ends, however it ends."""
    say(f"starting a fresh system for {what}")
    with tempfile.TemporaryDirectory(prefix="ordertrail-bench-") as directory:
        embedded, extra = _describe(Path(directory))
        database, key = _prepare(embedded)
        # Children inherit the temporary directory's path and nothing else of this process's settings.
        supervisor = Supervisor(logs=embedded.logs, tell=say)
        arrivals = Arrivals()
        provider = await start_provider(extra["provider"], arrivals)
        try:
            for piece in _pieces(embedded):
                await supervisor.start(piece)
            os.environ["TEMPORAL_ADDRESS"] = embedded.temporal_address
            os.environ["TEMPORAL_CONFIG_FILE"] = os.devnull
            yield System(
                api_port=embedded.ports.api, key=key, http=Http(embedded.ports.api, key),
                temporal=await connect_temporal(), arrivals=arrivals, database=database,
                metrics_port=extra["metrics"], supervisor=supervisor,
            )  # fmt: skip
        finally:
            await supervisor.stop()
            await provider.stop()
            database.close()


def _describe(directory: Path) -> tuple[Embedded, dict[str, int]]:
    ports = claim_ports("127.0.0.1", Ports(api=0, temporal=0, ui=0))
    extra = claim_ports("127.0.0.1", Ports(api=0, temporal=0, ui=0))
    provider = f"http://127.0.0.1:{extra.api}"
    embedded = build(directory, "127.0.0.1", ports, environment=os.environ, demo=True)
    env = {
        **embedded.env,
        "PYTHONPATH": str(_ROOT),
        "BENCH_PROVIDER_URL": provider,
        "ORDERTRAIL_SDK_METRICS_PORT": str(extra.temporal),
        "ORDERTRAIL_EMAIL_PROVIDER": "sendgrid",
        "ORDERTRAIL_SENDGRID_API_KEY": "SG.bench",
        "ORDERTRAIL_SENDGRID_BASE_URL": provider,
        "ORDERTRAIL_SMS_PROVIDER": "twilio",
        "ORDERTRAIL_TWILIO_ACCOUNT_SID": "AC" + "0" * 32,
        "ORDERTRAIL_TWILIO_AUTH_TOKEN": "bench",
        "ORDERTRAIL_TWILIO_BASE_URL": provider,
        # The floor has no limits either; what is measured is how fast they could be.
        "ORDERTRAIL_SENDGRID_RATE": "100000",
        "ORDERTRAIL_TWILIO_RATE": "100000",
        "ORDERTRAIL_RATE_LIMIT_PER_S": "1000000",
        "ORDERTRAIL_RATE_LIMIT_BURST": "1000000",
    }
    described = Embedded(data_dir=embedded.data_dir, host=embedded.host, ports=embedded.ports, env=env)
    return described, {"provider": extra.api, "metrics": extra.temporal}


def _prepare(embedded: Embedded) -> tuple[Database, str]:
    """The schema, the brand and an API key."""
    settings = Settings(secret_key=SecretStr(embedded.env["ORDERTRAIL_SECRET_KEY"]), data_dir=embedded.data_dir)
    database = Database(settings.sqlalchemy_url)
    migrate.upgrade(database)
    now = datetime.now(UTC)
    with database.write() as c:
        brands.put(c, Brand.model_validate(dict(BRAND_DOCUMENT)), now)
        _, secret = keys.create(c, brand=BRAND, name="bench", scopes=list(keys.Scope), now=now)
    return database, secret


def _pieces(embedded: Embedded) -> list[Piece]:
    api = pieces.api_piece(embedded)
    argv = tuple(a.replace("ordertrail.wiring.api:app_from_environment", "bench.server:app") for a in api.argv)
    return [
        pieces.temporal_piece(embedded),
        Piece(name="api", argv=argv, env=api.env, ready=api.ready),
        pieces.worker_piece(embedded, task_queue=pieces.task_queue_of(embedded.env)),
        _floor_piece(embedded.env, embedded),
    ]


def _floor_piece(env: Mapping[str, str], embedded: Embedded) -> Piece:
    polled = pieces.worker_piece(embedded, task_queue=QUEUE).ready
    return Piece(name="floor", argv=(sys.executable, "-P", "-m", "bench.floor"), env=env, ready=polled)


async def settled(system: System, *, within_s: float = 60) -> None:
    """Wait until nothing the front door accepted still waits for its order. Raises TimeoutError."""
    async with asyncio.timeout(within_s):
        while waiting(system):
            await asyncio.sleep(0.2)


def waiting(system: System) -> int:
    """How much was accepted and has not reached its order: the queue."""
    with system.database.read() as c:
        return int(c.exec_driver_sql("select count(*) from handoffs").scalar_one())
