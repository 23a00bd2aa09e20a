"""How fast an order's status is read, against an empty route of the same server."""

import asyncio
import json
import sys
from statistics import median

from bench.figures import Figure, compared, limited, say, shown
from bench.life import Life
from bench.subjects import Product
from bench.system import System, running, settled

CONNECTIONS = 16


async def measure(*, quick: bool) -> list[Figure]:
    """Rounds of a few seconds each, the two in turns."""
    rounds, seconds = (3, 2.0) if quick else (7, 4.0)
    async with running("reads") as system:
        product = Product(system)
        life = product.lives("read", 1)[0]
        await product.live(life, gap_s=0)
        await settled(system)
        paths = {"empty": "/bench/empty", "order": f"/v1/orders/{await _order_id(system, life)}"}
        found: dict[str, list[dict[str, float]]] = {"empty": [], "order": []}
        for path in paths.values():
            await _load(system, path, 1.0)
        for turn in range(rounds):
            for name, path in paths.items():
                found[name].append(await _load(system, path, seconds))
            last = {name: runs[-1]["per_s"] for name, runs in found.items()}
            say(f"reads, {turn + 1} of {rounds}: {last['order']:.0f}/s of {last['empty']:.0f}/s")
    middle = {name: {k: median(run[k] for run in runs) for k in runs[0]} for name, runs in found.items()}
    return [
        compared("reads.per_s", middle["order"]["per_s"], middle["empty"]["per_s"], "requests/s", least=0.45),
        limited("reads.p99", middle["order"]["p99_ms"], "ms", most=10, floor=middle["empty"]["p99_ms"]),
        shown("reads.generator_busy", middle["order"]["busy"], "cores", middle["empty"]["busy"]),
    ]


async def _order_id(system: System, life: Life) -> str:
    with system.database.read() as c:
        found = c.exec_driver_sql("select id from orders where external_id = ?", (life.external_id,)).scalar_one()
    return str(found)


async def _load(system: System, path: str, seconds: float) -> dict[str, float]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.load", path, system.key, "--port", str(system.api_port),
        "--connections", str(CONNECTIONS), "--seconds", str(seconds), stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    told, _ = await process.communicate()
    answer: dict[str, float] = json.loads(told)
    return answer
