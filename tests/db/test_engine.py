"""One look at the database stays one look, whatever others commit meanwhile."""

from sqlalchemy import func, select

from ordertrail.db.engine import Database
from ordertrail.db.tables import push_subscriptions
from tests.conftest import NOON


def test_a_reader_sees_nothing_that_is_committed_during_its_look(database: Database) -> None:
    count = select(func.count()).select_from(push_subscriptions)
    with database.read() as c:
        before = c.execute(count).scalar_one()
        with database.write() as other:
            other.execute(
                push_subscriptions.insert().values(
                    id="psh_1", brand="acme", person_id="per_1", order_id="ord_1", endpoint="https://push.example.com/a",
                    endpoint_sha256="0" * 64, p256dh="k", auth="a", user_agent="", created_at=NOON,
                )
            )  # fmt: skip
        assert c.execute(count).scalar_one() == before
    with database.read() as c:
        assert c.execute(count).scalar_one() == before + 1
