"""Constructs the HTTP application; `app_from_environment` is what uvicorn is told to call."""

import time
from datetime import timedelta

from fastapi import FastAPI

from api.app import create_app
from api.parts import ApiParts
from ordertrail.channels.sendgrid import check_public_key
from ordertrail.db.brands import Brands
from ordertrail.db.engine import Database
from ordertrail.dispatcher import Dispatcher
from ordertrail.domain.clock import system_clock
from ordertrail.frontdoor.door import FrontDoor
from ordertrail.frontdoor.keyring import KeyRing
from ordertrail.frontdoor.receipts import Receipts
from ordertrail.frontdoor.replay import Replay
from ordertrail.messages.gallery import Gallery
from ordertrail.messages.links import Links
from ordertrail.messages.pages import Pages
from ordertrail.messages.render import Renderer
from ordertrail.observability import configure_logging
from ordertrail.settings import Settings, load_settings
from ordertrail.wiring.providers import build_providers
from ordertrail.wiring.shared import connect_temporal, keep_what_is_loaded, share_interpreter_often, templates_dir


def build_api(settings: Settings) -> FastAPI:
    """The application with everything it needs. Opens no connection yet. Raises ConfigurationError."""
    if settings.sendgrid_webhook_public_key:
        check_public_key(settings.sendgrid_webhook_public_key)
    database = Database(settings.sqlalchemy_url)
    templates = templates_dir()
    pages = Pages(templates, settings.templates_dir)
    static_url = f"{str(settings.public_url).rstrip('/')}/static"
    front_door = FrontDoor(database, secret=settings.secret())
    receipts = Receipts(database, secret=settings.secret())
    return create_app(
        ApiParts(
            settings=settings,
            database=database,
            front_door=front_door,
            receipts=receipts,
            replay=Replay(database, front_door, receipts),
            keyring=KeyRing(database, monotonic=time.monotonic),
            dispatcher=Dispatcher(
                database,
                connect_temporal,
                task_queue=settings.task_queue,
                clock=system_clock,
                unmatched_for=timedelta(days=settings.unmatched_days),
            ),
            brands=Brands(),
            pages=pages,
            gallery=Gallery(Renderer(templates, settings.templates_dir), pages, static_url),
            providers=lambda: build_providers(settings, database, system_clock),
            links=Links(settings.secret(), str(settings.public_url)),
            static_dir=templates / "portal" / "static",
            clock=system_clock,
            monotonic=time.monotonic,
        )
    )


def app_from_environment() -> FastAPI:
    """The application as the environment describes it. Raises ConfigurationError in one clear line."""
    settings = load_settings()
    configure_logging(settings.log_format, settings.log_level)
    share_interpreter_often()
    served = build_api(settings)
    keep_what_is_loaded()
    return served
