"""Short codes that stand for tracking links in texts.

Revision: 0004
"""

from alembic import op
from sqlalchemy import Column, MetaData, String, Table

metadata = MetaData(naming_convention={"pk": "pk_%(table_name)s"})

short_links = Table(
    "short_links",
    metadata,
    Column("code", String(12), primary_key=True, comment="keyed hash of order and role"),
    Column("brand", String(50), nullable=False),
    Column("order_id", String(40), nullable=False),
    Column("role", String(20), nullable=False, comment="customer, or recipient of a gift"),
    comment="what the short links in texts stand for",
)

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    metadata.create_all(op.get_bind())


def downgrade() -> None:
    metadata.drop_all(op.get_bind())
