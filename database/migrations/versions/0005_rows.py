"""Rows of the carriers' files; the e-reports' own names beside the monthly reports'."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

# Until now only the e-reports had rows here; the monthly reports of the Enterprise Centre bear the same names.
EREPORTS = "('cost_overview', 'usage_overview', 'enhanced_user_profile')"
OF_BELL = "carrier_id IN (SELECT id FROM carriers WHERE portal = 'bell')"


def upgrade() -> None:
    json = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
    op.create_table(
        "report_rows",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("billing_cycle_id", sa.Integer(), nullable=False),
        sa.Column("carrier_report_id", sa.Integer(), nullable=False),
        sa.Column("row", sa.Integer(), nullable=False),
        sa.Column("account_number", sa.String(length=200), nullable=False),
        sa.Column("phone_number", sa.String(length=50), nullable=True),
        sa.Column("period", sa.String(length=10), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=True),
        sa.Column("data", json, nullable=False),
        sa.Column("extra", json, nullable=True),
        sa.Column("run_id", sa.Integer(), nullable=True),
        sa.Column("file_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["billing_cycle_id"],
            ["billing_cycles.id"],
            name=op.f("fk_report_rows_billing_cycle_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["carrier_report_id"],
            ["carrier_reports.id"],
            name=op.f("fk_report_rows_carrier_report_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(["file_id"], ["files.id"], name=op.f("fk_report_rows_file_id"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_report_rows_run_id"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_report_rows")),
        sa.UniqueConstraint(
            "billing_cycle_id",
            "carrier_report_id",
            "row",
            name=op.f("uq_report_rows_billing_cycle_id_carrier_report_id_row"),
        ),
    )
    op.create_table(
        "usage_records",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("billing_cycle_id", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("row", sa.Integer(), nullable=False),
        sa.Column("account_number", sa.String(length=200), nullable=False),
        sa.Column("phone_number", sa.String(length=50), nullable=True),
        sa.Column("user_name", sa.String(length=300), nullable=True),
        sa.Column("usage_type", sa.String(length=200), nullable=True),
        sa.Column("used", sa.BigInteger(), nullable=True),
        sa.Column("extra", json, nullable=True),
        sa.Column("run_id", sa.Integer(), nullable=True),
        sa.Column("file_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["billing_cycle_id"],
            ["billing_cycles.id"],
            name=op.f("fk_usage_records_billing_cycle_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(["file_id"], ["files.id"], name=op.f("fk_usage_records_file_id"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_usage_records_run_id"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_usage_records")),
        sa.UniqueConstraint("billing_cycle_id", "day", "row", name=op.f("uq_usage_records_billing_cycle_id_day_row")),
    )
    op.execute(f"UPDATE carrier_reports SET slug = 'ereports_' || slug WHERE slug IN {EREPORTS} AND {OF_BELL}")


def downgrade() -> None:
    op.drop_table("usage_records")
    op.drop_table("report_rows")
    op.execute(
        f"UPDATE carrier_reports SET slug = substr(slug, 10) WHERE slug LIKE 'ereports_%' AND {OF_BELL} "
        "AND NOT EXISTS (SELECT 1 FROM carrier_reports other WHERE other.slug = substr(carrier_reports.slug, 10))"
    )
