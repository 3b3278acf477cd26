"""The attempt ledger, on both databases: what may be tried, and who says so."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from database.access.encryption import key_ring
from database.access.ledger import Ledger, Refusal
from database.models import LedgerEntry
from database.processes import signature
from tests.database.crowd import a_process, crowd

LOGIN, USER, SECRET = "bell_self_serve", "ok@example.com", "first-secret"


@pytest.fixture
def ledger(store):
    return Ledger(store)


def attempt(ledger, result, secret=SECRET, login=LOGIN, username=USER, proved=False):
    number = ledger.begin(login, username, secret)
    if result is not None:
        ledger.finish(number, result, proved=proved)
    return number


def refused(ledger, secret=SECRET, login=LOGIN, username=USER):
    """What `check` and `begin` both say."""
    answers = []
    for ask in (ledger.check, ledger.begin):
        with pytest.raises(Refusal) as caught:
            ask(login, username, secret)
        answers.append((caught.value.kind, caught.value.until, str(caught.value)))
    assert answers[0] == answers[1]
    return caught.value


def age(ledger, **by):
    """Let time pass for every row there is."""
    with ledger.db.transaction() as session:
        for row in session.scalars(select(LedgerEntry)):
            row.started_at -= timedelta(**by)
            if row.finished_at is not None:
                row.finished_at -= timedelta(**by)


def a_dead_process() -> int:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_a_good_credential_may_sign_in_until_the_budget_is_spent(ledger):
    for _ in range(6):
        attempt(ledger, "signed_in")
    refusal = refused(ledger)
    assert refusal.kind == "budget"
    assert "LATCHKEY_SIGN_IN_BUDGET" in refusal.reason
    first = ledger.last(limit=10)[-1]
    assert refusal.until == first.started_at + timedelta(hours=24)
    age(ledger, hours=24)
    attempt(ledger, "signed_in")


def test_the_budget_is_of_one_login_and_one_user(ledger):
    ledger.budget = 1
    attempt(ledger, "signed_in")
    assert refused(ledger).kind == "budget"
    assert refused(ledger, secret="another").kind == "budget"
    attempt(ledger, "signed_in", login="bell_enterprise_centre")
    attempt(ledger, "signed_in", username="other@example.com")


def test_what_was_not_submitted_counts_for_nothing(ledger):
    for _ in range(20):
        attempt(ledger, "not_submitted")
    ledger.check(LOGIN, USER, SECRET)


def test_a_refused_password_blocks_until_it_changes(ledger):
    attempt(ledger, "bad_credentials")
    age(ledger, days=400)
    assert refused(ledger).kind == "blocked"
    assert refused(ledger).until is None
    attempt(ledger, "signed_in", secret="second-secret")
    assert refused(ledger).kind == "blocked"  # and the old one never comes back
    attempt(ledger, "signed_in", login="bell_enterprise_centre")


def test_a_refused_password_is_known_under_a_rotated_key_too(ledger, monkeypatch, encryption_key):
    attempt(ledger, "bad_credentials")
    from cryptography.fernet import Fernet

    monkeypatch.setenv("LATCHKEY_ENCRYPTION_KEYS", f"{Fernet.generate_key().decode()},{encryption_key}")
    from database.settings import database_settings

    database_settings.cache_clear()
    key_ring.cache_clear()
    assert refused(ledger).kind == "blocked"


@pytest.mark.parametrize("result", ["account_locked", "captcha_shown"])
def test_a_lock_and_a_captcha_rest_the_user_whatever_the_secret(ledger, result):
    attempt(ledger, result)
    for secret in (SECRET, "second-secret"):
        refusal = refused(ledger, secret=secret)
        assert refusal.kind == "cooling_down"
        assert refusal.until == ledger.last()[0].finished_at + timedelta(hours=12)
        assert f"{refusal.until:%Y-%m-%d %H:%M} UTC" in refusal.reason
    age(ledger, hours=11, minutes=59)
    assert refused(ledger).kind == "cooling_down"
    age(ledger, minutes=1)
    ledger.check(LOGIN, USER, SECRET)


def test_a_person_need_not_wait_for_the_rest_after_a_captcha(ledger):
    """Who is there to answer it; all else that is known of the credential holds."""
    attempt(ledger, "captcha_shown")
    assert refused(ledger).kind == "cooling_down"
    number = ledger.begin(LOGIN, USER, SECRET, by_person=True)
    with pytest.raises(Refusal, match="under way"):
        ledger.begin(LOGIN, USER, SECRET, by_person=True)
    ledger.finish(number, "account_locked")
    with pytest.raises(Refusal, match="locked the user"):
        ledger.begin(LOGIN, USER, SECRET, by_person=True)


def test_a_refused_code_rests_the_credential_until_its_secret_changes(ledger):
    attempt(ledger, "mfa_failed")
    assert refused(ledger).kind == "cooling_down"
    ledger.check(LOGIN, USER, "first-secret and another TOTP secret")
    age(ledger, hours=4)
    ledger.check(LOGIN, USER, SECRET)


def test_the_rests_and_the_budget_are_settings(store, monkeypatch):
    from database.settings import database_settings

    for name, value in (("LOCK_REST_HOURS", "1"), ("MFA_REST_HOURS", "0.5"), ("SIGN_IN_BUDGET", "9")):
        monkeypatch.setenv(f"LATCHKEY_{name}", value)
    database_settings.cache_clear()
    ledger = Ledger(store)
    assert (ledger.lock_rest, ledger.mfa_rest, ledger.budget) == (timedelta(hours=1), timedelta(minutes=30), 9)


@pytest.mark.parametrize("result", ["error:unanswered", "error:sign_in_timed_out"])
def test_one_more_after_an_attempt_without_answer_and_then_no_more(ledger, result):
    attempt(ledger, result)
    attempt(ledger, result)
    age(ledger, days=30)
    assert refused(ledger).kind == "blocked"
    assert "scrapy credentials unblock" in refused(ledger).reason
    assert ledger.unblock([LOGIN], USER) == 1
    attempt(ledger, result)
    attempt(ledger, "signed_in")  # proves the secret: the count begins anew
    attempt(ledger, result)
    ledger.check(LOGIN, USER, SECRET)


def test_an_error_that_says_nothing_of_the_password_does_not_begin_the_count_anew(ledger):
    for result in ("error:unanswered", "error:portal_changed", "error:unanswered"):
        attempt(ledger, result)
    assert refused(ledger).kind == "blocked"


@pytest.mark.parametrize("between", ["mfa_failed", "error:terms_pending", "error:mfa_required", "error:interrupted"])
def test_a_proof_of_the_password_begins_the_count_anew_whatever_its_result(ledger, between):
    ledger.mfa_rest = timedelta()
    attempt(ledger, "error:unanswered")
    attempt(ledger, between, proved=True)
    attempt(ledger, "error:unanswered")
    ledger.check(LOGIN, USER, SECRET)
    attempt(ledger, "error:unanswered")
    assert refused(ledger).kind == "blocked"


def test_a_result_without_a_proof_does_not_begin_the_count_anew(ledger):
    for result in ("error:unanswered", "error:mfa_required", "error:unanswered"):
        attempt(ledger, result)
    assert refused(ledger).kind == "blocked"
    assert [row.proved for row in ledger.last()] == [False] * 3


def test_a_proof_of_one_password_is_none_of_another(ledger):
    attempt(ledger, "error:unanswered")
    attempt(ledger, "signed_in", secret="second-secret")
    attempt(ledger, "error:unanswered")
    assert refused(ledger).kind == "blocked"


def test_a_killed_process_leaves_an_attempt_without_answer(ledger):
    for _ in range(2):
        number = ledger.begin(LOGIN, USER, SECRET)
        with ledger.db.transaction() as session:
            dead = f"{signature().partition('+')[0]}+{a_dead_process()}+1"
            session.execute(update(LedgerEntry).where(LedgerEntry.id == number).values(process=dead))
    assert refused(ledger).kind == "blocked"
    assert [row.result for row in ledger.last()] == ["error:unanswered"] * 2


def test_an_attempt_under_way_is_waited_for(ledger):
    number = attempt(ledger, None)
    refusal = refused(ledger)
    assert refusal.kind == "cooling_down"
    assert refusal.until == ledger.last()[0].started_at + timedelta(minutes=10)
    ledger.finish(number, "signed_in")
    ledger.check(LOGIN, USER, SECRET)


@pytest.mark.parametrize("elsewhere", ["elsewhere.example", "{here}0"], ids=["another name", "a container"])
def test_an_attempt_of_another_machine_is_given_up_after_ten_minutes(ledger, elsewhere):
    """A container may have this machine's name, and another process under the same number."""
    number = attempt(ledger, None)
    machine = elsewhere.format(here=signature().partition("+")[0])
    with ledger.db.transaction() as session:
        session.execute(update(LedgerEntry).values(process=f"{machine}+{a_dead_process()}+1"))
    assert refused(ledger).kind == "cooling_down"
    age(ledger, minutes=10)
    ledger.check(LOGIN, USER, SECRET)
    # Its late answer counts all the same.
    ledger.finish(number, "bad_credentials")
    assert refused(ledger).kind == "blocked"


def test_an_answer_is_given_once(ledger):
    number = attempt(ledger, "bad_credentials")
    with pytest.raises(LookupError, match=f"Attempt {number} is not open"):
        ledger.finish(number, "signed_in")
    with pytest.raises(LookupError):
        ledger.finish(999999, "signed_in")
    with pytest.raises(ValueError, match="result"):
        ledger.finish(number, "went well")


def test_unblock_lifts_all_of_a_portal_and_keeps_the_history(ledger):
    attempt(ledger, "bad_credentials")
    attempt(ledger, "account_locked", login="bell_enterprise_centre")
    attempt(ledger, "bad_credentials", login="bellows")
    attempt(ledger, "bad_credentials", username="other@example.com")
    assert ledger.unblock([LOGIN, "bell_enterprise_centre"], USER) == 2
    ledger.check(LOGIN, USER, SECRET)
    ledger.check("bell_enterprise_centre", USER, SECRET)
    assert refused(ledger, login="bellows").kind == "blocked"
    assert refused(ledger, username="other@example.com").kind == "blocked"
    assert [row.result for row in ledger.last(login=LOGIN, username=USER)] == ["unblocked", "bad_credentials"]
    assert ledger.unblock(["telus"], USER) == 0


def test_unblock_does_not_lift_the_budget(ledger):
    ledger.budget = 2
    attempt(ledger, "bad_credentials")
    ledger.unblock([LOGIN], USER)
    attempt(ledger, "bad_credentials")
    ledger.unblock([LOGIN], USER)
    assert refused(ledger).kind == "budget"


def test_a_row_holds_no_secret_and_no_equal_fingerprints(ledger):
    attempt(ledger, "signed_in")
    attempt(ledger, "signed_in", username="other@example.com")
    rows = ledger.last()
    prints = {row.secret_fingerprint for row in rows}
    assert len(prints) == 2
    assert all(re.fullmatch("[0-9a-f]{64}", one) for one in prints)
    assert not any(SECRET in str(value) for row in rows for value in vars(row).values())


def test_of_sixteen_processes_at_once_one_may_try(store, database_url):
    answers = crowd(
        database_url,
        16,
        """
from database.access.ledger import Ledger, Refusal
ledger = Ledger(db)
try:
    attempt = ledger.begin("bell_self_serve", "ok@example.com", "first-secret")
    ledger.finish(attempt, "bad_credentials")
    print("tried")
except Refusal as refusal:
    print(refusal.kind)
""",
    )
    assert answers.count("tried") == 1
    assert set(answers) <= {"tried", "blocked", "cooling_down"}
    assert [row.result for row in Ledger(store).last()] == ["bad_credentials"]


def test_a_kill_in_mid_attempt_is_seen_at_once(store, database_url):
    ledger = Ledger(store)
    program = """
from database.access.ledger import Ledger
Ledger(db).begin("bell_self_serve", "ok@example.com", "first-secret")
print("begun", flush=True)
sys.stdin.read()
"""
    with a_process(database_url, program) as (process, output):
        assert output.readline() == "begun\n"
        assert refused(ledger).kind == "cooling_down"
        os.kill(process.pid, signal.SIGKILL)
        # Nobody has waited for it yet: a zombie, which still takes signals.
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        ledger.check(LOGIN, USER, SECRET)
    attempt(ledger, "error:unanswered")
    assert refused(ledger).kind == "blocked"
