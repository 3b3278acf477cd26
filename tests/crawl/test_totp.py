"""Codes of an authenticator: right at every clock, and never the same one twice."""

from __future__ import annotations

import pytest

from database.access.sessions import Sessions
from sandbox import totp_secret


@pytest.mark.matrix
def test_a_totp_step_is_never_submitted_twice(crawls, plain):
    """Two sign-ins in a row: the second one waits for the next half minute, because the portal refuses a replay."""
    user = "totp+twice@example.com"
    crawls.give("plain", user, totp_secret=totp_secret(user))

    assert crawls.run("plain_documents").returncode == 0
    Sessions(crawls.db).destroy("plain", user)
    assert crawls.run("plain_documents", "again=yes").returncode == 0

    assert plain.counters()["codes_refused"] == 0
    assert crawls.value("SELECT count(DISTINCT step) FROM used_totp_steps") == 2
    assert [row["result"] for row in crawls.rows("SELECT result FROM attempts")] == ["signed_in", "signed_in"]


@pytest.mark.parametrize("offset", [-30, 30])
def test_a_clock_that_is_off_by_a_step_does_no_harm(crawls, plain, offset):
    user = f"totp+clock{offset}@example.com"
    crawls.give("plain", user, totp_secret=totp_secret(user))
    plain.clock(offset)

    assert crawls.run("plain_documents").returncode == 0
