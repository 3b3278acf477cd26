"""Telegram: sessions, logins that have begun, and sources."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

AT = sa.DateTime(timezone=True)
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    op.create_table(
        "telegram_sessions",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("phone_number", sa.Text(), nullable=True),
        sa.Column("phone_fingerprint", sa.String(length=64), nullable=True),
        sa.Column("session_string", sa.Text(), nullable=False),
        sa.Column("key_fingerprint", sa.String(length=64), nullable=False),
        sa.Column("api_id", sa.Integer(), nullable=False),
        sa.Column("api_hash", sa.Text(), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=True),
        sa.Column("is_bot", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("state", sa.String(length=30), nullable=False),
        sa.Column("message", sa.Text(), nullable=True),
        sa.Column("waits_until", AT, nullable=True),
        sa.Column("created_at", AT, nullable=False),
        sa.Column("updated_at", AT, nullable=False),
        sa.Column("last_checked_at", AT, nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_telegram_sessions_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_telegram_sessions")),
        sa.UniqueConstraint("key_fingerprint", name=op.f("uq_telegram_sessions_key_fingerprint")),
    )
    op.create_index(op.f("ix_telegram_sessions_user_id"), "telegram_sessions", ["user_id"])
    op.create_index(op.f("ix_telegram_sessions_phone_fingerprint"), "telegram_sessions", ["phone_fingerprint"])
    op.create_table(
        "telegram_logins",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("kind", sa.String(length=30), nullable=False),
        sa.Column("phone_number", sa.Text(), nullable=False),
        sa.Column("api_id", sa.Integer(), nullable=False),
        sa.Column("api_hash", sa.Text(), nullable=False),
        sa.Column("session_string", sa.Text(), nullable=False),
        sa.Column("phone_code_hash", sa.Text(), nullable=True),
        sa.Column("account_id", sa.BigInteger(), nullable=True),
        sa.Column("failures", sa.Integer(), server_default="0", nullable=False),
        sa.Column("created_at", AT, nullable=False),
        sa.Column("expires_at", AT, nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_telegram_logins_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_telegram_logins")),
    )
    op.create_index(op.f("ix_telegram_logins_user_id"), "telegram_logins", ["user_id"])
    op.create_index(op.f("ix_telegram_logins_expires_at"), "telegram_logins", ["expires_at"])
    op.create_table(
        "sources",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("access_level", sa.String(length=30), nullable=False),
        sa.Column("identifier", sa.String(length=300), nullable=False),
        sa.Column("channel_id", sa.BigInteger(), nullable=False),
        sa.Column("access_hash", sa.BigInteger(), nullable=True),
        sa.Column("username", sa.String(length=64), nullable=True),
        sa.Column("channel_title", sa.String(length=300), nullable=False),
        sa.Column("session_id", sa.String(length=36), nullable=False),
        sa.Column("bot_token", sa.Text(), nullable=True),
        sa.Column("file_types", JSON, nullable=False),
        sa.Column("filters", JSON, nullable=False),
        sa.Column("target", sa.String(length=30), nullable=False),
        sa.Column("target_path", sa.String(length=500), nullable=True),
        sa.Column("path_template", sa.String(length=500), nullable=True),
        sa.Column("unpacks", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("keeps_texts", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("schedule_id", sa.Integer(), nullable=True),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("outcome", sa.String(length=50), nullable=True),
        sa.Column("message", sa.Text(), nullable=True),
        sa.Column("last_message_id", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("last_scraped_at", AT, nullable=True),
        sa.Column("total_messages_scraped", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("total_files_downloaded", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("created_at", AT, nullable=False),
        sa.Column("updated_at", AT, nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_sources_user_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["session_id"], ["telegram_sessions.id"], name=op.f("fk_sources_session_id")),
        sa.ForeignKeyConstraint(
            ["schedule_id"], ["schedules.id"], name=op.f("fk_sources_schedule_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sources")),
    )
    for name in ("user_id", "session_id", "name", "schedule_id"):
        op.create_index(op.f(f"ix_sources_{name}"), "sources", [name])


def downgrade() -> None:
    op.drop_table("sources")
    op.drop_table("telegram_logins")
    op.drop_table("telegram_sessions")
