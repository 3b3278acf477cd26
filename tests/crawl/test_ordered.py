"""Reports that a portal makes on request: what one job has ordered serves the other jobs of its user."""

from __future__ import annotations

import pytest


@pytest.mark.browser
def test_accounts_of_one_user_share_the_orders_of_reports_that_cover_all_of_them(crawls, bell):
    numbers = crawls.give_bell("ok+multi-2@example.com")
    assert len(numbers) == 2

    done = crawls.run("bell_ereports", "account=all")

    assert (done.returncode, crawls.outcomes) == (0, ["success", "success"]), done.stderr
    assert bell.counters()["reports_asked"] == 3
    assert [run["files"] for run in crawls.rows("SELECT files FROM runs")] == [3, 3]
