"""The command line of a fake provider that runs as a process of its own."""

import argparse
import json
from collections.abc import Callable
from typing import Any

from tests.fakes.server import FakeProvider


def options(description: str) -> argparse.ArgumentParser:
    """The options that all fakes have."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0: any free one; it is printed")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--callback-url", help="where events go if the message does not say it itself")
    parser.add_argument("--callback-delay", type=float, default=0)
    parser.add_argument("--callback-tries", type=int)
    parser.add_argument("--latency", type=float, default=0)
    parser.add_argument("--no-check", action="store_true", help="do not validate requests, which is faster")
    return parser


def settings(arguments: argparse.Namespace) -> dict[str, Any]:
    """The keyword arguments that all fakes take."""
    chosen = {name: getattr(arguments, name) for name in ("host", "port", "seed", "latency")}
    chosen |= {"callback_url": arguments.callback_url, "callback_delay": arguments.callback_delay}
    if arguments.callback_tries is not None:
        chosen["callback_tries"] = arguments.callback_tries
    return chosen | {"check_requests": not arguments.no_check}


def run(build: Callable[[], FakeProvider]) -> None:
    """Print what one must know about the fake as one line of JSON, then serve until the process is ended."""
    fake = build()
    print(json.dumps(fake.info()), flush=True)
    fake.serve()
