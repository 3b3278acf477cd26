"""
Scrapyd as the place where crawls run: our schedules and claims drive it over its API.

Scrapyd knows no cron, no credential and no recovery. A dispatcher (`scrapy worker --engine scrapyd`) ticks and claims as a
worker does, posts each claim to `schedule.json`, and prolongs it until the crawl has begun.
"""

from __future__ import annotations

import json
import signal
from base64 import b64encode
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, ClassVar
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlencode
from urllib.request import ProxyHandler, Request, build_opener

from database.jobs.claims import Claim
from jobs.clock import Clock
from jobs.engines.embedded import Engine
from jobs.settings import ScrapydSettings

# Seconds for one answer: after its start Scrapyd loads the egg before it accepts the first job, and does nothing else meanwhile.
WAIT = 60.0
LEAVING = 20.0  # seconds that a crawl gets after SIGTERM before it is killed
FOUND = ("pending", "running", "finished")


class ScrapydAway(OSError):
    """Scrapyd does not answer, or refuses. The text is one sentence."""


class ScrapydSilent(ScrapydAway):
    """Scrapyd took what was sent and did not answer in time: it may have done what was asked."""


class ScrapydEngine(Engine):
    """Schedules and jobs as the embedded engine has them; crawls run where Scrapyd is."""

    name: ClassVar[str] = "scrapyd"

    def status(self) -> dict[str, Any]:
        """Return how the work stands, and what Scrapyd says of itself."""
        return {**super().status(), "scrapyd": Scrapyd(ScrapydSettings.current()).ask("daemonstatus.json")}


class Scrapyd:
    """Scrapyd's API, as far as it is needed."""

    def __init__(self, settings: ScrapydSettings) -> None:
        self.settings = settings
        self._opener = build_opener(ProxyHandler({}))  # it stands on this network

    def ask(self, path: str, form: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return the answer of a route; raise ScrapydAway."""
        try:
            answer: dict[str, Any] = json.loads(self.text(path, form))
        except ValueError:
            raise ScrapydAway(f"{self.settings.scrapyd_url} is no Scrapyd: it answered {path} without JSON.") from None
        if answer.get("status") != "ok":
            raise ScrapydAway(f"Scrapyd refused {path}: {answer.get('message', 'no reason given')}.")
        return answer

    def text(self, path: str, form: dict[str, Any] | None = None) -> str:
        """Return the body of a route as text; raise ScrapydAway."""
        url = f"{self.settings.scrapyd_url.rstrip('/')}/{path}"
        request = Request(url, urlencode(form, doseq=True).encode() if form is not None else None)
        if self.settings.scrapyd_username:
            given = f"{self.settings.scrapyd_username}:{self.settings.scrapyd_password.get_secret_value()}"
            request.add_header("Authorization", f"Basic {b64encode(given.encode()).decode()}")
        try:
            with self._opener.open(request, timeout=WAIT) as answer:
                body: bytes = answer.read()
        except HTTPError as error:
            raise ScrapydAway(f"Scrapyd answered {path} with {error.code}.") from None
        except TimeoutError:
            raise ScrapydSilent(f"Scrapyd did not answer {path} within {WAIT:g} s.") from None
        except URLError as error:
            raise ScrapydAway(f"Scrapyd at {self.settings.scrapyd_url} does not answer: {error}.") from None
        return body.decode(errors="replace")

    def state(self, job: str) -> str | None:
        """Return `pending`, `running` or `finished`; None for a job that it does not know, as after its restart."""
        listed = self.ask(f"listjobs.json?project={quote(self.settings.scrapyd_project)}")
        return next((state for state in FOUND if any(each["id"] == job for each in listed[state])), None)


@dataclass
class RemoteCrawl:
    """A crawl at Scrapyd, with what a worker asks of a crawl."""

    claim: Claim
    api: Scrapyd
    began: float
    told_to_end: float | None = None
    why: str = ""
    wakes: ClassVar[bool] = False  # it must be asked
    pid: ClassVar[int] = 0
    memory: ClassVar[None] = None  # is the other machine's affair

    def poll(self) -> int | None:
        """Return 0 when it has ended, minus SIGKILL when Scrapyd no longer knows it, None while it runs or waits there."""
        try:
            state = self.api.state(self.claim.id)
        except ScrapydAway:
            return None  # the crawl prolongs its claim by itself
        return {"finished": 0, None: -signal.SIGKILL}.get(state)

    def last_line(self) -> str:
        """Return the last line of its log; empty where that cannot be read."""
        path = f"logs/{quote(self.api.settings.scrapyd_project)}/{quote(self.claim.spider)}/{self.claim.id}.log"
        try:
            lines = self.api.text(path).splitlines()
        except ScrapydAway:
            return ""
        return next((line.strip() for line in reversed(lines) if line.strip()), "")

    def end(self, elapsed: float, why: str) -> None:
        """Let Scrapyd end it: SIGTERM the first time, SIGKILL the second."""
        if self.told_to_end is None or elapsed - self.told_to_end > LEAVING:
            self.told_to_end, self.why = elapsed, why
            self.kill()

    def kill(self) -> None:
        """Send Scrapyd's cancel."""
        form = {"project": self.api.settings.scrapyd_project, "job": self.claim.id}
        try:
            self.api.ask("cancel.json", form)
        except ScrapydAway:
            return  # its claim ends, and it with it


class ScrapydLauncher:
    """Starts crawls at Scrapyd."""

    def __init__(self, settings: ScrapydSettings, given: tuple[str, ...] = ()) -> None:
        """Look whether Scrapyd knows the project. given: `NAME=VALUE` for each crawl, as `-s` has them. Raises ScrapydAway."""
        self.api, self.given = Scrapyd(settings), given
        if settings.scrapyd_project not in self.api.ask("listprojects.json")["projects"]:
            raise ScrapydAway(
                f"Scrapyd has no project {settings.scrapyd_project}: deploy it with `scrapyd-deploy`, or name another one."
            )

    def warm(self) -> None:
        """Nothing is to be made ready here."""

    def start(self, claim: Claim, clock: Clock) -> RemoteCrawl:
        """Post a claim. Raises ScrapydAway."""
        form: dict[str, Any] = {
            **claim.arguments,
            "project": self.api.settings.scrapyd_project,
            "spider": claim.spider,
            "jobid": claim.id,
            "job": ",".join(map(str, claim.jobs)),
            "claim": claim.id,
        }
        if self.given:
            form["setting"] = list(self.given)
        with suppress(ScrapydSilent):  # whether it knows the job is asked next
            self.api.ask("schedule.json", form)
        return RemoteCrawl(claim, self.api, clock.elapsed())

    def give_up(self) -> None:
        """Nothing is waited for here but Scrapyd's answers, which have their own time."""

    def forget(self, crawl: RemoteCrawl, *, keep: bool) -> None:
        """Leave the log to Scrapyd, which keeps the last ones."""

    def close(self) -> None:
        """Leave what runs there to itself: it prolongs its claims, and settles its jobs."""
