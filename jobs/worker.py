"""The worker: it ticks, claims, crawls, and stops without losing anything. Any number of them may share a database."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from types import FrameType
from typing import Any, Protocol, TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from database.engine import Database, DatabaseAway
from database.jobs import claims
from database.jobs.causes import failed_job
from database.jobs.claims import Claim
from database.jobs.settling import settle
from database.jobs.steps import Ending
from database.models import Run, ScraperJob, ScraperJobStatus
from database.models.jobs import CLAIMED
from database.processes import signature
from database.settings import database_settings
from jobs.alerts import Alerts
from jobs.assisting import AssistedSignIns
from jobs.clock import Clock
from jobs.events import Events
from jobs.housekeeping import Housekeeping
from jobs.notices import Notices
from jobs.planning import Planner
from jobs.presence import Presence
from jobs.settings import WorkerSettings
from jobs.tick import tick
from jobs.warm import WarmFailed
from scrapers.core.outcomes import CrawlNotStarted, CrawlStopped, DatabaseAwayFailure, Outcome

T = TypeVar("T")

TICK_SECONDS = 10.0  # between two looks at schedules
LOOK_SECONDS = 2.0  # between two looks at what running crawls take, and whether their jobs were cancelled
AWAY_SECONDS = 5.0  # before a database that does not answer is asked again
MEGABYTE = 1_000_000


@dataclass
class Stop:
    """Whether the worker is to stop: the first signal drains, the second one ends its crawls. told: called at each signal."""

    told: Callable[[], None]
    signals: int = 0
    wake: tuple[int, int] = field(default_factory=os.pipe)

    def fileno(self) -> int:
        """Return the descriptor that can be read from once a signal has come."""
        return self.wake[0]

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """Note a signal."""
        self.signals += 1
        os.write(self.wake[1], b"!")
        self.told()

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Take SIGTERM and SIGINT until the end of the block."""
        before = {number: signal.signal(number, self) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
            for descriptor in self.wake:
                os.close(descriptor)


class AnyCrawl(Protocol):
    """What a worker asks of a crawl, wherever it runs."""

    claim: Claim
    began: float
    told_to_end: float | None
    why: str

    @property
    def pid(self) -> int:
        """Its process id; 0: it runs elsewhere."""

    @property
    def wakes(self) -> bool:
        """Whether its descriptor can be read from once it has ended."""

    @property
    def memory(self) -> int | None:
        """Bytes that it takes; None: unknown."""

    def poll(self) -> int | None:
        """Return the exit code, None while it runs."""

    def last_line(self) -> str:
        """Return the last line of its output."""

    def end(self, elapsed: float, why: str) -> None:
        """Ask it to end."""

    def kill(self) -> None:
        """End it at once."""


class AnyLauncher(Protocol):
    """What starts crawls."""

    def warm(self) -> object:
        """Make ready for the first crawl."""

    def start(self, claim: Claim, clock: Clock) -> Any:
        """Start the crawl of a claim; raise OSError or WarmFailed."""

    def give_up(self) -> None:
        """Wait no longer for what is being made ready; called while signals are handled."""

    def forget(self, crawl: Any, *, keep: bool) -> None:
        """Clear away what belongs to a crawl that has ended."""

    def close(self) -> None:
        """End what it has started."""


class Worker:
    """Runs crawls in slots until it is told to stop, or until nothing is due."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        planner: Planner,
        launcher: AnyLauncher,
        events: Events,
        *,
        slots: int,
        portals: Collection[str] | None = None,
        with_schedules: bool = True,
        only: int | None = None,
        daily: Callable[[], Iterable[str]] | None = None,
        given: Sequence[str] = (),
    ) -> None:
        """given: settings of its processes beside the environment, `NAME=VALUE`."""
        self.db, self.clock, self.planner, self.launcher, self.events = db, clock, planner, launcher, events
        self.slots, self.portals, self.with_schedules, self.only = slots, portals, with_schedules, only
        self.settings = WorkerSettings.current()
        self.name = signature()
        self.alerts = Alerts.as_set(db, clock, events)
        self.notices = Notices.as_set(db, clock, events)
        self.housekeeping = Housekeeping(db, clock, events, daily)
        self.assisted = AssistedSignIns(db, events, self.name, portals, given)
        self.presence = Presence(db, clock, self.name, slots, portals, self.alerts.ways)
        self.crawls: list[Any] = []
        self.results: list[dict[str, Any]] | None = None  # of the jobs that were done; None: not kept
        self.stop = Stop(launcher.give_up)
        self._next_tick = self._next_look = self._drained_by = 0.0
        self._is_away = False

    def run(self, *, until_idle: bool = False) -> None:
        """Work until a signal comes; *until_idle*: until nothing is due and nothing runs, and `results` are kept."""
        self.results = [] if until_idle else None  # a worker that goes on for months would grow by them
        with self.stop.listening():
            self.events.tell("started", f"worker {self.name}: {self.slots} slots", slots=self.slots)
            if not until_idle:  # which may find nothing to do
                self.launcher.warm()
            try:
                # Before anything is sent: others see for what this one has settings.
                self._asked(lambda: self.presence.report(self.crawls, "working"))
                while self._turn(until_idle):
                    self._rest()
                if until_idle and not self.stop.signals:
                    self._asked(self.alerts.finish)
                    self._asked(self.notices.finish)
            finally:
                self.alerts.close()
                self.notices.close()
                self.housekeeping.close()
                for crawl in self.crawls:  # after an error of ours: nothing runs on alone
                    crawl.kill()
                self.assisted.close()
                self._asked(self.assisted.reap)
                self.launcher.close()
                self._asked(self.presence.leave)
                self.events.tell("ended", f"worker {self.name} has ended", done=self.presence.done)

    def _turn(self, until_idle: bool) -> bool:
        """Do what is to be done now; return whether to go on."""
        elapsed = self.clock.elapsed()
        self._reap()
        self._asked(self.assisted.reap)
        if elapsed >= self._next_look:
            self._next_look = elapsed + LOOK_SECONDS
            self._watch()
        if self.stop.signals:
            return self._drain(elapsed)
        if elapsed >= self._next_tick:
            self._next_tick = elapsed + TICK_SECONDS
            self._asked(self._tick)
        claimed = self._fill()
        if not until_idle:  # an operator does not wait for the next time that such a worker is started
            self._asked(self.assisted.begin)
        self._asked(lambda: self.presence.report(self.crawls, "working"))
        return not (until_idle and not self.crawls and not claimed and not self._is_away)

    def _rest(self) -> None:
        pause = AWAY_SECONDS if self._is_away and not self.stop.signals else self.settings.worker_poll
        while self.clock.wait(0, [self.stop]):
            os.read(self.stop.fileno(), 100)
        # One that has ended, and whose end could not be written yet, would wake us for ever.
        awake = [crawl for crawl in self.crawls if crawl.wakes and crawl.poll() is None]
        self.clock.wait(min(pause, LOOK_SECONDS) if self.crawls else pause, [*awake, self.stop])

    def _tick(self) -> None:
        done = tick(self.db, self.clock, self.planner, with_schedules=self.with_schedules)
        for sentence in done.sentences:
            self.events.tell("tick", sentence)
        if done.back:
            self.events.tell("back", f"{done.back} jobs of crawls that have died are due again", jobs=done.back)
        self.alerts.begin()
        self.notices.begin()
        self.housekeeping.begin()

    def _fill(self) -> bool:
        """Start crawls while there are slots and due jobs; return whether there was one."""
        claimed = False
        while len(self.crawls) < self.slots and (taken := self._in_session(self._claim)) is not None:
            claimed = True
            try:
                self.crawls.append(self.launcher.start(taken, self.clock))
            except (OSError, WarmFailed) as error:
                self.events.tell("not_started", f"{taken.spider}: {error}", claim=taken.id)
                self._in_session(partial(self._return, taken=taken, why="It could not be started."))
                return False
            jobs = ", ".join(map(str, taken.jobs))
            self.events.tell(
                "crawl", f"{taken.spider} {', '.join(taken.labels)} (job {jobs})", spider=taken.spider, jobs=taken.jobs
            )
        return claimed

    def _claim(self, session: Session) -> Claim | None:
        seconds = database_settings().lease_seconds
        return claims.claim(session, self.name, self.clock.now(session), seconds, self.portals, self.only)

    def _reap(self) -> None:
        """
        Settle the crawls that have ended, and send the alerts that they have left.

        One whose end cannot be written yet stays, and is looked at again.
        """
        for crawl in list(self.crawls):
            if (code := crawl.poll()) is None:
                continue
            told = self._in_session(partial(self._settled, crawl=crawl, code=code))
            if told is None:
                continue
            self.crawls.remove(crawl)
            self.presence.done += 1
            self.launcher.forget(crawl, keep=code != 0)
            if self.results is not None:
                self.results += told
            for one in told:
                sentence = f"{one['spider']} {one['target']}: {one['outcome']}, {one['files']} files, {one['records']} records (job {one['job']})"
                self.events.tell("done", sentence, **one)
            self._asked(self.alerts.begin)

    def _settled(self, session: Session, crawl: AnyCrawl, code: int) -> list[dict[str, Any]]:
        """Give back or fail what a crawl has left open, and return what became of its jobs."""
        at = self.clock.now(session)
        mine = select(ScraperJob).where(ScraperJob.claim == crawl.claim.id, ScraperJob.status.in_(CLAIMED))
        for job in session.scalars(mine.order_by(ScraperJob.id)).all():
            if code >= 0 and job.status == ScraperJobStatus.IN_PROGRESS and not crawl.why:
                kind = DatabaseAwayFailure if code == DatabaseAwayFailure.outcome.exit_code else CrawlNotStarted
                self._fail(session, crawl, kind.outcome, crawl.last_line() or f"Exit code {code}.", [job.id])
        claims.hand_back(session, crawl.claim.id, at, crawl.why or f"Its crawl ended with {code} and said nothing.")
        return [self._result(session, number) for number in crawl.claim.jobs]

    @staticmethod
    def _result(session: Session, number: int) -> dict[str, Any]:
        job = session.get(ScraperJob, number)
        run = session.scalars(select(Run).where(Run.job_id == number).order_by(Run.id.desc()).limit(1)).one_or_none()
        return {
            "job": number,
            "spider": job.spider if job else "",
            "target": job.label if job else "",
            "status": job.status.value if job else "gone",
            "outcome": job.outcome if job else None,
            "message": job.message if job else None,
            "comes": job.available_at if job and job.status == ScraperJobStatus.PENDING else None,
            "run": run.id if run else None,
            "files": run.files if run else 0,
            "records": run.records if run else 0,
        }

    def _watch(self) -> None:
        """
        End crawls that exceed their time or memory, and those of which all jobs were cancelled.

        Prolong the claims of those that have not begun: they are slow to start, or wait elsewhere.
        """
        elapsed = self.clock.elapsed()
        for crawl in self.crawls:
            if crawl.told_to_end is not None:
                crawl.end(elapsed, crawl.why)
                continue
            memory = crawl.memory
            why = ""
            if elapsed - crawl.began > self.settings.crawl_life:
                why = f"It took longer than {self.settings.crawl_life:g} s."
            elif memory is not None and memory > self.settings.crawl_memory * MEGABYTE:
                why = f"It took {memory // MEGABYTE} MB of memory."
            if why:
                self._in_session(partial(self._fail, crawl=crawl, outcome=CrawlStopped.outcome, message=why))
                self.events.tell("stopped", f"{crawl.claim.spider}: {why} It is ended.", jobs=crawl.claim.jobs)
                crawl.end(elapsed, why)
            elif (statuses := self._in_session(partial(_statuses, claim=crawl.claim))) == {ScraperJobStatus.CANCELLED}:
                self.events.tell("cancelled", f"{crawl.claim.spider}: its jobs were cancelled", jobs=crawl.claim.jobs)
                crawl.end(elapsed, "Its jobs were cancelled.")
            elif statuses is not None and statuses <= {ScraperJobStatus.IN_PROGRESS, ScraperJobStatus.CANCELLED}:
                self._in_session(partial(self._prolong, claim=crawl.claim))

    def _fail(
        self, session: Session, crawl: AnyCrawl, outcome: Outcome, message: str, jobs: Sequence[int] | None = None
    ) -> bool:
        """Settle the jobs of a crawl that are not settled yet."""
        ending = Ending(outcome.code, outcome.then.value, message, outcome.actor.value, requests=0)
        for number in crawl.claim.jobs if jobs is None else jobs:
            at = self.clock.now(session)
            if settle(session, number, crawl.claim.id, ending, at) is not None:
                job = session.get_one(ScraperJob, number)
                failed_job(session, job, outcome.code, outcome.actor.value, at)
        return True

    def _drain(self, elapsed: float) -> bool:
        """Wait for running crawls, as long as they may take; return whether some still run."""
        if not self._drained_by:
            self._drained_by = elapsed + self.settings.worker_drain
            self.events.tell("draining", f"told to stop: {len(self.crawls)} crawls run", crawls=len(self.crawls))
        self._asked(lambda: self.presence.report(self.crawls, "draining"))
        if self.stop.signals > 1 or elapsed >= self._drained_by:
            for crawl in self.crawls:
                crawl.end(elapsed, "The worker was told to stop.")
            self.assisted.close()
            self._asked(self.assisted.reap)
        return bool(self.crawls) or self.assisted.any_run

    def _prolong(self, session: Session, claim: Claim) -> set[int]:
        return claims.renew(session, claim.id, self.clock.now(session), database_settings().lease_seconds)

    def _return(self, session: Session, taken: Claim, why: str) -> bool:
        claims.hand_back(session, taken.id, self.clock.now(session), why)
        return True

    def _in_session(self, work: Callable[[Session], T]) -> T | None:
        """Do something in a transaction; None while the database is away."""

        def act() -> T:
            with self.db.transaction() as session:
                return work(session)

        return self._asked(act)

    def _asked(self, work: Callable[[], T]) -> T | None:
        """Do something that needs the database; None, and one event, while it is away."""
        try:
            done = work()
        except DatabaseAway as error:
            if not self._is_away:
                self.events.tell("database_away", str(error))
            self._is_away = True
            return None
        if self._is_away:
            self._is_away = False
            self.events.tell("database_back", "the database answers again")
        return done


def _statuses(session: Session, claim: Claim) -> set[ScraperJobStatus]:
    """Return how the jobs of a claim stand."""
    return set(session.scalars(select(ScraperJob.status).where(ScraperJob.id.in_(claim.jobs))))
