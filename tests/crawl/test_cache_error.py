"""The cache error of Bell's e-reports: cured once, in the same run, by leaving nothing of the old session behind."""

from __future__ import annotations

import json

import pytest

pytestmark = pytest.mark.browser

SOON = {"BELL_HEADER_WAIT": "3"}
PATIENT = {"BELL_HEADER_WAIT": "15"}  # the header of the second session must come in this time, on a slow machine too


def bundles(crawls):
    return [path for path in (crawls.project.data / "evidence").rglob("*") if path.is_file()]


def test_a_missing_header_is_cured_by_clearing_both_origins_and_signing_in_again(crawls, bell):
    """Any mark left in cookies, storage or HTTP cache of either origin would keep the header away at the portal."""
    crawls.give_bell("cache-error@example.com")

    done = crawls.run("bell_ereports", **PATIENT)

    assert done.returncode == 0, done.stderr
    counters = bell.counters()
    (run,) = crawls.rows("SELECT * FROM runs")
    assert (run["outcome"], run["files"], run["missing"]) == ("success", 3, 0)
    assert run["sign_ins"] == counters["sign_ins"] == 2
    assert counters["submissions"] == {"cache-error@example.com": 2}
    assert counters["reports_asked"] == counters["files"]["report"] == 3
    assert counters["self_serve_pages_open_max"] == counters["ereports_pages_open_max"] == 1
    assert any("cache_error" in warning for warning in json.loads(run["warnings"]))
    assert run["bundle"] is None
    results = [row["result"] for row in crawls.rows("SELECT result FROM attempts ORDER BY id")]
    assert results == ["signed_in", "signed_in"]


@pytest.mark.matrix
def test_a_header_that_never_comes_ends_after_one_cure(crawls, bell):
    crawls.give_bell("cache-error-always@example.com")

    done = crawls.run("bell_ereports", **SOON)

    assert done.returncode != 0
    counters = bell.counters()
    (run,) = crawls.rows("SELECT * FROM runs")
    assert (run["outcome"], run["files"], run["step"]) == ("cache_error", 0, "check the header")
    assert run["sign_ins"] == counters["sign_ins"] == 2
    assert counters["submissions"] == {"cache-error-always@example.com": 2}
    assert counters["reports_asked"] == 0
    assert crawls.stored() == {"files": 0, "records": 0, "in the store": 0}
    assert run["bundle"]
    assert "cache_error" in done.stderr
