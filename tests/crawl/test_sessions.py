"""Sessions: one that dies in mid-run, many processes at once, runs that wait for each other, runs that are stopped."""

from __future__ import annotations

import pytest


def test_a_session_that_dies_in_mid_run_costs_one_sign_in_and_no_item(crawls, plain):
    """100 documents, and no session is good for more than 13 requests."""
    plain.configure(documents=100, session_requests=13)
    crawls.give("plain", "ok+dies@example.com")

    done = crawls.run("plain_documents", "per=100", LATCHKEY_SIGN_IN_BUDGET="50")

    assert done.returncode == 0, done.stderr
    counters = plain.counters()
    assert crawls.outcomes == ["success"]
    assert crawls.value("SELECT count(*) FROM plain_documents") == 100
    assert crawls.value("SELECT count(DISTINCT number) FROM plain_documents") == 100
    assert counters["sessions_died"] >= 100 // 13
    assert counters["sign_ins"] == counters["sessions_died"] + 1
    run = crawls.rows("SELECT * FROM runs")[0]
    assert run["sign_ins"] == counters["sign_ins"]
    assert run["requests"] == counters["requests"]
    assert run["missing"] == 0
