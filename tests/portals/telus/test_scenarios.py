"""Telus's spiders in the sandbox's scenarios: one crawl and one browser for many users, an outcome for each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from jobs.warm import WarmParent
from sandbox.telus.state import SCENARIOS
from tests.portals.perturbed import Perturbed, crawls_at
from tests.portals.scenarios import Scenarios, elsewhere
from tests.portals.test_contamination import CASES
from tests.turns import first_alone, in_turn

pytestmark = pytest.mark.browser
INVOICE, MONTHLY, USAGE = SPIDERS = ("telus_pdf_invoice", "telus_monthly_reports", "telus_daily_usage")
FILES = {INVOICE: 1, MONTHLY: 4, USAGE: 1}

# How scenarios end, a user's first word with its tags: for every spider, and for one whose way they lie on.
OF_ALL: dict[str, str] = {
    "wrong-password": "bad_credentials",
    "locked": "account_locked",
    "sms": "mfa_required",
    "totp": "mfa_required",
    "mfa-push": "mfa_required",
    "captcha": "blocked",
    "interstitial-stays": "blocked",
    "interstitial-fails": "blocked",
    "submit-503": "sign_in_timed_out",
    "submit-hang": "sign_in_timed_out",
    "submit-drop": "sign_in_timed_out",
    "other-customer": "identity_mismatch",
    "wrong-account+multi": "wrong_account",
    "account-missing+multi": "wrong_account",
    "wrong-account-file": "wrong_account",
    "truncated-file": "bad_file",
    "empty-file": "bad_file",
    "wrong-type": "bad_file",
    "maintenance": "sign_in_timed_out",
    "unknown-page": "portal_changed",
} | dict.fromkeys(
    (
        *("ok", "multi", "ok+multi-12", "session-cookie", "signed-out-midway", "interstitial", "interstitial-often"),
        *("default-switched+multi", "filter-resets", "rate-limited", "rate-limited-bare", "cookie-banner"),
        *("promo-overlay", "skip-popup", "overlay-late", "policy-page", "layout-b", "slow-download"),
        *("download-swallowed", "purged", "month-missing"),
    ),
    "success",
)
OF_ONE: dict[str, dict[str, str]] = {
    INVOICE: {
        "filter-fails+multi": "wrong_account",
        "month-filter-fails": "portal_changed",
        "wrong-month": "portal_changed",
        "not-published": "not_yet_published",
        "document-missing": "not_yet_published",
        "html-instead-of-pdf": "bad_file",
        "unsafe-zip": "bad_file",
    }
    | dict.fromkeys(
        (
            *("first-item-other+multi", "namesake-first+multi", "row-other-first", "document-other-first"),
            *("total-differs", "invoice-french"),
        ),
        "success",
    ),
    MONTHLY: {
        "filter-fails+multi": "wrong_account",
        "month-filter-fails": "portal_changed",
        "wrong-month": "portal_changed",
        "not-published": "not_yet_published",
        "html-instead-of-csv": "bad_file",
        "unsafe-zip": "bad_file",
        "foreign-member": "wrong_account",
        "member-missing": "bad_file",
        "ok+missing-mobility-device": "not_listed",
        "ok+fails-mobility-device": "portal_changed",
    }
    | dict.fromkeys(
        ("first-item-other+multi", "namesake-first+multi", "renamed-file", "no-airtime", "unknown-members"), "success"
    ),
    USAGE: {
        "filter-fails": "wrong_account",
        "html-instead-of-csv": "bad_file",
        "stale-iq": "identity_mismatch",
        "iq-wrong-password": "bad_credentials",
        "iq-sms": "mfa_required",
        "slow-report": "report_not_ready",
        "report-never": "report_not_ready",
        "report-fails": "report_failed",
    }
    | dict.fromkeys(
        (
            *("iq-login", "iq-session-lost", "iq-session-lost+iq-login", "former-reports", "no-pools"),
            "ok+perturb-3-unnamed",  # TELUS IQ does not say who is signed in
        ),
        "success",
    ),
}
# What ends before a report is opened, in the login that the spiders share: tried with one of them.
OF_SIGN_IN = {
    *("wrong-password", "locked", "sms", "totp", "mfa-push", "captcha", "interstitial-stays", "interstitial-fails"),
    *("submit-503", "submit-hang", "submit-drop", "maintenance", "unknown-page", "session-cookie", "cookie-banner"),
    *("skip-popup", "policy-page"),
}
OUTCOMES = {
    spider: {name: ends for name, ends in OF_ALL.items() if spider == INVOICE or name not in OF_SIGN_IN}
    | OF_ONE[spider]
    for spider in SPIDERS
}
# Numbers of files of a run that brings some of them.
SOME = {
    (MONTHLY, scenario): 3
    for scenario in (
        *("no-airtime", "member-missing", "filter-fails+multi", "month-filter-fails"),
        *("ok+missing-mobility-device", "ok+fails-mobility-device"),
    )
} | {(MONTHLY, "foreign-member"): 1}  # another account's member ends the visit
NOT_MET = {"code-late", "code-never", "code-refused"}  # as "sms": no code is waited for
SAMPLE = {INVOICE: ("ok", "document-missing"), MONTHLY: ("no-airtime",), USAGE: ("iq-login", "iq-wrong-password")}
EXPECTED = Scenarios(OUTCOMES, FILES, SOME)
AT_ONCE = 15  # scenarios in one crawl


@pytest.fixture(scope="module")
def crawls(warm: WarmParent, sqlite_with_tables: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Perturbed]:
    """Give crawls of Telus."""
    with crawls_at("telus", tmp_path_factory.mktemp("telus"), warm, sqlite_with_tables) as made:
        yield made


def crawl(crawls: Perturbed, spider: str, scenarios: Sequence[str], test: str) -> None:
    """Crawl for a user of each scenario, and compare outcomes, numbers of files and what the portal has counted."""
    before = crawls.admin.counters()
    EXPECTED.crawl(crawls, spider, scenarios, test)
    # Sessions of TELUS IQ that were entered were left, but for those that died.
    after = crawls.admin.counters()
    begun, left, lost = (after[name] - before[name] for name in ("iq_sessions", "iq_log_outs", "iq_losses"))
    assert left + lost >= begun


def test_every_scenario_of_the_sandbox_has_an_outcome():
    met = {word for outcomes in OUTCOMES.values() for scenario in outcomes for word in scenario.split("+")}
    # What contaminates is tried at one of the carriers that share it.
    met |= {word for case in CASES for word in case.scenario.split("+")}
    assert set(SCENARIOS) - met == NOT_MET


@pytest.mark.parametrize("spider", first_alone(SPIDERS))
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
