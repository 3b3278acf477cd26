"""Whose session, account and month it is: nothing is stored from another's."""

from __future__ import annotations

import json

import pytest

from database.access.sessions import Sessions
from database.models import StoredSession
from middlewares.access.identity import BY_SIGN_IN

NOTHING = {"files": 0, "records": 0, "in the store": 0}


def outcomes_of(crawls):
    return {row["username"]: row["outcome"] for row in crawls.rows("SELECT username, outcome FROM runs")}


def plant(crawls, victim, thief):
    """Put the session of *thief* into the store under *victim*'s user name, as a mix-up would."""
    with crawls.db.transaction() as session:
        row = session.query(StoredSession).filter_by(username=thief).one()
        login, state, agent = row.login, json.loads(row.state), row.user_agent
    Sessions(crawls.db).save(login, victim, state, agent, victim)


def test_the_session_of_another_customer_is_destroyed_and_nothing_is_stored_from_it(crawls, plain):
    victim, thief = "ok+victim@example.com", "ok+thief@example.com"
    for user in (victim, thief):
        crawls.give("plain", user)
    assert crawls.run("plain_documents", f"credential={thief}").returncode == 0
    before = crawls.stored()
    plant(crawls, victim, thief)

    done = crawls.run("plain_files", f"credential={victim}")

    assert done.returncode == 4, done.stderr
    assert outcomes_of(crawls)[victim] == "identity_mismatch"
    assert crawls.stored() == before
    assert plain.counters()["submissions"] == {thief: 1}
    assert crawls.value("SELECT state FROM sessions WHERE username = ?", victim) is None
    assert crawls.value("SELECT state FROM sessions WHERE username = ?", thief) is not None
    # Nothing of it is left: the next run signs in by itself.
    assert crawls.run("plain_documents", f"credential={victim}").returncode == 0
    assert plain.counters()["submissions"] == {thief: 1, victim: 1}


def test_what_a_portal_shows_of_another_account_customer_or_month_is_not_stored(crawls, plain):
    """Six users in one crawl; for each of them the portal goes wrong in another way."""
    wanted = {
        "other-customer@example.com": "identity_mismatch",
        "wrong-account@example.com": "wrong_account",
        "account-missing@example.com": "wrong_account",
        "not-published@example.com": "not_yet_published",
        "month-missing@example.com": "not_yet_published",
        "purged@example.com": "no_longer_available",
    }
    for user in wanted:
        crawls.give("plain", user)
    plain.configure(documents=100)

    done = crawls.run("plain_month", f"credential={','.join(wanted)}", "month=2020-02")

    assert done.returncode == 5, done.stderr
    assert outcomes_of(crawls) == wanted
    assert crawls.stored() == NOTHING


@pytest.mark.matrix
@pytest.mark.browser
def test_bell_a_foreign_session_and_another_account_store_nothing(crawls, bell):
    """In one crawl: another customer's session, a portal that opens another account, one that lacks ours."""
    victim, thief = "ok+victim@example.com", "ok+thief@example.com"
    wanted = {
        victim: "identity_mismatch",
        "wrong-account+multi@example.com": "wrong_account",
        "account-missing+multi@example.com": "wrong_account",
    }
    thiefs = crawls.give_bell(thief)
    assert crawls.run("bell_pdf_invoice", f"account={thiefs[0]}").returncode == 0
    numbers = [crawls.give_bell(user)[0] for user in wanted]
    plant(crawls, victim, thief)

    done = crawls.run("bell_pdf_invoice", f"account={','.join(numbers)}", LATCHKEY_BROWSER_PAGES="3")

    assert done.returncode == 5, done.stderr
    assert {user: code for user, code in outcomes_of(crawls).items() if user != thief} == wanted
    assert (
        crawls.value(
            "SELECT count(*) FROM files WHERE account_id <> (SELECT id FROM accounts WHERE number = ?)", thiefs[0]
        )
        == 0
    )
    assert crawls.stored()["files"] == crawls.stored()["in the store"] == 1
    assert victim not in bell.counters()["submissions"]
    assert crawls.value("SELECT state FROM sessions WHERE username = ?", victim) is None


def test_where_the_portal_shows_nothing_only_a_fresh_sign_in_proves_whose_session_it_is(crawls, plain):
    user = "ok+silent@example.com"
    crawls.give("plain", user)

    first = crawls.run("plain_silent")
    assert first.returncode == 0, first.stderr
    # The session is kept, says how it was proved, and is not trusted by the next process.
    assert crawls.value("SELECT identity FROM sessions WHERE state IS NOT NULL") == BY_SIGN_IN
    again = crawls.run("plain_silent", "again=yes")
    assert again.returncode == 0, again.stderr
    assert plain.counters()["submissions"] == {user: 2}

    # Once something was proved of the user, a portal that shows nothing any more has changed.
    Sessions(crawls.db).remember_identity("plain_silent", user, "Ann Birch", frozenset())
    before = crawls.stored()
    crawls.run("plain_silent", "again=yes")
    assert crawls.outcomes == ["success", "success", "identity_unproved"]
    assert [row["proved_by"] for row in crawls.rows("SELECT proved_by FROM runs ORDER BY id")] == [
        *("sign-in", "sign-in"),
        None,
    ]
    assert crawls.stored() == before
    assert crawls.value("SELECT count(*) FROM sessions WHERE state IS NOT NULL") == 0
    assert plain.counters()["submissions"] == {user: 2}


# Letting go


@pytest.mark.matrix
def test_a_login_that_keeps_no_session_signs_out_at_the_end(crawls, plain):
    crawls.give("plain", "ok+leaves@example.com")

    assert [crawls.run("plain_leaving").returncode for _ in range(2)] == [0, 0]

    assert plain.counters()["sign_ins"] == 2
    assert crawls.value("SELECT count(*) FROM sessions WHERE state IS NOT NULL") == 0
    assert [entry["path"] for entry in plain.journal()].count("/logout") == 2


@pytest.mark.matrix
@pytest.mark.browser
def test_a_browser_login_that_keeps_no_session_signs_out_at_the_end(crawls, bell):
    crawls.give("bell", "ok+leaves@example.com")

    done = crawls.run("plain_bell_leaving")

    assert done.returncode == 0, done.stderr
    assert crawls.rows("SELECT warnings FROM runs")[0]["warnings"] == "[]"
    assert crawls.value("SELECT count(*) FROM sessions WHERE state IS NOT NULL") == 0
    assert any(entry["path"].endswith("act/log-out") for entry in bell.journal())
