"""The application in process, with everything real but Temporal."""

import asyncio
import socket
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
import uvicorn
from fastapi import FastAPI

from api.app import create_app
from api.parts import ApiParts
from ordertrail.channels.console import Console
from ordertrail.db import keys
from ordertrail.db.brands import Brands
from ordertrail.db.engine import Database
from ordertrail.db.keys import Scope
from ordertrail.domain.brand import Brand
from ordertrail.domain.vocabulary import Channel
from ordertrail.frontdoor.acceptance import Wake
from ordertrail.frontdoor.door import FrontDoor
from ordertrail.frontdoor.keyring import KeyRing
from ordertrail.frontdoor.receipts import Receipts
from ordertrail.frontdoor.replay import Replay
from ordertrail.messages.gallery import Gallery
from ordertrail.messages.links import Links
from ordertrail.messages.pages import Pages
from ordertrail.messages.render import Renderer
from ordertrail.settings import Settings
from tests.conftest import DrivenClock

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from starlette.testclient import TestClient

TEMPLATES = Path(__file__).resolve().parents[2] / "templates"


class Memory:
    """A dispatcher that remembers whom it was to wake."""

    def __init__(self) -> None:
        self.healthy = True
        self.woken: list[Wake] = []

    def wake(self, wakes: Sequence[Wake]) -> None:
        self.woken += wakes

    async def run(self) -> None:
        await asyncio.Event().wait()


@pytest.fixture
def dispatcher() -> Memory:
    return Memory()


BuildApp = Callable[[Database, Settings], FastAPI]
MakeKey = Callable[..., dict[str, str]]


@pytest.fixture
def build_app(dispatcher: Memory, clock: DrivenClock) -> BuildApp:
    def build(database: Database, settings: Settings) -> FastAPI:
        pages = Pages(TEMPLATES)
        front_door = FrontDoor(database, secret=settings.secret())
        receipts = Receipts(database, secret=settings.secret())
        return create_app(
            ApiParts(
                settings=settings,
                database=database,
                front_door=front_door,
                receipts=receipts,
                replay=Replay(database, front_door, receipts),
                keyring=KeyRing(database, monotonic=clock.monotonic),
                dispatcher=dispatcher,
                brands=Brands(),
                pages=pages,
                gallery=Gallery(Renderer(TEMPLATES), pages, f"{settings.public_url}static"),
                providers=lambda: {("console", on): Console(on, database, clock) for on in Channel},
                links=Links(settings.secret(), str(settings.public_url)),
                static_dir=TEMPLATES / "portal" / "static",
                clock=clock,
                monotonic=clock.monotonic,
            )
        )

    return build


@pytest.fixture
def app(build_app: BuildApp, database: Database, settings: Settings) -> FastAPI:
    return build_app(database, settings)


@pytest.fixture
def make_key(database: Database, clock: DrivenClock, stored_brand: Brand) -> MakeKey:
    """Makes a key and gives its header."""

    def make(*scopes: Scope, brand: str = stored_brand.id, name: str = "oms") -> dict[str, str]:
        with database.write() as c:
            _, secret = keys.create(c, brand=brand, name=name, scopes=scopes or tuple(Scope), now=clock())
        return {"authorization": f"Bearer {secret}"}

    return make


@pytest.fixture
def anonymous(app: FastAPI) -> Iterator[TestClient]:
    with TestClient(app) as client:
        yield client


@pytest.fixture
def client(anonymous: TestClient, make_key: MakeKey) -> TestClient:
    """A client with a key of the brand 'acme' that may do everything."""
    anonymous.headers.update(make_key())
    return anonymous


@pytest.fixture
def served(app: FastAPI) -> Iterator[str]:
    """The application behind a real server, for streams; its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    config = uvicorn.Config(app, host="127.0.0.1", port=port, log_level="error", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive(), "the server did not start"
        time.sleep(0.01)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(10)
