"""What commands work with: settings, an up-to-date database, a Temporal client; each missing one told in one line."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError
from temporalio.client import Client
from temporalio.envconfig import ClientConfig
from temporalio.service import RPCError

from ordertrail.cli.embedded import adopt
from ordertrail.db import migrate
from ordertrail.db.engine import Database
from ordertrail.domain.failures import ConfigurationError, OrdertrailError, Transient
from ordertrail.settings import Settings, load_settings

DEFAULT_DATA_DIR = Path(".ordertrail")
_DEFAULT_TEMPORAL = "127.0.0.1:7233"


class Unreachable(OrdertrailError):
    """A server this command needs does not answer."""


def data_dir() -> Path:
    """The data directory in force."""
    return Path(os.environ.get("ORDERTRAIL_DATA_DIR") or DEFAULT_DATA_DIR)


def own_templates() -> Path | None:
    """The directory of brands' own templates in force. Raises ConfigurationError when there is none at that place."""
    named = os.environ.get("ORDERTRAIL_TEMPLATES_DIR")
    if named and not Path(named).is_dir():
        raise ConfigurationError("settings", f"ORDERTRAIL_TEMPLATES_DIR: {named} is not a directory")
    return Path(named) if named else None


def now() -> datetime:
    """The present instant, aware UTC; commands pass it on."""
    return datetime.now(UTC)


def settings_beside() -> Settings:
    """Settings from the environment, completed by those of an embedded system in the data directory.

    Raises ConfigurationError naming what is missing.
    """
    os.environ.update(adopt(data_dir(), os.environ))
    return load_settings()


def database_at(url: str) -> Database:
    """Describe a database without connecting to it. Raises ConfigurationError for a URL that makes no sense."""
    try:
        return Database(url)
    except (ArgumentError, NoSuchModuleError, ModuleNotFoundError, OSError) as error:
        raise ConfigurationError(
            "database_url", f"ORDERTRAIL_DATABASE_URL is not usable ({type(error).__name__})"
        ) from None


@contextmanager
def opened_database(settings: Settings) -> Iterator[Database]:
    """The database, certain to be there and up to date. Raises Unreachable or ConfigurationError."""
    shown = _shown(settings.sqlalchemy_url)
    if (file := _sqlite_file(settings.sqlalchemy_url)) is not None and not file.exists():
        raise ConfigurationError("no_database", f"there is no database at {file}; make it with: ordertrail db upgrade")
    database = database_at(settings.sqlalchemy_url)
    try:
        if not migrate.is_current(database):
            raise ConfigurationError(
                "database_outdated", f"the database at {shown} is not up to date; run: ordertrail db upgrade"
            )
        yield database
    except Transient as error:
        if error.code != "database_unavailable":
            raise
        raise Unreachable(error.code, f"the database at {shown} cannot be reached, or is locked") from None
    finally:
        database.close()


def upgraded(settings: Settings) -> tuple[str | None, str]:
    """Bring the database up to date; the revisions before and after. Raises Unreachable."""
    database = database_at(settings.sqlalchemy_url)
    try:
        return migrate.upgrade(database)
    except Transient:
        shown = _shown(settings.sqlalchemy_url)
        raise Unreachable("database_unavailable", f"the database at {shown} cannot be reached, or is locked") from None
    finally:
        database.close()


async def connected() -> Client:
    """A client of the Temporal server the `TEMPORAL_*` settings name. Raises Unreachable."""
    from ordertrail.wiring.shared import connect_temporal  # here, because it takes long and few commands need it

    address = ClientConfig.load_client_connect_config().get("target_host") or _DEFAULT_TEMPORAL
    try:
        client = await connect_temporal()
        await client.service_client.check_health(timeout=timedelta(seconds=5))
    except (RPCError, RuntimeError):
        message = f"Temporal cannot be reached at {address} (TEMPORAL_ADDRESS)"
        raise Unreachable("temporal_unavailable", message) from None
    return client


def _shown(url: str) -> str:
    return make_url(url).render_as_string(hide_password=True)


def _sqlite_file(url: str) -> Path | None:
    try:
        parsed = make_url(url)
    except ArgumentError:
        return None
    return Path(parsed.database) if parsed.get_backend_name() == "sqlite" and parsed.database else None
