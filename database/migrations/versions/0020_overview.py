"""Indexes for lists of runs and files."""

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

INDEXES = (
    ("runs", ("outcome", "id")),
    ("runs", ("account_id", "id")),
    ("runs", ("billing_cycle_id", "report_type", "id")),
    ("files", ("run_id",)),
)


def upgrade() -> None:
    for table, columns in INDEXES:
        op.create_index(op.f(f"ix_{table}_{'_'.join(columns)}"), table, list(columns))


def downgrade() -> None:
    for table, columns in INDEXES:
        op.drop_index(op.f(f"ix_{table}_{'_'.join(columns)}"), table_name=table)
