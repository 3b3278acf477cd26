"""The activity of a fault may be unknown."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("faults", schema=None) as batch_op:
        batch_op.alter_column("is_active", existing_type=sa.Boolean(), nullable=True)


def downgrade() -> None:
    op.execute("UPDATE faults SET is_active = false WHERE is_active IS NULL")
    with op.batch_alter_table("faults", schema=None) as batch_op:
        batch_op.alter_column("is_active", existing_type=sa.Boolean(), nullable=False)
