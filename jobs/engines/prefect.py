"""
Prefect as what starts the crawls, over its REST API: nothing of Prefect is imported here.

Each schedule is a deployment with its cron expression; its flow ticks, which makes the jobs, and posts one flow run for each
due spider and credential into a work queue of that credential, which lets one run at a time. The flow of such a run claims
its jobs as a worker does (`scrapy jobs run --job`), so that a run that Prefect repeats does nothing twice.

Schedules are changed in our database first, and the deployments follow. Where Prefect is away meanwhile, that is noted, and
the next tick or change makes all deployments equal to the schedules.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from http import HTTPStatus
from typing import Any, ClassVar

from sqlalchemy import select

from database.engine import Database
from database.jobs import claims
from database.models.jobs import Schedule
from jobs.clock import Clock
from jobs.cron import NAMED
from jobs.engines.embedded import Engine
from jobs.engines.prefect_api import WAIT, Prefect, PrefectAway
from jobs.planning import Planner
from jobs.settings import PrefectSettings
from jobs.tick import Ticked, tick

MOST_LOOKS = 5  # in a row, each of which has found something to change


class PrefectEngine(Engine):
    """Schedules are deployments, too; jobs are flow runs. wait: seconds for one answer of Prefect."""

    name: ClassVar[str] = "prefect"
    mirrors: ClassVar[bool] = True

    def __init__(self, db: Database, clock: Clock, wait: float = WAIT) -> None:
        super().__init__(db, clock)
        self.api = Prefect(PrefectSettings.current(), wait)

    def upsert_schedule(self, name: str, fields: Mapping[str, Any]) -> str:
        """Add or change a schedule, and its deployment."""
        done = super().upsert_schedule(name, fields)
        self.follow()
        return done

    def pause(self, name: str) -> None:
        """Pause both."""
        super().pause(name)
        self.follow()

    def resume(self, name: str) -> None:
        """Resume both."""
        super().resume(name)
        self.follow()

    def delete(self, name: str) -> None:
        """Remove both."""
        super().delete(name)
        self.follow()

    def _follow(self) -> None:
        """
        Make the deployments equal to the schedules.

        Another process may do the same meanwhile, with schedules that it has read before ours were changed. So who has
        changed something looks once more.
        """
        for _ in range(MOST_LOOKS):
            # In this order: a deployment that is made meanwhile is not taken for one whose schedule is gone.
            there, wanted = self.api.deployments(), self._wanted()
            due = {name for name, facts in wanted.items() if name not in there or _facts(there[name]) != facts}
            leftover = there.keys() - wanted.keys()
            if not due and not leftover:
                return
            if due:
                self.api.set_up()
            refused = [said for name in sorted(due) if (said := self._deploy(name, wanted[name]))]
            for name in leftover:
                self._remove(str(there[name]["id"]))
            if refused:
                raise PrefectAway(" ".join(refused), HTTPStatus.UNPROCESSABLE_ENTITY)

    def _wanted(self) -> dict[str, tuple[Any, ...]]:
        """Return what each schedule's deployment must say."""
        columns = (Schedule.name, Schedule.cron, Schedule.time_zone, Schedule.paused)
        with self.db.transaction() as session:
            return {
                row.name: (
                    ((NAMED.get(row.cron, row.cron), row.time_zone, not row.paused),),
                    row.paused,
                    self.api.folder,
                )
                for row in session.execute(select(*columns))
            }

    def _deploy(self, name: str, facts: tuple[Any, ...]) -> str:
        """Make or change a deployment; return why Prefect refuses this one, which keeps no other from being made."""
        ((cron, zone, active),), _, _ = facts
        try:
            self.api.deploy(name, "due", {"active": active, "schedule": {"cron": cron, "timezone": zone}})
        except PrefectAway as error:
            if error.status != HTTPStatus.UNPROCESSABLE_ENTITY:
                raise
            return f"Schedule {name}: {error}"
        return ""

    def _remove(self, deployment: str) -> None:
        try:
            self.api.ask(f"/deployments/{deployment}", method="DELETE")
        except PrefectAway as error:
            if error.status != HTTPStatus.NOT_FOUND:  # another process was faster
                raise

    def post(self) -> None:
        """Post a flow run for what is due."""
        self.dispatch()

    def cancel(self, jobs: Collection[int]) -> list[int]:
        """Cancel jobs, and the flow runs of those that have one."""
        done = super().cancel(jobs)
        alive = {"flow_runs": {"state": {"type": {"any_": ["SCHEDULED", "PENDING", "RUNNING"]}}}, "limit": 200}
        for run in self.api.ask("/flow_runs/filter", alive):
            if run["parameters"].get("job") in done:
                self.api.ask(f"/flow_runs/{run['id']}/set_state", {"state": {"type": "CANCELLING"}})
        return done

    def status(self) -> dict[str, Any]:
        """Return how the work stands, and how many flow runs are in which state."""
        counts = {
            state: self.api.ask("/flow_runs/count", {"flow_runs": {"state": {"type": {"any_": [state]}}}})
            for state in ("SCHEDULED", "RUNNING", "COMPLETED", "FAILED", "CRASHED", "CANCELLED")
        }
        return {**super().status(), "prefect": counts}

    def dispatch(self) -> int:
        """Post a flow run for each due spider and credential that has none yet; return how many are posted."""
        self.api.set_up()
        with self.db.transaction() as session:
            groups = claims.due_groups(session, self.clock.now(session))
            tries = {job: claims.attempts_of(session, job) for job, _, _ in groups}
        crawl = self.api.deployment("crawl", "crawl")
        assert crawl is not None  # set_up has made it
        for job, group, exclusive in groups:
            body = {
                "name": group[:100],
                "parameters": {"job": job},
                "work_queue_name": self.api.queue(exclusive),
                # The same claim is posted once, however often the tick sees that it is due.
                "idempotency_key": f"job {job} after {tries[job]}",
            }
            self.api.ask(f"/deployments/{crawl['id']}/create_flow_run", body)
        return len(groups)

    def tick(self, planner: Planner) -> Ticked:
        """Make what is due, and post it: what the flow of a schedule does."""
        done = tick(self.db, self.clock, planner)
        self.dispatch()
        self.follow()
        return done


def _facts(deployment: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return what a deployment says, in the form of `_wanted`."""
    schedules = tuple(
        (each["schedule"].get("cron"), each["schedule"].get("timezone"), each["active"])
        for each in deployment["schedules"]
    )
    return schedules, deployment["paused"], deployment["path"]
