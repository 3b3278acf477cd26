"""The index from which runs are counted by portal, day and outcome."""

from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

COLUMNS = ("started_at", "portal", "outcome", "account_id")


def upgrade() -> None:
    op.create_index(op.f(f"ix_runs_{'_'.join(COLUMNS)}"), "runs", list(COLUMNS))


def downgrade() -> None:
    op.drop_index(op.f(f"ix_runs_{'_'.join(COLUMNS)}"), table_name="runs")
