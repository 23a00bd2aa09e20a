"""Test messages that operators sent to themselves.

Revision: 0003
"""

from alembic import op
from sqlalchemy import Column, Index, MetaData, String, Table

from ordertrail.db.types import Sequence64, Utc

metadata = MetaData(naming_convention={"ix": "ix_%(table_name)s_%(column_0_N_name)s", "pk": "pk_%(table_name)s"})

trials = Table(
    "trials",
    metadata,
    Column("id", Sequence64, primary_key=True, autoincrement=True),
    Column("brand", String(50), nullable=False),
    Column("kind", String(30), nullable=False),
    Column("channel", String(10), nullable=False),
    Column("language", String(20), nullable=False),
    Column("data", String(30), nullable=False, comment="which set of sample data"),
    Column("address_key", String(64), nullable=False, comment="keyed hash of where it went"),
    Column("provider", String(30), nullable=False),
    Column("outcome", String(100), nullable=False, comment="sent, or the reason why not"),
    Column("asked_by", String(100), nullable=False, comment="the operator's key"),
    Column("at", Utc, nullable=False),
    Index("ix_trials_brand", "brand", "id"),
    comment="test messages that operators sent to themselves",
)

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    metadata.create_all(op.get_bind())


def downgrade() -> None:
    metadata.drop_all(op.get_bind())
