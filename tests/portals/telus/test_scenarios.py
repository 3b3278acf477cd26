"""Telus's spiders in the sandbox's scenarios: one crawl and one browser for many users, an outcome for each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from jobs.warm import WarmParent
from tests.portals.perturbed import ROWS, Perturbed, crawls_at

pytestmark = pytest.mark.browser
INVOICE, MONTHLY, USAGE = "telus_pdf_invoice", "telus_monthly_reports", "telus_daily_usage"

# How scenarios end: what was seen, and agrees with the fact sheet.
OUTCOMES: dict[str, dict[str, str]] = {
    INVOICE: {"wrong-password": "bad_credentials", "interstitial-stays": "blocked", "sms": "mfa_required"}
    | dict.fromkeys(("ok", "multi", "layout-b", "first-item-other"), "success"),
    MONTHLY: dict.fromkeys(
        (
            *("interstitial", "interstitial-often", "default-switched", "namesake-first", "row-other-first"),
            *(
                "unknown-members",
                "no-airtime",
                "layout-b",
                "rate-limited",
                "cookie-banner",
                "skip-popup",
                "overlay-late",
            ),
            *("slow-download", "iq-login", "former-reports", "filter-resets"),
        ),
        "success",
    ),
    USAGE: dict.fromkeys(
        (
            *("ok", "multi", "interstitial", "interstitial-often", "default-switched", "layout-b", "rate-limited"),
            *("overlay-late", "iq-login", "former-reports", "filter-resets"),
        ),
        "success",
    )
    | {"stale-iq": "identity_mismatch", "wrong-account-file": "wrong_account", "report-never": "report_not_ready"},
}
SAMPLE = {INVOICE: ("ok",), MONTHLY: ("no-airtime",), USAGE: ("iq-login",)}


@pytest.fixture(scope="module")
def crawls(warm: WarmParent, sqlite_with_tables: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Perturbed]:
    """Give crawls of Telus."""
    with crawls_at("telus", tmp_path_factory.mktemp("telus"), warm, sqlite_with_tables) as made:
        yield made


def crawl(crawls: Perturbed, spider: str, scenarios: tuple[str, ...], test: str) -> None:
    """Crawl for a user of each scenario, and compare outcomes; a run that fails has stored no file."""
    users = {f"{scenario}+{test}@{spider.replace('_', '-')}.example": scenario for scenario in scenarios}
    before = crawls.admin.counters()
    ended = crawls.crawl(ROWS[spider], users)
    wanted = {scenario: OUTCOMES[spider][scenario] for scenario in scenarios}
    assert {scenario: ended[user].outcome for user, scenario in users.items()} == wanted, ended
    assert {scenario for user, scenario in users.items() if ended[user].files} == {
        scenario for scenario, outcome in wanted.items() if outcome == "success"
    }
    assert crawls.unserved == []
    # What was entered was left, and nobody's password was typed twice at one login.
    after = crawls.admin.counters()
    assert after["iq_log_outs"] - before["iq_log_outs"] >= after["iq_sessions"] - before["iq_sessions"]


@pytest.mark.parametrize("spider", [spider for spider in SAMPLE if set(SAMPLE[spider]) <= set(OUTCOMES[spider])])
def test_a_sample_of_scenarios_ends_as_it_should(crawls, encryption_key, spider):
    crawl(crawls, spider, SAMPLE[spider], "sample")
    counters = crawls.admin.counters()
    users = [f"{scenario}+sample@{spider.replace('_', '-')}.example" for scenario in SAMPLE[spider]]

    ended = crawls.project.scrapy(
        "crawl",
        spider,
        "-a",
        ROWS[spider].argument(crawls, ROWS[spider], [ROWS[spider].give(crawls, each) for each in users]),
    )

    assert ended.returncode == 0, ended.stderr
    assert crawls.admin.counters()["requests"] == counters["requests"]  # everything is stored: nobody is visited


@pytest.mark.matrix
@pytest.mark.timeout(900)
@pytest.mark.parametrize("spider", [spider for spider in OUTCOMES if OUTCOMES[spider]])
def test_every_scenario_ends_as_it_should(crawls, encryption_key, spider):
    crawl(crawls, spider, tuple(OUTCOMES[spider]), "all")
