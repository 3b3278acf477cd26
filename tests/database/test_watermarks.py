"""Watermarks on both databases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from database.watermarks import advance, reached
from tests.database.crowd import crowd

DAY = datetime(2028, 1, 16, 22, tzinfo=UTC)


def test_a_watermark_never_goes_back(store):
    with store.transaction() as session:
        advance(session, "acme_readings", "home", {"one": DAY, "two": DAY})
        advance(session, "acme_readings", "home", {"one": DAY + timedelta(days=1), "two": DAY - timedelta(days=1)})
        advance(session, "acme_readings", "home", {})
        advance(session, "acme_readings", "flat", {"one": DAY})
    with store.transaction() as session:
        assert reached(session, "acme_readings", "home") == {"one": DAY + timedelta(days=1), "two": DAY}
        assert reached(session, "acme_readings", "flat") == {"one": DAY}
        assert reached(session, "acme_invoices", "home") == {}


PROGRAM = """
from datetime import UTC, datetime, timedelta
from database.watermarks import advance
for turn in range(10):
    with db.transaction() as session:
        at = datetime(2028, 1, 1, tzinfo=UTC) + timedelta(days=(turn * 4 + number) * 7 % 40)
        advance(session, "acme_readings", "home", {"one": at})
"""


def test_of_many_at_once_the_farthest_stays(store, database_url):
    crowd(database_url, 4, PROGRAM)
    with store.transaction() as session:
        assert reached(session, "acme_readings", "home") == {"one": datetime(2028, 2, 9, tzinfo=UTC)}
