"""Pages of runs and stored files: the live list, what has ended, the story of one, downloads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, request
from werkzeug.exceptions import NotFound

from jobs.history import Filter
from jobs.missing import REPORT_TYPES
from webhook.access import SEEING, requires
from webhook.api.room.downloads import Opens, download
from webhook.api.room.reading import FILES, RoomReading
from webhook.pages.base import ID, Pages
from webhook.pages.room.asked import number, text
from webhook.pages.room.shown import OUTCOMES_CHOICES

RUNS_ON_A_PAGE, FILES_ON_A_PAGE, RUNNING = 40, 40, 30
REQUESTS_ON_A_PAGE = 60
SHOWN_TEXT = 20_000  # characters of a kept page on the page of its run


@dataclass(frozen=True)
class RunPages:
    """The pages of runs and files."""

    pages: Pages
    reading: RoomReading
    opens: Opens

    def add_to(self, routes: Blueprint) -> None:
        """Add the routes."""

        @routes.get("/runs")
        @requires(*SEEING)
        def runs() -> Response:
            wanted, given = asked("client", "account", "portal", "report_type", "outcome")
            found = self.reading.runs(wanted, RUNS_ON_A_PAGE + 1)
            live = [] if wanted.before else self.reading.running(wanted, RUNNING)
            return self.pages.render(
                "room/runs",
                **_paged(found, RUNS_ON_A_PAGE),
                live=live,
                given=given,
                outcomes=OUTCOMES_CHOICES,
                types=REPORT_TYPES,
                most=RUNNING,
            )

        @routes.get("/runs/live")
        @requires(*SEEING)
        def live_runs() -> Response:
            wanted, given = asked("client", "account", "portal", "report_type", "outcome")
            live = self.reading.running(wanted, RUNNING)
            return self.pages.render("room/_live", live=live, given=given, most=RUNNING)

        @routes.get(f"/runs/<{ID}:run_id>")
        @requires(*SEEING)
        def run(run_id: int) -> Response:
            return self.run(run_id)

        @routes.get("/files")
        @requires(*SEEING)
        def files() -> Response:
            wanted, given = asked("client", "account", "portal", "report_type", "run")
            found = self.reading.files(wanted, FILES_ON_A_PAGE + 1)
            return self.pages.render(
                "room/files",
                rows=found[:FILES_ON_A_PAGE],
                following=found[FILES_ON_A_PAGE - 1][0].id if len(found) > FILES_ON_A_PAGE else None,
                is_first=not request.args.get("before"),
                given=given,
            )

        @routes.get(f"/files/<{ID}:file_id>/content")
        @requires(*SEEING)
        def file_content(file_id: int) -> Response:
            return download(self.reading.file(file_id), self.opens)

    def run(self, run_id: int) -> Response:
        """Show the story of a run with its evidence."""
        story = self.reading.story(run_id)
        bundle, away, page = None, "", ""
        if story["bundle"] is not None:
            try:
                bundle = self.reading.bundle(run_id)
                page = bundle.text()
            except NotFound as error:
                away = error.description or ""
        start = number("start", 10_000)
        requests = bundle.requests[::-1] if bundle is not None else []
        return self.pages.render(
            "room/run",
            run=story,
            bundle=bundle,
            away=away,
            page=page[:SHOWN_TEXT],
            is_cut=len(page) > SHOWN_TEXT,
            requests=requests[start : start + REQUESTS_ON_A_PAGE],
            start=start,
            size=REQUESTS_ON_A_PAGE,
            all_requests=len(requests),
            all_files=len(story["files"]) == FILES,
        )


def asked(*names: str) -> tuple[Filter, dict[str, str]]:
    """Return what the filter of a page asks for, and its fields as they are shown."""
    given = {name: text(name) for name in names}
    values: dict[str, Any] = {name: value or None for name, value in given.items()}
    if "run" in values:
        values["run"] = number("run") or None
    wanted = Filter(**values, before=number("before") or None)
    return wanted, {name: value for name, value in given.items() if value}


def _paged(found: list[Any], size: int) -> dict[str, Any]:
    """Return the rows of a page, and the id below which the next one begins; None: there is none."""
    return {
        "rows": found[:size],
        "following": found[size - 1].id if len(found) > size else None,
        "is_first": not request.args.get("before"),
    }
