"""Stored sessions and proved identities, on both databases."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, text

from database.access.sessions import KnownIdentity, Sessions
from database.engine import now
from database.models import StoredSession
from tests.database.crowd import crowd

LOGIN, USER = "bell_self_serve", "ok@example.com"
STATE = {
    "cookies": [{"name": "sid", "value": "canary-cookie"}],
    "session_storage": {"https://a.example": {"t": "é\x00"}},
}


@pytest.fixture
def sessions(store):
    return Sessions(store)


def save(sessions, state=STATE, **options):
    return sessions.save(LOGIN, USER, state, "Browser/1", "Ann Birch", **options)


def in_an_hour(sessions, hours=1):
    with sessions.db.transaction() as session:
        return now(session) + timedelta(hours=hours)


def test_what_was_saved_is_loaded(sessions):
    assert sessions.load(LOGIN, USER) is None
    expires_at = in_an_hour(sessions)
    version = save(sessions, expires_at=expires_at)
    saved = sessions.load(LOGIN, USER)
    assert (saved.login, saved.username, saved.version) == (LOGIN, USER, version)
    assert (saved.state, saved.user_agent, saved.identity) == (STATE, "Browser/1", "Ann Birch")
    assert saved.expires_at == expires_at
    assert saved.created_at < expires_at
    assert sessions.load("bell_enterprise_centre", USER) is None
    assert sessions.load(LOGIN, "other@example.com") is None


def test_it_shows_nothing_in_its_repr(sessions):
    save(sessions)
    shown = repr(sessions.load(LOGIN, USER))
    with sessions.db.transaction() as session:
        shown += repr(session.scalar(select(StoredSession)))
    assert "canary" not in shown
    assert "Birch" not in shown


def test_versions_only_rise_also_after_a_destruction(sessions):
    first = save(sessions)
    second = save(sessions, state={"n": 2})
    assert sessions.load(LOGIN, USER).state == {"n": 2}
    assert sessions.destroy(LOGIN, USER)
    third = save(sessions)
    assert first < second < third


def test_only_the_named_version_is_destroyed(sessions):
    """A run that found its session dead must not destroy the new one that another has just made."""
    old = save(sessions)
    new = save(sessions, state={"n": 2})
    assert not sessions.destroy(LOGIN, USER, old)
    assert sessions.load(LOGIN, USER).version == new
    assert sessions.destroy(LOGIN, USER, new)
    assert sessions.load(LOGIN, USER) is None
    assert not sessions.destroy(LOGIN, USER)


def test_nothing_is_left_of_a_destroyed_one(sessions):
    save(sessions)
    sessions.destroy(LOGIN, USER)
    with sessions.db.transaction() as session:
        row = session.execute(text("SELECT state, identity, user_agent FROM sessions")).one()
    assert tuple(row) == (None, "", "")


def test_an_expired_one_is_gone(sessions):
    save(sessions, expires_at=in_an_hour(sessions, hours=-1))
    assert sessions.load(LOGIN, USER) is None
    with sessions.db.transaction() as session:
        assert session.execute(text("SELECT state FROM sessions")).scalar_one() is None


def test_refreshed_cookies_are_kept_only_while_the_version_is_current(sessions):
    old = save(sessions)
    assert sessions.touch_state(LOGIN, USER, old, {"n": 1})
    assert (sessions.load(LOGIN, USER).state, sessions.load(LOGIN, USER).version) == ({"n": 1}, old)
    new = save(sessions, state={"n": 2})
    assert not sessions.touch_state(LOGIN, USER, old, {"n": 3})
    assert sessions.load(LOGIN, USER).state == {"n": 2}
    sessions.destroy(LOGIN, USER)
    assert not sessions.touch_state(LOGIN, USER, new, {"n": 4})
    assert sessions.load(LOGIN, USER) is None


def test_identities_add_up(sessions):
    assert sessions.known_identity(LOGIN, USER) == KnownIdentity(None, frozenset())
    sessions.remember_identity(LOGIN, USER, "Ann Birch", frozenset({"1"}))
    sessions.remember_identity(LOGIN, USER, None, frozenset({"2"}))
    assert sessions.known_identity(LOGIN, USER) == KnownIdentity("Ann Birch", frozenset({"1", "2"}))
    assert sessions.known_identity(LOGIN, "other@example.com") == KnownIdentity()


def test_processes_that_save_and_prove_at_once_lose_nothing(store, database_url):
    answers = crowd(
        database_url,
        6,
        """
from database.access.sessions import Sessions
sessions = Sessions(db)
for turn in range(5):
    print(sessions.save("bell", "u", {"n": number}, "", ""))
    sessions.remember_identity("bell", "u", None, frozenset({f"{number}-{turn}"}))
""",
    )
    assert sorted(int(version) for answer in answers for version in answer.split()) == list(range(1, 31))
    assert len(Sessions(store).known_identity("bell", "u").accounts) == 30


def test_a_trusted_device_outlives_its_session_and_is_forgotten_apart(sessions):
    device = {"cookies": [{"name": "device", "value": "canary-device"}]}
    version = save(sessions, device=device)
    assert sessions.destroy(LOGIN, USER, version)
    assert sessions.load(LOGIN, USER) is None
    assert sessions.device(LOGIN, USER) == device
    assert sessions.device(LOGIN, "other@example.com") == {}
    with sessions.db.transaction() as session:
        assert "canary" not in str(session.execute(text("SELECT device FROM sessions")).all())
    sessions.forget_device(LOGIN, USER)
    assert sessions.device(LOGIN, USER) == {}


def test_a_name_under_which_two_users_are_shown_is_known_as_shared(sessions):
    sessions.remember_identity(LOGIN, USER, "My company", frozenset())
    assert not sessions.is_shared_name(LOGIN, USER, "My company")
    sessions.remember_identity(LOGIN, "other@example.com", "My company", frozenset())
    assert sessions.is_shared_name(LOGIN, USER, "My company")
    assert not sessions.is_shared_name("telus", USER, "My company")
