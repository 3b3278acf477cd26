"""The common pace of a portal, on both databases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from database.jobs.pace import reserve
from tests.database.crowd import crowd

AT = datetime(2026, 11, 30, 8, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def test_moments_are_apart_and_unused_ones_are_gone(store):
    with store.transaction() as session:
        assert [reserve(session, "acme", AT, 60) for _ in range(3)] == [0 * SECOND, SECOND, 2 * SECOND]
        assert reserve(session, "birch", AT, 60) == 0 * SECOND
        assert reserve(session, "acme", AT + 2.5 * SECOND, 60) == 0.5 * SECOND
        assert reserve(session, "acme", AT + 60 * SECOND, 60) == 0 * SECOND


PROGRAM = """
from datetime import UTC, datetime
from database.jobs.pace import reserve
for turn in range(20):
    with db.transaction() as session:
        print(reserve(session, "acme", datetime(2026, 11, 30, 8, 0, tzinfo=UTC), 60).total_seconds())
"""


def test_processes_share_it(store, database_url):
    given = [float(line) for said in crowd(database_url, 4, PROGRAM) for line in said.splitlines()]
    assert sorted(given) == [float(number) for number in range(80)]
