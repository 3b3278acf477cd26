"""The control room: roles, the audit, accepted periods, and codes that a person types for a sign-in."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

AT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "audit",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", AT, nullable=False),
        sa.Column("actor", sa.String(length=320), nullable=False),
        sa.Column("via", sa.String(length=100), nullable=False),
        sa.Column("address", sa.String(length=255), nullable=False),
        sa.Column("action", sa.String(length=50), nullable=False),
        sa.Column("subject", sa.String(length=500), nullable=False),
        sa.Column("detail", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
    )
    with op.batch_alter_table("audit") as table:
        table.create_index(op.f("ix_audit_at"), ["at"])
        table.create_index(op.f("ix_audit_action"), ["action"])
    op.create_table(
        "grants",
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("role", sa.String(length=30), nullable=False),
        sa.Column("client_id", sa.Integer(), nullable=True),
        sa.Column("created_at", AT, nullable=False),
        sa.CheckConstraint("(role = 'client_viewer') = (client_id IS NOT NULL)", name=op.f("ck_grants_client")),
        sa.CheckConstraint("role IN ('client_viewer', 'viewer', 'operator')", name=op.f("ck_grants_role")),
        sa.ForeignKeyConstraint(["client_id"], ["clients.id"], name=op.f("fk_grants_client_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_grants_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_grants")),
    )
    op.create_table(
        "acceptances",
        sa.Column("identity", sa.String(length=700), nullable=False),
        sa.Column("label", sa.String(length=300), nullable=False),
        sa.Column("outcome", sa.String(length=50), nullable=False),
        sa.Column("actor", sa.String(length=320), nullable=False),
        sa.Column("accepted_at", AT, nullable=False),
        sa.PrimaryKeyConstraint("identity", name=op.f("pk_acceptances")),
    )
    with op.batch_alter_table("code_requests") as table:
        table.add_column(sa.Column("typed", sa.Text(), nullable=True))
    with op.batch_alter_table("scraper_jobs") as table:
        table.create_index(op.f("ix_scraper_jobs_identity_id"), ["identity", "id"])


def downgrade() -> None:
    with op.batch_alter_table("scraper_jobs") as table:
        table.drop_index(op.f("ix_scraper_jobs_identity_id"))
    with op.batch_alter_table("code_requests") as table:
        table.drop_column("typed")
    op.drop_table("acceptances")
    op.drop_table("grants")
    with op.batch_alter_table("audit") as table:
        table.drop_index(op.f("ix_audit_action"))
        table.drop_index(op.f("ix_audit_at"))
    op.drop_table("audit")
