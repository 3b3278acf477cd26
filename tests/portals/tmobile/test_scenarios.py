"""T-Mobile's spiders in the sandbox's scenarios: one crawl and one browser for many users, an outcome for each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from jobs.warm import WarmParent
from sandbox.tmobile.state import SCENARIOS
from tests.portals.perturbed import Perturbed, crawls_at
from tests.portals.scenarios import Scenarios, elsewhere
from tests.portals.test_contamination import CASES
from tests.turns import first_alone, in_turn

pytestmark = pytest.mark.browser
INVOICE, MONTHLY, USAGE = SPIDERS = ("tmobile_pdf_invoice", "tmobile_monthly_reports", "tmobile_daily_usage")
FILES = {INVOICE: 1, MONTHLY: 5, USAGE: 1}

# How scenarios end, a user's first word with its tags: for every spider, and for one whose way they lie on.
OF_ALL: dict[str, str] = {
    "wrong-password": "bad_credentials",
    "locked": "account_locked",
    "totp": "code_not_received",
    "code-never": "code_not_received",
    "code-refused": "mfa_failed",
    "captcha": "captcha_shown",
    "blocked": "blocked",
    "submit-503": "sign_in_timed_out",
    "submit-hang": "sign_in_timed_out",
    "submit-drop": "sign_in_timed_out",
    "maintenance": "sign_in_timed_out",
    "unknown-page": "portal_changed",
    "other-customer": "identity_mismatch",
    "wrong-account+multi": "wrong_account",
    "account-missing+multi": "wrong_account",
    "wrong-account-file": "wrong_account",
    "truncated-file": "bad_file",
    "empty-file": "bad_file",
    "wrong-type": "bad_file",
} | dict.fromkeys(
    (
        *("ok", "no-code", "code-late", "mail-html", "wrong-sender", "session-cookie", "multi", "ok+multi-12"),
        *("signed-out-midway", "rate-limited", "rate-limited-bare", "cookie-banner", "promo-overlay", "overlay-late"),
        *("policy-page", "layout-b", "slow-download", "download-swallowed", "mid-month", "read-back-late"),
        *("purged", "month-missing", "namesake-first+multi"),
    ),
    "success",
)
OF_ONE: dict[str, dict[str, str]] = {
    INVOICE: {
        "month-filter-fails": "portal_changed",
        "wrong-month": "portal_changed",
        "not-published": "not_yet_published",
        "two-years+not-published": "not_yet_published",
        "html-instead-of-pdf": "bad_file",
        "unsafe-zip": "bad_file",
        "rows-move": "wrong_account",
    }
    | dict.fromkeys(
        (
            *("filter-fails+multi", "row-other-first", "two-years", "no-detailed-bill", "total-differs"),
            *("invoice-french", "ok+cycle-day-28", *(f"ok+invoice-layout-{number}" for number in range(1, 5))),
        ),
        "success",
    ),
    MONTHLY: {
        "filter-fails+multi": "portal_changed",
        "month-filter-fails": "portal_changed",
        "wrong-month": "portal_changed",
        "not-published": "not_yet_published",
        "html-instead-of-csv": "bad_file",
        "unsafe-zip": "bad_file",
        "mixed-file": "wrong_account",
        "filter-ignored+multi": "report_not_ready",
        "slow-report": "report_not_ready",
        "report-never": "report_not_ready",
        "report-fails": "report_failed",
        "went-wrong-always": "portal_down",
        "ok+missing-usage-detail": "portal_changed",
        "ok+missing-inventory-report": "portal_changed",
        "ok+fails-statement-detail": "report_not_ready",  # in what words it is refused is not known: nothing was listed
    }
    | dict.fromkeys(
        (
            *("filters-stay+multi", "period-late", "tree-deep", "ok+levels-1", "confirmation-late", "went-wrong"),
            *("confirmation-never", "dialog-icon", "dialog-escape", "dialog-reload", "former-reports+multi"),
            *("run-date-plain", "unnamed-file"),
        ),
        "success",
    ),
    USAGE: {"usage-filter-fails": "portal_changed", "mixed-file": "wrong_account", "rows-move": "wrong_account"}
    | dict.fromkeys(
        (
            *("filter-fails+multi", "row-other-first", "usage-missing", "usage-unknown", "query-twice", "query-late"),
            *("query-fails", "unnamed-file"),
        ),
        "success",
    ),
}
# What ends before a report is opened, in the login that the spiders share: tried with one of them.
OF_SIGN_IN = {
    *("wrong-password", "locked", "totp", "code-never", "code-refused", "code-late", "wrong-sender", "mail-html"),
    *("no-code", "captcha", "blocked", "submit-503", "submit-hang", "submit-drop", "maintenance", "unknown-page"),
    *("session-cookie", "cookie-banner", "policy-page"),
}
OF_FILES = {"wrong-type", "download-swallowed", "slow-download"}
OF_MONTHS = {"purged", "month-missing"}
NOT_OF: dict[str, set[str]] = {INVOICE: set(), MONTHLY: OF_SIGN_IN, USAGE: OF_SIGN_IN | OF_FILES | OF_MONTHS}
OUTCOMES = {
    spider: {name: ends for name, ends in OF_ALL.items() if name not in NOT_OF[spider]} | OF_ONE[spider]
    for spider in SPIDERS
}
# Numbers of files of a run that brings some of them.
SOME = {
    (MONTHLY, scenario): 4
    for scenario in (*("ok+missing-usage-detail", "ok+missing-inventory-report", "ok+fails-statement-detail"),)
} | {(MONTHLY, scenario): 2 for scenario in ("month-filter-fails", "wrong-month", "not-published")}
SAMPLE = {INVOICE: ("ok", "two-years+not-published"), MONTHLY: ("ok",), USAGE: ("usage-unknown",)}
IN_FULL = ("ok", "filters-stay+multi", "run-date-plain")  # what concerns several reports
EXPECTED = Scenarios(OUTCOMES, FILES, SOME, IN_FULL)
AT_ONCE = 15  # scenarios in one crawl


@pytest.fixture(scope="module")
def crawls(warm: WarmParent, sqlite_with_tables: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Perturbed]:
    """Give crawls of T-Mobile."""
    with crawls_at("tmobile", tmp_path_factory.mktemp("tmobile"), warm, sqlite_with_tables) as made:
        yield made


def crawl(crawls: Perturbed, spider: str, scenarios: Sequence[str], test: str) -> None:
    """Crawl for a user of each scenario, and compare outcomes, numbers of files and what the portal has counted."""
    EXPECTED.crawl(crawls, spider, scenarios, test)
    counters = crawls.admin.counters()
    # Every code is typed by keys, and no template is run with an empty filter.
    assert (counters["codes_not_typed"], counters["reports_of_no_filter"]) == (0, 0)


def test_every_scenario_of_the_sandbox_has_an_outcome():
    met = {word for outcomes in OUTCOMES.values() for scenario in outcomes for word in scenario.split("+")}
    # What contaminates is tried at one of the carriers that share it.
    met |= {word for case in CASES for word in case.scenario.split("+")}
    assert set(SCENARIOS) - met == set()


@pytest.mark.parametrize(
    "spider", [*first_alone((INVOICE, USAGE)), pytest.param(MONTHLY, marks=(pytest.mark.matrix, pytest.mark.figures))]
)
def test_a_sample_of_scenarios_ends_as_it_should(crawls, encryption_key, spider):
    crawl(crawls, spider, SAMPLE[spider], "sample")
    EXPECTED.crawl_again(crawls, spider, SAMPLE[spider], "sample")


@pytest.mark.matrix
@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("spider", "scenarios"),
    in_turn(
        SPIDERS, lambda spider: list(OUTCOMES[spider]), lambda name: name in OF_ALL, AT_ONCE, (MONTHLY,), elsewhere
    ),
)
def test_every_scenario_ends_as_it_should(crawls, encryption_key, spider, scenarios):
    crawl(crawls, spider, scenarios, "all")
