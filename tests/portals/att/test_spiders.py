"""AT&T's spiders against the sandbox: how each scenario ends, what a rerun costs, and what a dead session does."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from jobs.warm import WarmParent
from scrapers.portals.att.monthly_reports import PLACES
from tests.portals.perturbed import ROWS, Ended, Perturbed, crawls_at

pytestmark = pytest.mark.browser
USAGE, INVOICE, REPORTS = SPIDERS = ("att_daily_usage", "att_pdf_invoice", "att_monthly_reports")
FILES = {USAGE: 1, INVOICE: 1, REPORTS: len(PLACES)}


@pytest.fixture(scope="module")
def served(warm: WarmParent, sqlite_with_tables: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Perturbed]:
    """Crawls of AT&T, all into one data folder."""
    with crawls_at("att", tmp_path_factory.mktemp("att"), warm, sqlite_with_tables) as crawls:
        yield crawls


@pytest.fixture
def crawls(served: Perturbed, encryption_key: str) -> Perturbed:
    """The same, for tests that store credentials."""
    return served


def user_of(spider: str, scenario: str) -> str:
    return f"{scenario}+{spider.partition('_')[2].replace('_', '-')}@example.com"


def crawl(crawls: Perturbed, spider: str, scenarios: Sequence[str], timeout: float = 600) -> dict[str, Ended]:
    """Crawl for a user of each scenario, in one crawl with one browser; return how the run of each ended."""
    users = {user_of(spider, scenario): scenario for scenario in scenarios}
    ended = crawls.crawl(ROWS[spider], users, timeout)
    return {scenario: ended[user] for user, scenario in users.items()}


def counted(crawls: Perturbed) -> tuple[int, int, int]:
    """Return how many sign-ins, sent codes and downloads the portal has counted."""
    counters: dict[str, Any] = crawls.admin.counters()
    return counters["sign_ins"], counters["codes_sent"], counters["downloads"]


def rows_of(crawls: Perturbed) -> dict[str, int]:
    tables = ("files", "usage_records", "report_rows", "daily_usage_files", "billing_cycle_pdf_files")
    return {table: crawls.rows(f"SELECT count(*) AS rows FROM {table}")[0]["rows"] for table in tables}


def difference(after: Sequence[int], before: Sequence[int]) -> tuple[int, ...]:
    return tuple(one - other for one, other in zip(after, before, strict=True))


def test_files_and_rows_come_home_once_and_a_dead_session_needs_no_code(crawls):
    """All three spiders share one user: one sign-in and one code for them, and one more sign-in once the session is dead."""
    user = "ok+all@example.com"
    before = counted(crawls)
    for spider in SPIDERS:
        ended = crawls.crawl(ROWS[spider], [user])[user]
        assert (ended.outcome, ended.files) == ("success", FILES[spider]), (spider, ended)
    assert difference(counted(crawls), before) == (1, 1, sum(FILES.values()))

    stored, before = rows_of(crawls), counted(crawls)
    assert stored["usage_records"] > 0
    assert stored["report_rows"] > 0
    for spider in SPIDERS:
        crawls.crawl(ROWS[spider], [user])
    assert (difference(counted(crawls), before), rows_of(crawls)) == ((0, 0, 0), stored)

    assert crawls.admin.sign_out(user) > 0
    ended = crawls.crawl(replace(ROWS[INVOICE], arguments=("again=yes",)), [user])[user]
    assert ended.outcome == "success"
    assert difference(counted(crawls), before) == (1, 0, 1)


# How each scenario ends: an outcome, or one for each of SPIDERS.
OUTCOMES: dict[str, str | tuple[str, str, str]] = {
    "ok": "success",
    "no-code": "success",
    "code-direct": "success",
    "code-late": "success",
    "code-never": "code_not_received",
    "code-refused": "mfa_failed",
    "mfa-pending": "success",
    "two-mails": "success",
    "no-mail": "mfa_required",
    "mail-html": "success",
    "wrong-sender": "success",
    "totp": "success",
    "wrong-password": "bad_credentials",
    "locked": "account_locked",
    "captcha": "captcha_shown",
    "submit-503": "sign_in_timed_out",
    "submit-hang": "sign_in_timed_out",
    "submit-drop": "sign_in_timed_out",
    "multi": "success",
    "ok+multi-12": "success",
    "session-cookie": "success",
    "signed-out-midway": "success",
    "other-customer": "identity_mismatch",
    "wrong-account+multi": "wrong_account",
    "account-missing+multi": "wrong_account",
    "first-item-other+multi": "success",
    "namesake-first+multi": "success",
    "filter-fails+multi": "wrong_account",
    "filter-resets+multi": "success",
    "month-filter-fails": ("success", "portal_changed", "portal_changed"),
    "row-other-first": "success",
    "wrong-account-file": "wrong_account",
    "wrong-month": ("success", "portal_changed", "portal_changed"),
    "not-published": ("success", "not_yet_published", "not_yet_published"),
    "truncated-file": "bad_file",
    "empty-file": "bad_file",
    "html-instead-of-pdf": "bad_file",
    "html-instead-of-csv": "bad_file",
    "slow-download": "success",
    "download-swallowed": "success",
    "renamed-file": "success",
    "older-labels": "success",
    "rate-limited": "success",
    "maintenance": "sign_in_timed_out",
    "cookie-banner": "success",
    "promo-overlay": "success",
    "overlay-late": "success",
    "feedback-overlay": "success",
    "policy-page": "success",
    "unknown-page": "portal_changed",
    "layout-b": "success",
}
SAMPLE = ("multi", "filter-fails+multi", "other-customer", "layout-b")  # of the normal run


def check(crawls: Perturbed, spider: str, scenarios: Sequence[str]) -> None:
    """Each scenario has its own outcome; whatever fails stores nothing, and what succeeds stores all."""
    expected = {each: OUTCOMES[each] for each in scenarios}
    wanted = {name: one if isinstance(one, str) else one[SPIDERS.index(spider)] for name, one in expected.items()}
    ended = crawl(crawls, spider, scenarios, timeout=850)
    said = {name: (run.outcome, run.files) for name, run in ended.items()}
    assert said == {name: (one, FILES[spider] if one == "success" else 0) for name, one in wanted.items()}, ended


@pytest.mark.parametrize("spider", SPIDERS)
def test_a_sample_of_scenarios_ends_as_it_should(crawls, spider):
    check(crawls, spider, SAMPLE)


@pytest.mark.matrix
@pytest.mark.timeout(900)
@pytest.mark.parametrize("spider", SPIDERS)
def test_every_scenario_ends_as_it_should(crawls, spider):
    check(crawls, spider, tuple(OUTCOMES))
