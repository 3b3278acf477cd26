"""The monthly reports of Bell's Enterprise Centre: four workbooks, asked for once and collected from the notifications."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from sandbox import PASSWORD, mailbox, totp_secret
from sandbox.bell import accounts as bell_accounts
from scrapers.core.outcomes import OUTCOMES
from tests.crawl.test_kills import Killing
from tests.crawl.test_scenarios import check_bundles, check_run, user_of
from tests.portals.reports import EAST, store_reports
from tests.portals.scenarios import elsewhere
from tests.project import wait_for
from tests.turns import in_turn

SPIDER = "bell_monthly_reports"
# Shorter than by default, and still long enough on a machine that is busy with something else.
WAITS = {
    "LATCHKEY_BROWSER_PAGES": "3",
    "LATCHKEY_CODE_WAIT": "20",
    "LATCHKEY_PAGE_WAIT": "25",
    "LATCHKEY_REPORT_WAIT": "20",
    "LATCHKEY_SIGN_IN_WAIT": "90",
}

# How a scenario ends; where some of the four come all the same, also how many.
OUTCOMES_OF: dict[str, str | tuple[str, int]] = {
    "ok": "success",
    "totp": "success",  # whatever else the user has: the code comes by mail
    "code-late": "success",
    "mail-html": "success",
    "mail-french": "success",
    "wrong-sender": "success",
    "focus-stolen": "success",
    "code-never": "code_not_received",
    "code-refused": "mfa_failed",
    "wrong-password": "bad_credentials",
    "locked": "account_locked",
    "captcha": "captcha_shown",
    "submit-503": "sign_in_timed_out",
    "submit-hang": "sign_in_timed_out",
    "submit-drop": "sign_in_timed_out",
    "multi-12": "success",
    "session-cookie": "success",
    "signed-out-midway": "success",
    "session-lost-tab": "success",
    "other-customer": "identity_mismatch",
    "wrong-account": "wrong_account",
    "account-missing": "wrong_account",
    "wrong-account-file": "wrong_account",
    "wrong-month": "portal_changed",
    "not-published": "not_yet_published",
    "purged": "success",  # the newest month is still there
    "month-missing": "success",  # and so it is here
    "auto-apply": "success",
    "slow-report": "report_not_ready",
    "stale-notifications": "success",
    "ok+card-missing-usage-overview": ("portal_changed", 3),
    "ok+fails-cost-overview": ("portal_changed", 3),
    "ok+export-fails-cost-overview": ("report_failed", 3),
    "ok+report-fails-invoice-charge-report": ("report_failed", 3),
    "truncated-file": "bad_file",
    "empty-file": "bad_file",
    "html-instead-of-xlsx": "bad_file",
    "wrong-type": "bad_file",
    "slow-download": "success",
    "download-swallowed": "success",
    "rate-limited": "success",
    "rate-limited-bare": "success",
    "maintenance": "sign_in_timed_out",
    "cookie-banner": "success",
    "promo-overlay": "success",
    "overlay-late": "success",
    "policy-page": "success",
    "unknown-page": "portal_changed",
    "layout-b": "success",
    "lang-fr": "success",
    "wrong-password+lang-fr": "bad_credentials",
}
SAMPLE = ("wrong-account",)


def give(crawls, scenario: str) -> str:
    """Store the scenario's user with the password that is right for all others; return the account."""
    user = user_of(scenario)
    account = crawls.give_bell(
        user, PASSWORD, bell_accounts(user)[:1], totp_secret(user) if scenario == "totp" else None
    )
    crawls.change(user, receiver=mailbox(user))
    return account[0]


@pytest.fixture
def mail(bell, webhook) -> None:
    bell.configure(mail_url=f"{webhook}/mail")


def crawl(crawls, names: tuple[str, ...], timeout: float) -> None:
    """Run scenarios in one crawl, a job each: every job has its own session, outcome and bundle."""
    scenarios = {give(crawls, name): name for name in names}
    expected = {name: as_told if isinstance(as_told := OUTCOMES_OF[name], tuple) else (as_told, 0) for name in names}
    in_full = [name for name, (_, files) in expected.items() if name == "ok" or files]
    store_all_but_one(crawls, [account for account, name in scenarios.items() if name not in in_full])

    done = crawls.run(SPIDER, "account=all", timeout=timeout, **WAITS)

    runs = {scenarios[run["target"].split()[0]]: run for run in crawls.rows("SELECT * FROM runs")}
    seen = {name: run["outcome"] for name, run in runs.items()}
    assert seen == {name: code for name, (code, _) in expected.items()}, (odd(runs, expected), done.stderr)
    for name, run in runs.items():
        code, files = expected[name]
        check_run(crawls, run, code, files)
        if code == "success":
            assert (run["files"], run["missing"]) == (4 if name in in_full else 1, 0)
    check_bundles(crawls)
    assert done.returncode == max(OUTCOMES[code].exit_code for code, _ in expected.values())
    assert "Traceback" not in done.stderr


def odd(runs, expected) -> str:
    """Return what is told of the runs that did not end as expected."""
    told = [(name, dict(run)) for name, run in runs.items() if run["outcome"] != expected[name][0]]
    return "\n".join(
        f"{name}: {run['outcome']}, {run['step']}, {run['selector']}, {run['message']}" for name, run in told
    )


@pytest.mark.matrix
@pytest.mark.browser
@pytest.mark.timeout(1500)
@pytest.mark.parametrize(
    ("spider", "names"),
    in_turn((SPIDER,), lambda spider: list(OUTCOMES_OF), lambda name: False, at_once=30, elsewhere=elsewhere),
)
def test_every_scenario_ends_as_it_should(crawls, bell, mail, spider, names):
    crawl(crawls, tuple(names), 1400)


@pytest.mark.browser
def test_a_sample_of_the_scenarios_ends_as_it_should(crawls, bell, mail):
    crawl(crawls, SAMPLE, 100)


# Lists of notifications that other runs have left, with the month that is asked for as MONTH and the account as OWN.
OWN, MONTH, OTHER, BEFORE, YEAR_AGO = "own", "month", "500000007", "month before", "year before"
ENTRY = {"report": "cost_overview", "account": OWN, "month": MONTH, "age": 60}
LISTS: dict[str, list[dict[str, object]]] = {
    "empty": [],
    "another account": [ENTRY | {"account": OTHER, "age": 2}],
    "another month": [ENTRY | {"month": BEFORE, "age": 2}, ENTRY | {"month": YEAR_AGO, "age": 2}],
    "another report": [ENTRY | {"report": slug, "age": 2} for slug in ("usage_overview", "invoice_charge_report")],
    "too old": [ENTRY | {"age": 3 * 3600}, ENTRY | {"age": 9 * 86_400}],
    "twice the same": [ENTRY, ENTRY | {"age": 300}],
    "just before": [ENTRY | {"age": 1}],
    "all accounts": [ENTRY | {"account": "All", "age": 2}],
    "a failed one": [ENTRY | {"failed": True, "age": 2}],
    "a longer number": [ENTRY | {"account": f"{OWN}1", "age": 2}, ENTRY | {"account": f"9{OWN}", "age": 2}],
    "dozens": [ENTRY | {"age": 30 * number, "account": OWN if number % 3 else OTHER} for number in range(1, 40)],
    "all of it": [
        ENTRY | {"age": 1},
        ENTRY | {"account": OTHER},
        ENTRY | {"month": BEFORE},
        ENTRY | {"report": "usage_overview"},
        ENTRY | {"age": 44 * 60},
        ENTRY | {"age": 50 * 60},
    ],
}


def planted(entry: dict[str, object], user: str, account: str) -> dict[str, object]:
    """Return an entry for the portal's configuration."""
    today = datetime.now(EAST).date()
    newest = (today.replace(day=1) - timedelta(days=1)).replace(day=1)
    months = {MONTH: newest, BEFORE: newest - timedelta(days=1), YEAR_AGO: newest.replace(year=newest.year - 1)}
    return entry | {
        "user": user,
        "account": str(entry["account"]).replace(OWN, account),
        "month": f"{months[str(entry['month'])]:%b %Y}",
    }


def store_all_but_one(crawls, accounts) -> None:
    """Let three of the reports be stored already, so that only the cost overview is fetched."""
    store_reports(crawls.db, SPIDER, accounts, ("usage_overview", "enhanced_user_profile", "invoice_charge_report"))


def crawl_lists(crawls, bell, slow: bool, names: tuple[str, ...]) -> None:
    """Plant a list for a user of its own each; *slow*: our own report does not come in time."""
    users = {name: f"{'slow-report' if slow else 'ok'}+no-code+list-{n}@example.com" for n, name in enumerate(names)}
    accounts = {name: crawls.give_bell(user)[0] for name, user in users.items()}
    store_all_but_one(crawls, accounts.values())
    bell.configure(
        notifications=[planted(entry, users[name], accounts[name]) for name in names for entry in LISTS[name]]
    )

    done = crawls.run(SPIDER, "account=all", timeout=500, **WAITS)

    outcomes = {row["target"].split()[0]: row["outcome"] for row in crawls.rows("SELECT * FROM runs")}
    expected = "report_not_ready" if slow else "success"
    assert {name: outcomes[account] for name, account in accounts.items()} == dict.fromkeys(names, expected), (
        done.stderr
    )
    bell_says = bell.counters()
    assert bell_says["exports_asked"] == len(names)
    assert bell_says["downloads"] == bell_says["dismissals"] == (0 if slow else len(names))
    told = bell.ask("exports")
    gone = {user: told[user]["dismissed"] for user in users.values()}
    assert gone == {user: [] if slow else told[user]["asked"] for user in users.values()}  # ours, and nobody else's
    rows = crawls.rows(
        "SELECT DISTINCT a.number, r.account_number, r.period FROM report_rows r "
        "JOIN billing_cycles c ON c.id = r.billing_cycle_id JOIN accounts a ON a.id = c.account_id"
    )
    assert {row["number"] for row in rows} == (set() if slow else set(accounts.values()))
    assert all(row["number"] == row["account_number"] for row in rows)
    assert len({row["period"] for row in rows}) == len(rows[:1])


@pytest.mark.matrix
@pytest.mark.browser
@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    "slow",
    [pytest.param(False, id="ours comes"), pytest.param(True, id="ours does not come", marks=pytest.mark.figures)],
)
def test_of_many_notifications_ours_is_taken_or_none(crawls, bell, slow):
    crawl_lists(crawls, bell, slow, tuple(LISTS))


@pytest.mark.matrix
@pytest.mark.browser
def test_of_many_notifications_ours_is_taken(crawls, bell):
    crawl_lists(crawls, bell, False, ("all of it",))


# A dead run's lease would outlive all waiting.
KILLED = {"LATCHKEY_LEASE_SECONDS": "90", "LATCHKEY_BUSY_WAIT": "5"}


def killing(crawls, bell) -> Killing:
    """Prepare a user who owes no code, and see what a run does that nobody disturbs."""
    bell.configure(report_seconds=2)
    crawls.give_bell("ok+no-code+kills@example.com")
    return Killing(crawls, bell, SPIDER, KILLED)


@pytest.mark.matrix
@pytest.mark.browser
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("count", [2, pytest.param(10, marks=pytest.mark.figures)])
def test_the_workbooks_are_the_same_after_a_kill_at_any_instant(crawls, bell, count):
    killing(crawls, bell).at_instants(count)


MOMENTS = {
    "noted": lambda here: here.crawls.rows("SELECT 1 FROM notes WHERE name LIKE 'asked %'"),  # the click comes next
    "asked": lambda here: here.counters["exports_asked"] == 2,
    "waiting": lambda here: here.counters["exports_asked"] == 4,
    "collected": lambda here: here.counters.get("files", {}).get("cost_overview") == 1,
    "dismissed": lambda here: here.counters["dismissals"] == 1,
}
AMONG = ("noted", "asked", "waiting", "dismissed")  # moments between others


@pytest.mark.matrix
@pytest.mark.browser
@pytest.mark.timeout(400)
@pytest.mark.parametrize(
    "moment", [pytest.param(each, marks=pytest.mark.figures if each in AMONG else ()) for each in MOMENTS]
)
def test_a_killed_run_s_exports_are_collected_and_not_asked_for_again(crawls, bell, moment):
    here = killing(crawls, bell)
    assert here.counted["exports_asked"] == here.counted["dismissals"] == 4
    wrong = here.kill(lambda began: MOMENTS[moment](here))
    assert not wrong, "\n".join(wrong)


@pytest.mark.matrix
@pytest.mark.browser
def test_what_a_killed_run_has_asked_for_is_collected_by_the_next(crawls, bell):
    """And a run after that finds everything stored: it does not visit the portal."""
    (account,) = crawls.give_bell("ok+no-code+kills@example.com")
    store_all_but_one(crawls, [account])
    killed = crawls.start(SPIDER, **KILLED)
    wait_for(lambda: crawls.rows("SELECT 1 FROM notes WHERE value LIKE '%\"heard\": true%'"))
    killed.kill()
    killed.communicate()
    assert crawls.run(SPIDER, **KILLED).returncode == 0
    seen = bell.counters()
    assert (seen["exports_of"], seen["dismissals"]) == ({"cost_overview": 1}, 1)
    assert crawls.value("SELECT count(*) FROM files WHERE status = 'ready'") == 4
    assert crawls.value("SELECT count(*) FROM report_rows WHERE account_number = ?", account) == 40
    assert crawls.run(SPIDER).returncode == 0
    assert bell.counters()["requests"] == seen["requests"]
