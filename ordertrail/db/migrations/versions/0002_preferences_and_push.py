"""Preferences per kind and channel, and devices that asked to be notified.

Revision: 0002
"""

from alembic import op
from sqlalchemy import Column, Index, MetaData, String, Table, Text

from ordertrail.db.types import Sequence64, Utc

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

Id = String(40)
Brand = String(50)

preferences = Table(
    "preferences",
    metadata,
    Column("id", Sequence64, primary_key=True, autoincrement=True),
    Column("brand", Brand, nullable=False),
    Column("person_id", Id, nullable=False),
    Column("kind", String(30), nullable=False),
    Column("channel", String(10), nullable=False),
    Column("frequency", String(20), nullable=False, comment="the newest row counts, older ones are history"),
    Column("source", String(100), nullable=False),
    Column("at", Utc, nullable=False),
    Index("ix_preferences_person", "person_id", "kind", "channel", "id"),
    comment="how often a person wants a kind on a channel; where there is no row, the brand's defaults hold",
)

push_subscriptions = Table(
    "push_subscriptions",
    metadata,
    Column("id", Id, primary_key=True),
    Column("brand", Brand, nullable=False),
    Column("person_id", Id, nullable=False),
    Column("order_id", Id, comment="the order it follows; null: all orders of the person"),
    Column("endpoint", Text, comment="personal data; null once erased"),
    Column("endpoint_sha256", String(64), nullable=False),
    Column("p256dh", String(100), nullable=False, comment="the device's public key, base64url"),
    Column("auth", String(40), nullable=False, comment="secret shared with the device, base64url"),
    Column("user_agent", String(20), nullable=False, comment="family of the browser, such as firefox"),
    Column("created_at", Utc, nullable=False),
    Column("expired_at", Utc),
    Column("expired_reason", String(40)),
    Index("ix_push_subscriptions_person", "person_id", "expired_at"),
    Index("uq_push_subscriptions_device", "order_id", "endpoint_sha256", unique=True),
    comment="devices on which somebody asked to be notified",
)

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    metadata.create_all(op.get_bind())


def downgrade() -> None:
    metadata.drop_all(op.get_bind())
