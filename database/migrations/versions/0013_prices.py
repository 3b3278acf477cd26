"""The price watch: users with their sign-ins, what they watch, and the checks of it."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "otp_attempts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("subject_key", sa.String(length=512), nullable=False),
        sa.Column("fail_count", sa.Integer(), nullable=False),
        sa.Column("window_started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("blocked_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_otp_attempts")),
        sa.UniqueConstraint("subject_key", name=op.f("uq_otp_attempts_subject_key")),
    )
    op.create_index(op.f("ix_otp_attempts_updated_at"), "otp_attempts", ["updated_at"])

    op.create_table(
        "users",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("email", sa.String(length=320), nullable=False),
        sa.Column("phone_number", sa.String(length=32), nullable=True),
        sa.Column("email_verified_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("phone_verified_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("two_factor_enabled", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("new_email", sa.String(length=320), nullable=True),
        sa.Column("new_phone_number", sa.String(length=32), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("email", name=op.f("uq_users_email")),
    )
    op.create_table(
        "auth_codes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("purpose", sa.String(length=30), nullable=False),
        sa.Column("channel", sa.String(length=16), nullable=False),
        sa.Column("code_hash", sa.String(length=64), nullable=False),
        sa.Column("failures", sa.Integer(), server_default="0", nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("consumed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_auth_codes_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_auth_codes")),
    )
    op.create_index(op.f("ix_auth_codes_expires_at"), "auth_codes", ["expires_at"])
    op.create_index(op.f("ix_auth_codes_user_id_purpose"), "auth_codes", ["user_id", "purpose"])

    op.create_table(
        "auth_sessions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("user_agent", sa.String(length=200), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_auth_sessions_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_auth_sessions")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_auth_sessions_token_hash")),
    )
    op.create_index(op.f("ix_auth_sessions_expires_at"), "auth_sessions", ["expires_at"])
    op.create_index(op.f("ix_auth_sessions_user_id"), "auth_sessions", ["user_id"])

    op.create_table(
        "watchlist_items",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("product_url", sa.Text(), nullable=False),
        sa.Column("portal", sa.String(length=50), nullable=False),
        sa.Column("product_key", sa.String(length=500), nullable=False),
        sa.Column("country", sa.String(length=2), nullable=True),
        sa.Column("label", sa.String(length=200), nullable=True),
        sa.Column("title", sa.String(length=300), nullable=True),
        sa.Column("threshold", sa.Numeric(precision=14, scale=3), nullable=False),
        sa.Column("threshold_currency", sa.String(length=3), nullable=True),
        sa.Column("is_active", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("selector", sa.String(length=500), nullable=True),
        sa.Column("rendering", sa.String(length=30), nullable=False),
        sa.Column("last_price", sa.Numeric(precision=14, scale=3), nullable=True),
        sa.Column("last_list_price", sa.Numeric(precision=14, scale=3), nullable=True),
        sa.Column("last_currency", sa.String(length=3), nullable=True),
        sa.Column("availability", sa.String(length=30), nullable=True),
        sa.Column("lowest_price", sa.Numeric(precision=14, scale=3), nullable=True),
        sa.Column("last_success_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_checked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_status", sa.String(length=30), nullable=True),
        sa.Column("last_outcome", sa.String(length=50), nullable=True),
        sa.Column("failures", sa.Integer(), server_default="0", nullable=False),
        sa.Column("alerts", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("drop_percent", sa.Integer(), server_default="10", nullable=False),
        sa.Column("failing_after", sa.Integer(), server_default="3", nullable=False),
        sa.Column("armed", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_watchlist_items_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_watchlist_items")),
    )
    op.create_index(
        op.f("ix_watchlist_items_portal_product_key_country"), "watchlist_items", ["portal", "product_key", "country"]
    )
    op.create_index(op.f("ix_watchlist_items_user_id"), "watchlist_items", ["user_id"])

    op.create_table(
        "price_check_runs",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("watchlist_item_id", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(length=30), nullable=False),
        sa.Column("outcome", sa.String(length=50), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("price_amount", sa.Numeric(precision=14, scale=3), nullable=True),
        sa.Column("price_currency", sa.String(length=3), nullable=True),
        sa.Column("list_price", sa.Numeric(precision=14, scale=3), nullable=True),
        sa.Column("availability", sa.String(length=30), nullable=True),
        sa.Column("source", sa.String(length=50), nullable=True),
        sa.Column("alerts", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("alert_result", sa.String(length=30), nullable=True),
        sa.Column("alert_sent", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_price_check_runs_run_id"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(
            ["watchlist_item_id"],
            ["watchlist_items.id"],
            name=op.f("fk_price_check_runs_watchlist_item_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_price_check_runs")),
    )
    op.create_index(op.f("ix_price_check_runs_run_id"), "price_check_runs", ["run_id"])
    op.create_index(
        op.f("ix_price_check_runs_watchlist_item_id_created_at"),
        "price_check_runs",
        ["watchlist_item_id", "created_at"],
    )


def downgrade() -> None:
    op.drop_table("price_check_runs")
    op.drop_table("watchlist_items")
    op.drop_table("auth_sessions")
    op.drop_table("auth_codes")
    op.drop_table("users")
    op.drop_table("otp_attempts")
