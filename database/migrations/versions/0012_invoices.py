"""What invoices say, and where they differ from the portal's list, their job or their lines."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "invoices",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("billing_cycle_id", sa.Integer(), nullable=False),
        sa.Column("pdf_type", sa.String(length=50), nullable=False),
        sa.Column("account_number", sa.String(length=200), nullable=True),
        sa.Column("invoice_number", sa.String(length=50), nullable=True),
        sa.Column("invoice_date", sa.Date(), nullable=True),
        sa.Column("period_start", sa.Date(), nullable=True),
        sa.Column("period_end", sa.Date(), nullable=True),
        sa.Column("total", sa.Numeric(precision=14, scale=2), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=True),
        sa.Column("due_date", sa.Date(), nullable=True),
        sa.Column("unclear", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=True),
        sa.Column("run_id", sa.Integer(), nullable=True),
        sa.Column("file_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["billing_cycle_id"],
            ["billing_cycles.id"],
            name=op.f("fk_invoices_billing_cycle_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(["file_id"], ["files.id"], name=op.f("fk_invoices_file_id"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_invoices_run_id"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invoices")),
        sa.UniqueConstraint("billing_cycle_id", "pdf_type", name=op.f("uq_invoices_billing_cycle_id_pdf_type")),
    )
    op.create_table(
        "differences",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("billing_cycle_id", sa.Integer(), nullable=False),
        sa.Column("pdf_type", sa.String(length=50), nullable=False),
        sa.Column("compared", sa.String(length=50), nullable=False),
        sa.Column("stated_by", sa.String(length=20), nullable=False),
        sa.Column("stated", sa.String(length=100), nullable=False),
        sa.Column("said", sa.String(length=100), nullable=False),
        sa.Column("noticed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=True),
        sa.Column("file_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["billing_cycle_id"],
            ["billing_cycles.id"],
            name=op.f("fk_differences_billing_cycle_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(["file_id"], ["files.id"], name=op.f("fk_differences_file_id"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_differences_run_id"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_differences")),
        sa.UniqueConstraint(
            "billing_cycle_id",
            "pdf_type",
            "compared",
            name=op.f("uq_differences_billing_cycle_id_pdf_type_compared"),
        ),
    )


def downgrade() -> None:
    op.drop_table("differences")
    op.drop_table("invoices")
