"""Whether a sign-in attempt has proved its password: said by the row itself, no longer read off its result."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

# What earlier versions wrote only after the portal had accepted the password.
PROVED = (
    "'signed_in', 'mfa_failed', 'error:mfa_required', 'error:code_not_received', "
    "'error:terms_pending', 'error:interrupted'"
)


def upgrade() -> None:
    with op.batch_alter_table("attempts", schema=None) as batch_op:
        batch_op.add_column(sa.Column("proved", sa.Boolean(), nullable=True))
    op.execute(f"UPDATE attempts SET proved = (result IS NOT NULL AND result IN ({PROVED}))")
    # The same end under two names.
    op.execute("UPDATE attempts SET result = 'error:unanswered' WHERE result = 'error:sign_in_timed_out'")
    with op.batch_alter_table("attempts", schema=None) as batch_op:
        batch_op.alter_column("proved", existing_type=sa.Boolean(), nullable=False)


def downgrade() -> None:
    with op.batch_alter_table("attempts", schema=None) as batch_op:
        batch_op.drop_column("proved")
