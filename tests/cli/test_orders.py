"""`ordertrail orders`: the way to an order's run, and Temporal failing midway."""

import asyncio
from typing import Any

import pytest
from temporalio.service import RPCError, RPCStatusCode

from ordertrail import dispatcher
from ordertrail.cli import orders
from ordertrail.cli.session import Unreachable
from ordertrail.db.engine import Database
from ordertrail.domain.ids import NaturalKey
from ordertrail.temporal_ui import run_url


def test_a_run_is_found_in_the_web_ui(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEMPORAL_NAMESPACE", "shops")
    key = NaturalKey(brand="acme", channel="web", external_id="10/442 ñ")
    found = run_url("http://127.0.0.1:8233/", key)
    assert found.startswith("http://127.0.0.1:8233/namespaces/shops/workflows/order%3Aacme%3Aweb%3A10%2")
    assert not set("/ ñ") & set(found.rsplit("workflows/", 1)[1])
    assert run_url("", key) == ""


def test_temporal_failing_midway_is_told_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    async def connected() -> object:
        return object()

    async def rebuild(*_: Any) -> int:
        raise RPCError("gone\naway", RPCStatusCode.UNAVAILABLE, b"")

    monkeypatch.setattr(orders, "connected", connected)
    monkeypatch.setattr(dispatcher, "rebuild", rebuild)
    with pytest.raises(Unreachable, match="UNAVAILABLE") as raised:
        asyncio.run(orders._rebuild(Database("sqlite://"), "queue", None))
    assert "\n" not in str(raised.value)
