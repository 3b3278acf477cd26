"""Earlier versions of rows, watermarks, meter readings."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "meter_periods",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("contract", sa.String(length=20), nullable=False),
        sa.Column("meter", sa.String(length=20), nullable=False),
        sa.Column("meter_code", sa.String(length=10), nullable=False),
        sa.Column("direction", sa.String(length=30), nullable=False),
        sa.Column("resolution", sa.String(length=30), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("expected", sa.Integer(), nullable=False),
        sa.Column("found", sa.Integer(), nullable=False),
        sa.Column("complete", sa.Boolean(), nullable=False),
        sa.Column("total_kwh", sa.Numeric(precision=14, scale=4), nullable=True),
        sa.Column("run_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_meter_periods_run_id"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_meter_periods")),
        sa.UniqueConstraint(
            "contract", "meter", "meter_code", "direction", "resolution", "first_day", name=op.f("uq_meter_periods_key")
        ),
    )
    op.create_table(
        "meter_readings",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("contract", sa.String(length=20), nullable=False),
        sa.Column("meter", sa.String(length=20), nullable=False),
        sa.Column("meter_code", sa.String(length=10), nullable=False),
        sa.Column("direction", sa.String(length=30), nullable=False),
        sa.Column("resolution", sa.String(length=30), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kwh", sa.Numeric(precision=14, scale=4), nullable=True),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("band", sa.Integer(), nullable=True),
        sa.Column("run_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_meter_readings_run_id"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_meter_readings")),
        sa.UniqueConstraint(
            "contract",
            "meter",
            "meter_code",
            "direction",
            "resolution",
            "starts_at",
            name=op.f("uq_meter_readings_key"),
        ),
    )
    op.create_table(
        "register_readings",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("contract", sa.String(length=20), nullable=False),
        sa.Column("meter", sa.String(length=20), nullable=False),
        sa.Column("register_number", sa.String(length=10), nullable=False),
        sa.Column("read_on", sa.Date(), nullable=False),
        sa.Column("reading", sa.Numeric(precision=14, scale=3), nullable=True),
        sa.Column("usage", sa.Numeric(precision=14, scale=3), nullable=True),
        sa.Column("code", sa.String(length=10), nullable=True),
        sa.Column("run_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_register_readings_run_id"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_register_readings")),
        sa.UniqueConstraint(
            "contract",
            "meter",
            "register_number",
            "read_on",
            name=op.f("uq_register_readings_contract_meter_register_number_read_on"),
        ),
    )
    op.create_table(
        "versions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("table_name", sa.String(length=100), nullable=False),
        sa.Column("key", sa.String(length=1000), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("row", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=True),
        sa.Column("replaced_by", sa.Integer(), nullable=True),
        sa.Column("replaced_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["replaced_by"], ["runs.id"], name=op.f("fk_versions_replaced_by"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_versions_run_id"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_versions")),
        sa.UniqueConstraint("table_name", "key", "number", name=op.f("uq_versions_table_name_key_number")),
    )
    with op.batch_alter_table("versions", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_versions_replaced_at"), ["replaced_at"], unique=False)

    op.create_table(
        "watermarks",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("spider", sa.String(length=100), nullable=False),
        sa.Column("target_key", sa.String(length=300), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("reached", sa.DateTime(timezone=True), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_watermarks_run_id"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_watermarks")),
        sa.UniqueConstraint("spider", "target_key", "name", name=op.f("uq_watermarks_spider_target_key_name")),
    )


def downgrade() -> None:
    op.drop_table("watermarks")
    with op.batch_alter_table("versions", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_versions_replaced_at"))

    op.drop_table("versions")
    op.drop_table("register_readings")
    op.drop_table("meter_readings")
    op.drop_table("meter_periods")
