"""Channels of alerts: a row for each alert and channel, those of users, and which channels a worker sends by."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

AT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "alert_channels",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("service", sa.String(length=50), nullable=False),
        sa.Column("label", sa.String(length=200), nullable=True),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("created_at", AT, nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_alert_channels_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert_channels")),
        sa.UniqueConstraint("user_id", "fingerprint", name=op.f("uq_alert_channels_user_id_fingerprint")),
    )
    op.create_table(
        "alert_deliveries",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("check_id", sa.Integer(), nullable=False),
        sa.Column("channel", sa.String(length=80), nullable=False),
        sa.Column("channel_id", sa.Integer(), nullable=True),
        sa.Column("result", sa.String(length=30), nullable=False),
        sa.Column("due_at", AT, nullable=True),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("error", sa.String(length=300), nullable=True),
        sa.Column("created_at", AT, nullable=False),
        sa.Column("updated_at", AT, nullable=False),
        sa.ForeignKeyConstraint(
            ["channel_id"],
            ["alert_channels.id"],
            name=op.f("fk_alert_deliveries_channel_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["check_id"],
            ["price_check_runs.id"],
            name=op.f("fk_alert_deliveries_check_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert_deliveries")),
        sa.UniqueConstraint("check_id", "channel", name=op.f("uq_alert_deliveries_check_id_channel")),
    )
    op.create_index(op.f("ix_alert_deliveries_due_at"), "alert_deliveries", ["due_at"])
    op.create_index(op.f("ix_alert_deliveries_channel_id"), "alert_deliveries", ["channel_id"])
    op.execute(
        "INSERT INTO alert_deliveries"
        " (check_id, channel, result, due_at, attempts, error, created_at, updated_at)"
        " SELECT id, 'email', alert_result, alert_due_at, alert_attempts, alert_error, created_at, created_at"
        " FROM price_check_runs WHERE alert_attempts > 0"
    )
    op.execute("UPDATE price_check_runs SET alert_due_at = NULL WHERE alert_attempts > 0")
    with op.batch_alter_table("price_check_runs") as table:
        table.drop_column("alert_error")
        table.drop_column("alert_attempts")
    with op.batch_alter_table("workers") as table:
        table.add_column(sa.Column("sends", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("workers") as table:
        table.drop_column("sends")
    with op.batch_alter_table("price_check_runs") as table:
        table.add_column(sa.Column("alert_attempts", sa.Integer(), server_default="0", nullable=False))
        table.add_column(sa.Column("alert_error", sa.String(length=300), nullable=True))
    of_check = "FROM alert_deliveries WHERE channel = 'email' AND check_id = price_check_runs.id"
    op.execute(
        f"UPDATE price_check_runs SET alert_due_at = (SELECT due_at {of_check}), alert_error = (SELECT error {of_check}),"
        f" alert_attempts = (SELECT attempts {of_check}) WHERE EXISTS (SELECT 1 {of_check})"
    )
    op.drop_table("alert_deliveries")
    op.drop_table("alert_channels")
