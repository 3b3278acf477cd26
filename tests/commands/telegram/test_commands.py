"""`scrapy telegram sessions` and `channels`, and what `login` refuses without a terminal."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from sqlalchemy import select

from database.access.leases import Leases, holder
from database.models.base import utc_now
from database.models.prices import User
from database.models.telegram import AccessLevel, Source, TelegramSession


def rows(store):
    with store.transaction() as session:
        found = list(session.scalars(select(TelegramSession).order_by(TelegramSession.created_at)))
        session.expunge_all()
        return found


def test_there_is_no_session_at_first(telegram, store, command):
    said = command("telegram", "sessions")
    assert (said.code, said.out) == (0, "There is no session: `scrapy telegram login` makes one.\n")
    said = command("telegram", "channels")
    assert (said.code, "there is none" in said.err) == (2, True)


def test_sessions_of_all_owners_are_listed_without_their_numbers(stored, store, command):
    with store.transaction() as session:
        session.add(User(id=7, email="ana@example.com", created_at=utc_now()))
    mine, theirs = stored("Ours"), stored("Hers", user_id=7)
    listed = json.loads(command("telegram", "sessions", "--json").out)
    assert [(each["name"], each["owner"], each["state"], each["sources"]) for each in listed] == [
        ("Ours", "installation", "active", 0),
        ("Hers", "ana@example.com", "active", 0),
    ]
    for number, session_id in (mine, theirs):
        for argv in ((), ("--json",), (session_id,), (session_id[:13],)):
            said = command("telegram", "sessions", *argv)
            assert (said.code, number in said.out, number[1:] in said.out) == (0, False, False)
            assert session_id in said.out
    assert [each["name"] for each in json.loads(command("telegram", "sessions", "Hers", "--json").out)] == ["Hers"]


def test_a_test_says_what_has_ended_and_what_works(stored, store, telegram, command):
    (number, ended), (_, works) = stored("One"), stored("Two")
    telegram.end(number, "SESSION_REVOKED")
    said = command("telegram", "sessions", "--test", "--json")
    assert (said.code, ended in said.err, works in said.err) == (1, True, False)
    assert {each["id"]: each["state"] for each in json.loads(said.out)} == {ended: "revoked", works: "active"}
    assert command("telegram", "sessions", "Two", "--test").code == 0


def test_a_session_that_waits_or_is_in_use_is_not_asked(stored, store, telegram, command):
    _, session_id = stored()
    until = utc_now() + timedelta(hours=2)
    with store.transaction() as session:
        session.get_one(TelegramSession, session_id).waits_until = until
    before = len(telegram.methods())
    said = command("telegram", "sessions", "--test")
    assert (said.code, "It ends at " in said.err, f"{until:%Y-%m-%d %H:%M:%S}" in said.out) == (0, True, True)
    said = command("telegram", "channels")
    assert (said.code, "It ends at " in said.err) == (1, True)
    with store.transaction() as session:
        session.get_one(TelegramSession, session_id).waits_until = None
    assert Leases(store).acquire(f"run:telegram:{session_id}", holder("telegram_files-1"), 60)
    said = command("telegram", "channels")
    assert (said.code, "in use by a crawl since" in said.err) == (1, True)
    assert len(telegram.methods()) == before


def test_a_session_is_removed_unless_a_source_uses_it(stored, store, command):
    _, session_id = stored()
    facts = {"access_level": AccessLevel.PRIVATE, "identifier": "1", "channel_id": 1, "channel_title": "One"}
    with store.transaction() as session:
        session.add(Source(id="1", name="One", session_id=session_id, **facts))
    said = command("telegram", "sessions", session_id, "--remove")
    assert (said.code, "1 source uses" in said.err) == (1, True)
    with store.transaction() as session:
        session.delete(session.get_one(Source, "1"))
    assert command("telegram", "sessions", "Main", "--remove").code == 0
    assert rows(store) == []
    for wrong in (("--remove",), ("x", "--remove", "--test"), ("x", "--remove")):
        assert command("telegram", "sessions", *wrong).code == 2


def test_channels_are_listed_with_their_type_and_members(stored, telegram, command):
    stored()
    there = {row["id"]: row for row in telegram.channels().values() if row["joined"]}
    found = json.loads(command("telegram", "channels", "--json").out)
    assert {each["id"]: (each["title"], each["members"], each["private"]) for each in found} == {
        number: (row["title"], row["members"], not row["username"]) for number, row in there.items()
    }
    assert {each["type"] for each in found} == {"channel", "group", "forum"}
    assert [each["saving"] for each in found].count("forbidden") == 1
    before = telegram.methods().count("channels.getFullChannel")
    quick = json.loads(command("telegram", "channels", "Main", "--no-details", "--json").out)
    assert [each["id"] for each in quick] == [each["id"] for each in found]
    assert telegram.methods().count("channels.getFullChannel") == before


def test_a_wait_is_told_with_its_end_and_remembered(stored, store, telegram, command):
    number, _ = stored()
    flood = {"method": "channels.getFullChannel", "seconds": 600, "times": 1, "number": number}
    telegram.admin.configure(floods=[flood])
    said = command("telegram", "channels")
    assert (said.code, "Telegram wants a pause until " in said.err) == (0, True)
    (row,) = rows(store)
    assert timedelta(minutes=9) < row.waits_until - utc_now() <= timedelta(minutes=10)


def test_signing_in_needs_a_terminal(telegram, store, command):
    said = command("telegram", "login", input="+12015550100\n")
    assert (said.code, "needs a terminal" in said.err) == (1, True)
    assert command("telegram", "login", "--name", "x" * 201).code == 2


@pytest.mark.parametrize("argv", [(), ("nothing",), ("login", "--phone", "+12015550100")])
def test_what_is_no_act_or_argument_is_refused(telegram, store, command, argv):
    assert command("telegram", *argv).code == 2
