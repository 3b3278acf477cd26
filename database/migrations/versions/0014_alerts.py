"""Alerts of the price watch: when a pending one is to be sent, how often that was tried, and why it failed."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("price_check_runs") as table:
        table.add_column(sa.Column("alert_due_at", sa.DateTime(timezone=True), nullable=True))
        table.add_column(sa.Column("alert_attempts", sa.Integer(), server_default="0", nullable=False))
        table.add_column(sa.Column("alert_error", sa.String(length=300), nullable=True))
        table.create_index(op.f("ix_price_check_runs_alert_due_at"), ["alert_due_at"])
    op.execute("UPDATE price_check_runs SET alert_due_at = created_at WHERE alert_result = 'pending'")


def downgrade() -> None:
    with op.batch_alter_table("price_check_runs") as table:
        table.drop_index(op.f("ix_price_check_runs_alert_due_at"))
        table.drop_column("alert_error")
        table.drop_column("alert_attempts")
        table.drop_column("alert_due_at")
