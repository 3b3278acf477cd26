"""`scrapy retention`: what is older than the settings say goes, by kind, and nothing else."""

from __future__ import annotations

import json
import os
import threading
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from sqlalchemy import select, update

from commands.worker import daily_work
from database.engine import DatabaseAway
from database.jobs.recipients import put
from database.models import (
    BillingCyclePdfFile,
    CodeRequest,
    FileStatus,
    Message,
    Run,
    RunState,
    ScraperJob,
    ScraperJobStatus,
    StoredFile,
    Upload,
    UploadState,
    UsageRecord,
    Version,
)
from database.models.audit import AuditEntry, record
from database.models.base import utc_now
from database.models.codes import CodeKind, CodeRequestState
from database.models.notices import Case, Cause, NoticeDelivery, NoticeKind, NoticeResult
from database.settings import SettingsError, database_settings, read_once
from jobs.clock import TurnableClock
from jobs.events import Events
from jobs.housekeeping import Housekeeping
from pipelines.settings import KeepSettings
from tests.companies import Company, dump, files_of

DAY = timedelta(days=1)


@pytest.fixture
def company(store, monkeypatch, tmp_path):
    """A client with two files: everything of it is 100 days old but the second file, which is new."""
    monkeypatch.setenv("LATCHKEY_DATA_DIR", str(tmp_path))
    database_settings.cache_clear()
    made = Company(store, tmp_path, "Acme", "ana", 1)
    old, _new = made.put("old.pdf", month=8), made.put("new.pdf", month=9)
    then = utc_now() - 100 * DAY
    with store.transaction() as session:
        session.execute(update(StoredFile).where(StoredFile.id == old).values(stored_at=then))
        session.execute(
            update(BillingCyclePdfFile).where(BillingCyclePdfFile.file_id == old).values(store_path="bell/old.pdf")
        )
        session.execute(update(Run).values(finished_at=then, state=RunState.FINISHED))
        session.execute(update(ScraperJob).values(completed_at=then))
        session.execute(update(Message).values(received_at=then))
        session.execute(update(Version).where(Version.id == select(Version.id).order_by(Version.id).limit(1).scalar_subquery())
                        .values(replaced_at=then))  # fmt: skip
        session.add(Run(crawl="new", spider="bell_pdf_invoice", portal="bell", report_type="pdf_invoice"))
        session.add(
            ScraperJob(portal="bell", report_type="pdf_invoice", status=ScraperJobStatus.PENDING, created_at=then)
        )
        for rest in (None, utc_now() + DAY):
            session.add(
                CodeRequest(
                    login="bell", username="ana", receiver="+1", senders=[], sender_group="", kind=CodeKind.CODE, pattern="x",
                    requested_at=then, deadline=then, state=CodeRequestState.EXPIRED, closed_at=then, rest_until=rest,
                )
            )  # fmt: skip
    for path in (*(tmp_path / "evidence").iterdir(), *(tmp_path / "logs").iterdir()):
        os.utime(path, (then.timestamp(), then.timestamp()))
    (tmp_path / "logs" / "new.log").write_bytes(b"new")
    return made


def kinds(said):
    return {row["kind"]: row.get("deleted", row.get("too_old")) for row in json.loads(said.out)}


def test_without_apply_it_only_says_what_is_too_old(company, store, tmp_path, command):
    before = dump(store), files_of(tmp_path)
    said = command("retention")
    assert (said.code, dump(store), files_of(tmp_path)) == (0, *before), said.err
    assert said.out.splitlines()[-1] == "Nothing was deleted: --apply does it."
    found = kinds(command("retention", "--json"))
    # By the settings as they are, files, versions, and runs of 100 days stay.
    assert found == {"files": 0, "bundles": 2, "logs": 1, "messages": 2, "versions": 0, "runs": 0, "audit": 0}


def test_what_is_too_old_is_deleted_and_the_rest_stays(company, store, tmp_path, command, monkeypatch):
    for name, days in (("FILES", "pdf_invoice=90"), ("VERSIONS", "90"), ("RUNS", "90"), ("BUNDLES", "")):
        monkeypatch.setenv(f"LATCHKEY_KEEP_{name}", days)
    told = kinds(command("retention", "--json"))
    said = command("retention", "--apply", "--json")
    assert said.code == 0, said.err
    assert (
        kinds(said)
        == told
        == {"files": 1, "bundles": 0, "logs": 1, "messages": 2, "versions": 1, "runs": 4, "audit": 0}
    )
    assert kinds(command("retention", "--apply", "--json")) == dict.fromkeys(told, 0)
    assert set(files_of(tmp_path)) == {f"files/bell/{company.account_id}/2026-09/new.pdf", "logs/new.log"}
    with store.transaction() as session:
        old, new = session.scalars(select(StoredFile).order_by(StoredFile.id)).all()
        # It is known that it was there and what it was, so that it is not fetched again; its records stay.
        assert (old.status, old.path, old.store, bool(old.sha256)) == (FileStatus.READY, None, None, True)
        assert new.path is not None
        wanted = session.scalars(select(BillingCyclePdfFile).order_by(BillingCyclePdfFile.id)).all()
        assert [(row.status, row.store_path) for row in wanted] == [(FileStatus.READY, None)] * 2
        assert len(session.scalars(select(UsageRecord)).all()) == 2
        assert [run.crawl for run in session.scalars(select(Run))] == ["new"]
        assert [job.status for job in session.scalars(select(ScraperJob))] == ["pending"]
        assert [request.rest_until is not None for request in session.scalars(select(CodeRequest))] == [True]


def test_a_bundle_that_is_gone_is_not_named_any_more(company, store, command, monkeypatch):
    assert command("retention", "--apply").code == 0
    with store.transaction() as session:
        assert session.scalars(select(Run.bundle).where(Run.id == company.run_id)).one() is None


def test_a_file_that_is_still_to_be_sent_stays(company, store, command, monkeypatch):
    monkeypatch.setenv("LATCHKEY_KEEP_FILES", "bell_pdf_invoice=90")
    with store.transaction() as session:
        session.execute(update(Upload).values(state=UploadState.FAILED))
    assert kinds(command("retention", "--apply", "--json"))["files"] == 0


def test_what_was_told_goes_with_the_runs_but_for_what_decides_when_the_next_message_comes(store, command, monkeypatch):
    """By the last message of an open cause the daily repeat is measured; a solved cause goes when nothing of it is on its way."""
    monkeypatch.setenv("LATCHKEY_KEEP_RUNS", "90")
    then, facts = utc_now() - 100 * DAY, {"portal": "bell", "actor": "owner"}
    began, still, solved = NoticeKind.BEGAN, NoticeKind.STILL, NoticeKind.SOLVED
    with store.transaction() as session:
        address, _ = put(session, "house@latchkey.example", "mail", then, actors=["owner"], digest=True)
        made = {}
        for name, ended in (("open", None), ("solved", then), ("waiting", then), ("fresh", utc_now())):
            made[name] = Cause(key=name, outcome=name, began_at=then, last_at=then, solved_at=ended, **facts)
            session.add(made[name])
            session.flush()
            session.add(Case(cause_id=made[name].id, spider="bell_pdf_invoice", subject="x", label="x", last_at=then))
        messages = [
            *(("open", kind, then) for kind in (began, solved, began, still)), ("open", solved, None),
            ("solved", began, then), ("solved", solved, then), ("waiting", began, then), ("waiting", solved, None),
            ("fresh", began, then), ("fresh", solved, then),
        ]  # fmt: skip
        for number, (name, kind, sent_at) in enumerate(messages):
            result, cause = (NoticeResult.SENT if sent_at else NoticeResult.PENDING), made[name].id
            session.add(NoticeDelivery(address_id=address.id, cause_id=cause, topic=f"cause {cause}", number=number, kind=kind,
                                       result=result, updated_at=then, due_at=None if sent_at else then))  # fmt: skip
        for day in (1, 2):
            session.add(NoticeDelivery(address_id=address.id, topic="digest", number=day, kind=NoticeKind.DIGEST, updated_at=then,
                                       result=NoticeResult.SENT))  # fmt: skip
    told = kinds(command("retention", "--json"))["runs"]
    assert (
        kinds(command("retention", "--apply", "--json"))["runs"] == told == 5
    )  # three messages, a digest, and a cause with its own
    with store.transaction() as session:
        kept = select(Cause.outcome, NoticeDelivery.number).join_from(NoticeDelivery, Cause, isouter=True)
        rows = [tuple(row) for row in session.execute(kept.order_by(NoticeDelivery.id))]
        assert rows == [
            *(("open", 3), ("open", 4), ("waiting", 7), ("waiting", 8), ("fresh", 9), ("fresh", 10)), (None, 2),
        ]  # fmt: skip
        assert session.scalars(select(Cause.outcome).order_by(Cause.id)).all() == ["open", "waiting", "fresh"]
        assert len(session.scalars(select(Case)).all()) == 3


def test_the_audit_is_kept_for_ever_unless_a_setting_says_otherwise(company, store, command, monkeypatch):
    with store.transaction() as session:
        session.execute(update(AuditEntry).values(at=utc_now() - 1000 * DAY))
        record(session, "job.made", "job 1")
    number = len(dump(store)["audit"])
    assert kinds(command("retention", "--apply", "--json"))["audit"] == 0
    monkeypatch.setenv("LATCHKEY_KEEP_AUDIT", "900")
    assert kinds(command("retention", "--apply", "--json"))["audit"] == number - 1 > 0
    with store.transaction() as session:
        assert session.scalars(select(AuditEntry.subject)).all() == ["job 1"]


@pytest.mark.parametrize("value", ["pdf_invoice", "pdf_invoice=", "=3", "a=1,a=2", "pdf_invoice=0", "pdf_invoice=1.5"])
def test_days_that_cannot_be_read_are_refused_by_name(monkeypatch, value):
    monkeypatch.setenv("LATCHKEY_KEEP_FILES", value)
    with pytest.raises(SettingsError, match="LATCHKEY_KEEP_FILES: it must look like"):
        KeepSettings.load()


def test_a_type_that_there_is_not_is_refused_by_name(store, command, monkeypatch):
    monkeypatch.setenv("LATCHKEY_KEEP_FILES", "pdf_invoices=90")
    said = command("retention", "--apply")
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith("LATCHKEY_KEEP_FILES: pdf_invoices is no spider and no report type")


def test_a_worker_does_it_only_where_a_setting_says_so(company, tmp_path, monkeypatch):
    assert daily_work() is None
    monkeypatch.setenv("LATCHKEY_KEEP_DAILY", "true")
    read_once.cache_clear()
    work = daily_work()
    assert work is not None
    assert work() == [
        "2 bundles older than 90 days were deleted",
        "1 logs older than 30 days were deleted",
        "2 messages older than 30 days were deleted",
    ]
    assert work() == []


def test_of_many_workers_one_does_it_once_a_day(store, wait_for):
    clock, out, done = TurnableClock(datetime(2026, 11, 30, tzinfo=UTC)), StringIO(), threading.Event()
    works = []

    def work():
        works.append(1)
        done.set()
        return ["3 runs older than 400 days were deleted"]

    workers = [Housekeeping(store, clock, Events(clock, to=out), work) for _ in range(3)]
    for _ in range(2):
        for each in workers:
            each.begin()
            each.close()
        clock.turn(clock.at + timedelta(hours=1))
    assert done.is_set()
    assert works == [1]
    assert out.getvalue().count("3 runs older than 400 days were deleted") == 1


def test_what_failed_is_tried_again(store):
    clock, out = TurnableClock(datetime(2026, 11, 30, tzinfo=UTC)), StringIO()
    answers = [DatabaseAway("The database does not answer."), None]

    def work():
        if (answer := answers.pop(0)) is not None:
            raise answer
        return ["done"]

    each = Housekeeping(store, clock, Events(clock, to=out), work)
    for _ in range(3):
        each.begin()
        each.close()
        clock.turn(clock.at + timedelta(hours=1))
    assert answers == []
    assert "daily housekeeping: The database does not answer." in out.getvalue()
