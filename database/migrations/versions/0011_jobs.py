"""Jobs of all families, schedules, breakers, workers."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "portal_breakers",
        sa.Column("portal", sa.String(length=50), nullable=False),
        sa.Column("outcome", sa.String(length=50), nullable=False),
        sa.Column("usernames", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tripped_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("probe_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("probes", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("portal", name=op.f("pk_portal_breakers")),
    )
    op.create_table(
        "portal_pace",
        sa.Column("portal", sa.String(length=50), nullable=False),
        sa.Column("free_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("portal", name=op.f("pk_portal_pace")),
    )
    op.create_table(
        "schedules",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("spiders", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("accounts", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=True),
        sa.Column("client", sa.String(length=100), nullable=True),
        sa.Column("arguments", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=True),
        sa.Column("cron", sa.String(length=200), nullable=False),
        sa.Column("time_zone", sa.String(length=50), nullable=False),
        sa.Column("hours", sa.String(length=11), nullable=True),
        sa.Column("jitter", sa.Integer(), nullable=False),
        sa.Column("missed", sa.String(length=30), nullable=False),
        sa.Column("fresh_by", sa.String(length=5), nullable=True),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("paused", sa.Boolean(), nullable=False),
        sa.Column("seen_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_schedules")),
        sa.UniqueConstraint("name", name=op.f("uq_schedules_name")),
    )
    op.create_table(
        "workers",
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("host", sa.String(length=255), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("slots", sa.Integer(), nullable=False),
        sa.Column("portals", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_workers")),
    )
    op.create_table(
        "schedule_firings",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("schedule_id", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("first_due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_times", sa.Integer(), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("jobs", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.ForeignKeyConstraint(
            ["schedule_id"], ["schedules.id"], name=op.f("fk_schedule_firings_schedule_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_schedule_firings")),
        sa.UniqueConstraint("schedule_id", "due_at", name=op.f("uq_schedule_firings_schedule_id_due_at")),
    )
    with op.batch_alter_table("scraper_jobs", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("arguments", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=True)
        )
        batch_op.add_column(sa.Column("identity", sa.String(length=700), nullable=True))
        batch_op.add_column(sa.Column("label", sa.String(length=300), nullable=True))
        batch_op.add_column(sa.Column("username", sa.String(length=300), nullable=True))
        batch_op.add_column(sa.Column("exclusive", sa.String(length=400), nullable=True))
        batch_op.add_column(sa.Column("priority", sa.Integer(), nullable=False, server_default="0"))
        batch_op.add_column(sa.Column("outcome", sa.String(length=50), nullable=True))
        batch_op.add_column(sa.Column("message", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("claim", sa.String(length=36), nullable=True))
        batch_op.add_column(sa.Column("held", sa.String(length=400), nullable=True))
        batch_op.add_column(sa.Column("returns", sa.Integer(), nullable=False, server_default="0"))
        batch_op.add_column(sa.Column("parked_for", sa.String(length=20), nullable=True))
        batch_op.add_column(sa.Column("parked_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("parked_secret", sa.String(length=64), nullable=True))
        batch_op.add_column(sa.Column("schedule_id", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("due_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("hours", sa.String(length=11), nullable=True))
        batch_op.add_column(sa.Column("time_zone", sa.String(length=50), nullable=True))
        batch_op.create_index(batch_op.f("ix_scraper_jobs_claim"), ["claim"], unique=False)
        batch_op.create_index("uq_scraper_jobs_held", ["held"], unique=True)
        batch_op.create_index(
            "uq_scraper_jobs_identity",
            ["identity"],
            unique=True,
            sqlite_where=sa.text("status IN ('pending', 'in_progress', 'running')"),
            postgresql_where=sa.text("status IN ('pending', 'in_progress', 'running')"),
        )
        batch_op.create_foreign_key(
            batch_op.f("fk_scraper_jobs_schedule_id"), "schedules", ["schedule_id"], ["id"], ondelete="SET NULL"
        )


def downgrade() -> None:
    with op.batch_alter_table("scraper_jobs", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_scraper_jobs_schedule_id"), type_="foreignkey")
        batch_op.drop_index(
            "uq_scraper_jobs_identity",
            sqlite_where=sa.text("status IN ('pending', 'in_progress', 'running')"),
            postgresql_where=sa.text("status IN ('pending', 'in_progress', 'running')"),
        )
        batch_op.drop_index("uq_scraper_jobs_held")
        batch_op.drop_index(batch_op.f("ix_scraper_jobs_claim"))
        batch_op.drop_column("time_zone")
        batch_op.drop_column("hours")
        batch_op.drop_column("due_at")
        batch_op.drop_column("schedule_id")
        batch_op.drop_column("parked_secret")
        batch_op.drop_column("parked_at")
        batch_op.drop_column("parked_for")
        batch_op.drop_column("returns")
        batch_op.drop_column("held")
        batch_op.drop_column("claim")
        batch_op.drop_column("message")
        batch_op.drop_column("outcome")
        batch_op.drop_column("priority")
        batch_op.drop_column("exclusive")
        batch_op.drop_column("username")
        batch_op.drop_column("label")
        batch_op.drop_column("identity")
        batch_op.drop_column("arguments")

    op.drop_table("schedule_firings")
    op.drop_table("workers")
    op.drop_table("schedules")
    op.drop_table("portal_pace")
    op.drop_table("portal_breakers")
