"""Records the requests of each job, and writes one redacted evidence bundle for every failed run."""

from __future__ import annotations

import io
import json
import logging
import os
import platform
import re
import time
import traceback
import zipfile
from collections import defaultdict, deque
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from scrapy import signals
from scrapy.http import Response, TextResponse

from database.models.base import utc_now
from database.settings import database_settings
from scrapers.core.outcomes import SessionGone
from scrapers.core.redaction import MASK, bare_url, redactor
from scrapers.core.requests import RequestState, own_state, state_of
from scrapers.core.runs import work_of
from scrapers.core.settings import crawl_settings

if TYPE_CHECKING:
    from datetime import datetime

    from scrapy import Request
    from scrapy.crawler import Crawler
    from scrapy.http import Headers

    from scrapers.core.jobs import Job
    from scrapers.core.outcomes import Failure

logger = logging.getLogger(__name__)

KEPT_REQUESTS = 300  # per job, the newest
LARGEST_PAGE = 1_000_000  # characters of a page that are kept
LARGEST_BUNDLE = 5_000_000  # bytes
SHOWN_HEADERS = ("Content-Type", "Content-Length", "Content-Disposition", "Retry-After", "Server", "Date")


class Noted(NamedTuple):
    """A request as it is remembered; put into words for a bundle only."""

    at: datetime
    kind: str
    method: str
    url: str
    result: str
    seconds: float
    size: int  # bytes of the body
    headers: Headers | None

    def shown(self) -> dict[str, Any]:
        """Return what a bundle shows of it, without the URLs' queries."""
        headers = {}
        for name in (*SHOWN_HEADERS, "Location"):
            if self.headers is not None and (value := self.headers.get(name)):
                text = value.decode("latin-1")
                headers[name] = bare_url(text) if name == "Location" else text
        return {
            "at": self.at.isoformat(timespec="milliseconds"),
            "kind": self.kind,
            "method": self.method,
            "url": bare_url(self.url),
            "result": self.result,
            "milliseconds": round(self.seconds * 1000),
            "bytes": self.size,
            "headers": headers,
        }


class EvidenceMiddleware:
    """Counts and records every HTTP request, and builds bundles in memory, redacted before they are written."""

    def __init__(self, crawler: Crawler) -> None:
        self.work = work_of(crawler, "This spider has no jobs: there is nothing to keep evidence of.")
        self.private: frozenset[str] = getattr(crawler.spider, "private", frozenset())
        self._requests: defaultdict[int, deque[Noted]] = defaultdict(lambda: deque(maxlen=KEPT_REQUESTS))
        # A page in which a person acts is recorded nowhere.
        if crawl_settings().evidence and not self.work.assisted:
            self.work.evidence = self
        crawler.signals.connect(self._scheduled, signals.request_dropped)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Make the middleware."""
        return cls(crawler)

    def _scheduled(self, request: Request) -> None:
        self._note(request, "dropped as a duplicate", None)

    def process_request(self, request: Request) -> None:
        """Count a request of a job as it goes out."""
        state, job = state_of(request), self.work.job_of(request)
        if state is None or job is None:
            return
        state.sent_at = time.monotonic()
        if not (state.in_browser or state.by_client):  # those count their own
            job.counts.requests += 1

    def process_response(self, request: Request, response: Response) -> Response:
        """Record a response."""
        self._note(request, str(response.status), response)
        return response

    def process_exception(self, request: Request, exception: Exception) -> None:
        """Record the exception of a request."""
        if isinstance(exception, SessionGone):
            if (job := self.work.job_of(request)) is not None and not own_state(request).in_browser:
                job.counts.requests -= 1  # it was not sent
            return
        self._note(request, type(exception).__name__, None)

    def _note(self, request: Request, result: str, response: Response | None) -> None:
        state = state_of(request) or RequestState(0)
        kind = "sign-in" if state.own else "flow" if state.in_browser else "request"
        ended = time.monotonic()
        self._requests[state.job].append(
            Noted(
                at=utc_now(),
                kind=kind,
                method=request.method,
                url=request.url,
                result=result,
                seconds=ended - (state.sent_at or ended),
                size=len(response.body) if response is not None else 0,
                headers=response.headers if response is not None else None,
            )
        )

    def bundle(self, job: Job, failure: Failure) -> str | None:
        """Write the bundle of a failed run; return its path. At most LARGEST_BUNDLE bytes, mode 600."""
        evidence = failure.evidence
        story = {
            "run": job.id,
            "crawl": self.work.crawl,
            "spider": self.work.spider,
            "job": job.label,
            "outcome": failure.outcome.code,
            "who_must_act": failure.outcome.actor,
            "try_again": failure.outcome.retry,
            "sentence": str(failure),
            "step": failure.step,
            "selector": failure.selector,
            "url": evidence.get("url", ""),
            "steps": evidence.get("steps", []),
            "screens": evidence.get("screens", []),
            "all_failures": [f"{f.outcome.code}: {f}" for f in job.failures],
            "warnings": job.warnings,
            "counts": vars(job.counts),
            "listed": len(job.listed),
            "missing": job.missing(),
            "cause": causes(failure),
            "versions": versions(),
        }
        members: dict[str, bytes] = {"run.json": self._text(json.dumps(story, indent=2, default=str))}
        members["requests.json"] = self._text(json.dumps([each.shown() for each in self._requests[job.id]], indent=1))
        if page := evidence.get("page"):
            members["page.html"] = self._text(scrub_page(page))
        response = evidence.get("response")
        if isinstance(response, TextResponse):
            name, text = scrub_answer(response.text, self.private)
            members[name] = self._text(text)
        if screenshot := evidence.get("screenshot"):
            members["screenshot.jpg"] = screenshot
        data = pack(members)
        if len(data) > LARGEST_BUNDLE:
            members.pop("screenshot.jpg", None)
            data = pack(members)
        folder = database_settings().data_dir / "evidence"
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = folder / f"{job.id}-{failure.outcome.code}.zip"
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(data)
        return str(path)

    @staticmethod
    def _text(text: str) -> bytes:
        return redactor.hide(text[: LARGEST_PAGE * 2]).encode()


def scrub_page(html: str) -> str:
    """
    Return HTML without scripts and field values, which may hold tokens and codes.

    >>> scrub_page('<script>let t = "x"</script><input name="csrf" value="abc">')
    '<script></script><input name="csrf" value="•••">'
    """
    html = re.sub(r"(<script\b[^>]*>).*?(</script\s*>)", r"\1\2", html, flags=re.S | re.I)
    html = re.sub(
        r"(<(?:input|meta)\b[^>]*?\b(?:value|content)\s*=\s*)(\"[^\"]*\"|'[^']*'|[^\s>]+)",
        rf'\1"{MASK}"',
        html,
        flags=re.I,
    )
    return html[:LARGEST_PAGE]


def scrub_answer(text: str, private: frozenset[str]) -> tuple[str, str]:
    """
    Return file name and text of a response for the bundle; in JSON the values of *private* keys are masked.

    >>> scrub_answer('{"name": "N. N.", "bills": [{"street": ["x"], "sum": 1}]}', frozenset({"name", "street"}))
    ('response.json', '{"name": "•••", "bills": [{"street": "•••", "sum": 1}]}')
    """
    try:
        data = json.loads(text)
    except ValueError:
        return "response.html", scrub_page(text)

    def scrub(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: MASK if key in private and inner else scrub(inner) for key, inner in value.items()}
        return [scrub(inner) for inner in value] if isinstance(value, list) else value

    return "response.json", json.dumps(scrub(data), ensure_ascii=False)[:LARGEST_PAGE]


def causes(error: BaseException) -> list[str]:
    """Return the chain of exceptions that led to a failure, each with its stack frames in our own code."""
    chain: list[str] = []
    seen: BaseException | None = error
    while seen is not None and len(chain) < 10:
        frames = [f"{f.name}:{f.lineno}" for f in traceback.extract_tb(seen.__traceback__)][-6:]
        chain.append(f"{type(seen).__name__}: {str(seen)[:500]} [{' > '.join(frames)}]")
        seen = seen.__cause__ or (None if seen.__suppress_context__ else seen.__context__)
    return chain


def versions() -> dict[str, str]:
    """Return the versions of Python and of the libraries, for the bundle."""
    names = ("scrapy", "scrapy-playwright", "playwright", "sqlalchemy", "aiohttp")
    return {"python": platform.python_version()} | {name: version(name) for name in names}


def pack(members: dict[str, bytes]) -> bytes:
    """Return a ZIP of the members, made in memory."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return buffer.getvalue()
