"""
Procrastinate as what starts the crawls: tasks in PostgreSQL, taken by any number of machines within milliseconds.

Our tick is its periodic task. It defers one task for each due spider and credential, whose lock is the credential; a task
claims its jobs and crawls them as a worker does. Jobs, schedules and results stay in our tables. Procrastinate's own are
in a schema of the same database that is called like it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from contextlib import suppress
from typing import Any, ClassVar

import psycopg
from procrastinate import App, PsycopgConnector
from procrastinate.exceptions import AlreadyEnqueued, ConnectorException
from sqlalchemy import make_url

from database.engine import Database
from database.jobs import claims
from database.jobs.claims import Claim
from database.processes import signature
from database.settings import SettingsError, database_settings
from jobs.engines.embedded import Engine, EngineAway
from jobs.worker import LOOK_SECONDS, Worker

SCHEMA = "procrastinate"
CRAWLS, HOUSEKEEPING = "crawls", "housekeeping"
STALLED = 30.0  # seconds without a heartbeat after which a task is given to another worker
POLL = 0.2  # seconds between two looks whether a crawl has ended


class ProcrastinateEngine(Engine):
    """Schedules and jobs as the embedded engine has them; jobs that are due now are deferred at once."""

    name: ClassVar[str] = "procrastinate"

    def post(self) -> None:
        """Defer a task for what is due."""
        try:
            asyncio.run(defer_now(self.db, self))
        except (psycopg.OperationalError, ConnectorException) as error:
            raise EngineAway(f"Procrastinate's tables cannot be asked: {type(error).__name__}.") from error


def make_app(db: Database) -> App:
    """Return an application on the database, with its tables; raise SettingsError for a database that is not PostgreSQL."""
    if db.dialect != "postgresql":
        raise SettingsError(
            "LATCHKEY_ENGINE=procrastinate needs PostgreSQL: LATCHKEY_DATABASE_URL names another database."
        )
    url = make_url(db.engine.url.render_as_string(hide_password=False)).set(drivername="postgresql")
    conninfo = url.update_query_dict({"options": f"-csearch_path={SCHEMA}"}).render_as_string(hide_password=False)
    app = App(connector=PsycopgConnector(conninfo=conninfo))
    with (
        psycopg.connect(url.render_as_string(hide_password=False), autocommit=True) as connection,
        connection.transaction(),
    ):
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (claims.ONE_CLAIM + 1,))  # two workers may start at once
        connection.execute(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")
        there = connection.execute("SELECT to_regclass(%s)", (f"{SCHEMA}.procrastinate_jobs",)).fetchone()
        if there is not None and there[0] is None:
            connection.execute(f"SET LOCAL search_path TO {SCHEMA}")
            connection.execute(app.schema_manager.get_schema())
    return app


async def defer_now(db: Database, engine: Engine) -> None:
    """Defer a task for what is due, without a worker."""
    app = make_app(db)
    _crawl_task(app)
    async with app.open_async():
        await _defer(app, db, engine.clock, None)


def _crawl_task(app: App) -> Any:
    """Return the task that crawls; here without a body, for those that only defer it."""

    async def crawl(job: int) -> None:
        raise TypeError(f"Job {job} was given to a process that runs no crawls.")

    return app.task(name="latchkey.crawl", queue=CRAWLS)(crawl)


async def _defer(app: App, db: Database, clock: Any, portals: Collection[str] | None) -> int:
    """Defer a task for each due spider and credential that has none yet; return how many."""

    def due() -> list[tuple[int, str, str | None]]:
        with db.transaction() as session:
            return claims.due_groups(session, clock.now(session), portals)

    count = 0
    for job, group, exclusive in await asyncio.to_thread(due):
        configured = app.configure_task(
            "latchkey.crawl", queue=CRAWLS, lock=f"credential {exclusive}" if exclusive else None, queueing_lock=group
        )
        with suppress(AlreadyEnqueued):
            await configured.defer_async(job=job)
            count += 1
    return count


class ProcrastinateWorker(Worker):
    """A worker that is given its crawls by Procrastinate; what becomes of them is written as every worker does."""

    def run(self, *, until_idle: bool = False) -> None:
        """Work until a signal comes; *until_idle*: until nothing is due, and `results` are kept."""
        self.results = [] if until_idle else None
        self.events.tell("started", f"worker {self.name}: {self.slots} slots, by Procrastinate", slots=self.slots)
        self.launcher.warm()
        try:
            asyncio.run(self._serve(until_idle))
            if until_idle:
                self._asked(self.alerts.finish)
        finally:
            self.alerts.close()
            self.housekeeping.close()
            for crawl in self.crawls:
                crawl.kill()
            self.assisted.close()
            self._asked(self.assisted.reap)
            self.launcher.close()
            self._asked(self.presence.leave)
            self.events.tell("ended", f"worker {self.name} has ended", done=self.presence.done)

    async def _serve(self, until_idle: bool) -> None:
        app = make_app(self.db)
        free = asyncio.Semaphore(self.slots)

        async def housekeeping(timestamp: int) -> None:
            await asyncio.to_thread(self._asked, self._tick)
            await _defer(app, self.db, self.clock, self.portals)
            for stalled in await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=STALLED):
                await app.job_manager.retry_job(stalled)

        app.periodic(cron="* * * * *")(
            app.task(name="latchkey.tick", queue=HOUSEKEEPING, queueing_lock="tick")(housekeeping)
        )

        async def crawl(job: int) -> str:
            async with free:  # tasks run beside housekeeping: one more than there are slots
                if not await self._crawl(job):
                    return "not now"
            # What the limit of its portal has held back may start now.
            await _defer(app, self.db, self.clock, self.portals)
            return "done"

        app.task(name="latchkey.crawl", queue=CRAWLS)(crawl)
        async with app.open_async():
            await asyncio.to_thread(self._asked, self._tick)
            await _defer(app, self.db, self.clock, self.portals)
            looking = asyncio.ensure_future(self._look(until_idle))
            try:
                await app.run_worker_async(
                    queues=[CRAWLS, HOUSEKEEPING],
                    concurrency=self.slots + 1,  # one for housekeeping
                    wait=not until_idle,
                    name=signature(),
                    fetch_job_polling_interval=self.settings.worker_poll,
                    shutdown_graceful_timeout=self.settings.worker_drain,
                    delete_jobs="always",
                )
            finally:
                looking.cancel()

    async def _look(self, until_idle: bool) -> None:
        """Settle crawls that have ended, and watch the others; start the sign-ins that operators finish."""
        turn = 0
        while True:
            await asyncio.sleep(POLL)
            turn += 1
            await asyncio.to_thread(self._reap)
            if turn % int(LOOK_SECONDS / POLL) == 0:
                await asyncio.to_thread(self._watch)
                await asyncio.to_thread(self._asked, self._report)
                await asyncio.to_thread(self._asked, self.assisted.reap)
                if not until_idle:
                    await asyncio.to_thread(self._asked, self.assisted.begin)

    def _report(self) -> None:
        self.presence.report(self.crawls, "working")

    async def _crawl(self, job: int) -> bool:
        """Crawl the due jobs of one job's spider and credential; return False when they may not be claimed now."""
        taken = await asyncio.to_thread(self._claim_of, job)
        if taken is None:
            return False
        crawl = await asyncio.to_thread(self.launcher.start, taken, self.clock)
        self.crawls.append(crawl)
        self.events.tell("crawl", f"{taken.spider} {', '.join(taken.labels)}", spider=taken.spider, jobs=taken.jobs)
        try:
            while crawl in self.crawls:  # noqa: ASYNC110 - settled in a thread, which can set no event of this loop
                await asyncio.sleep(POLL)
        except asyncio.CancelledError:
            crawl.end(self.clock.elapsed(), "The worker was told to stop.")
            while crawl in self.crawls:
                await asyncio.sleep(POLL)
                crawl.end(self.clock.elapsed(), "The worker was told to stop.")
            raise
        return True

    def _claim_of(self, job: int) -> Claim | None:
        seconds = database_settings().lease_seconds
        with self.db.transaction() as session:
            return claims.claim(session, self.name, self.clock.now(session), seconds, self.portals, only=job)
