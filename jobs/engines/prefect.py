"""
Prefect as what starts the crawls, over its REST API: nothing of Prefect is imported here.

Each schedule is a deployment with its cron expression; its flow ticks, which makes the jobs, and posts one flow run for each
due spider and credential into a work queue of that credential, which lets one run at a time. The flow of such a run claims
its jobs as a worker does (`scrapy jobs run --job`), so that a run that Prefect repeats does nothing twice.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, ClassVar
from urllib.error import HTTPError, URLError
from urllib.request import ProxyHandler, Request, build_opener

from database.engine import Database
from database.jobs import claims
from jobs.clock import Clock
from jobs.engines.embedded import Engine
from jobs.planning import Planner
from jobs.settings import PrefectSettings
from jobs.tick import Ticked, tick

WAIT = 30.0  # seconds for one answer
FLOW = "latchkey"
ROOT = Path(__file__).resolve().parents[2]
HEARTBEAT = 30  # seconds; PREFECT_FLOWS_HEARTBEAT_FREQUENCY of its workers
ENDS = ("heartbeat", "Completed", "Failed", "Cancelled", "Crashed", "AwaitingRetry")
# Prefect 3 marks a run whose process has died as crashed, and starts it again, only when two automations say so.
AUTOMATIONS: tuple[dict[str, Any], ...] = (
    {
        "name": "latchkey: dead runs",
        "trigger": {
            "type": "event",
            "posture": "Proactive",
            "threshold": 1,
            "within": 3 * HEARTBEAT,
            "match": {"prefect.resource.id": ["prefect.flow-run.*"]},
            "for_each": ["prefect.resource.id"],
            "after": ["prefect.flow-run.heartbeat"],
            "expect": [f"prefect.flow-run.{event}" for event in ENDS],
        },
        "actions": [
            {"type": "change-flow-run-state", "state": "CRASHED", "name": "Crashed", "message": "No heartbeat."}
        ],
    },
    {
        "name": "latchkey: run again",
        "trigger": {
            "type": "event",
            "posture": "Reactive",
            "threshold": 1,
            "within": 0,
            "match": {"prefect.resource.id": ["prefect.flow-run.*"]},
            "for_each": ["prefect.resource.id"],
            "expect": ["prefect.flow-run.Crashed"],
        },
        "actions": [{"type": "change-flow-run-state", "state": "SCHEDULED", "name": "AwaitingRetry", "force": True}],
    },
)


class PrefectAway(OSError):
    """Prefect does not answer, or refuses. The text is one sentence."""


class Prefect:
    """Prefect's API, as far as it is needed."""

    def __init__(self, settings: PrefectSettings) -> None:
        self.settings = settings
        self._opener = build_opener(ProxyHandler({}))  # it stands on this network

    def ask(self, path: str, body: Any = None, method: str = "") -> Any:
        """Return the answer of a route as JSON, None where it is empty; raise PrefectAway."""
        data = None if body is None else json.dumps(body).encode()
        url = f"{self.settings.prefect_url.rstrip('/')}{path}"
        request = Request(url, data, {"Content-Type": "application/json"}, method=method or ("POST" if data else "GET"))
        try:
            with self._opener.open(request, timeout=WAIT) as answer:
                text: bytes = answer.read()
        except HTTPError as error:
            raise PrefectAway(
                f"Prefect answered {path} with {error.code}: {error.read(300).decode(errors='replace')}"
            ) from None
        except (URLError, TimeoutError) as error:
            raise PrefectAway(f"Prefect at {self.settings.prefect_url} does not answer: {error}.") from None
        return json.loads(text) if text else None

    def found(self, path: str) -> Any:
        """Return what is at a path, None where nothing is; raise PrefectAway."""
        try:
            return self.ask(path)
        except PrefectAway as error:
            if " with 404" in str(error):
                return None
            raise

    def set_up(self) -> None:
        """Make the work pool, the deployment of crawls and the two automations, where they are missing."""
        pool = self.settings.prefect_pool
        if self.found(f"/work_pools/{pool}") is None:
            self.ask("/work_pools/", {"name": pool, "type": "process"})
        self.deploy("crawl", "crawl", {})
        known = {each["name"] for each in self.ask("/automations/filter", {})}
        for automation in AUTOMATIONS:
            if automation["name"] not in known:
                self.ask("/automations/", {"enabled": True, **automation})

    def deploy(
        self, name: str, function: str, parameters: Mapping[str, Any], schedule: Mapping[str, Any] | None = None
    ) -> str:
        """Make or change a deployment of a function of `prefect_flow.py`; return its id."""
        flow = self.ask("/flows/", {"name": f"{FLOW}-{function}"})["id"]
        made = self.ask(
            "/deployments/",
            {
                "name": name,
                "flow_id": flow,
                "work_pool_name": self.settings.prefect_pool,
                "path": str(self.settings.prefect_folder or ROOT),
                "entrypoint": f"jobs/engines/prefect_flow.py:{function}",
                "pull_steps": [
                    {
                        "prefect.deployments.steps.set_working_directory": {
                            "directory": str(self.settings.prefect_folder or ROOT)
                        }
                    }
                ],
                "parameters": dict(parameters),
                "enforce_parameter_schema": False,
                "schedules": [dict(schedule)] if schedule else [],
            },
        )
        return str(made["id"])

    def deployment(self, name: str, function: str = "due") -> dict[str, Any] | None:
        """Return a deployment by its name, or None."""
        found: dict[str, Any] | None = self.found(f"/deployments/name/{FLOW}-{function}/{name}")
        return found

    def queue(self, exclusive: str | None) -> str:
        """Return the name of a credential's work queue, which lets one run at a time; made where it is missing."""
        if exclusive is None:
            return "default"
        # The name is shown in Prefect's pages: no user name in it.
        name = f"credential-{hashlib.blake2b(exclusive.encode(), digest_size=6).hexdigest()}"
        pool = self.settings.prefect_pool
        if self.found(f"/work_pools/{pool}/queues/{name}") is None:
            self.ask(f"/work_pools/{pool}/queues", {"name": name, "concurrency_limit": 1})
        return name


class PrefectEngine(Engine):
    """Schedules are deployments, too; jobs are flow runs."""

    name: ClassVar[str] = "prefect"

    def __init__(self, db: Database, clock: Clock) -> None:
        super().__init__(db, clock)
        self.api = Prefect(PrefectSettings.current())

    def upsert_schedule(self, name: str, fields: Mapping[str, Any]) -> str:
        """Add or change a schedule, and its deployment."""
        self.api.set_up()
        done = super().upsert_schedule(name, fields)
        from jobs.cron import NAMED

        cron = NAMED.get(fields["cron"], fields["cron"])
        schedule = {"active": True, "schedule": {"cron": cron, "timezone": fields["time_zone"]}}
        self.api.deploy(name, "due", {}, schedule)
        return done

    def pause(self, name: str) -> None:
        """Pause both."""
        super().pause(name)
        self._tell(name, "pause_deployment")

    def resume(self, name: str) -> None:
        """Resume both."""
        super().resume(name)
        self._tell(name, "resume_deployment")

    def delete(self, name: str) -> None:
        """Remove both."""
        super().delete(name)
        if (found := self.api.deployment(name)) is not None:
            self.api.ask(f"/deployments/{found['id']}", method="DELETE")

    def run_now(self, jobs: Collection[int]) -> list[int]:
        """Make jobs due at once, and post their flow runs."""
        done = super().run_now(jobs)
        self.dispatch()
        return done

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
        return done

    def _tell(self, name: str, act: str) -> None:
        if (found := self.api.deployment(name)) is not None:
            self.api.ask(f"/deployments/{found['id']}/{act}", {}, "POST")
