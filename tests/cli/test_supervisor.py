"""The supervisor with small real processes: started in order, started again, stopped in order, never left behind."""

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from ordertrail.cli.children import Piece
from ordertrail.cli.supervisor import Backoff, DidNotStart, Supervisor

WAITS = "import time; print('hello', flush=True); time.sleep(600)"
QUICK = Backoff(first=0.05, most=0.2, healthy_after=60)


def piece(name: str, code: str, *, ready: Callable[[], bool] = lambda: True, **more: Any) -> Piece:
    async def check() -> bool:
        return ready()

    return Piece(
        name=name, argv=(sys.executable, "-c", textwrap.dedent(code)), env=dict(os.environ), ready=check, **more
    )


def gone(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


async def until(condition: Callable[[], bool], seconds: float = 10) -> None:
    for _ in range(int(seconds / 0.02)):
        if condition():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("it did not come to that")


def pid_of(supervisor: Supervisor, name: str) -> int:
    pid = supervisor.pid(name)
    assert pid is not None
    return pid


async def test_a_piece_is_ready_before_start_returns_and_its_output_is_kept(tmp_path: Path) -> None:
    supervisor, flag = Supervisor(logs=tmp_path, tell=print), tmp_path / "flag"
    code = f"import pathlib, time; print('hello', flush=True); pathlib.Path({str(flag)!r}).touch(); time.sleep(600)"
    try:
        await supervisor.start(piece("a", code, ready=flag.exists))
        assert flag.exists()
        assert (tmp_path / "a.log").read_text() == "hello\n"
    finally:
        await supervisor.stop()


async def test_a_crashed_piece_is_started_again_with_growing_pauses(tmp_path: Path) -> None:
    told: list[str] = []
    supervisor = Supervisor(logs=tmp_path, tell=told.append, backoff=QUICK)
    try:
        await supervisor.start(piece("a", WAITS))
        for _ in range(3):
            before = pid_of(supervisor, "a")
            os.kill(before, signal.SIGKILL)
            await until(lambda before=before: supervisor.pid("a") not in (None, before))  # type: ignore[misc]
        await until(lambda: len(told) == 6)
        assert [line.split(" (see")[0] for line in told if "again" in line] == [
            f"a ended with code -9; starting it again in {pause} s" for pause in ("0.05", "0.1", "0.2")
        ]
        assert told.count("a is back") == 3
    finally:
        await supervisor.stop()


def test_the_pause_is_short_again_after_a_healthy_life() -> None:
    backoff = Backoff(first=1, most=8, healthy_after=60)
    assert [backoff.next(0, 1), backoff.next(1, 1), backoff.next(8, 1), backoff.next(8, 61)] == [1, 2, 8, 1]


async def test_what_ends_before_it_is_ready_says_why(tmp_path: Path) -> None:
    supervisor = Supervisor(logs=tmp_path, tell=print)
    with pytest.raises(DidNotStart, match=r"a ended with code 3 before it was ready .*a\.log\): no such table"):
        await supervisor.start(piece("a", "print('no such table'); raise SystemExit(3)", ready=lambda: False))
    await supervisor.stop()


async def test_what_never_gets_ready_is_given_up(tmp_path: Path) -> None:
    supervisor = Supervisor(logs=tmp_path, tell=print)
    with pytest.raises(DidNotStart, match="not ready within"):
        await supervisor.start(piece("a", WAITS, ready=lambda: False, start_within=0.3))
    pid = pid_of(supervisor, "a")
    await supervisor.stop()
    assert gone(pid)


async def test_stopping_goes_in_reverse_order_and_each_may_finish_its_work(tmp_path: Path) -> None:
    ends = tmp_path / "ends"
    code = """
        import pathlib, signal, sys, time
        def end(*_):
            time.sleep(0.1)
            with open({ends!r}, "a") as file: file.write({name!r})
            sys.exit(0)
        signal.signal(signal.SIGTERM, end)
        pathlib.Path({flag!r}).touch()
        time.sleep(600)
    """
    supervisor = Supervisor(logs=tmp_path, tell=print)
    for name in "abc":
        flag = tmp_path / name
        text = textwrap.dedent(code).format(ends=str(ends), name=name, flag=str(flag))
        await supervisor.start(piece(name, text, ready=flag.exists))
    await supervisor.stop()
    assert ends.read_text() == "cba"


async def test_what_ignores_the_request_is_ended_with_all_it_started(tmp_path: Path) -> None:
    children = tmp_path / "children"
    code = f"""
        import pathlib, signal, subprocess, sys, time
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        pathlib.Path({str(children)!r}).write_text(str(child.pid))
        time.sleep(600)
    """
    ready = lambda: children.exists() and children.read_text() != ""  # noqa: E731
    supervisor = Supervisor(logs=tmp_path, tell=print)
    await supervisor.start(piece("a", code, ready=ready, stop_within=0.3))
    pid, grandchild = pid_of(supervisor, "a"), int(children.read_text())
    begun = time.monotonic()
    await supervisor.stop()
    assert time.monotonic() - begun < 5
    await until(lambda: gone(pid) and gone(grandchild))


async def test_a_piece_that_is_waiting_to_be_started_again_stays_down_after_stop(tmp_path: Path) -> None:
    supervisor = Supervisor(logs=tmp_path, tell=print, backoff=Backoff(first=0.3))
    await supervisor.start(piece("a", WAITS))
    os.kill(pid_of(supervisor, "a"), signal.SIGKILL)
    await until(lambda: supervisor.pid("a") is None)
    await supervisor.stop()
    await asyncio.sleep(0.5)
    assert supervisor.pid("a") is None


@pytest.mark.skipif(sys.platform != "linux", reason="needs the kernel's parent-death signal")
async def test_a_killed_supervisor_leaves_no_orphan(tmp_path: Path) -> None:
    code = f"""
        import asyncio, os, pathlib, sys
        from ordertrail.cli.children import Piece
        from ordertrail.cli.supervisor import Supervisor
        async def yes(): return True
        async def main():
            supervisor = Supervisor(logs=pathlib.Path({str(tmp_path)!r}), tell=print)
            argv = (sys.executable, "-c", "import time; time.sleep(600)")
            await supervisor.start(Piece(name="a", argv=argv, env=dict(os.environ), ready=yes))
            print(supervisor.pid("a"), flush=True)
            await asyncio.sleep(600)
        asyncio.run(main())
    """
    with subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        pid = int(await asyncio.to_thread(process.stdout.readline))
        assert not gone(pid)
        process.kill()
        process.wait()
    await until(lambda: gone(pid))
