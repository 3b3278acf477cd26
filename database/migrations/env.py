"""Alembic's environment. Run by database.migrate, or by `alembic revision --autogenerate` when the models changed."""

from __future__ import annotations

import sys
from typing import Any, Literal

import sqlalchemy as sa
from alembic import context
from alembic.autogenerate.api import AutogenContext
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection

from database.access.encryption import Encrypted
from database.engine import database as this_database
from database.migrate import alone
from database.models import all_tables
from database.models.base import Json, UtcDateTime


def render_item(kind: str, item: Any, autogen: AutogenContext) -> str | Literal[False]:
    """Write our column types into a revision as SQLAlchemy's own: a revision must not change when our code does."""
    if kind != "type":
        return False
    if isinstance(item, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    if isinstance(item, Encrypted):
        return "sa.Text()"
    if isinstance(item, sa.Enum):
        return f"sa.String(length={item.length})"
    if isinstance(item, Json):
        autogen.imports.add("from sqlalchemy.dialects import postgresql")
        return 'sa.JSON().with_variant(postgresql.JSONB(), "postgresql")'
    return False


def name_revision(context_: MigrationContext, heads: Any, directives: list[Any]) -> None:
    """Number a new revision, as all are; write none where --autogenerate finds no difference."""
    (script,) = directives
    options = context.config.cmd_opts
    if getattr(options, "autogenerate", False) and script.upgrade_ops.is_empty():
        directives.clear()
        sys.stderr.write("The database has what the models say: no revision is needed, and none was written.\n")
        return
    if not getattr(options, "rev_id", None):
        known = [each.revision for each in context.script.walk_revisions()]
        script.rev_id = f"{max((int(each) for each in known if each.isdecimal()), default=0) + 1:04d}"


def migrate(connection: Connection) -> None:
    """Bring the schema to the revision that Alembic was asked for."""
    context.configure(
        connection=connection,
        target_metadata=all_tables(),
        render_as_batch=True,  # SQLite alters a table by making it anew
        render_item=render_item,
        process_revision_directives=name_revision,
    )
    with context.begin_transaction():
        context.run_migrations()


given = context.config.attributes.get("connection")
if given is not None:
    migrate(given)
else:
    with alone(this_database()) as own:
        migrate(own)
