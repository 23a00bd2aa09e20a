"""One look at the database stays one look, whatever others commit meanwhile."""

import pytest
from sqlalchemy import Connection, func, select, text
from sqlalchemy.exc import OperationalError

from ordertrail.db.engine import Database
from ordertrail.db.tables import push_subscriptions
from ordertrail.domain.failures import Transient
from tests.conftest import NOON

COUNT = select(func.count()).select_from(push_subscriptions)


def add(c: Connection) -> None:
    c.execute(
        push_subscriptions.insert().values(
            id="psh_1", brand="acme", person_id="per_1", order_id="ord_1", endpoint="https://push.example.com/a",
            endpoint_sha256="0" * 64, p256dh="k", auth="a", user_agent="", created_at=NOON,
        )
    )  # fmt: skip


def test_a_reader_sees_nothing_that_is_committed_during_its_look(database: Database) -> None:
    with database.read() as c:
        before = c.execute(COUNT).scalar_one()
        with database.write() as other:
            add(other)
        assert c.execute(COUNT).scalar_one() == before
    with database.read() as c:
        assert c.execute(COUNT).scalar_one() == before + 1


def test_each_glance_sees_what_was_committed_before_it(database: Database) -> None:
    def glance() -> int:
        with database.glance() as c:
            return int(c.execute(COUNT).scalar_one())

    assert glance() == 0
    with database.write() as c:
        add(c)
        if database.is_sqlite:  # elsewhere the test would wait for itself
            assert glance() == 0
    assert glance() == 1


def test_a_glance_that_failed_is_followed_by_one_that_works(database: Database) -> None:
    with pytest.raises(Transient), database.glance() as c:
        c.execute(text("select 1"))
        raise OperationalError("select", {}, Exception("database is locked"))
    with database.glance() as c:
        assert c.execute(COUNT).scalar_one() == 0
    database.close()
    with database.glance() as c:
        assert c.execute(COUNT).scalar_one() == 0
