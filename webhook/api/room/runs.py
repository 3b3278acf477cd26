"""The routes of runs with their evidence, and of stored files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Response
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag
from werkzeug.exceptions import NotFound

from database.models import Run, StoredFile
from jobs.history import Filter
from webhook.access import SEEING, requires
from webhook.api.models import Problem
from webhook.api.room.answers import (
    Below,
    FileLine,
    FileLines,
    FilePath,
    FilesQuery,
    RunLine,
    RunLines,
    RunsQuery,
    RunStory,
    StoryPath,
)
from webhook.api.room.downloads import Opens, download
from webhook.api.room.missing import ERRORS, told, told_one, with_next
from webhook.api.room.reading import RoomReading
from webhook.api.users import BY_TOKEN

RUNS = Tag(name="runs", description="What was done, and what it left behind")
EVIDENCE = ("url", "steps", "screens", "all_failures", "cause", "versions")  # of a bundle's story


@dataclass(frozen=True)
class RunRoutes:
    """Routes of runs and files."""

    reading: RoomReading
    opens: Opens

    def blueprint(self) -> APIBlueprint:
        """Return the routes."""
        routes = APIBlueprint("room_runs", __name__, abp_tags=[RUNS], url_prefix="/api/v1")

        @routes.get("/runs", responses={200: RunLines, **ERRORS}, security=BY_TOKEN)
        @requires(*SEEING)
        def runs(query: RunsQuery) -> Response:
            """List runs, the newest first; `Link` names the next page."""
            find = self.reading.running if query.running else self.reading.runs
            found = find(filter_of(query, outcome=query.outcome or None), query.limit)
            return below(told([run_line(run) for run in found], RunLines), [run.id for run in found], query.limit)

        @routes.get("/runs/<int:run_id>", responses={200: RunStory, **ERRORS}, security=BY_TOKEN)
        @requires(*SEEING)
        def run(path: StoryPath) -> Response:
            """Tell the story of a run, with the steps, screens and requests of its evidence."""
            story = self.reading.story(path.run_id)
            evidence, away = None, None
            if story["bundle"] is not None:
                try:
                    bundle = self.reading.bundle(path.run_id)
                    evidence = {name: bundle.story.get(name) for name in EVIDENCE} | {"requests": bundle.requests}
                except NotFound as error:
                    away = error.description
            known = {name: story[name] for name in RunStory.model_fields if name in story}
            return told_one(RunStory(**known, evidence=evidence, evidence_away=away))

        @routes.get("/files", responses={200: FileLines, **ERRORS}, security=BY_TOKEN)
        @requires(*SEEING)
        def files(query: FilesQuery) -> Response:
            """List stored files, the newest first; `Link` names the next page."""
            found = self.reading.files(filter_of(query, run=query.run), query.limit)
            lines = [file_line(file, account) for file, account in found]
            return below(told(lines, FileLines), [line.id for line in lines], query.limit)

        @routes.get("/files/<int:file_id>", responses={200: FileLine, **ERRORS}, security=BY_TOKEN)
        @requires(*SEEING)
        def file(path: FilePath) -> Response:
            """Show where a stored file came from."""
            return told_one(file_line(self.reading.file(path.file_id), None))

        gone: dict[str | int, Any] = {200: None, 410: Problem, **ERRORS}

        @routes.get("/files/<int:file_id>/content", responses=gone, security=BY_TOKEN)
        @requires(*SEEING)
        def content(path: FilePath) -> Response:
            """Send a stored file; `Repr-Digest` and `X-Content-SHA256` have its hash."""
            return download(self.reading.file(path.file_id), self.opens)

        return routes


def filter_of(query: Below, **more: Any) -> Filter:
    """Return what a query asks for."""
    return Filter(
        client=query.client or None,
        account=query.account or None,
        portal=query.portal or None,
        report_type=query.report_type or None,
        before=query.before,
        **more,
    )


def below(response: Response, ids: list[int], limit: int) -> Response:
    """Name the address of the rows below those of a full page."""
    return with_next(response, {"before": ids[-1]} if len(ids) == limit else None)


def run_line(run: Run) -> RunLine:
    """Return a run as a list answers it."""
    same = {name: getattr(run, name) for name in RunLine.model_fields if name not in ("who_must_act", "has_bundle")}
    return RunLine(
        **same,
        who_must_act=run.actor if run.outcome not in (None, "success") else None,
        has_bundle=run.bundle is not None,
    )


def file_line(file: StoredFile, account: str | None) -> FileLine:
    """Return a stored file as it is answered."""
    return FileLine(
        id=file.id,
        name=file.key,
        portal=file.portal,
        spider=file.spider,
        report_type=file.report_type,
        target=file.target_key,
        account=account,
        size=file.size,
        sha256=file.sha256,
        media_type=file.media_type,
        source=file.source,
        store=file.store,
        path=file.path,
        status=file.status.value,
        stored_at=file.stored_at,
        run=file.run_id,
    )
