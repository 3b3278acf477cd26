"""Which tables and columns the database lacks: one query, without Alembic, before each crawl."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Table, text
from sqlalchemy.orm import Session

SQLITE = (
    "SELECT m.name, c.name FROM sqlite_master AS m, pragma_table_info(m.name) AS c WHERE m.type IN ('table', 'view')"
)
POSTGRESQL = """
SELECT c.relname, a.attname FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid
WHERE c.relkind IN ('r', 'p', 'v') AND pg_table_is_visible(c.oid) AND a.attnum > 0 AND NOT a.attisdropped
"""


def lacking(session: Session, tables: Iterable[Table]) -> list[str]:
    """Return what the database lacks of these tables, sorted: `table`, or `table.column` where only that is missing."""
    query = POSTGRESQL if session.get_bind().dialect.name == "postgresql" else SQLITE
    found: dict[str, set[str]] = {}
    for table, column in session.execute(text(query)):
        found.setdefault(table, set()).add(column)
    missing = []
    for each in tables:
        there = found.get(each.name)
        missing += (
            [each.name] if there is None else [f"{each.name}.{c.name}" for c in each.columns if c.name not in there]
        )
    return sorted(missing)
