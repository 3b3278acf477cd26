"""Sources by the API: verified against the imitation of Telegram, changed, scheduled, run, deleted."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from pathlib import Path
from string import Template

import pytest
from scrapy.utils.project import get_project_settings
from sqlalchemy import delete, select

from database.access.leases import Leases
from database.engine import now
from database.jobs import schedules
from database.jobs.claims import claim
from database.models import ScraperJob, StoredFile
from database.models.jobs import Schedule
from database.models.prices import User
from database.models.telegram import Source, TelegramSession, TelegramState
from jobs.clock import Clock
from jobs.planning import Planner, Spiders, Wanted
from jobs.sources import job_of
from pipelines.settings import PipelineSettings
from pipelines.stores import store_of
from tests.project import ROOT
from tests.webhook.api.conftest import ANA, BEN
from tests.webhook.api.test_documentation import curl
from tests.webhook.telegram import People, note_file, note_run
from webhook.api.checking import Checker
from webhook.api.telegram.source_reading import BEHIND
from webhook.api.telegram.telling import BOTS, OF_THE_HOUSE, PROTECTED

INVITATION = "https://t.me/+SandboxInvite0001"
ABSENT = "0b6c3f0e-6f5e-4d3c-9b1a-2f1e0d9c8b7a"
TOKEN = "123456789:AAEhBOweik6ad9r_QXMENQjcrGbqCr4K-abc"
# Every route of sources, with the body that it takes.
ROUTES = [
    ("post", "/sources/private", {"name": "n", "session_id": "s", "channel_id": 1}),
    ("post", "/sources/public", {"name": "n", "channel_username": "@n"}),
    ("get", "/sources/", None),
    ("get", "/sources/{source}", None),
    ("put", "/sources/{source}", {"name": "taken"}),
    ("patch", "/sources/{source}", {"name": "taken"}),
    ("delete", "/sources/{source}", None),
    ("delete", "/sources/{source}?files=true", None),
    ("post", "/sources/{source}/trigger", None),
    ("get", "/sources/{source}/runs", None),
    ("get", "/sources/{source}/logs", None),
    ("get", "/sources/{source}/files", None),
    ("post", "/flows/trigger/source-{source}", None),
    ("get", "/flows/sources/{source}/runs", None),
    ("get", "/flows/runs/{run}", None),
    ("get", "/flows/runs/{run}/logs", None),
    ("get", "/flows/runs/{run}/files", None),
]


@pytest.fixture
def started():
    return []


class Caller:
    """Ana, at the application, with people at the imitation of Telegram."""

    def __init__(self, api, people):
        self.api, self.people, self.db = api, people, api.db
        self.client = api.user(ANA)
        self.id = self.client.get("/me").get_json()["id"]

    def mine(self, **values):
        return self.people.session(self.id, **values)

    def private(self, session, channel, status=201, **body):
        answer = self.client.post(
            "/sources/private", json={"name": "News", "session_id": session, "channel_id": channel, **body}
        )
        assert answer.status_code == status, answer.get_json()
        return answer.get_json()

    def public(self, channel, status=201, **body):
        answer = self.client.post("/sources/public", json={"name": "Open", "channel_username": channel, **body})
        assert answer.status_code == status, answer.get_json()
        return answer.get_json()

    def source(self, session=None, **body):
        return self.private(session or self.mine(), self.people.id("reports"), **body)["id"]

    def get(self, path, status=200):
        answer = self.client.get(path)
        assert answer.status_code == status, answer.get_json()
        return answer.get_json()

    def put(self, source, status=200, **body):
        answer = self.client.put(f"/sources/{source}", json=body)
        assert answer.status_code == status, answer.get_json()
        return answer.get_json()

    def trigger(self, source, status=200):
        answer = self.client.post(f"/sources/{source}/trigger")
        assert answer.status_code == status, answer.get_json()
        return answer.get_json()

    def delete(self, source, status=200, query=""):
        answer = self.client.delete(f"/sources/{source}{query}")
        assert answer.status_code == status, answer.get_json()
        return answer.get_json()

    def schedule(self, source):
        with self.db.transaction() as session:
            found = schedules.named(session, f"source-{source}")
            return None if found is None else (found.cron, found.time_zone, found.paused, found.spiders, found.accounts)

    def set(self, model, row_id, **values):
        with self.db.transaction() as session:
            for name, value in values.items():
                setattr(session.get_one(model, row_id), name, value)

    def jobs(self):
        with self.db.transaction() as session:
            return list(session.scalars(select(ScraperJob).order_by(ScraperJob.id)))


@pytest.fixture
def ana(request, make_api, telegram_server, monkeypatch, started):
    """Ana; on both databases for a test that asks for `store`."""
    for name, value in telegram_server.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("TELEGRAM_BUSY_WAIT", "0.3")
    db = request.getfixturevalue("store" if "store" in request.fixturenames else "sqlite")
    admin = telegram_server.admin
    admin.reset()
    before = admin.configuration()
    rates = {"user_rate": "100000 per minute", "telegram_rate": "100000 per minute"}

    def erase(store, path):
        return store_of(PipelineSettings.current(), store).remove(path)

    api = make_api(checker=Checker(db, 0, start=started.append), erase=erase, **rates)
    yield Caller(api, People(telegram_server, db))
    with db.transaction() as session:
        session.execute(delete(Source))
        session.execute(delete(Schedule))
        session.execute(delete(TelegramSession))
    admin.configure(**before)
    admin.clock(0)


def said(answer):
    return next(iter(answer["fields"].values()))


# Adding


def test_a_private_source_in_every_spelling_of_its_channel(store, ana):
    session, number = ana.mine(), ana.people.id("reports")
    for given in (number, str(number), f"-100{number}", "@sandbox_reports", "https://t.me/sandbox_reports/3", f"t.me/c/{number}/9"):  # fmt: skip
        source = ana.private(session, given)
        assert (source["channel_id"], source["channel_title"], source["username"]) == (
            number,
            "Weekly Reports",
            "sandbox_reports",
        )
    assert {each["identifier"] for each in ana.get("/sources/")} == {str(number), "@sandbox_reports"}
    private = ana.private(session, ana.people.id("archive"), channel_title="anything", api_id=1, api_hash="x")
    assert (private["channel_title"], private["username"], private["access_level"]) == (
        "Archive of Years",
        None,
        "private",
    )
    with ana.db.transaction() as found:
        assert found.get_one(Source, private["id"]).access_hash is not None
    assert private["status"] == "never"
    assert "api_hash" not in private


def test_an_invitation_is_accepted_only_where_it_is_said(ana):
    session = ana.mine()
    refused = ana.private(session, INVITATION, 422)
    assert said(refused) == "The account is no member: join it there, or let the source join."
    assert "/messages.importChatInvite" not in ana.people.asked()
    source = ana.private(session, INVITATION, join=True)
    assert (source["channel_id"], source["identifier"]) == (ana.people.id("invited"), INVITATION)
    # Now the account is a member.
    assert ana.private(session, INVITATION)["channel_id"] == source["channel_id"]


@pytest.mark.parametrize(
    ("channel", "sentence"),
    [
        ("https://example.com/x", "no link of Telegram"),
        ("https://t.me/addstickers/Cats", "a set of stickers"),
        (-12345, "small group"),
        ("@nobody_has_this_name", "There is no channel of that name or link."),
        ("https://t.me/+NobodyInvites9999", "There is no channel of that name or link."),
        (1599999999, "The account is in no channel of id 1599999999"),
    ],
)
def test_what_is_no_channel_is_refused_by_name(ana, channel, sentence):
    answer = ana.private(ana.mine(), channel, 422)
    assert sentence in said(answer)
    assert set(answer["fields"]) == {"channel_id"}
    assert ana.get("/sources/") == []


def test_a_closed_channel_and_one_that_forbids_saving(ana):
    kicked = ana.mine(scenario="kicked")
    assert "closed to the account" in said(ana.private(kicked, ana.people.id("reports"), 422))
    protected = ana.private(ana.mine(name="Other"), "@sandbox_protected")
    assert PROTECTED in protected["notes"]


def test_a_public_source_with_a_session_of_the_installation(store, ana):
    assert ana.public("@sandbox_open", 409)["detail"] == "No session can be used: add one."
    ana.people.session(None, "House")
    source = ana.public("https://t.me/sandbox_open", bot_token=TOKEN)
    assert (source["channel_id"], source["access_level"]) == (ana.people.id("open"), "public")
    # Nothing of the installation's session is told.
    assert (source["session_id"], source["session_name"], source["has_bot_token"]) == (None, None, True)
    assert source["notes"] == [BOTS, OF_THE_HOUSE]
    named = ana.public("sandbox_open", session_id="House")
    assert named["notes"] == [OF_THE_HOUSE]
    # Private channels of the installation's account are not shown to its users, nor that they are there.
    absent = said(ana.public(1599999999, 422))
    assert said(ana.public(ana.people.id("archive"), 422)) == absent == "There is no public channel of that name."
    assert "An invitation leads to a private channel" in said(ana.public(INVITATION, 422))
    # It is for public ones alone.
    assert ana.private("House", ana.people.id("reports"), 404)["detail"] == "There is no such session."
    # An own session comes first.
    own = ana.mine()
    assert ana.public("@sandbox_open")["session_id"] == own
    assert "add a private source" in said(ana.public(ana.people.id("archive"), 422))


def test_the_token_of_a_bot_is_encrypted_and_never_shown(ana):
    ana.people.session(None, "House")
    source = ana.public("@sandbox_open", bot_token=TOKEN)
    assert TOKEN not in json.dumps(source)
    with ana.db.engine.connect() as connection:
        text = str(connection.exec_driver_sql("SELECT * FROM sources").all())
    assert TOKEN not in text
    with ana.db.transaction() as session:
        assert session.get_one(Source, source["id"]).bot_token == TOKEN
    refused = ana.public("@sandbox_open", 422, bot_token="no token")
    assert "no token of a bot" in said(refused)
    assert "no token" not in json.dumps(refused).replace("no token of a bot", "")
    assert ana.put(source["id"], bot_token="")["has_bot_token"] is False


def test_a_session_that_cannot_read_is_refused_before_telegram_is_asked(ana):
    for state, words in ((TelegramState.EXPIRED, "has expired"), (TelegramState.INACTIVE, "switched off")):
        session = ana.people.stored("1x" + state.value, ana.id, state=state)
        assert words in ana.private(session, 1500000001, 409)["detail"]
    bot = ana.people.stored("1bot", ana.id, is_bot=True)
    assert "a bot" in ana.private(bot, 1500000001, 409)["detail"]
    assert ana.private(ABSENT, 1500000001, 404)["detail"] == "There is no such session."
    # Another user's is absent, in the same words.
    other = ana.people.stored("1other", ana.api.user(BEN).get("/me").get_json()["id"])
    assert ana.private(other, 1500000001, 404)["detail"] == "There is no such session."
    assert ana.people.asked() == []


def test_what_keeps_telegram_from_answering_is_told(ana):
    session, number = ana.mine(), ana.people.id("archive")
    ana.people.admin.configure(floods=[{"method": "messages.getDialogs", "seconds": 300, "times": 1}])
    flood = ana.client.post("/sources/private", json={"name": "n", "session_id": session, "channel_id": number})
    assert flood.status_code == 429
    assert 290 <= int(flood.headers["Retry-After"]) <= 301
    since = ana.people.mark()
    assert ana.private(session, number, 429)["title"] == "Too Many Requests"
    assert ana.people.asked(since) == []  # nothing is asked before the wait's end
    ana.set(TelegramSession, session, waits_until=None)
    ana.people.admin.configure(floods=[])
    assert Leases(ana.db).acquire(f"run:telegram:{session}", "telegram_files x", 60)
    busy = ana.private(session, number, 409)
    assert "in use by a crawl since" in busy["detail"]
    Leases(ana.db).release(f"run:telegram:{session}", "telegram_files x")
    other = ana.mine(name="Ended")
    with ana.db.transaction() as found:
        phone = found.get_one(TelegramSession, other).phone_number
    ana.people.admin.ask(f"users/{phone.removeprefix('+')}/end", {"error": "SESSION_REVOKED"})
    assert ana.private(other, number, 409)["title"] == "Conflict"
    with ana.db.transaction() as found:
        assert found.get_one(TelegramSession, other).state == TelegramState.REVOKED


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("schedule", "61 * * * *", "no cron expression"),
        ("schedule", "every day", "has not 5 fields"),
        ("schedule", "* * * * * *", "has not 5 fields"),
        ("time_zone", "Mars/Olympus", "no time zone"),
        ("file_types", ["../etc"], "an extension"),
        ("file_types", ["x"] * 101, "at most 100"),
        ("target", "FTP", "Input should be"),
        ("target_path", "../secrets", "lead upwards"),
        ("target_path", "a:b", "a folder below"),
        ("path_template", "{nothing}/{name}", "has no field"),
        ("path_template", "fixed", "must use one of"),
        ("filters", {"min_size": "2 MB", "max_size": "1 MB"}, "above max_size"),
        ("filters", {"colour": "red"}, "Extra inputs"),
        ("filters", {"caption": "a\x00b"}, "one line of plain text"),
        ("unpacks", "yes", "valid boolean"),
        ("name", " ", "one line of plain text"),
        ("name", "a\nb", "one line of plain text"),
    ],
)
def test_a_wrong_field_is_named(ana, field, value, words):
    session = ana.people.stored("1x", ana.id)
    body = {"name": "n", "session_id": session, "channel_id": 1500000001, field: value}
    answer = ana.private(body.pop("session_id"), body.pop("channel_id"), 422, **body)
    (place,) = answer["fields"]
    assert place.startswith(field)
    assert words in answer["fields"][place]
    assert ana.people.asked() == []


# Changing


def test_what_is_changed_and_what_stays(store, ana):
    first = {"file_types": [".PDF", "zip", "pdf"], "target_path": "/nas/tech/", "filters": {"min_size": "1 MB"}}
    source = ana.source(**first, schedule="0 */6 * * *", time_zone="Europe/Zurich", unpacks=True)
    before = ana.get(f"/sources/{source}")
    assert (before["file_types"], before["target_path"], before["filters"]) == (
        ["pdf", "zip"],
        "nas/tech",
        {"min_size": 1_000_000},
    )
    assert (before["schedule"], before["time_zone"], before["engine"]) == ("0 */6 * * *", "Europe/Zurich", None)
    assert before["next_run_at"] is not None
    changed = ana.put(source, name="Renamed", target="S3", target_path="bucket", path_template="{date}/{name}")
    same = before.keys() - {"name", "target", "target_path", "path_template", "updated_at"}
    assert {name: changed[name] for name in same} == {name: before[name] for name in same}
    assert (changed["name"], changed["target"], changed["target_path"]) == ("Renamed", "S3", "bucket")
    # Null is unchanged; empty is cleared.
    for name in ("file_types", "schedule", "target_path", "filters", "path_template"):
        assert ana.put(source, **{name: None})[name] == changed[name]
    emptied = ana.put(source, file_types=[], target_path="", filters={}, path_template="", schedule="")
    assert [emptied[name] for name in ("file_types", "target_path", "filters", "path_template")] == [[], None, {}, None]
    assert (emptied["schedule"], emptied["time_zone"], emptied["next_run_at"]) == (None, None, None)
    assert "belongs to a schedule" in said(ana.put(source, 422, time_zone="UTC"))
    patched = ana.client.patch(f"/sources/{source}", json={"name": "Again"})
    assert patched.get_json()["name"] == "Again"


def test_a_schedule_is_a_row_that_follows_its_source(store, ana):
    source = ana.source(schedule=" 0  */6 * * * ")
    assert ana.schedule(source) == ("0 */6 * * *", "UTC", False, ["telegram_files"], [source])
    ana.put(source, schedule="@daily", time_zone="Europe/Zurich")
    assert ana.schedule(source)[:3] == ("@daily", "Europe/Zurich", False)
    paused = ana.put(source, is_active="inactive")
    assert (paused["is_active"], paused["schedule"], paused["next_run_at"]) == ("inactive", "@daily", None)
    assert ana.schedule(source)[:3] == ("@daily", "Europe/Zurich", True)
    # A paused one stays so, whatever its times are.
    ana.put(source, schedule="0 1 * * *")
    assert ana.schedule(source)[:3] == ("0 1 * * *", "Europe/Zurich", True)
    ana.put(source, is_active=True)
    assert ana.schedule(source)[2] is False
    ana.put(source, schedule="")
    assert ana.schedule(source) is None
    ana.put(source, is_active="inactive")
    ana.put(source, schedule="0 2 * * *")
    assert ana.schedule(source)[:3] == ("0 2 * * *", "UTC", True)
    ana.delete(source)
    assert ana.schedule(source) is None


def test_another_session_has_to_see_the_channel(ana):
    source, first = ana.source(), ana.get("/sources/")[0]["session_id"]
    since = ana.people.mark()
    assert ana.put(source, session_id=first)["session_id"] == first
    assert ana.people.asked(since) == []  # nothing changes
    kicked = ana.mine(scenario="kicked", name="Kicked")
    refused = ana.put(source, 422, session_id=kicked)
    assert set(refused["fields"]) == {"session_id"}
    other = ana.mine(name="Other")
    assert ana.put(source, session_id="Other")["session_id"] == other
    assert ana.put(source, 404, session_id=ABSENT)["detail"] == "There is no such session."


# Running


def test_trigger_makes_the_job_that_the_planner_makes_and_a_worker_claims(store, ana, started):
    source = ana.source()
    done = ana.trigger(source)
    assert (done["result"]["made"], done["result"]["status"], done["engine"]) == (True, "pending", None)
    assert started == ["telegram"]  # no worker runs
    again = ana.trigger(source)
    assert (again["result"]["made"], again["result"]["job_id"]) == (False, done["result"]["job_id"])
    assert ana.get(f"/sources/{source}")["status"] == "waiting"
    (job,) = ana.jobs()
    with ana.db.transaction() as session:
        session.delete(session.get_one(ScraperJob, job.id))
        session.flush()
        (planned,) = Planner(Spiders(get_project_settings()), Clock()).find(session, Wanted(["telegram_files"], [source])).jobs  # fmt: skip
        assert planned == job_of(session.get_one(Source, source))
    again = ana.trigger(source)
    with ana.db.transaction() as session:
        taken = claim(session, "w", now(session), 60)
        assert taken.jobs == (again["result"]["job_id"],)
        assert (taken.spider, taken.labels) == ("telegram_files", ("News",))
    assert ana.get(f"/sources/{source}")["status"] == "running"
    assert ana.trigger(source)["message"] == "The source is being read."


def test_a_job_does_not_start_before_the_end_of_a_wait(ana):
    session = ana.mine()
    source = ana.source(session)
    with ana.db.transaction() as found:
        until = now(found) + timedelta(hours=2)
    ana.set(TelegramSession, session, waits_until=until)
    assert ana.trigger(source)["result"]["starts_at"] == until.isoformat().replace("+00:00", "Z")
    assert ana.get(f"/sources/{source}")["waits_until"] is not None
    with ana.db.transaction() as found:
        assert claim(found, "w", now(found), 60) is None
        assert claim(found, "w", until + timedelta(seconds=1), 60) is not None


def test_a_source_whose_session_has_ended_is_not_triggered(ana):
    session = ana.mine()
    source = ana.source(session)
    ana.set(TelegramSession, session, state=TelegramState.EXPIRED)
    assert ana.trigger(source, 409)["detail"] == "Its session has expired: sign in again."
    assert "Its session has expired: sign in again." in ana.get(f"/sources/{source}")["notes"]
    assert ana.jobs() == []


def test_runs_logs_and_files(store, ana):
    source, other = ana.source(), ana.source(ana.mine(name="Second"))
    good = note_run(ana.db, source, files=2, requests=7, message="Everything is stored.")
    bad = note_run(
        ana.db, source, outcome="flood_wait", message="Telegram wants a pause.", step="read", warnings=["slow"]
    )
    note_run(ana.db, other)
    for path in ("a/1.pdf", "a/2.pdf"):
        note_file(ana.db, source, good, path=path)
    note_file(ana.db, source, state="skipped", reason="size")
    runs = ana.get(f"/sources/{source}/runs")
    assert [(each["id"], each["status"], each["total_files_processed"]) for each in runs] == [
        (bad, "failed", 0),
        (good, "completed", 2),
    ]
    assert ana.get(f"/flows/sources/{source}/runs") == runs
    page = ana.client.get(f"/sources/{source}/runs?limit=1")
    assert (page.headers["X-Total-Count"], len(page.get_json())) == ("2", 1)
    assert re.fullmatch(rf'</sources/{source}/runs\?limit=1&skip=1>; rel="next"', page.headers["Link"])
    detail = ana.get(f"/flows/runs/{bad}")
    lines = [(each["level"], each["message"]) for each in detail["logs"]]
    assert lines == [
        ("INFO", "Made by hand."),
        ("INFO", "Claimed, the 1. time."),
        ("WARNING", "slow"),
        ("ERROR", "flood_wait: Telegram wants a pause. (at: read)"),
    ]
    assert ana.get(f"/flows/runs/{bad}/logs") == detail["logs"]
    assert len(ana.get(f"/sources/{source}/logs")) == 3 + 4
    brought = ana.get(f"/flows/runs/{good}/files")
    assert [each["storage_path"] for each in brought] == ["a/2.pdf", "a/1.pdf"]
    assert brought[0]["size_bytes"] == 3_000_000_000
    files = ana.get(f"/sources/{source}/files")
    assert [each["state"] for each in files] == ["skipped", "stored", "stored"]
    assert len(ana.get(f"/sources/{source}/files?state=skipped")) == 1
    assert ana.get(f"/sources/{source}")["outcome"] == "flood_wait"
    assert ana.client.post(f"/flows/trigger/source-{source}?source_id={source}").status_code == 200
    assert ana.client.post(f"/flows/trigger/source-{source}?source_id={other}").status_code == 404
    assert ana.client.post(f"/flows/trigger/{source}").status_code == 404


# Deleting


def test_deleting_cancels_what_is_open_and_keeps_files(store, ana):
    source = ana.source(schedule="@daily")
    ana.trigger(source)
    run = note_run(ana.db, source)
    note_file(ana.db, source, run, path="x.pdf")
    done = ana.delete(source)
    assert (done["id"], done["files"], done["kept"]) == (source, 0, 0)
    assert [job.status for job in ana.jobs() if job.identity] == ["cancelled"]
    with ana.db.transaction() as session:
        assert [file.path for file in session.scalars(select(StoredFile))] == ["x.pdf"]
        session.execute(delete(StoredFile))
    assert ana.get(f"/sources/{source}", 404)["detail"] == "There is no such source."
    assert ana.get("/sources/") == []


def test_deleting_with_files(store, ana, tmp_path):
    source, other = ana.source(), ana.source(ana.mine(name="Second"))
    for name in ("own.pdf", "shared.pdf"):
        (tmp_path / name).write_bytes(b"%PDF-1.4")
    for path in ("own.pdf", "shared.pdf"):
        note_file(ana.db, source, path=path, store=str(tmp_path))
    note_file(ana.db, other, path="shared.pdf", store=str(tmp_path))
    # What is being read is not deleted under it.
    ana.trigger(source)
    with ana.db.transaction() as session:
        assert claim(session, "w", now(session), 60) is not None
    assert "told to end" in ana.delete(source, 409, "?files=true")["detail"]
    done = ana.delete(source, query="?files=true")
    assert (done["files"], done["kept"]) == (1, 1)
    assert sorted(path.name for path in Path(tmp_path).glob("*.pdf")) == ["shared.pdf"]
    assert ana.delete(other, query="?files=true")["files"] == 1
    assert list(Path(tmp_path).glob("*.pdf")) == []


def test_with_the_user_the_schedules_of_sources_go(store, ana):
    source = ana.source(schedule="@daily")
    assert ana.client.delete("/me").status_code == 204
    assert ana.schedule(source) is None
    with ana.db.transaction() as session:
        assert session.scalar(select(User.id).where(User.id == ana.id)) is None
        assert session.scalar(select(Source.id)) is None


# Who asks


def test_nobody_else_gets_in(store, ana):
    source = ana.source(schedule="@daily")
    run = note_run(ana.db, source)
    before = ana.get(f"/sources/{source}")
    ben, nobody = ana.api.user(BEN), ana.api.client()
    for method, path, body in ROUTES:
        where = path.format(source=source, run=run)
        assert nobody.open(where, method=method, json=body).status_code == 401, where
        answer = ben.open(where, method=method, json=body)
        if "{" in path:
            assert answer.status_code == 404, where
        else:
            assert answer.get_json() == [] or answer.status_code in (404, 409, 422), where
    assert ana.get(f"/sources/{source}") == before
    documented = {
        rule.rule for rule in ana.api.app.url_map.iter_rules() if rule.rule.startswith(("/sources", "/flows"))
    }
    asked = {re.sub(r"\{source\}", "<uuid:source_id>", path.partition("?")[0]) for _, path, _ in ROUTES}
    asked = {path.replace("{run}", "<int:run_id>").replace("source-<uuid:source_id>", "<deployment>") for path in asked}
    assert asked == documented


# The page of documentation


def test_the_examples_do_what_the_page_says(ana, monkeypatch):
    page = (ROOT / "docs" / "telegram-sources.md").read_text()
    (block,) = [each for each in re.findall(r"^```sh\n(.*?)^```", page, re.M | re.S) if each.startswith("curl")]
    lines, session = block.splitlines(), ana.mine()
    assert len(lines) == 11
    token = ana.client.environ_base["HTTP_AUTHORIZATION"].removeprefix("Bearer ")
    known = {"API": "", "TOKEN": token, "SESSION": session}
    for line in lines:
        if "$RUN" in line:
            known["RUN"] = note_run(ana.db, known["SOURCE"])
        method, url, headers, body, status = curl(Template(line).substitute(known))
        answer = ana.api.client().open(url, method=method, headers=headers, data=body)
        assert answer.status_code == status, (line, answer.get_json())
        if method == "POST" and "SOURCE" not in known:
            known["SOURCE"] = answer.get_json()["id"]


# The engine


def test_an_engine_that_is_away_is_told_and_nothing_is_lost(ana, monkeypatch):
    monkeypatch.setenv("LATCHKEY_ENGINE", "prefect")
    monkeypatch.setenv("LATCHKEY_PREFECT_URL", "http://127.0.0.1:9/api")
    session = ana.mine()
    source = ana.private(session, ana.people.id("reports"), schedule="@daily")
    assert source["engine"] == f"It is stored. {BEHIND}"
    assert ana.schedule(source["id"])[0] == "@daily"
    # It is told until it is made good, and only where there is a schedule.
    assert ana.get(f"/sources/{source['id']}")["engine"] == BEHIND
    assert ana.source(session)
    assert [each["engine"] is None for each in ana.get("/sources/")] == [False, True]
    assert BEHIND in ana.put(source["id"], schedule="@hourly")["engine"]
    assert BEHIND in ana.put(source["id"], schedule="")["engine"]
    assert "as soon as the engine answers" in ana.trigger(source["id"])["engine"]
    assert len(ana.jobs()) == 1
    ana.put(source["id"], schedule="@daily")
    assert BEHIND in ana.delete(source["id"])["engine"]
