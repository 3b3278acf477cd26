"""The pages of Telegram without JavaScript: every form, what is wrong beside its field, and who sees what."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import delete

from database.models.telegram import Source, TelegramSession, TelegramState
from tests.webhook.api.conftest import BEN
from tests.webhook.pages.conftest import Visitor, beside, words
from tests.webhook.telegram import People, note_file, note_run
from webhook.api.checking import Checker

APP = {"api_id": "12345", "api_hash": "0123456789abcdef0123456789abcdef"}


@pytest.fixture
def started():
    return []


@pytest.fixture
def ana(make_api, sqlite, telegram_server, monkeypatch, started):
    """Ana, signed in to the pages, with people at the imitation of Telegram."""
    for name, value in telegram_server.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("TELEGRAM_BUSY_WAIT", "0.3")
    telegram_server.admin.reset()
    rates = {"telegram_rate": "100000 per minute", "user_rate": "100000 per minute"}
    api = make_api(checker=Checker(sqlite, 0, start=started.append), erase=lambda store, path: True, **rates)
    visitor = Visitor(api).signed_in()
    visitor.people = People(telegram_server, sqlite)
    visitor.id = visitor.client.get("/me").get_json()["id"]
    yield visitor
    with sqlite.transaction() as session:
        session.execute(delete(Source))
        session.execute(delete(TelegramSession))


def add(ana, channel="@sandbox_reports", **fields):
    """Add a source by the form; return the answer."""
    ana.open("/telegram/sources/new")
    given = {"name": "News", "access": "private", "channel": channel, "target": "LOCAL", **fields}
    return ana.send("/telegram/sources/new", **given)


def source_of(ana):
    return ana.client.get("/sources/").get_json()[-1]


def test_signing_in_by_a_code(ana):
    assert "No session yet." in words(ana.open("/telegram/sessions"))
    ana.open("/telegram/sessions/new")
    wrong = ana.send("/telegram/sessions/new", phone_number="12", api_id="x", api_hash=APP["api_hash"])
    assert wrong.status_code == 422
    assert beside(wrong, "phone_number").startswith("A phone number has its country's code")
    assert APP["api_hash"] not in wrong.text
    number = ana.people.server.number("password")
    code = ana.send("/telegram/sessions/new", phone_number=number, **APP)
    assert words(code).startswith("The code of Telegram Telegram sends a code")
    wrong = ana.send("/telegram/sessions/code", code="00000")
    assert (wrong.status_code, "The code is wrong." in words(wrong)) == (400, True)
    assert 'value="00000"' not in wrong.text
    asked = ana.send("/telegram/sessions/code", code=ana.people.server.code(number))
    assert "the account has a password" in words(asked)
    done = ana.send("/telegram/sessions/code", code="", password="open-sesame", session_name="Main")
    assert words(done).startswith("The session is stored. Main Works Phone number " + number)
    assert "open-sesame" not in done.text
    assert re.search(r"Main</a>\s*<small>\+99966", ana.open("/telegram/sessions").text)


def test_a_session_is_tested_renamed_switched_and_deleted(ana):
    session = ana.people.session(ana.id, "Main")
    page = f"/telegram/sessions/{session}"
    ana.open(page)
    assert "Telegram knows the session: it works." in words(ana.send(f"{page}/test"))
    assert beside(ana.send(f"{page}/name", name=" "), "name") == "Give the session a name."
    assert "Second" in words(ana.send(f"{page}/name", name="Second"))
    assert "switched off" in words(ana.send(f"{page}/off"))
    assert "is used again" in words(ana.send(f"{page}/on"))
    add(ana, session_id=session)
    assert "1 source uses this session" in words(ana.send(f"{page}/delete"))
    ana.send(f"/telegram/sources/{source_of(ana)['id']}/delete")
    ana.open(f"{page}/delete")
    assert "The session is deleted." in words(ana.send(f"{page}/delete"))
    assert ana.open(page).status_code == 404


def test_a_session_string(ana):
    made = ana.people.session(ana.id, "Main")
    with ana.api.db.transaction() as session:
        string = session.get_one(TelegramSession, made).session_string
        session.execute(delete(TelegramSession))
    ana.open("/telegram/sessions/new")
    wrong = ana.send("/telegram/sessions/string", name="Main", session_string="nonsense", **APP)
    assert beside(wrong, "session_string") == "This is no session string of Telethon."
    done = ana.send("/telegram/sessions/string", name="Main", session_string=string, **APP)
    assert "The session is stored." in words(done)
    assert string not in done.text


def test_a_channel_becomes_a_source(ana, started):
    session = ana.people.session(ana.id, "Main")
    ana.open(f"/telegram/sessions/{session}")
    shown = ana.send(f"/telegram/sessions/{session}/channels")
    assert "Weekly Reports @sandbox_reports, public channel" in words(shown)
    assert "Its owner forbids saving" in words(shown)
    (link,) = re.findall(r'href="(/telegram/sources/new\?[^"]*name=Weekly\+Reports)"', shown.text)
    form = ana.open(link.replace("&amp;", "&"))
    assert 'value="Weekly Reports"' in form.text
    fields = {"name": "Weekly", "access": "private", "channel": str(ana.people.id("reports")), "session_id": session}
    wrong = ana.send("/telegram/sources/new", **fields, schedule="61 * * * *", file_types="../x", filter_min_size="much", target="LOCAL")  # fmt: skip
    assert wrong.status_code == 422
    assert "no cron expression" in beside(wrong, "schedule")
    assert "an extension" in beside(wrong, "file_types")
    assert "A size is a number of bytes" in beside(wrong, "filter_min_size")
    more = {"schedule": "0 */6 * * *", "time_zone": "Europe/Zurich", "file_types": "pdf, zip", "filter_min_size": "1 MB", "unpacks": "yes", "target": "LOCAL"}  # fmt: skip
    done = ana.send("/telegram/sources/new", **fields, **more)
    assert words(done).startswith("The source is stored. Weekly")
    source = source_of(ana)
    assert (source["file_types"], source["filters"], source["unpacks"], source["keeps_texts"]) == (
        ["pdf", "zip"],
        {"min_size": 1_000_000},
        True,
        False,
    )
    assert (source["schedule"], source["time_zone"], source["session_id"]) == ("0 */6 * * *", "Europe/Zurich", session)
    assert "Not read yet" in words(ana.open("/telegram/sources"))

    page = f"/telegram/sources/{source['id']}"
    form = ana.open(f"{page}/edit")
    assert 'value="pdf, zip"' in form.text
    assert 'value="1000000"' in form.text
    # What is emptied is cleared; what is not ticked is off.
    kept = {"name": "Renamed", "session_id": session, "target": "S3", "target_path": "bucket", "file_types": "", "schedule": ""}  # fmt: skip
    assert "The source is changed." in words(ana.send(f"{page}/edit", **kept))
    source = source_of(ana)
    assert (source["name"], source["file_types"], source["filters"], source["unpacks"], source["schedule"]) == (
        "Renamed",
        [],
        {},
        False,
        None,
    )
    assert (source["target"], source["target_path"]) == ("S3", "bucket")
    assert beside(ana.send(f"{page}/edit", **{**kept, "name": ""}), "name") == "Give the source a name."
    assert "lead upwards" in beside(ana.send(f"{page}/edit", **{**kept, "target_path": "../x"}), "target_path")

    ana.open(page)
    assert "is paused" in words(ana.send(f"{page}/pause"))
    assert "Paused" in words(ana.open("/telegram/sources"))
    assert "is active again" in words(ana.send(f"{page}/resume"))
    assert "as soon as a worker is free" in words(ana.send(f"{page}/trigger"))
    assert started == ["telegram"]
    assert "waits to be read already" in words(ana.send(f"{page}/trigger"))
    assert "Waits to be read" in words(ana.open(page))
    ana.open(f"{page}/delete")
    assert "its stored files stay" in words(ana.send(f"{page}/delete"))
    assert "No source yet." in words(ana.open("/telegram/sources"))


def test_a_public_channel(ana):
    ana.open("/telegram/sources/new")
    none = add(ana, "@sandbox_open", access="public")
    assert (none.status_code, "No session can be used: add one." in words(none)) == (409, True)
    ana.people.session(None, "House")
    wrong = add(ana, "https://example.com/x", access="public")
    assert beside(wrong, "channel") == "That is no link of Telegram: it begins with https://t.me/."
    token = "123456789:AAEhBOweik6ad9r_QXMENQjcrGbqCr4K-abc"
    done = add(ana, "@sandbox_open", access="public", bot_token=token)
    assert "A bot can neither list channels" in words(done)
    assert "a session of this server" in words(done)
    assert token not in done.text
    form = ana.open(f"/telegram/sources/{source_of(ana)['id']}/edit")
    assert "As it is" in form.text
    assert "House" not in form.text


def test_an_invitation(ana):
    session = ana.people.session(ana.id, "Main")
    link = "https://t.me/+SandboxInvite0001"
    assert "no member" in beside(add(ana, link, session_id=session), "channel")
    assert "By Invitation" in words(add(ana, link, session_id=session, join="yes"))


def test_runs_and_files_of_a_source(ana):
    session = ana.people.session(ana.id, "Main")
    add(ana, session_id=session)
    source = source_of(ana)["id"]
    run = note_run(ana.api.db, source, files=1, message="Everything is stored.")
    for _ in range(31):
        note_file(ana.api.db, source, run, path="News/2026-11/a.pdf", name="<b>Report</b>.pdf")
    note_file(ana.api.db, source, state="skipped", reason="protected")
    shown = ana.open(f"/telegram/sources/{source}")
    assert "Everything is stored." in words(shown)
    assert "<b>Report" not in shown.text
    assert "Page 1 of 2" in words(shown)
    assert "Page 2 of 2" in words(ana.open(f"/telegram/sources/{source}?page=2"))
    skipped = ana.open(f"/telegram/sources/{source}?state=skipped")
    assert "not wanted: saving is forbidden" in words(skipped)
    assert "a.pdf" not in words(skipped)
    assert "empty" in words(ana.open(f"/telegram/sources/{source}?page=9"))
    one = ana.open(f"/telegram/sources/{source}/runs/{run}")
    assert "Claimed, the 1. time." in words(one)
    assert ana.open(f"/telegram/sources/{source}/runs/99999").status_code == 404
    # A failed one says why.
    with ana.api.db.transaction() as found:
        row = found.get_one(Source, source)
        row.outcome, row.message = "flood_wait", "Telegram wants a pause."
    assert "Last run failed Telegram wants a pause." in words(ana.open(f"/telegram/sources/{source}"))


def test_a_session_that_has_ended_is_told(ana):
    session = ana.people.session(ana.id, "Main")
    add(ana, session_id=session)
    source = source_of(ana)["id"]
    with ana.api.db.transaction() as found:
        found.get_one(TelegramSession, session).state = TelegramState.REVOKED
    assert "Ended: sign in again" in words(ana.open("/telegram/sessions"))
    assert "Sign in again" in words(ana.open(f"/telegram/sessions/{session}"))
    ana.open(f"/telegram/sources/{source}")
    refused = ana.send(f"/telegram/sources/{source}/trigger")
    assert (refused.status_code, "Its session was ended: sign in again." in words(refused)) == (409, True)
    refused = ana.send(f"/telegram/sessions/{session}/channels")
    assert refused.status_code == 409


def test_another_user_sees_nothing_of_it(ana):
    session = ana.people.session(ana.id, "Main")
    add(ana, session_id=session)
    source = source_of(ana)["id"]
    run = note_run(ana.api.db, source)
    ben = Visitor(ana.api).signed_in(BEN)
    assert "No session yet." in words(ben.open("/telegram/sessions"))
    assert "No source yet." in words(ben.open("/telegram/sources"))
    before = ana.client.get(f"/sources/{source}").get_json()
    rules = [rule for rule in ana.api.app.url_map.iter_rules() if rule.endpoint.startswith("telegram.")]
    assert len(rules) > 20
    for rule in rules:
        path = rule.rule.replace("<uuid:session_id>", session).replace("<uuid:source_id>", source)
        path = re.sub(r"<int[^>]*>", str(run), path)
        if path != rule.rule:
            for method in rule.methods - {"HEAD", "OPTIONS"}:
                answer = ben.client.open(path, method=method, data={**ben.hidden, "name": "taken"})
                assert answer.status_code == 404, path
    assert ana.client.get(f"/sources/{source}").get_json() == before
