"""What people are told: their addresses, causes for which they must act, messages; which runs were looked at for that."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

AT = sa.DateTime(timezone=True)
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
OF_ALL = sa.text("client_id IS NULL")
UNSEEN = sa.text("noticed_at IS NULL")


def upgrade() -> None:
    op.create_table(
        "notice_addresses",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("client_id", sa.Integer(), nullable=True),
        sa.Column("service", sa.String(length=50), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("actors", JSON, nullable=False),
        sa.Column("digest", sa.Boolean(), nullable=False),
        sa.Column("created_at", AT, nullable=False),
        sa.ForeignKeyConstraint(
            ["client_id"], ["clients.id"], name=op.f("fk_notice_addresses_client_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice_addresses")),
        sa.UniqueConstraint("client_id", "fingerprint", name=op.f("uq_notice_addresses_client_id_fingerprint")),
    )
    op.create_index(
        "uq_notice_addresses_of_all",
        "notice_addresses",
        ["fingerprint"],
        unique=True,
        sqlite_where=OF_ALL,
        postgresql_where=OF_ALL,
    )
    op.create_table(
        "notice_causes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=700), nullable=False),
        sa.Column("portal", sa.String(length=50), nullable=False),
        sa.Column("outcome", sa.String(length=50), nullable=False),
        sa.Column("actor", sa.String(length=20), nullable=False),
        sa.Column("client_id", sa.Integer(), nullable=True),
        sa.Column("username", sa.String(length=300), nullable=True),
        sa.Column("began_at", AT, nullable=False),
        sa.Column("last_at", AT, nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("solved_at", AT, nullable=True),
        sa.Column("solved_by", sa.String(length=300), nullable=False),
        sa.Column("check_at", AT, nullable=True),
        sa.ForeignKeyConstraint(
            ["client_id"], ["clients.id"], name=op.f("fk_notice_causes_client_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice_causes")),
        sa.UniqueConstraint("key", name=op.f("uq_notice_causes_key")),
    )
    op.create_index(op.f("ix_notice_causes_check_at"), "notice_causes", ["check_at"])
    op.create_index(op.f("ix_notice_causes_portal_username"), "notice_causes", ["portal", "username"])
    op.create_table(
        "notice_cases",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("cause_id", sa.Integer(), nullable=False),
        sa.Column("spider", sa.String(length=100), nullable=False),
        sa.Column("subject", sa.String(length=320), nullable=False),
        sa.Column("label", sa.String(length=300), nullable=False),
        sa.Column("last_at", AT, nullable=False),
        sa.Column("last_run", sa.Integer(), nullable=True),
        sa.Column("is_open", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["cause_id"], ["notice_causes.id"], name=op.f("fk_notice_cases_cause_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice_cases")),
        sa.UniqueConstraint("cause_id", "spider", "subject", name=op.f("uq_notice_cases_cause_id_spider_subject")),
    )
    op.create_index(op.f("ix_notice_cases_spider_subject"), "notice_cases", ["spider", "subject"])
    op.create_table(
        "notice_deliveries",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("address_id", sa.Integer(), nullable=False),
        sa.Column("cause_id", sa.Integer(), nullable=True),
        sa.Column("topic", sa.String(length=50), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=30), nullable=False),
        sa.Column("result", sa.String(length=30), nullable=False),
        sa.Column("due_at", AT, nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("error", sa.String(length=300), nullable=True),
        sa.Column("created_at", AT, nullable=False),
        sa.Column("updated_at", AT, nullable=False),
        sa.ForeignKeyConstraint(
            ["address_id"], ["notice_addresses.id"], name=op.f("fk_notice_deliveries_address_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["cause_id"], ["notice_causes.id"], name=op.f("fk_notice_deliveries_cause_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice_deliveries")),
        sa.UniqueConstraint("address_id", "topic", "number", name=op.f("uq_notice_deliveries_address_id_topic_number")),
    )
    op.create_index(op.f("ix_notice_deliveries_due_at"), "notice_deliveries", ["due_at"])
    op.create_index(op.f("ix_notice_deliveries_cause_id"), "notice_deliveries", ["cause_id"])
    with op.batch_alter_table("runs") as table:
        table.add_column(sa.Column("noticed_at", AT, nullable=True))
    # What failed before there was anyone to tell is no news.
    op.execute("UPDATE runs SET noticed_at = finished_at WHERE state = 'finished'")
    op.create_index(op.f("ix_runs_noticed_at"), "runs", ["id"], sqlite_where=UNSEEN, postgresql_where=UNSEEN)


def downgrade() -> None:
    op.drop_index(op.f("ix_runs_noticed_at"), "runs")
    with op.batch_alter_table("runs") as table:
        table.drop_column("noticed_at")
    for name in ("notice_deliveries", "notice_cases", "notice_causes", "notice_addresses"):
        op.drop_table(name)
