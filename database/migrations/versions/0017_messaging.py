"""Messages of channels, and the files in them."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

AT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "channel_messages",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("source_id", sa.String(length=36), nullable=False),
        sa.Column("message_id", sa.BigInteger(), nullable=False),
        sa.Column("sent_at", AT, nullable=False),
        sa.Column("edited_at", AT, nullable=True),
        sa.Column("deleted_at", AT, nullable=True),
        sa.Column("sender_id", sa.BigInteger(), nullable=True),
        sa.Column("album_id", sa.BigInteger(), nullable=True),
        sa.Column("topic_id", sa.BigInteger(), nullable=True),
        sa.Column("is_forward", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("text", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["source_id"], ["sources.id"], name=op.f("fk_channel_messages_source_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_channel_messages")),
        sa.UniqueConstraint("source_id", "message_id", name=op.f("uq_channel_messages_source_id_message_id")),
    )
    op.create_table(
        "channel_files",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=True),
        sa.Column("source_id", sa.String(length=36), nullable=False),
        sa.Column("message_id", sa.BigInteger(), nullable=False),
        sa.Column("document_id", sa.BigInteger(), nullable=False),
        sa.Column("member", sa.String(length=500), server_default="", nullable=False),
        sa.Column("kind", sa.String(length=30), nullable=False),
        sa.Column("name", sa.String(length=300), nullable=True),
        sa.Column("extension", sa.String(length=20), server_default="", nullable=False),
        sa.Column("media_type", sa.String(length=200), nullable=True),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sent_at", AT, nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=True),
        sa.Column("state", sa.String(length=30), nullable=False),
        sa.Column("reason", sa.String(length=50), nullable=True),
        sa.Column("message", sa.Text(), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("next_try_at", AT, nullable=True),
        sa.Column("file_id", sa.Integer(), nullable=True),
        sa.Column("stored_at", AT, nullable=True),
        sa.Column("created_at", AT, nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_channel_files_run_id"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(
            ["source_id"], ["sources.id"], name=op.f("fk_channel_files_source_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["file_id"], ["files.id"], name=op.f("fk_channel_files_file_id"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_channel_files")),
        sa.UniqueConstraint(
            "source_id",
            "message_id",
            "document_id",
            "member",
            name=op.f("uq_channel_files_source_id_message_id_document_id_member"),
        ),
    )
    op.create_index(op.f("ix_channel_files_source_id_state"), "channel_files", ["source_id", "state"])
    op.create_index(op.f("ix_channel_files_source_id_document_id"), "channel_files", ["source_id", "document_id"])
    op.create_index(op.f("ix_channel_files_source_id_sha256"), "channel_files", ["source_id", "sha256"])
    op.create_index(op.f("ix_channel_files_file_id"), "channel_files", ["file_id"])


def downgrade() -> None:
    op.drop_table("channel_files")
    op.drop_table("channel_messages")
