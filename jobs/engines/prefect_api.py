"""Prefect's REST API, as far as it is needed: pools and queues, deployments, automations, flow runs."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from http import HTTPStatus
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

from jobs.engines.embedded import EngineAway
from jobs.settings import PrefectSettings

WAIT = 30.0  # seconds for one answer
FLOW = "latchkey"
TAG = "latchkey"  # of the deployments that we have made
PAGE = 200  # deployments of one answer; it gives no more
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


class PrefectAway(EngineAway):
    """Prefect does not answer, or refuses. The text is one sentence. status: of its answer; None: there was none."""

    def __init__(self, said: str, status: int | None = None) -> None:
        super().__init__(said)
        self.status = status


class Prefect:
    """Prefect's API, as far as it is needed."""

    def __init__(self, settings: PrefectSettings, wait: float = WAIT) -> None:
        self.settings, self.wait = settings, wait
        self._opener = build_opener(ProxyHandler({}))  # it stands on this network

    def ask(self, path: str, body: Any = None, method: str = "") -> Any:
        """Return the answer of a route as JSON, None where it is empty; raise PrefectAway."""
        data = None if body is None else json.dumps(body).encode()
        url = f"{self.settings.prefect_url.rstrip('/')}{path}"
        request = Request(url, data, {"Content-Type": "application/json"}, method=method or ("POST" if data else "GET"))
        try:
            with self._opener.open(request, timeout=self.wait) as answer:
                text: bytes = answer.read()
        except HTTPError as error:
            said = error.read(300).decode(errors="replace")
            raise PrefectAway(f"Prefect answered {path} with {error.code}: {said}", error.code) from None
        except (HTTPException, OSError) as error:
            reason = getattr(error, "reason", None) or error
            raise PrefectAway(f"Prefect at {self.settings.prefect_url} does not answer: {reason}.") from None
        return json.loads(text) if text else None

    def found(self, path: str) -> Any:
        """Return what is at a path, None where nothing is; raise PrefectAway."""
        try:
            return self.ask(path)
        except PrefectAway as error:
            if error.status == HTTPStatus.NOT_FOUND:
                return None
            raise

    @property
    def folder(self) -> str:
        """Folder of Latchkey on Prefect's workers."""
        return str(self.settings.prefect_folder or ROOT)

    def set_up(self) -> None:
        """Make the work pool, the deployment of crawls and the two automations, where they are missing."""
        pool = self.settings.prefect_pool
        if self.found(f"/work_pools/{pool}") is None:
            self.ask("/work_pools/", {"name": pool, "type": "process"})
        self.deploy("crawl", "crawl")
        known = {each["name"] for each in self.ask("/automations/filter", {})}
        for automation in AUTOMATIONS:
            if automation["name"] not in known:
                self.ask("/automations/", {"enabled": True, **automation})

    def deploy(self, name: str, function: str, schedule: Mapping[str, Any] | None = None) -> str:
        """Make or change a deployment of a function of `prefect_flow.py`; return its id. It is paused with its schedule."""
        flow = self.ask("/flows/", {"name": f"{FLOW}-{function}"})["id"]
        made = self.ask(
            "/deployments/",
            {
                "name": name,
                "flow_id": flow,
                "work_pool_name": self.settings.prefect_pool,
                "tags": [TAG],
                "path": self.folder,
                "entrypoint": f"jobs/engines/prefect_flow.py:{function}",
                "pull_steps": [{"prefect.deployments.steps.set_working_directory": {"directory": self.folder}}],
                "parameters": {},
                "enforce_parameter_schema": False,
                "schedules": [dict(schedule)] if schedule else [],
                **({"paused": not schedule["active"]} if schedule else {}),
            },
        )
        return str(made["id"])

    def deployment(self, name: str, function: str = "due") -> dict[str, Any] | None:
        """Return a deployment by its name, or None."""
        found: dict[str, Any] | None = self.found(f"/deployments/name/{FLOW}-{function}/{name}")
        return found

    def deployments(self, function: str = "due") -> dict[str, dict[str, Any]]:
        """Return the deployments of a function in our pool that we have made, by their names."""
        pool, flow = {"name": {"any_": [self.settings.prefect_pool]}}, {"name": {"any_": [f"{FLOW}-{function}"]}}
        asked = {"work_pools": pool, "flows": flow, "sort": "NAME_ASC", "limit": PAGE}
        found: dict[str, dict[str, Any]] = {}
        while True:
            page = self.ask("/deployments/filter", {**asked, "offset": len(found)})
            found |= {each["name"]: each for each in page}
            if len(page) < PAGE:
                return {name: each for name, each in found.items() if TAG in each["tags"]}

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
