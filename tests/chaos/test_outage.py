"""A SQLite file that somebody else keeps locked: told to every writer at once, however many there are."""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ordertrail.db.engine import Database
from ordertrail.domain.failures import Transient
from tests.chaos.databases import Sqlite

BUSY_S = 0.4
WRITERS = 8


def _write(database: Database) -> float:
    """Try to write; how long it took to be told that it cannot be done now."""
    began = time.monotonic()
    with pytest.raises(Transient), database.write():
        raise AssertionError("the file was not locked")
    return time.monotonic() - began


def test_writers_that_queue_are_not_kept_waiting_for_one_another(tmp_path: Path) -> None:
    file = Sqlite(tmp_path)
    database = Database(file.url, pool_size=WRITERS, busy_timeout_s=BUSY_S)
    with database.write():
        pass

    async def all_at_once() -> list[float]:
        outage = asyncio.create_task(file.away("locked", 60))
        await asyncio.sleep(0.3)
        loop = asyncio.get_running_loop()
        with ThreadPoolExecutor(WRITERS) as threads:
            took = await asyncio.gather(*(loop.run_in_executor(threads, _write, database) for _ in range(WRITERS)))
        outage.cancel()
        await asyncio.gather(outage, return_exceptions=True)
        return list(took)

    took = asyncio.run(all_at_once())
    assert max(took) < WRITERS * BUSY_S * 0.75, "they waited for the file one after the other"
    with database.write():
        pass  # well again as soon as the lock is gone
    database.close()
