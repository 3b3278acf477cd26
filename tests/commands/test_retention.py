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
from database.models.base import utc_now
from database.models.codes import CodeKind, CodeRequestState
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
    assert found == {"files": 0, "bundles": 2, "logs": 1, "messages": 2, "versions": 0, "runs": 0}


def test_what_is_too_old_is_deleted_and_the_rest_stays(company, store, tmp_path, command, monkeypatch):
    for name, days in (("FILES", "pdf_invoice=90"), ("VERSIONS", "90"), ("RUNS", "90"), ("BUNDLES", "")):
        monkeypatch.setenv(f"LATCHKEY_KEEP_{name}", days)
    told = kinds(command("retention", "--json"))
    said = command("retention", "--apply", "--json")
    assert said.code == 0, said.err
    assert kinds(said) == told == {"files": 1, "bundles": 0, "logs": 1, "messages": 2, "versions": 1, "runs": 4}
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
