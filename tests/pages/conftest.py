"""The application as it is served, with brands, orders and messages to look at."""

import json
import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from fastapi import FastAPI
from playwright.sync_api import Browser, sync_playwright
from pydantic import AnyHttpUrl
from sqlalchemy import insert

from ordertrail.db import brands
from ordertrail.db.engine import Database
from ordertrail.db.tables import console_messages, orders, people
from ordertrail.domain.brand import Brand
from ordertrail.domain.vocabulary import Channel, MessageKind
from ordertrail.messages.links import Links
from ordertrail.messages.pages import Pages
from ordertrail.messages.render import Renderer
from ordertrail.messages.samples import sample
from ordertrail.settings import PushProvider, Settings
from tests.api.conftest import BuildApp, build_app, dispatcher
from tests.conftest import NOON, DrivenClock
from tests.messages.facts import CASA_VERDE, FORNO
from tests.pages import documents

__all__ = ["build_app", "dispatcher"]

TEMPLATES = Path(__file__).parents[2] / "templates"
CHROMIUM = Path("/usr/bin/chromium")
CUSTOMER = "ana@example.com"


@pytest.fixture(scope="session")
def renderer() -> Renderer:
    return Renderer(TEMPLATES)


@pytest.fixture(scope="session")
def pages() -> Pages:
    return Pages(TEMPLATES)


# While it is open its event loop runs in this thread, and no other module could run one of its own.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if not CHROMIUM.exists():
        pytest.skip(f"no browser at {CHROMIUM}")
    with sync_playwright() as engine:
        chromium = engine.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture
def database_url(sqlite_template: Path, tmp_path: Path) -> str:
    """Pages read what the suite of the API proves on both databases; one is enough here."""
    shutil.copy(sqlite_template, tmp_path / "ordertrail.db")
    return f"sqlite:///{tmp_path / 'ordertrail.db'}"


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """As the embedded system has them: operators on this machine need no key, and pictures come from it too."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    known = {
        "ops_open": True,
        "public_url": AnyHttpUrl(f"http://127.0.0.1:{port}"),
        "push_provider": PushProvider.VAPID,
    }
    return settings.model_copy(update=known)


@pytest.fixture
def clock() -> DrivenClock:
    return DrivenClock(documents.UPDATED)


@pytest.fixture
def app(build_app: BuildApp, database: Database, settings: Settings, renderer: Renderer) -> FastAPI:
    with database.write() as c:
        for brand in (CASA_VERDE, FORNO):
            brands.put(c, brand, NOON)
        person = json.dumps({"name": "Ana", "email": CUSTOMER}, separators=(",", ":"))
        c.execute(
            insert(people).values(id="per_1", brand=CASA_VERDE.id, person_key="k", document=person, updated_at=NOON)
        )
        for number, channel in enumerate(Channel):
            rendered = renderer.render(CASA_VERDE, sample(MessageKind.DELAY), channel)
            c.execute(
                insert(console_messages).values(
                    delivery_id=f"dlv_{number}", brand=CASA_VERDE.id, channel=channel, kind="delay", recipient=CUSTOMER,
                    recipient_name="Ana García", message=rendered.model_dump_json(), at=NOON,
                )
            )  # fmt: skip
    return build_app(database, settings)


@pytest.fixture
def served(app: FastAPI, settings: Settings) -> Iterator[str]:
    """The application behind a real server; its address."""
    url = str(settings.public_url).rstrip("/")
    port = int(url.rpartition(":")[2])
    server = uvicorn.Server(
        uvicorn.Config(app, host="127.0.0.1", port=port, log_level="error", timeout_graceful_shutdown=1)
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive(), "the server did not start"
        time.sleep(0.01)
    yield url
    server.should_exit = True
    thread.join(10)


Place = Callable[[dict[str, Any]], str]


@pytest.fixture
def place(database: Database, settings: Settings) -> Place:
    """Stores an order's document and gives the path of its tracking page."""

    def put(view: dict[str, Any]) -> str:
        links = Links(settings.secret(), "")
        with database.write() as c:
            c.execute(
                insert(orders).values(
                    id=view["order_id"], brand=view["brand"], channel="web", external_id=view["order_id"],
                    person_id="per_1", recipient_id="per_1", canonical="{}", placed_at=NOON, created_at=NOON,
                    updated_at=NOON, status=view["status"], conditions=[], memory="{}", document=json.dumps(view),
                )
            )  # fmt: skip
        return links.tracking_path(view["order_id"])

    return put


@pytest.fixture
def brand() -> Brand:
    return CASA_VERDE
