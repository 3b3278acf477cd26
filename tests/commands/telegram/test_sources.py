"""`scrapy telegram sources`, `run`, `runs` and `files`, and a source from its first word to its files."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import select

from database.engine import Database
from database.families.telegram import sessions
from database.models import ScraperJob
from database.models.telegram import Source
from scrapers.portals.telegram.client import SessionKey
from scrapers.portals.telegram.signing import prove
from scrapers.portals.telegram.using import ask
from tests.telegram import API_HASH, API_ID


def one(store):
    with store.transaction() as session:
        found = session.scalars(select(Source)).one()
        session.expunge(found)
        return found


def test_sources_are_added_changed_and_removed(stored, store, command):
    assert "No source yet" in command("telegram", "sources").out
    _, session = stored("Main")
    added = command(
        *("telegram", "sources", "add", "News", "--channel", "t.me/sandbox_reports", "--session", "Main"),
        *("--types", "pdf,.ZIP", "--schedule", "@daily", "--filters", '{"min_size": "1 MB"}', "--unpack"),
    )
    assert added.code == 0, added.err
    source = one(store)
    assert (source.user_id, source.session_id, source.file_types, source.unpacks) == (
        None,
        session,
        ["pdf", "zip"],
        True,
    )
    (listed,) = json.loads(command("telegram", "sources", "--json").out)
    assert (listed["name"], listed["schedule"], listed["channel_title"]) == ("News", "@daily", "Weekly Reports")
    changed = command("telegram", "sources", "change", "News", "--types", "", "--schedule", "", "--rename", "Reports", "--no-unpack", "--json")  # fmt: skip
    told = json.loads(changed.out)
    assert (told["name"], told["file_types"], told["schedule"], told["unpacks"]) == ("Reports", [], None, False)
    assert json.loads(command("telegram", "sources", "pause", "Reports", "--json").out)["is_active"] == "inactive"
    assert json.loads(command("telegram", "sources", "resume", source.id, "--json").out)["is_active"] == "active"
    assert "Weekly Reports" in command("telegram", "sources", "show", "Reports").out
    assert "Job 1" in command("telegram", "run", "Reports").out
    assert "It has not run yet" in command("telegram", "runs", "Reports").out
    assert "There is no file." in command("telegram", "files", "Reports").out
    assert "Its stored files stay." in command("telegram", "sources", "remove", "Reports").out
    with store.transaction() as found:
        assert found.scalars(select(ScraperJob)).one().status == "cancelled"


@pytest.mark.parametrize(
    ("given", "code", "said"),
    [
        (("sources", "add"), 2, "add: name a source."),
        (("sources", "add", "n"), 2, "--channel: name the channel."),
        (("sources", "add", "n", "--channel", "@news"), 2, "--session: a private channel is read with a session"),
        (("sources", "add", "n", "--channel", "@news", "--session", "none"), 1, "There is no such session."),
        (("sources", "add", "n", "--channel", "@news", "--public"), 1, "No session can be used: add one."),
        (("sources", "add", "n", "--channel", "@news", "--public", "--join"), 2, "--join: a public channel"),
        (("sources", "add", "n", "--channel", "x.com/y", "--session", "s"), 2, "--channel: That is no link of Telegram"),
        (("sources", "add", "n", "--channel", "@news", "--session", "s", "--schedule", "x"), 2, "--schedule: 'x' has not"),
        (("sources", "add", "n", "--channel", "@news", "--session", "s", "--filters", "{"), 2, "--filters: that is not"),
        (("sources", "add", "n", "--channel", "@news", "--session", "s", "--filters", '{"a": 1}'), 2, "--filters.a: Extra"),
        (("sources", "show", "nothing"), 2, "There is no source nothing;"),
        (("run", "nothing"), 2, "There is no source nothing;"),
        (("runs", "nothing"), 2, "There is no source nothing;"),
        (("runs", "n", "--limit", "0"), 2, "--limit: it is from 1 to 1000."),
        (("files", "nothing"), 2, "There is no source nothing;"),
    ],
)  # fmt: skip
def test_what_is_refused_is_one_sentence(telegram, store, command, given, code, said):
    done = command("telegram", *given)
    assert (done.code, said in done.err) == (code, True), done.err
    assert "Traceback" not in done.err


def test_a_source_from_its_first_word_to_its_files(signing, server, encryption_key):
    """Added, triggered, done by one worker, listed, deleted with its files."""
    number = server.number()
    db = Database(f"sqlite:///{signing.data / 'latchkey.db'}")
    try:
        proved = ask(prove(SessionKey(API_ID, API_HASH, server.string(number)), server.settings()), server.settings())
        with db.transaction() as session:
            sessions.store(session, proved, "Main", None)
    finally:
        db.engine.dispose()

    def scrapy(*words, timeout=120):
        done = signing.scrapy(*words, timeout=timeout)
        assert done.returncode == 0, done.stderr
        return done.stdout

    scrapy("telegram", "sources", "add", "News", "--channel", "@sandbox_reports", "--session", "Main")
    assert "as soon as a worker is free" in scrapy("telegram", "run", "News")
    scrapy("worker", "--once")
    files = json.loads(scrapy("telegram", "files", "News", "--state", "stored", "--json"))
    truths = server.files("reports")
    assert {each["message_id"] for each in files} == set(truths)
    assert {each["checksum"] for each in files} == {each["sha256"] for each in truths.values()}
    (source,) = json.loads(scrapy("telegram", "sources", "--json"))
    assert (source["status"], source["outcome"], source["total_files_downloaded"]) == (
        "completed",
        "success",
        len(truths),
    )
    (run,) = json.loads(scrapy("telegram", "runs", "News", "--json"))
    assert (run["status"], run["files"]) == ("completed", len(truths))
    assert "success: Everything the portal shows" in scrapy("telegram", "runs", "News", "--logs")
    kept = [path for path in (signing.data / "files").rglob("*") if path.is_file() and ".incoming" not in path.parts]
    assert len(kept) == len({each["storage_path"] for each in files})
    assert f"{len(kept)} files are deleted" in scrapy("telegram", "sources", "remove", "News", "--files")
    assert [path for path in kept if path.exists()] == []
