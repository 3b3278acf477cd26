"""What a worker does about crawls that are slow to begin, with a clock that is turned."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass, field
from datetime import UTC, datetime
from io import StringIO
from typing import Any

import pytest
from scrapy.utils.project import get_project_settings
from sqlalchemy import select, update

from database.engine import Database
from database.jobs.claims import Claim
from database.jobs.queue import NewJob, add
from database.models import ScraperJob
from database.models.jobs import ScraperJobStatus
from jobs.clock import TurnableClock
from jobs.events import Events
from jobs.planning import Planner, Spiders
from jobs.worker import Worker
from tests.jobs.test_warm import NEVER_READY
from tests.project import ROOT

pytestmark = pytest.mark.timeout(60)


@dataclass
class Waiting:
    """In the place of a process: a crawl that begins, and ends, at instants of the clock."""

    claim: Claim
    began: float
    worker: Any
    pid: int = 1
    wakes: bool = False
    memory: int | None = None
    told_to_end: float | None = None
    why: str = ""

    def poll(self) -> int | None:
        elapsed = self.worker.clock.elapsed() - self.began
        if elapsed >= 100:
            self._set(ScraperJobStatus.SUCCESS)
            return 0
        return None

    def _set(self, status: ScraperJobStatus) -> None:
        with self.worker.db.transaction() as session:
            session.execute(
                update(ScraperJob).where(ScraperJob.claim == self.claim.id).values(status=status, claim=None)
            )

    def last_line(self) -> str:
        return ""

    def end(self, elapsed: float, why: str) -> None:
        self.told_to_end = elapsed

    def kill(self) -> None: ...


@dataclass
class Launcher:
    started: list[Waiting] = field(default_factory=list)
    worker: Any = None

    def warm(self) -> None: ...

    def start(self, claim: Claim, clock: TurnableClock) -> Waiting:
        self.started.append(Waiting(claim, clock.elapsed(), self.worker))
        return self.started[-1]

    def give_up(self) -> None: ...

    def forget(self, crawl: Waiting, *, keep: bool) -> None: ...

    def close(self) -> None: ...


@pytest.fixture
def short_lease(monkeypatch):
    monkeypatch.setenv("LATCHKEY_LEASE_SECONDS", "20")


def test_a_crawl_that_is_slow_to_begin_keeps_its_jobs(short_lease, store):
    """On a machine that is busy a process may take longer to begin than a lease lasts."""
    clock = TurnableClock(datetime(2026, 11, 30, tzinfo=UTC))
    with store.transaction() as session:
        add(session, [NewJob("acme", "usage", "acme_usage ana", "ana", "ana", "acme:ana")], clock.at)
    out, launcher = StringIO(), Launcher()
    worker: Any = Worker(
        store, clock, Planner(Spiders(get_project_settings()), clock), launcher, Events(clock, to=out), slots=2
    )
    launcher.worker = worker
    worker.run(until_idle=True)
    with store.transaction() as session:
        (job,) = session.scalars(select(ScraperJob)).all()
        assert (len(launcher.started), job.attempt, job.status) == (1, 1, "success"), out.getvalue()


@pytest.mark.timeout(150)
def test_a_worker_that_is_told_to_stop_does_not_wait_for_imports(project, tmp_path, wait_for):
    """A crawl waits for the parent from which it is to be forked, and that never is ready: the job is due again."""
    here = project(tmp_path)
    assert here.scrapy("db", "upgrade").returncode == 0
    assert here.scrapy("jobs", "create", "iec_tariffs").returncode == 0
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(NEVER_READY)
    db = Database(f"sqlite:///{here.data / 'latchkey.db'}")

    def status() -> ScraperJobStatus:
        with db.transaction() as session:
            return session.scalars(select(ScraperJob.status)).one()

    process = here.start("worker", fresh=True, env={"PYTHONPATH": f"{tmp_path / 'site'}{os.pathsep}{ROOT}"})
    wait_for(lambda: status() == ScraperJobStatus.IN_PROGRESS or process.poll() is not None)
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=30)
    assert (process.returncode, status()) == (0, ScraperJobStatus.PENDING), said
    assert "told to stop while it waited for the imports" in said
    db.engine.dispose()
