"""
A simulated time of schedules, workers and faults, on the queue as it is: only the crawls and the clock are invented.

The counts that it returns must be zero: due times without a job or a reason, what was done twice, and crawls of one
credential side by side.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count, pairwise
from random import Random

from sqlalchemy import bindparam, exists, func, select

from database.engine import Database
from database.jobs import claims
from database.jobs.claims import Claim, claim
from database.jobs.queue import NewJob, is_due, is_parked, release
from database.jobs.schedules import put
from database.jobs.settling import settle
from database.jobs.steps import Ending
from database.models.base import UtcDateTime
from database.models.jobs import CLAIMED, Firing, Schedule, ScraperJob, ScraperJobStatus
from jobs.clock import TurnableClock
from jobs.cron import due_times
from jobs.planning import Found, Wanted
from jobs.scenarios import DAY, HOUR, MINUTE, ZONES, Fault, Scenario, faults, schedule
from jobs.tick import Ticked, fire_schedules
from scrapers.core.outcomes import OUTCOMES

LEASE = 60.0  # seconds
_AT = bindparam("at", type_=UtcDateTime)
_PENDING = ScraperJob.status == ScraperJobStatus.PENDING
# Whether a job is due, and when the next one is that is not.
WAITING = select(
    exists().where(is_due(_AT)),
    select(func.min(ScraperJob.available_at)).where(_PENDING, ScraperJob.available_at > _AT).scalar_subquery(),
)


@dataclass
class Counts:
    """What has happened, and what must not have."""

    due_times: int = 0
    jobs: int = 0
    crawls: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    without_job_or_reason: int = 0
    doubled: int = 0
    overlaps: int = 0
    wrong_attempts: int = 0  # jobs whose attempts are not those that were made
    left: int = 0  # jobs that are due at the end and that no worker has taken

    @property
    def is_sound(self) -> bool:
        """Whether all that must be zero is zero."""
        return not (self.without_job_or_reason or self.doubled or self.overlaps or self.wrong_attempts or self.left)


@dataclass
class SimulatedCrawl:
    """A crawl that would run."""

    claim: Claim
    began: datetime
    ends: datetime
    renewed: datetime  # by the clock
    suspended: datetime | None = None  # since when it stands still


@dataclass
class SimulatedWorker:
    """A worker that would run."""

    name: str
    restarts: datetime | None = None  # it was killed; None: it is there
    crawls: list[SimulatedCrawl] = field(default_factory=list)


class Targets:
    """In the place of a Planner: a schedule's accounts are user names, and each is a target that always has something new."""

    def find(self, session: object, wanted: Wanted) -> Found:
        """Return a job for each spider and user name."""
        found = Found()
        for spider in wanted.spiders:
            portal, _, kind = spider.partition("_")
            for username in wanted.accounts or ():
                lock = claims.lock_of(portal, username, shared=portal == "shared")
                found.jobs.append(NewJob(portal, kind, f"{spider} {username}", username, username, lock))
        return found


class Simulation:
    """Plays a scenario on a database that has our tables and nothing in them."""

    def __init__(self, db: Database, scenario: Scenario) -> None:
        self.db, self.scenario, self.random = db, scenario, Random(scenario.seed)
        self.time = scenario.begins  # the true one; the clock may be wrong
        self.ends = scenario.begins + scenario.days * DAY
        self.clock = TurnableClock(self.time)
        self.workers = [SimulatedWorker(f"machine{number}+1+1") for number in range(scenario.workers)]
        self.counts = Counts()
        self.faults = faults(scenario, self.random)
        self.counts.faults.update(fault.kind for fault in self.faults)
        moments = (self.time + self.random.random() * scenario.days * DAY for _ in range(scenario.kills))
        self.kills = sorted(moments, reverse=True)
        self.claimed: Counter[int] = Counter()
        self.worked: dict[str, list[tuple[datetime, datetime]]] = defaultdict(list)  # by credential
        self.succeeded: Counter[int] = Counter()
        self._names = count()

    def run(self) -> Counts:
        """Play it to its end and return the counts."""
        with self.db.transaction() as session:
            for number in range(self.scenario.schedules):
                put(session, f"schedule {number}", schedule(number, self.random), self.time)
            session.flush()
            self.schedules = list(session.scalars(select(Schedule).order_by(Schedule.id)))
        dues = {each.id: due_times(each.cron, each.time_zone, self.time) for each in self.schedules}
        upcoming = {number: next(times) for number, times in dues.items()}
        boundaries = sorted({moment for fault in self.faults for moment in (fault.begins, fault.ends)}, reverse=True)
        quiet = self.ends + 3 * DAY  # without faults and due times: what is left is done
        tick_at = self.time
        while self.time < quiet:
            moments = [crawl.ends for worker in self.workers for crawl in worker.crawls]
            moments += [worker.restarts for worker in self.workers if worker.restarts]
            moments += [*upcoming.values(), *self._available(), quiet]
            moments += [stack[-1] for stack in (boundaries, self.kills) if stack]
            self.time = min(moment for moment in moments if moment > self.time)
            self.clock.turn(self.time + self._offset())
            must_tick = self.time >= tick_at
            while boundaries and boundaries[-1] <= self.time:
                boundaries.pop()
                must_tick = True
            for number, due in upcoming.items():
                if due <= self.time:
                    must_tick = True
                    upcoming[number] = next(each for each in dues[number] if each > self.time)
            while self.kills and self.kills[-1] <= self.time:
                self.kills.pop()
                self._kill(self.random.choice(self.workers))
            self._work(tick=must_tick)
            if must_tick:
                tick_at = self.time + HOUR
        return self._counted()

    def _work(self, *, tick: bool) -> None:
        """Let every worker that is there do what is to be done at this instant."""
        if self._is("database away") is not None:
            return  # crawls that have ended meanwhile are settled, or found lost, when it is back
        there = [worker for worker in self.workers if self._is_there(worker)]
        for worker in there:
            self._keep(worker)
        for worker in there:
            for crawl in [crawl for crawl in worker.crawls if crawl.ends <= self.time]:
                self._end(worker, crawl)
        if there and tick:
            fire_schedules(self.db, self.clock, Targets(), Ticked())
            self._owners_act()
        for worker in there:
            while len(worker.crawls) < self.scenario.slots:
                with self.db.transaction() as session:
                    taken = claim(session, worker.name, self.clock.now(session), LEASE)
                if taken is None:
                    return
                self.claimed.update(taken.jobs)
                lasts = self.random.uniform(0.5, 20) * MINUTE * (10 if self._is("portal slow", taken.portal) else 1)
                worker.crawls.append(SimulatedCrawl(taken, self.time, self.time + lasts, self.clock.at))
                self.counts.crawls += 1

    def _keep(self, worker: SimulatedWorker) -> None:
        """Prolong the claims of a worker, as it has done all along; a crawl whose claim is lost stops."""
        for crawl in list(worker.crawls):
            if crawl.suspended is None and abs(self.clock.at - crawl.renewed) < timedelta(seconds=LEASE / 2):
                continue
            crawl.renewed = self.clock.at
            with self.db.transaction() as session:
                kept = claims.renew(session, crawl.claim.id, self.clock.now(session), LEASE)
            if not kept:
                self._leave(worker, crawl, crawl.suspended or self.time)
            crawl.suspended = None

    def _end(self, worker: SimulatedWorker, crawl: SimulatedCrawl) -> None:
        with self.db.transaction() as session:
            for number in crawl.claim.jobs:
                code = self._outcome(crawl.claim.portal)
                outcome = OUTCOMES[code]
                facts = (
                    code,
                    outcome.then.value,
                    "",
                    outcome.actor.value,
                    outcome.portal_trouble,
                    outcome.portal_works,
                )
                ending = Ending(*facts, until=self.clock.at + 3 * HOUR, time_zone=ZONES[0])
                step = settle(session, number, crawl.claim.id, ending, self.clock.now(session), self.random)
                self.counts.outcomes[code] += step is not None
                self.succeeded[number] += step is not None and step.status == ScraperJobStatus.SUCCESS
        self._leave(worker, crawl, self.time)

    def _leave(self, worker: SimulatedWorker, crawl: SimulatedCrawl, until: datetime) -> None:
        worker.crawls.remove(crawl)
        if crawl.claim.exclusive:
            self.worked[crawl.claim.exclusive].append((crawl.began, until))

    def _kill(self, worker: SimulatedWorker) -> None:
        """End a worker and its crawls without a word."""
        for crawl in list(worker.crawls):
            self._leave(worker, crawl, self.time)
        worker.name = f"machine{next(self._names) + 100}+1+1"
        worker.restarts = self.time + self.random.uniform(0.1, 90) * MINUTE
        self.counts.faults["kill"] += 1

    def _owners_act(self) -> None:
        """Let the owners of parked jobs act after a day or two."""
        with self.db.transaction() as session:
            waiting = select(ScraperJob).where(ScraperJob.status == ScraperJobStatus.PENDING, is_parked())
            for job in session.scalars(waiting.where(ScraperJob.parked_at < self.clock.at - 1.5 * DAY)):
                release(job, self.clock.at)

    def _outcome(self, portal: str) -> str:
        if self._is("portal away", portal) is not None:
            return self.random.choice(("portal_down", "rate_limited", "flow_timed_out"))
        usual = ("success",) * 88 + ("not_yet_published",) * 4 + ("report_not_ready",) * 2
        return self.random.choice(
            (
                *usual,
                *"cache_error bad_file bad_credentials portal_changed credential_busy sign_in_budget_spent".split(),
            )
        )

    def _is_there(self, worker: SimulatedWorker) -> bool:
        if worker.restarts is not None and worker.restarts <= self.time:
            worker.restarts = None
        number = self.workers.index(worker)
        away = [self._is("all workers away"), *(self._is(kind, number) for kind in ("worker away", "worker suspended"))]
        if any(fault is not None and fault.kind != "worker suspended" for fault in away) and worker.crawls:
            for crawl in list(worker.crawls):  # it was stopped, not suspended
                self._leave(worker, crawl, self.time)
        for crawl in worker.crawls:
            crawl.suspended = crawl.suspended or (self.time if any(away) else None)
        return worker.restarts is None and not any(away)

    def _is(self, kind: str, target: str | int | None = None) -> Fault | None:
        """Return the fault of a kind that is under way, for a worker's number or a portal."""
        if isinstance(target, str):
            target = int(target.removeprefix("portal") or 0) if target != "shared" else 0
        return next(
            (
                fault
                for fault in self.faults
                if fault.kind == kind and fault.begins <= self.time < fault.ends and target in (None, fault.target)
            ),
            None,
        )

    def _offset(self) -> timedelta:
        """Return by how much the clock is wrong."""
        wrong = [self._is("clock ahead"), self._is("clock behind")]
        return sum((fault.by for fault in wrong if fault is not None), timedelta(0))

    def _available(self) -> list[datetime]:
        """Return when the next job may be claimed, by the true time."""
        with self.db.transaction() as session:
            waits, later = session.execute(WAITING, {"at": self.clock.at}).one()
        # What is due already waits for a credential, a place, a worker or the next probe of a breaker.
        return [self.time + 5 * MINUTE] * bool(waits) + ([later - self._offset()] if later is not None else [])

    def _counted(self) -> Counts:
        counts = self.counts
        with self.db.transaction() as session:
            firings: dict[int, list[Firing]] = defaultdict(list)
            for firing in session.scalars(select(Firing).order_by(Firing.due_at)):
                firings[firing.schedule_id].append(firing)
            for schedule in self.schedules:
                expected = list(due_times(schedule.cron, schedule.time_zone, self.scenario.begins, self.ends))
                counts.due_times += len(expected)
                for due in expected:
                    of_due = [each for each in firings[schedule.id] if each.first_due_at <= due <= each.due_at]
                    counts.without_job_or_reason += not any(each.jobs or each.reason for each in of_due)
                    counts.doubled += len(of_due) > 1
            jobs = session.scalars(select(ScraperJob)).all()
            counts.jobs = len(jobs)
            made = Counter((job.schedule_id, job.due_at, job.username) for job in jobs)
            counts.doubled += sum(number - 1 for number in made.values())
            counts.doubled += sum(number > 1 for number in self.succeeded.values())
            counts.wrong_attempts = sum(job.attempt != self.claimed[job.id] for job in jobs)
            counts.wrong_attempts += sum(job.retry_count > job.max_retries for job in jobs)
            counts.left = sum(self._is_left(job) for job in jobs)
        for spans in self.worked.values():
            counts.overlaps += sum(begins < ended for (_, ended), (begins, _) in pairwise(sorted(spans)))
        return counts

    def _is_left(self, job: ScraperJob) -> bool:
        """Tell whether a job is due, or its claim over, for so long that every worker has overlooked it."""
        since = job.lease_until if job.status in CLAIMED else job.available_at
        return since is not None and since < self.clock.at - 6 * HOUR
