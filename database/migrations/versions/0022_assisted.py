"""Sign-ins that an operator finishes from the control room."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

AT = sa.DateTime(timezone=True)
NOT_ENDED = sa.text("ended_at IS NULL")


def upgrade() -> None:
    op.create_table(
        "assisted_sign_ins",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("portal", sa.String(length=50), nullable=False),
        sa.Column("login", sa.Text(), nullable=False),
        sa.Column("username", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=30), nullable=False),
        sa.Column("asked_at", AT, nullable=False),
        sa.Column("deadline", AT, nullable=False),
        sa.Column("process", sa.Text(), nullable=True),
        sa.Column("until", AT, nullable=True),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("key", sa.Text(), nullable=True),
        sa.Column("outcome", sa.String(length=50), nullable=True),
        sa.Column("message", sa.Text(), nullable=True),
        sa.Column("ended_at", AT, nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_assisted_sign_ins_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_assisted_sign_ins")),
    )
    op.create_index(
        "uq_assisted_sign_ins_open",
        "assisted_sign_ins",
        ["login", "username"],
        unique=True,
        sqlite_where=NOT_ENDED,
        postgresql_where=NOT_ENDED,
    )


def downgrade() -> None:
    op.drop_index(
        "uq_assisted_sign_ins_open",
        table_name="assisted_sign_ins",
        sqlite_where=NOT_ENDED,
        postgresql_where=NOT_ENDED,
    )
    op.drop_table("assisted_sign_ins")
