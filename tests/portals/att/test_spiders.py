"""AT&T's spiders against the sandbox: how each scenario ends, what a rerun costs, and what a dead session does."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from jobs.warm import WarmParent
from sandbox.att import accounts as att_accounts
from sandbox.att.state import SCENARIOS, AttState
from sandbox.invented import published_months
from scrapers.portals.att.monthly_reports import PLACES
from tests.portals.perturbed import ROWS, Ended, Perturbed, crawls_at
from tests.portals.scenarios import elsewhere
from tests.portals.test_contamination import CASES
from tests.turns import first_alone, in_turn

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


def crawl(
    crawls: Perturbed, spider: str, scenarios: Sequence[str], *arguments: str, timeout: float = 600
) -> dict[str, Ended]:
    """Crawl for a user of each scenario, in one crawl with one browser; return how the run of each ended."""
    users = {user_of(spider, scenario): scenario for scenario in scenarios}
    ended = crawls.crawl(replace(ROWS[spider], arguments=arguments), users, timeout)
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

    rows, before = rows_of(crawls), counted(crawls)
    assert rows["usage_records"] > 0
    assert rows["report_rows"] > 0
    for spider in SPIDERS:
        crawls.crawl(ROWS[spider], [user])
    assert (difference(counted(crawls), before), rows_of(crawls)) == ((0, 0, 0), rows)

    assert crawls.admin.sign_out(user) > 0
    ended = crawls.crawl(replace(ROWS[INVOICE], arguments=("again=yes",)), [user])[user]
    assert ended.outcome == "success"
    assert difference(counted(crawls), before) == (1, 0, 1)


def test_where_pages_name_no_user_each_spider_signs_in_anew_and_the_browser_stays_trusted(crawls):
    """A stored session that shows nothing is not used, and what is kept of the trusted browser is no session either."""
    user, before = "ok+perturb-7-unnamed@example.com", counted(crawls)
    for spider in (USAGE, INVOICE):
        ended = crawls.crawl(ROWS[spider], [user])[user]
        assert (ended.outcome, ended.files) == ("success", 1), (spider, ended)
    assert difference(counted(crawls), before) == (2, 1, 2)


def test_a_user_name_that_is_refused_ends_the_sign_in_before_the_password(crawls):
    """The portal refuses it on its first page: the password is never typed, and nothing is tried again."""
    asked = [entry["path"] for entry in crawls.admin.journal()].count("/premiercare/password")
    ended = crawl(crawls, INVOICE, ["user-refused"])["user-refused"]
    assert (ended.outcome, ended.files) == ("bad_credentials", 0), ended
    assert "isn't right" in ended.where
    assert crawl(crawls, INVOICE, ["user-refused"])["user-refused"].outcome == "credential_blocked"
    assert user_of(INVOICE, "user-refused") not in crawls.admin.counters()["submissions"]
    assert [entry["path"] for entry in crawls.admin.journal()].count("/premiercare/password") == asked


def test_an_invoice_is_compared_with_the_list_of_bills(crawls):
    crawl(crawls, INVOICE, ["ok+same", "total-differs+same"])
    query = """SELECT differences.compared, differences.stated_by FROM differences
        JOIN billing_cycles ON billing_cycles.id = differences.billing_cycle_id
        JOIN accounts ON accounts.id = billing_cycles.account_id WHERE accounts.number = ?"""
    found = {
        name: {tuple(row) for row in crawls.rows(query, att_accounts(user_of(INVOICE, name))[0])}
        for name in ("ok+same", "total-differs+same")
    }
    assert found == {"ok+same": set(), "total-differs+same": {("total", "portal"), ("sum_of_lines", "lines")}}


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
    "user-refused": "bad_credentials",
    "user-locked": "account_locked",
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
    "total-differs": "success",
    "invoice-french": "success",
    "not-published": ("success", "not_yet_published", "not_yet_published"),
    "truncated-file": "bad_file",
    "empty-file": "bad_file",
    "html-instead-of-pdf": "bad_file",
    "html-instead-of-csv": "bad_file",
    "wrong-type": "bad_file",
    "unsafe-zip": "bad_file",
    "slow-download": "success",
    "download-swallowed": "success",
    "renamed-file": "success",
    "older-labels": "success",
    "rate-limited": "success",
    "rate-limited-bare": "success",
    "maintenance": "sign_in_timed_out",
    "cookie-banner": "success",
    "promo-overlay": "success",
    "overlay-late": "success",
    "feedback-overlay": "success",
    "policy-page": "success",
    "unknown-page": "portal_changed",
    "layout-b": "success",
}
MONTHS_AT_FAULT = ("month-filter-fails", "wrong-month", "not-published", "month-missing", "purged")
# Months before the newest one, and how the runs of the spiders that take a cycle end.
FORMER_MONTHS = {
    ("ok", 1): "success",
    ("month-missing", 1): "not_yet_published",
    ("month-missing", 2): "success",
    ("purged", 2): "success",
    ("purged", 3): "no_longer_available",
}
# Reports that the portal does not have, or does not open: the outcome, and how many other ones are stored.
WITHOUT_A_REPORT = {
    (USAGE, "ok+missing-daily-usage"): ("not_listed", 0),
    (USAGE, "ok+fails-daily-usage"): ("portal_changed", 0),
    **{
        (REPORTS, f"ok+{what}-{slug.replace('_', '-')}"): (outcome, len(PLACES) - 1)
        for what, outcome in (("missing", "not_listed"), ("fails", "portal_changed"))
        for slug in PLACES
    },
}
# What ends before a report is opened, in the login that the spiders share: tried with one of them.
OF_SIGN_IN = {
    *("code-direct", "code-late", "code-never", "code-refused", "mfa-pending", "two-mails", "no-mail", "mail-html"),
    *(
        "wrong-sender",
        "totp",
        "user-refused",
        "user-locked",
        "wrong-password",
        "locked",
        "captcha",
        "submit-503",
        "submit-hang",
    ),
    *("submit-drop", "session-cookie", "maintenance", "cookie-banner", "policy-page", "unknown-page"),
}
SAMPLE = ("multi", "filter-fails+multi", "other-customer", "layout-b")  # of the normal run


def stored(spider: str, scenario: str, outcome: str) -> int:
    """Return how many files a run stores: all or none; the inventory, which has no month, where the month alone is at fault."""
    if outcome == "success":
        return FILES[spider]
    return int(spider == REPORTS and scenario.partition("+")[0] in MONTHS_AT_FAULT)


def check(crawls: Perturbed, spider: str, scenarios: Sequence[str]) -> None:
    """Each scenario has its own outcome and its number of stored files."""
    expected = {each: OUTCOMES[each] for each in scenarios}
    wanted = {name: one if isinstance(one, str) else one[SPIDERS.index(spider)] for name, one in expected.items()}
    ended = crawl(crawls, spider, scenarios, timeout=850)
    said = {name: (run.outcome, run.files) for name, run in ended.items()}
    assert said == {name: (one, stored(spider, name, one)) for name, one in wanted.items()}, ended


@pytest.mark.parametrize("spider", first_alone(SPIDERS))
def test_a_sample_of_scenarios_ends_as_it_should(crawls, spider):
    check(crawls, spider, SAMPLE)


@pytest.mark.matrix
@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("spider", "scenarios"),
    in_turn(
        SPIDERS,
        # Those of the sample are stored already.
        lambda spider: [
            name for name in OUTCOMES if name not in SAMPLE and (spider == USAGE or name not in OF_SIGN_IN)
        ],
        lambda name: isinstance(OUTCOMES[name], str) and name not in MONTHS_AT_FAULT,
        elsewhere=elsewhere,
    ),
)
def test_every_scenario_ends_as_it_should(crawls, spider, scenarios):
    check(crawls, spider, scenarios)


def test_every_scenario_of_the_portal_has_its_outcome():
    exercised = {word for scenario in OUTCOMES for word in scenario.split("+")}
    # What contaminates is tried at one of the carriers that share it.
    exercised |= {word for case in CASES for word in case.scenario.split("+")}
    assert set(SCENARIOS) - exercised == {scenario for scenario, _ in FORMER_MONTHS} - {"ok"}


@pytest.mark.matrix
@pytest.mark.timeout(900)
@pytest.mark.parametrize("ago", sorted({ago for _, ago in FORMER_MONTHS}))
@pytest.mark.parametrize("spider", [INVOICE, REPORTS])
def test_a_former_month_is_brought_or_has_its_outcome(crawls, spider, ago):
    month = published_months(datetime.now(AttState.zone).date())[ago]
    wanted = {f"{scenario}+{ago}": outcome for (scenario, each), outcome in FORMER_MONTHS.items() if each == ago}
    ended = crawl(crawls, spider, tuple(wanted), f"cycle={month.year}-{month.number:02}")
    said = {name: (run.outcome, run.files) for name, run in ended.items()}
    assert said == {name: (one, stored(spider, name, one)) for name, one in wanted.items()}, ended


@pytest.mark.matrix
@pytest.mark.timeout(900)
@pytest.mark.parametrize("spider", [USAGE, REPORTS])
def test_a_report_that_is_not_there_costs_no_other(crawls, spider):
    wanted = {scenario: end for (each, scenario), end in WITHOUT_A_REPORT.items() if each == spider}
    ended = crawl(crawls, spider, tuple(wanted))
    assert {name: (run.outcome, run.files) for name, run in ended.items()} == wanted, ended
