"""The routes of Telegram's sources, their runs and their files."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from flask import Response, g, jsonify, request
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag
from pydantic import BaseModel
from werkzeug.exceptions import NotFound

from jobs.sources import name_of
from scrapers.core.outcomes import ChannelClosed, ChannelUnknown
from scrapers.portals.telegram.addresses import Address
from scrapers.portals.telegram.resolving import Resolved, resolve
from scrapers.portals.telegram.using import use
from webhook.access import Caller, for_callers
from webhook.api.models import Problem
from webhook.api.telegram.asking import Asking
from webhook.api.telegram.managing import WHO
from webhook.api.telegram.models import SkipQuery
from webhook.api.telegram.sessions import answered
from webhook.api.telegram.source_acts import Sources
from webhook.api.telegram.source_models import (
    Deleted,
    DeleteQuery,
    DeploymentPath,
    DeploymentQuery,
    FileList,
    FileQuery,
    LogList,
    NewPrivate,
    NewPublic,
    RunDetail,
    RunPath,
    SourceAnswer,
    SourceChange,
    SourceList,
    SourcePath,
    SourceRunList,
    TriggerAnswer,
)
from webhook.api.telegram.source_reading import NO_SOURCE
from webhook.api.users import BY_TOKEN, SIGNED_IN

SOURCES = Tag(name="telegram sources", description="Channels whose files are fetched, their schedules, runs and files")
FLOWS = Tag(name="flows", description="Runs, under the names that they have in the scraper")
FOUND: dict[str | int, Any] = {404: Problem, **SIGNED_IN}
ASKS: dict[str | int, Any] = {404: Problem, 409: Problem, 502: Problem, **SIGNED_IN}
NEWEST = 100  # runs of one answer under /flows


@dataclass(frozen=True)
class SourceRoutes:
    """Routes of sources, and of their runs."""

    sources: Sources

    def blueprints(self) -> list[APIBlueprint]:
        """Return the routes."""
        routes = APIBlueprint("telegram_sources", __name__, abp_tags=[SOURCES], url_prefix="/sources")
        self._add_sources(routes)
        self._add_work(routes)
        flows = APIBlueprint("telegram_flows", __name__, abp_tags=[FLOWS], url_prefix="/flows")
        self._add_flows(flows)
        return [routes, flows]

    def _add_sources(self, routes: APIBlueprint) -> None:
        @routes.post("/private", responses={201: SourceAnswer, **ASKS}, security=BY_TOKEN)
        @for_callers(Caller.USER)
        def add_private(body: NewPrivate) -> Response:
            """
            Add a source that is read with a session of the user, after Telegram has shown its channel.

            The channel is an id, an @name, a link of t.me or an invitation; `join` lets the account accept one.
            """
            return added(lambda: self.sources.add_private(g.user.id, body))

        @routes.post("/public", responses={201: SourceAnswer, **ASKS}, security=BY_TOKEN)
        @for_callers(Caller.USER)
        def add_public(body: NewPublic) -> Response:
            """
            Add a source that has a user name, after Telegram has shown its channel.

            It is read with the session that is named, of the user or of the installation, else with one that can be used. A
            bot's token is kept; `notes` say what a bot cannot do.
            """
            return added(lambda: self.sources.add_public(g.user.id, body))

        @routes.get("/", responses={200: SourceList, **SIGNED_IN}, security=BY_TOKEN)
        @for_callers(Caller.USER)
        def sources(query: SkipQuery) -> Response:
            """List the sources, the oldest first; `X-Total-Count` says how many there are, `Link` where the next ones are."""
            return told_page(*self.sources.sources(g.user.id, query.skip, query.limit), query)

        @routes.get("/<uuid:source_id>", responses={200: SourceAnswer, **FOUND}, security=BY_TOKEN)
        @for_callers(Caller.USER)
        def source(path: SourcePath) -> Response:
            """Show one source."""
            return answered(lambda: self.sources.source(str(path.source_id), g.user.id))

        changed: dict[str, Any] = {"responses": {200: SourceAnswer, **ASKS}, "security": BY_TOKEN}

        @routes.put("/<uuid:source_id>", **changed)
        @for_callers(Caller.USER)
        def change(path: SourcePath, body: SourceChange) -> Response:
            """Change what is named: null stays, an empty text or list clears; `inactive` pauses the schedule."""
            return answered(lambda: self.sources.change(str(path.source_id), g.user.id, body))

        @routes.patch("/<uuid:source_id>", **changed)
        @for_callers(Caller.USER)
        def patch(path: SourcePath, body: SourceChange) -> Response:
            """Do the same as PUT."""
            return answered(lambda: self.sources.change(str(path.source_id), g.user.id, body))

        @routes.delete("/<uuid:source_id>", responses={200: Deleted, 409: Problem, **FOUND}, security=BY_TOKEN)
        @for_callers(Caller.USER)
        def remove(path: SourcePath, query: DeleteQuery) -> Response:
            """Delete a source with its schedule; its stored files stay, unless `files` is true."""
            return answered(lambda: self.sources.remove(str(path.source_id), g.user.id, files=query.files))

    def _add_work(self, routes: APIBlueprint) -> None:
        @routes.post(
            "/<uuid:source_id>/trigger", responses={200: TriggerAnswer, 409: Problem, **FOUND}, security=BY_TOKEN
        )
        @for_callers(Caller.USER)
        def trigger(path: SourcePath) -> Response:
            """Read a source now: a job, or the one that waits already. Not before its session may ask Telegram again."""
            return answered(lambda: self.sources.trigger(str(path.source_id), g.user.id))

        @routes.get("/<uuid:source_id>/runs", responses={200: SourceRunList, **FOUND}, security=BY_TOKEN)
        @for_callers(Caller.USER)
        def runs(path: SourcePath, query: SkipQuery) -> Response:
            """List the runs of a source, the newest first; `X-Total-Count` and `Link` as for sources."""
            return told_page(*self.sources.runs(str(path.source_id), g.user.id, query.skip, query.limit), query)

        @routes.get("/<uuid:source_id>/logs", responses={200: LogList, **FOUND}, security=BY_TOKEN)
        @for_callers(Caller.USER)
        def logs(path: SourcePath) -> Response:
            """Show what the newest runs of a source have kept: lines of their jobs, warnings, ends."""
            return jsonify([each.model_dump(mode="json") for each in self.sources.logs(str(path.source_id), g.user.id)])

        @routes.get("/<uuid:source_id>/files", responses={200: FileList, **FOUND}, security=BY_TOKEN)
        @for_callers(Caller.USER)
        def files(path: SourcePath, query: FileQuery) -> Response:
            """List the files of a source, the newest message first; `X-Total-Count` and `Link` as for sources."""
            found = self.sources.files(str(path.source_id), g.user.id, query.skip, query.limit, query.state)
            return told_page(*found, query)

    def _add_flows(self, routes: APIBlueprint) -> None:
        @routes.post("/trigger/<deployment>", responses={200: TriggerAnswer, 409: Problem, **FOUND}, security=BY_TOKEN)
        @for_callers(Caller.USER)
        def trigger_deployment(path: DeploymentPath, query: DeploymentQuery) -> Response:
            """Read the source of a deployment now; it is called source-<id>, and `source_id` is that of its source."""
            source_id = path.deployment.removeprefix(name_of(""))
            is_named = path.deployment == name_of(source_id) and re.fullmatch(r"[0-9a-f-]{36}", source_id)
            if not is_named or str(query.source_id or source_id) != source_id:
                raise NotFound(NO_SOURCE)
            return answered(lambda: self.sources.trigger(source_id, g.user.id))

        @routes.get("/sources/<uuid:source_id>/runs", responses={200: SourceRunList, **FOUND}, security=BY_TOKEN)
        @for_callers(Caller.USER)
        def newest_runs(path: SourcePath) -> Response:
            """List the newest 100 runs of a source."""
            query = SkipQuery(limit=NEWEST)
            found, total = self.sources.runs(str(path.source_id), g.user.id, 0, NEWEST)
            return told_page(found, min(total, NEWEST), query)

        @routes.get("/runs/<int:run_id>", responses={200: RunDetail, **FOUND}, security=BY_TOKEN)
        @for_callers(Caller.USER)
        def run(path: RunPath) -> Response:
            """Show a run with its lines and the files that it has brought."""
            return answered(lambda: self.sources.run(path.run_id, g.user.id))

        @routes.get("/runs/<int:run_id>/logs", responses={200: LogList, **FOUND}, security=BY_TOKEN)
        @for_callers(Caller.USER)
        def run_logs(path: RunPath) -> Response:
            """Show the lines of a run."""
            return jsonify([each.model_dump(mode="json") for each in self.sources.run(path.run_id, g.user.id).logs])

        @routes.get("/runs/<int:run_id>/files", responses={200: FileList, **FOUND}, security=BY_TOKEN)
        @for_callers(Caller.USER)
        def run_files(path: RunPath) -> Response:
            """List the files that a run has brought."""
            return jsonify([each.model_dump(mode="json") for each in self.sources.run(path.run_id, g.user.id).files])


def asks_telegram(asking: Asking) -> Callable[..., Resolved]:
    """Return how a request asks Telegram for a channel, as a session."""

    def look_up(session_id: str, address: Address, *, join: bool) -> Resolved:
        failure: ChannelUnknown | ChannelClosed
        with asking.place():
            try:
                return use(
                    asking.db,
                    session_id,
                    lambda client: resolve(client, address, join=join),
                    who=WHO,
                    settings=asking.settings,
                )
            except (ChannelUnknown, ChannelClosed) as error:
                failure = error  # of the address, and not of the asking
        raise failure

    return look_up


def added(act: Callable[[], SourceAnswer]) -> Response:
    """Answer with a source that was added."""
    response = answered(act)
    if response.status_code == 200:
        response.status_code = 201
        response.headers["Location"] = f"/sources/{response.get_json()['id']}"
    return response


def told_page(rows: Sequence[BaseModel], total: int, query: SkipQuery) -> Response:
    """Answer with one page of rows, and say in headers how many there are and where the next ones are."""
    response = jsonify([each.model_dump(mode="json") for each in rows])
    response.headers["X-Total-Count"] = str(total)
    if query.skip + query.limit < total:
        following = {**request.args.to_dict(), "limit": query.limit, "skip": query.skip + query.limit}
        response.headers["Link"] = f'<{request.path}?{urlencode(following)}>; rel="next"'
    return response
