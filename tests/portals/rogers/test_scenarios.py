"""Rogers's spiders in the sandbox's scenarios: one crawl and one browser for many users, an outcome for each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from jobs.warm import WarmParent
from sandbox.rogers.state import SCENARIOS
from tests.portals.perturbed import ROWS, Perturbed, crawls_at
from tests.portals.scenarios import Scenarios, elsewhere
from tests.portals.test_contamination import CASES
from tests.turns import first_alone, in_turn

pytestmark = pytest.mark.browser
INVOICE, MONTHLY, USAGE = SPIDERS = ("rogers_pdf_invoice", "rogers_monthly_reports", "rogers_daily_usage")
FILES = {INVOICE: 1, MONTHLY: 5, USAGE: 1}

# How scenarios end, a user's first word with its tags: for every spider, and for one whose way they lie on.
OF_ALL: dict[str, str] = {
    "wrong-password": "bad_credentials",
    "locked": "account_locked",
    "totp": "code_not_received",
    "no-mail": "mfa_required",
    "code-never": "code_not_received",
    "code-refused": "mfa_failed",
    "wrong-sender": "success",
    "captcha": "captcha_shown",
    "cold-always": "portal_changed",
    "submit-503": "sign_in_timed_out",
    "submit-hang": "sign_in_timed_out",
    "submit-drop": "sign_in_timed_out",
    "maintenance": "sign_in_timed_out",
    "unknown-page": "portal_changed",
    "other-customer": "identity_mismatch",
    "wrong-account+multi": "wrong_account",
    "account-missing+multi": "wrong_account",
    "filter-fails+multi": "wrong_account",
    "wrong-account-file": "wrong_account",
    "truncated-file": "bad_file",
    "empty-file": "bad_file",
    "wrong-type": "bad_file",
} | dict.fromkeys(
    (
        *("ok", "no-code", "code-direct", "code-late", "mail-html", "text-first", "cold-cache", "session-cookie"),
        *("multi", "ok+multi-12", "signed-out-midway", "rate-limited", "rate-limited-bare", "cookie-banner"),
        *("promo-overlay", "overlay-late", "policy-page", "layout-b", "slow-download", "download-swallowed"),
        *("purged", "month-missing"),
    ),
    "success",
)
OF_ONE: dict[str, dict[str, str]] = {
    INVOICE: {
        "month-filter-fails": "portal_changed",
        "wrong-month": "portal_changed",
        "not-published": "not_yet_published",
        "html-instead-of-pdf": "bad_file",
        "unsafe-zip": "bad_file",
        "rows-move": "wrong_account",
        "dialog-stays+multi": "wrong_account",
        "viewer-fails": "portal_changed",
        "no-complete-bill": "portal_changed",
    }
    | dict.fromkeys(
        (
            *("row-other-first", "namesake-first", "viewer-nested", "viewer-late", "total-differs", "invoice-french"),
            *(f"ok+invoice-layout-{number}" for number in range(1, 5)),
        ),
        "success",
    ),
    MONTHLY: {
        "month-filter-fails": "portal_changed",
        "wrong-month": "portal_changed",
        "not-published": "not_yet_published",
        "html-instead-of-csv": "bad_file",
        "unsafe-zip": "bad_file",
        "export-resets+multi": "wrong_account",
        "account-switched+multi": "wrong_account",
        "mixed-file": "wrong_account",
        "slow-report": "report_not_ready",
        "report-never": "report_not_ready",
        "report-fails": "report_failed",
        "foreign-extract": "wrong_account",
        "ok+missing-ccc-chg": "not_listed",
        "ok+missing-bcr": "portal_changed",
        "ok+fails-ccc-chg": "portal_changed",
        "ok+fails-bcr": "report_not_ready",  # in what words it is refused is not known: nothing was listed
        "report-expired": "report_not_ready",
    }
    | dict.fromkeys(
        (
            *("filter-resets+multi", "dialog-remains+multi", "first-item-other+multi", "namesake-first+multi"),
            *("unnamed-file", "former-reports", "header-missing", "header-differs"),
        ),
        "success",
    ),
    USAGE: {
        "account-switched+multi": "wrong_account",
        "selection-lost": "incomplete",
    }
    | dict.fromkeys(("first-item-other+multi", "namesake-first+multi", "no-pools", "usage-unknown"), "success"),
}
# What ends before a report is opened, in the login that the spiders share: tried with one of them.
OF_SIGN_IN = {
    *("wrong-password", "locked", "totp", "no-mail", "code-never", "code-refused", "code-late", "wrong-sender"),
    *("mail-html", "text-first", "no-code", "code-direct", "captcha", "cold-cache", "cold-always", "submit-503"),
    *("submit-hang", "submit-drop", "maintenance", "unknown-page", "session-cookie", "cookie-banner", "policy-page"),
}
OF_FILES = {"wrong-account-file", "truncated-file", "empty-file", "wrong-type", "download-swallowed", "slow-download"}
OF_MONTHS = {"purged", "month-missing"}
NOT_OF = {INVOICE: {"filter-fails+multi"}, MONTHLY: OF_SIGN_IN, USAGE: OF_SIGN_IN | OF_FILES | OF_MONTHS}
OUTCOMES = {
    spider: {name: ends for name, ends in OF_ALL.items() if name not in NOT_OF[spider]} | OF_ONE[spider]
    for spider in SPIDERS
}
# Numbers of files of a run that brings some of them.
SOME = {
    (MONTHLY, scenario): 4
    for scenario in (
        *("slow-report", "report-never", "report-fails", "foreign-extract", "ok+missing-ccc-chg", "ok+missing-bcr"),
        *("ok+fails-ccc-chg", "ok+fails-bcr", "report-expired"),
    )
} | {(MONTHLY, scenario): 1 for scenario in ("month-filter-fails", "wrong-month", "not-published")}
SAMPLE = {INVOICE: ("ok", "no-complete-bill"), MONTHLY: ("ok",), USAGE: ("usage-unknown",)}
IN_FULL = ("ok", "filter-resets+multi", "dialog-remains+multi")  # what concerns several reports
EXPECTED = Scenarios(OUTCOMES, FILES, SOME, IN_FULL)
AT_ONCE = 15  # scenarios in one crawl


@pytest.fixture(scope="module")
def crawls(warm: WarmParent, sqlite_with_tables: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Perturbed]:
    """Give crawls of Rogers."""
    with crawls_at("rogers", tmp_path_factory.mktemp("rogers"), warm, sqlite_with_tables) as made:
        yield made


def crawl(crawls: Perturbed, spider: str, scenarios: Sequence[str], test: str) -> None:
    """Crawl for a user of each scenario, and compare outcomes, numbers of files and what the portal has counted."""
    EXPECTED.crawl(crawls, spider, scenarios, test)
    counters = crawls.admin.counters()
    assert (counters["codes_not_typed"], counters["searches_not_typed"]) == (0, 0)


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


@pytest.mark.matrix
def test_an_extract_that_has_expired_is_asked_for_anew_by_the_next_run(crawls, encryption_key):
    user = "report-expired+no-code+again@rogers.example"
    for outcome, files in (("report_not_ready", 4), ("success", 1)):
        ended = crawls.crawl(ROWS[MONTHLY], [user])[user]
        assert (ended.outcome, ended.files) == (outcome, files), ended
