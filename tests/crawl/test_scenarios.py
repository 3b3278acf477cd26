"""Every scenario of the imitations, by its name: how the run ends, and what its evidence bundle says."""

from __future__ import annotations

import json
import stat
import zipfile
from pathlib import Path

import pytest

from sandbox import PASSWORD, totp_secret
from sandbox.bell import accounts as bell_accounts
from sandbox.plain.data import accounts as plain_accounts
from scrapers.core.outcomes import OUTCOMES
from tests.portals.scenarios import elsewhere
from tests.turns import in_turn

LARGEST_BUNDLE = 5_000_000  # bytes
USAGE, INVOICE, REPORTS = "bell_daily_usage", "bell_pdf_invoice", "bell_ereports"
BELL = (USAGE, INVOICE, REPORTS)

# Short waits: what does not come in this time does not come at all in these scenarios.
HASTE = {
    "BELL_HEADER_WAIT": "4",
    "LATCHKEY_BROWSER_PAGES": "3",
    "LATCHKEY_CODE_WAIT": "8",
    "LATCHKEY_PAGE_WAIT": "10",
    "LATCHKEY_REPORT_WAIT": "8",
    "LATCHKEY_SIGN_IN_WAIT": "40",
}

# How a scenario ends at Bell, whichever report is fetched. An outcome, or one for each spider.
BELL_OUTCOMES: dict[str, str | tuple[str, str, str]] = {
    "ok": "success",
    "sms": "success",
    "totp": "success",
    "code-direct": "success",
    "mfa-pending": "success",
    "code-late": "success",
    "code-never": "code_not_received",
    "code-refused": "mfa_failed",
    "wrong-password": "bad_credentials",
    "locked": "account_locked",
    "captcha": "captcha_shown",
    "submit-503": "sign_in_timed_out",
    "submit-hang": "sign_in_timed_out",
    "submit-drop": "sign_in_timed_out",
    "multi": "success",
    "multi-12": "success",
    "global-search": "success",
    "session-storage": "success",
    "session-cookie": "success",
    "signed-out-midway": "success",
    "other-customer": "identity_mismatch",
    "wrong-account": "wrong_account",
    # A report of all accounts may lack one that has nothing in its month.
    "account-missing": ("wrong_account", "wrong_account", "not_listed"),
    "not-published": ("success", "not_yet_published", "not_yet_published"),
    "purged": "success",  # the newest month is still there
    "month-missing": "success",  # and so it is here
    "cache-error": "success",
    "cache-error-always": ("success", "success", "cache_error"),
    "slow-report": ("success", "success", "report_not_ready"),
    "former-reports": "success",
    "truncated-file": "bad_file",
    "empty-file": "bad_file",
    "html-instead-of-pdf": "bad_file",
    "html-instead-of-pdf+mislabelled": "bad_file",
    "wrong-type": "bad_file",
    "unsafe-zip": "bad_file",
    "zip": "success",
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
    "lang-fr+sms": "success",
    "no-pools": "success",
    "no-filter": ("portal_changed", "success", "success"),
}
# What ends before a report is asked for, in the login that these spiders share: tried with one of them.
OF_SIGN_IN = {
    *("sms", "totp", "code-direct", "mfa-pending", "code-late", "code-never", "code-refused", "lang-fr+sms"),
    *("wrong-password", "wrong-password+lang-fr", "locked", "captcha", "submit-503", "submit-hang", "submit-drop"),
    *("session-storage", "session-cookie", "maintenance", "cookie-banner", "policy-page", "unknown-page"),
}


def bell_outcome(scenario: str, spider: str) -> str:
    expected = BELL_OUTCOMES[scenario]
    return expected if isinstance(expected, str) else expected[BELL.index(spider)]


def user_of(scenario: str) -> str:
    """Return the user name that asks for a scenario; `multi-12` is a tag."""
    return f"{'ok+' if scenario == 'multi-12' else ''}{scenario}@example.com"


def give(crawls, portal: str, scenario: str) -> str:
    """Store the scenario's user with the password that is right for all others; return what its run is called."""
    user = user_of(scenario)
    secret = totp_secret(user) if scenario == "totp" else None
    if portal == "plain":
        crawls.give(portal, user, PASSWORD, secret)
        return user
    return crawls.give_bell(user, PASSWORD, bell_accounts(user)[:1], secret)[0]


def check_run(crawls, run, expected: str, files: int = 0) -> None:
    """Compare a run with what is expected; one that failed has one bundle, which names outcome, step and selector."""
    assert run["outcome"] == expected, (run["target"], run["outcome"], run["step"], run["message"], run["warnings"])
    stored = crawls.rows("SELECT * FROM files WHERE run_id = ?", run["id"])
    if expected == "success":
        assert run["bundle"] is None
        assert stored or run["records"]
        return
    assert len(stored) == files
    bundle = Path(run["bundle"])
    assert bundle.stat().st_size <= LARGEST_BUNDLE
    assert stat.S_IMODE(bundle.stat().st_mode) == 0o600
    with zipfile.ZipFile(bundle) as archive:
        story = json.loads(archive.read("run.json"))
    assert story["outcome"] == expected
    assert story["who_must_act"] == OUTCOMES[expected].actor
    assert story["sentence"].startswith(OUTCOMES[expected].sentence)
    assert (story["step"], story["selector"]) == (run["step"], run["selector"])
    assert story["step"], story
    if expected == "portal_changed":
        assert story["selector"], story


def check_bundles(crawls) -> None:
    """Every failed run has one bundle, and there are no others."""
    named = [row["bundle"] for row in crawls.rows("SELECT bundle FROM runs WHERE outcome != 'success'")]
    assert sorted(map(str, (crawls.project.data / "evidence").glob("*"))) == sorted(named)


@pytest.mark.matrix
@pytest.mark.browser
@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("spider", "names"),
    in_turn(
        BELL,
        lambda spider: [name for name in BELL_OUTCOMES if spider == USAGE or name not in OF_SIGN_IN],
        lambda name: isinstance(BELL_OUTCOMES[name], str),
        elsewhere=elsewhere,
    ),
)
def test_every_scenario_of_bell_ends_as_it_should(crawls, bell, webhook, spider, names):
    crawl_bell(crawls, spider, tuple(names))


def crawl_bell(crawls, spider: str, names: tuple[str, ...]) -> None:
    """Run scenarios in one crawl, a job each: every job has its own session, outcome and bundle."""
    scenarios = {give(crawls, "bell", scenario): scenario for scenario in names}

    done = crawls.run(spider, "account=all", timeout=850, **HASTE)

    runs = {scenarios[run["target"].split()[0]]: run for run in crawls.rows("SELECT * FROM runs")}
    expected = {scenario: bell_outcome(scenario, spider) for scenario in names}
    assert {scenario: run["outcome"] for scenario, run in runs.items()} == expected, done.stderr
    for scenario, run in runs.items():
        check_run(crawls, run, expected[scenario])
    check_bundles(crawls)
    assert done.returncode == max(OUTCOMES[outcome].exit_code for outcome in expected.values())
    assert "Traceback" not in done.stderr
    left = [path for path in (crawls.project.data / "spool").rglob("*") if path.is_file()]
    assert left == []  # neither part files nor the browser's profile


# How a scenario ends at the plain portal: for its documents as records, and as files.
PLAIN_OUTCOMES: dict[str, str | tuple[str, str]] = {
    "ok": "success",
    "sms": "success",
    "totp": "success",
    "code-late": "success",
    "code-never": "code_not_received",
    "code-refused": "mfa_failed",
    "wrong-password": "bad_credentials",
    "locked": "account_locked",
    "captcha": "captcha_shown",
    "submit-503": "sign_in_timed_out",
    "submit-hang": "sign_in_timed_out",
    "submit-drop": "sign_in_timed_out",
    "signed-out-midway": "success",
    "other-customer": "identity_mismatch",
    "layout-b": "portal_changed",
    "rate-limited": "success",
    "rate-limited-bare": "success",
    "truncated-file": ("success", "bad_file"),
    "empty-file": ("success", "bad_file"),
    "html-instead-of-pdf": ("success", "bad_file"),
    "html-instead-of-pdf+mislabelled": ("success", "bad_file"),
    "unsafe-zip": "success",  # neither spider asks for the ZIP
}
# What needs an argument, and with it ends so.
PLAIN_ARGUMENTS: dict[str, tuple[str, str, str]] = {
    "wrong-account": ("plain_documents", "account", "wrong_account"),
    "not-published": ("plain_documents", "month", "not_yet_published"),
    "purged": ("plain_files", "month", "no_longer_available"),
    "unsafe-zip": ("plain_big", "path=/bundle.zip", "bad_file"),
}
PLAIN = ("plain_documents", "plain_files")


@pytest.mark.matrix
@pytest.mark.parametrize("spider", PLAIN)
def test_every_scenario_of_the_plain_portal_ends_as_it_should(crawls, plain, webhook, spider):
    plain.configure(documents=3, midway_requests=2)
    expected = {}
    for scenario, outcome in PLAIN_OUTCOMES.items():
        expected[give(crawls, "plain", scenario)] = (
            outcome if isinstance(outcome, str) else outcome[PLAIN.index(spider)]
        )

    done = crawls.run(spider, f"credential={','.join(expected)}", **HASTE | {"LATCHKEY_SIGN_IN_WAIT": "10"})

    runs = crawls.rows("SELECT * FROM runs")
    assert {run["target"]: run["outcome"] for run in runs} == expected, done.stderr
    for run in runs:
        check_run(crawls, run, expected[run["target"]])
    check_bundles(crawls)
    assert done.returncode == max(OUTCOMES[outcome].exit_code for outcome in expected.values())
    assert "Traceback" not in done.stderr


@pytest.mark.matrix
@pytest.mark.parametrize("scenario", PLAIN_ARGUMENTS)
def test_what_is_asked_for_is_not_there(crawls, plain, scenario):
    spider, argument, outcome = PLAIN_ARGUMENTS[scenario]
    user = give(crawls, "plain", scenario)
    given = {"account": f"account={plain_accounts(user)[0]}", "month": "month=2020-01"}.get(argument, argument)

    done = crawls.run(spider, given, fresh=True)

    (run,) = crawls.rows("SELECT * FROM runs")
    check_run(crawls, run, outcome)
    check_bundles(crawls)
    assert done.returncode == OUTCOMES[outcome].exit_code != 0


# One of each kind: a code, a refusal, a lock, a page nobody knows, a bad file, an overlay.
BELL_SAMPLE = ("wrong-password", "unknown-page", "empty-file", "promo-overlay")


@pytest.mark.browser
def test_a_sample_of_bells_scenarios_ends_as_it_should(crawls, bell):
    crawl_bell(crawls, INVOICE, BELL_SAMPLE)


@pytest.mark.matrix
@pytest.mark.browser
@pytest.mark.parametrize(("path", "fault"), [("/ereports/Home", "503"), ("/corporateselfserve/Home", "429")])
def test_a_page_that_fails_once_is_loaded_again(crawls, bell, path, fault):
    """Not taken for the cache error, whose cure is another sign-in."""
    bell.configure(errors=[{"path": f"^{path}", "ordinals": [1], "fault": fault, "retry_after": 1}])
    give(crawls, "bell", "ok")

    done = crawls.run(REPORTS, **HASTE)

    assert done.returncode == 0, done.stderr
    assert bell.counters()["sign_ins"] == 1
    assert [call["status"] for call in bell.journal() if call["path"] == path][:2] == [int(fault), 200]


@pytest.mark.matrix
@pytest.mark.browser
def test_a_page_that_always_fails_ends_as_a_portal_that_is_down(crawls, bell):
    bell.configure(errors=[{"path": "^/ereports/Home", "fault": "503"}])
    give(crawls, "bell", "ok")

    done = crawls.run(REPORTS, **HASTE)

    (run,) = crawls.rows("SELECT * FROM runs")
    check_run(crawls, run, "portal_down")
    assert done.returncode == 3
    assert bell.counters()["sign_ins"] == 1
