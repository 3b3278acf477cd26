"""Which process a run or a sign-in attempt belongs to, told from every other one."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("runs", "attempts"):
        with op.batch_alter_table(table, schema=None) as batch_op:
            batch_op.add_column(sa.Column("process", sa.String(length=200), nullable=True))


def downgrade() -> None:
    for table in ("attempts", "runs"):
        with op.batch_alter_table(table, schema=None) as batch_op:
            batch_op.drop_column("process")
