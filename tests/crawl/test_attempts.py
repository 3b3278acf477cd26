"""Wrong passwords and unheard answers: one ledger row, one submission, as the portal counts them."""

from __future__ import annotations

import os
import signal
import subprocess

import pytest

from database.access.ledger import UNANSWERED, Ledger
from sandbox import NEW_PASSWORD, default_password
from tests.project import wait_for

sizes = pytest.mark.parametrize("runs", [2, pytest.param(20, marks=[pytest.mark.matrix, pytest.mark.timeout(600)])])
crowds = pytest.mark.parametrize("crowd", [2, pytest.param(16, marks=[pytest.mark.matrix, pytest.mark.timeout(600)])])


def attempts(crawls, username):
    rows = crawls.rows("SELECT result FROM attempts WHERE username = ? ORDER BY id", username)
    return [row["result"] for row in rows]


@sizes
def test_runs_one_after_another_try_a_wrong_password_once(crawls, plain, runs):
    user = "wrong-password+in-turn@example.com"
    crawls.give("plain", user, "a-wrong-one")

    codes = [crawls.run("plain_documents").returncode for _ in range(runs)]

    assert codes == [5] * runs
    assert crawls.outcomes == ["bad_credentials"] + ["credential_blocked"] * (runs - 1)
    assert plain.counters()["submissions"] == {user: 1}
    assert attempts(crawls, user) == ["bad_credentials"]
    crawls.change(user, password=NEW_PASSWORD)
    after = crawls.run("plain_documents")
    assert after.returncode == 0, after.stderr
    assert plain.counters()["submissions"] == {user: 2}


@crowds
def test_runs_at_once_try_a_wrong_password_once(crawls, plain, crowd):
    user = "wrong-password+at-once@example.com"
    crawls.give("plain", user, "a-wrong-one")

    processes = [crawls.start("plain_documents") for _ in range(crowd)]
    codes = [process.wait(300) for process in processes]

    assert codes == [5] * crowd
    assert sorted(crawls.outcomes) == ["bad_credentials"] + ["credential_blocked"] * (crowd - 1)
    assert plain.counters()["submissions"] == {user: 1}
    assert attempts(crawls, user) == ["bad_credentials"]


@pytest.mark.matrix
def test_a_password_without_an_answer_is_submitted_once_more_and_then_never(crawls, plain):
    """503, silence and a broken connection just after the password was sent."""
    users = [f"{trouble}@example.com" for trouble in ("submit-503", "submit-drop", "submit-hang")]
    for user in users:
        crawls.give("plain", user)

    for run in (1, 2, 3):
        crawls.run("plain_documents", f"credential={','.join(users)}", LATCHKEY_SIGN_IN_WAIT="3")
        if run == 1:
            # The portal may have sent a code: the message of one sign-in must not be read by the next.
            resting = crawls.rows(
                "SELECT username FROM code_requests WHERE state = 'expired' AND rest_until = deadline"
            )
            assert sorted(row[0] for row in resting) == sorted(users)
            for user in users:
                crawls.change(user, receiver=None)  # nothing to wait for any more
        submissions = plain.counters()["submissions"]
        for user in users:
            assert submissions[user] == len(attempts(crawls, user)) == min(run, 2), user

    for user in users:
        assert attempts(crawls, user) == ["error:unanswered"] * 2
        outcomes = crawls.rows("SELECT outcome FROM runs WHERE username = ? ORDER BY id", user)
        assert [row[0] for row in outcomes] == ["sign_in_timed_out"] * 2 + ["credential_blocked"]


def test_terms_that_wait_prove_the_password_between_two_attempts_without_an_answer(crawls, plain):
    """They are shown once the password is accepted, so the count of attempts without an answer begins anew."""
    user = "captcha+terms@example.com"
    crawls.give("plain", user)
    crawls.change(user, receiver=None)  # no code is asked for, so none is waited for
    ledger = Ledger(crawls.db)

    for _ in range(2):
        ledger.finish(ledger.begin("plain_terms", user, f"{default_password(user)}\n"), UNANSWERED)
        crawls.run("plain_terms")

    assert crawls.outcomes == ["terms_pending"] * 2
    assert plain.counters()["submissions"] == {user: 2}
    assert attempts(crawls, user) == ["error:unanswered", "error:terms_pending"] * 2


@pytest.mark.matrix
@pytest.mark.browser
def test_a_password_typed_in_the_browser_and_not_answered_is_submitted_once(crawls, bell):
    users = [f"{trouble}@example.com" for trouble in ("submit-503", "submit-drop", "submit-hang")]
    for user in users:
        crawls.give_bell(user)

    done = crawls.run("bell_pdf_invoice", LATCHKEY_PAGE_WAIT="4", LATCHKEY_BROWSER_PAGES="3")

    assert done.returncode == 4, done.stderr
    assert crawls.outcomes == ["sign_in_timed_out"] * 3
    assert bell.counters()["submissions"] == dict.fromkeys(users, 1)
    for user in users:
        assert attempts(crawls, user) == ["error:unanswered"]


@pytest.mark.browser
def test_a_browser_killed_after_the_password_was_sent_does_not_send_it_again(crawls, bell):
    user = "submit-hang+killed@example.com"
    crawls.give_bell(user)

    process = crawls.start("bell_pdf_invoice")
    wait_for(lambda: bell.counters()["submissions"].get(user))
    os.kill(browser_of(process.pid), signal.SIGKILL)

    assert process.wait(60) == 4
    assert crawls.outcomes == ["sign_in_timed_out"]
    assert bell.counters()["submissions"] == {user: 1}
    assert attempts(crawls, user) == ["error:unanswered"]


def browser_of(pid: int) -> int:
    """Return the browser's first process among the descendants of a crawl."""
    listed = subprocess.run(["ps", "-wweo", "pid=,ppid=,args="], capture_output=True, text=True, check=True).stdout
    fields = [line.split(None, 2) for line in listed.splitlines()]
    parents = {int(child): int(parent) for child, parent, _ in fields}
    for child, args in sorted((int(child), args) for child, _, args in fields):
        above = child
        while above in parents and above != pid:
            above = parents[above]
        # Debian's program is a shell script around the browser.
        if (
            above == pid
            and "--remote-debugging-pipe" in args
            and not args.startswith("/bin/sh")
            and " --type=" not in args
        ):
            return child
    raise LookupError("the crawl has no browser")
