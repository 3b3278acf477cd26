"""Verizon's spiders in the sandbox's scenarios: one crawl and one browser for many users, an outcome for each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from jobs.warm import WarmParent
from sandbox.verizon.state import SCENARIOS
from tests.portals.perturbed import Perturbed, crawls_at
from tests.portals.scenarios import Scenarios, elsewhere
from tests.portals.test_contamination import CASES
from tests.turns import first_alone, in_turn

pytestmark = pytest.mark.browser
INVOICE, MONTHLY, USAGE = SPIDERS = ("verizon_pdf_invoice", "verizon_monthly_reports", "verizon_daily_usage")
FILES = {INVOICE: 1, MONTHLY: 6, USAGE: 1}

# How scenarios end, a user's first word with its tags: for every spider, and for one whose way they lie on.
OF_ALL: dict[str, str] = {
    "wrong-password": "bad_credentials",
    "locked": "account_locked",
    "totp": "portal_changed",  # a code is asked for, where the portal is known to send links
    "no-mail": "mfa_required",
    "code-never": "code_not_received",
    "code-refused": "mfa_failed",
    "link-expired": "mfa_failed",
    "link-denied": "mfa_failed",
    "link-answered": "mfa_failed",  # the link was used before
    "link-foreign": "code_not_received",
    "captcha": "captcha_shown",
    "interstitial-stays": "blocked",
    "blocked": "blocked",
    "submit-503": "sign_in_timed_out",
    "submit-hang": "sign_in_timed_out",
    "submit-drop": "sign_in_timed_out",
    "maintenance": "portal_down",  # the page after the sign-in is shown still
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
        *("ok", "no-code", "code-direct", "code-late", "mail-first", "two-mails", "other-mail-first"),
        *("mail-html", "mail-links", "wrong-sender", "captcha-vanishes", "interstitial", "session-cookie"),
        *("welcome-hub", "hub-capitals", "promo-overlay", "promo-modal", "promo-both", "overlay-late"),
        *("cookie-banner", "policy-page", "multi", "ok+multi-12", "ok+hyphens", "signed-out-midway", "rate-limited"),
        *("rate-limited-bare", "layout-b", "slow-download", "download-swallowed", "purged", "month-missing"),
        *("first-item-other+multi", "namesake-first+multi"),
    ),
    "success",
)
OF_ONE: dict[str, dict[str, str]] = {
    INVOICE: {
        "wrong-month": "portal_changed",
        "not-published": "not_yet_published",
        "download-never": "download_timed_out",
        "html-instead-of-pdf": "bad_file",
        "unsafe-zip": "bad_file",
        "rows-move": "portal_changed",
    }
    | dict.fromkeys(
        (
            *("tab-resets-late+multi", "total-differs", "invoice-french"),
            *(f"ok+invoice-layout-{number}" for number in range(1, 5)),
        ),
        "success",
    ),
    MONTHLY: {
        "month-filter-fails": "portal_changed",
        "wrong-month": "portal_changed",
        "not-published": "not_yet_published",
        "reports-not-available": "not_yet_published",
        "html-instead-of-csv": "bad_file",
        "unsafe-zip": "bad_file",
        "member-missing": "bad_file",
        "zip-empty": "bad_file",
        "foreign-member": "wrong_account",
        "account-switched+multi": "wrong_account",
        "mixed-file": "wrong_account",
        "ok+missing-device-report": "portal_changed",
        "ok+fails-suspended-wireless-numbers": "portal_changed",
    }
    | dict.fromkeys(
        (
            *("notice-late", "notice-at-download", "no-notice", "filter-resets+multi", "unnamed-file", "ok+csv"),
            *("raw-in-place", "raw-spelled", "no-usage-detail", "unknown-members"),
        ),
        "success",
    ),
    USAGE: {
        "account-switched+multi": "wrong_account",
        "apply-stays+multi": "wrong_account",
        "mixed-file": "wrong_account",
        "download-never": "download_timed_out",
        "html-instead-of-csv": "bad_file",
    }
    | dict.fromkeys(("filter-resets", "unnamed-file", "ok+csv"), "success"),
}
# What ends before a report is opened, in the login that the spiders share: tried with one of them.
OF_SIGN_IN = {
    *("wrong-password", "locked", "totp", "no-mail", "code-never", "code-refused", "code-late", "link-expired"),
    *("link-denied", "link-answered", "link-foreign", "mail-first", "two-mails", "other-mail-first", "mail-html"),
    *("mail-links", "wrong-sender", "captcha", "captcha-vanishes", "interstitial", "interstitial-stays", "blocked"),
    *("submit-503", "submit-hang", "submit-drop", "maintenance", "unknown-page", "session-cookie", "cookie-banner"),
    *("policy-page", "no-code", "code-direct"),
}
OF_FILES = {"wrong-type", "download-swallowed", "slow-download"}
OF_MONTHS = {"purged", "month-missing"}
NOT_OF: dict[str, set[str]] = {INVOICE: set(), MONTHLY: OF_SIGN_IN, USAGE: OF_SIGN_IN | OF_FILES | OF_MONTHS}
OUTCOMES = {
    spider: {name: ends for name, ends in OF_ALL.items() if name not in NOT_OF[spider]} | OF_ONE[spider]
    for spider in SPIDERS
}
# Numbers of files of a run that brings some of them: the raw data's three have no filter by account.
SOME = (
    {(MONTHLY, scenario): 1 for scenario in ("month-filter-fails", "wrong-month", "foreign-member")}
    | {(MONTHLY, "not-published"): 2}
    | {
        (MONTHLY, scenario): 3
        for scenario in (
            *("filter-fails+multi", "wrong-account+multi", "account-switched+multi", "reports-not-available"),
            "zip-empty",
        )
    }
    | {
        (MONTHLY, scenario): 5
        for scenario in (
            *("member-missing", "no-usage-detail", "ok+missing-device-report", "ok+fails-suspended-wireless-numbers"),
        )
    }
)
SAMPLE = {INVOICE: ("ok",), MONTHLY: ("ok",), USAGE: ("ok",)}
IN_FULL = ("ok", "filter-resets+multi", "unknown-members", "ok+csv")  # what concerns several reports
EXPECTED = Scenarios(OUTCOMES, FILES, SOME, IN_FULL)
AT_ONCE = 15  # scenarios in one crawl


@pytest.fixture(scope="module")
def crawls(warm: WarmParent, sqlite_with_tables: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Perturbed]:
    """Give crawls of Verizon."""
    with crawls_at("verizon", tmp_path_factory.mktemp("verizon"), warm, sqlite_with_tables) as made:
        yield made


def crawl(crawls: Perturbed, spider: str, scenarios: Sequence[str], test: str) -> None:
    """Crawl for a user of each scenario, and compare outcomes, numbers of files and what the portal has counted."""
    EXPECTED.crawl(crawls, spider, scenarios, test)
    assert crawls.admin.counters()["codes_not_typed"] == 0


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
