"""The cookies of trusted devices, when a portal may have sent a code, and by what a run's session was proved."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("sessions", schema=None) as batch_op:
        batch_op.add_column(sa.Column("device", sa.Text(), nullable=True))
    with op.batch_alter_table("code_requests", schema=None) as batch_op:
        batch_op.add_column(sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True))
    # Of a request that an earlier version has made it is not known whether the portal was asked.
    op.execute("UPDATE code_requests SET sent_at = requested_at")
    with op.batch_alter_table("runs", schema=None) as batch_op:
        batch_op.add_column(sa.Column("proved_by", sa.String(length=20), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("runs", schema=None) as batch_op:
        batch_op.drop_column("proved_by")
    with op.batch_alter_table("code_requests", schema=None) as batch_op:
        batch_op.drop_column("sent_at")
    with op.batch_alter_table("sessions", schema=None) as batch_op:
        batch_op.drop_column("device")
