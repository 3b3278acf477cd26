"""Pages of a user's sources: the list, one source with its runs and files, changing, running and deleting it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, g, request
from werkzeug.exceptions import NotFound

from database.models.messaging import FileState
from webhook.access import Caller, for_callers
from webhook.api.telegram.source_acts import Sources
from webhook.api.telegram.source_models import SourceAnswer, SourceChange
from webhook.api.telegram.source_reading import NO_RUN
from webhook.pages.base import Pages
from webhook.pages.forms import WHOLE, Form, filled, read
from webhook.pages.prices.items import Paging, page_number
from webhook.pages.telegram.filtering import with_filters
from webhook.pages.telegram.shown import ALBUMS, FILE_STATES, FILTER_FIELDS, TARGETS, typed_filters

ON_A_PAGE, RUNS, FILES = 20, 10, 30
CHECKS = ("unpacks", "keeps_texts")
CLEARS, LISTS = ("schedule", "target_path", "path_template"), ("file_types",)


@dataclass(frozen=True)
class SourcePages:
    """The pages of sources, each the user's own."""

    pages: Pages
    sources: Sources

    def add_to(self, routes: Blueprint) -> None:
        """Add the routes."""
        self._add_lists(routes)
        self._add_changes(routes)
        self._add_acts(routes)

    def _add_lists(self, routes: Blueprint) -> None:
        @routes.get("/sources")
        @for_callers(Caller.USER)
        def sources() -> Response:
            number = page_number()
            found, total = self.sources.sources(g.user.id, (number - 1) * ON_A_PAGE, ON_A_PAGE)
            return self.pages.render("telegram/sources", sources=found, paging=Paging(number, ON_A_PAGE, total))

        @routes.get("/sources/<uuid:source_id>")
        @for_callers(Caller.USER)
        def source(source_id: UUID) -> Response:
            return self.source(str(source_id))

        @routes.get("/sources/<uuid:source_id>/runs/<int(max=2147483647):run_id>")
        @for_callers(Caller.USER)
        def source_run(source_id: UUID, run_id: int) -> Response:
            found, run = self.sources.source(str(source_id), g.user.id), self.sources.run(run_id, g.user.id)
            if run.source_id != found.id:
                raise NotFound(NO_RUN)
            return self.pages.render("telegram/run", source=found, run=run)

    def _add_changes(self, routes: Blueprint) -> None:
        @routes.get("/sources/<uuid:source_id>/edit")
        @for_callers(Caller.USER)
        def edit_source(source_id: UUID) -> Response:
            found = self.sources.source(str(source_id), g.user.id)
            return self.edit(found, typed(found))

        @routes.post("/sources/<uuid:source_id>/edit")
        @for_callers(Caller.USER)
        def change_source(source_id: UUID) -> Response:
            found = self.sources.source(str(source_id), g.user.id)
            form: Form[Any] = read(SourceChange, request.form, checks=CHECKS, clears=CLEARS, lists=LISTS)
            form = with_filters(form, request.form)
            if form.values.get("name") == "":  # for a program that means: as it was
                form.refuse("name", "Give the source a name.")
            if form.body is not None:
                if not form.body.schedule:
                    form.body.time_zone = None  # there is no schedule that it could belong to
                with form.refusing(WHOLE):
                    self.sources.change(found.id, g.user.id, form.body)
                    return self.pages.redirect("telegram.source", "source-changed", source_id=found.id)
            return self.edit(found, form)

        @routes.get("/sources/<uuid:source_id>/delete")
        @for_callers(Caller.USER)
        def confirm_delete_source(source_id: UUID) -> Response:
            return self.deletion(str(source_id), filled({}))

        @routes.post("/sources/<uuid:source_id>/delete")
        @for_callers(Caller.USER)
        def delete_source(source_id: UUID) -> Response:
            files, form = "files" in request.form, filled({})
            with form.refusing(WHOLE):
                self.sources.remove(str(source_id), g.user.id, files=files)
                message = "source-and-files-deleted" if files else "source-deleted"
                return self.pages.redirect("telegram.sources", message)
            return self.deletion(str(source_id), form)

    def _add_acts(self, routes: Blueprint) -> None:
        @routes.post("/sources/<uuid:source_id>/pause")
        @for_callers(Caller.USER)
        def pause_source(source_id: UUID) -> Response:
            self.sources.change(str(source_id), g.user.id, SourceChange(is_active="inactive"))
            return self.pages.redirect("telegram.source", "source-paused", source_id=source_id)

        @routes.post("/sources/<uuid:source_id>/resume")
        @for_callers(Caller.USER)
        def resume_source(source_id: UUID) -> Response:
            self.sources.change(str(source_id), g.user.id, SourceChange(is_active="active"))
            return self.pages.redirect("telegram.source", "source-resumed", source_id=source_id)

        @routes.post("/sources/<uuid:source_id>/trigger")
        @for_callers(Caller.USER)
        def trigger_source(source_id: UUID) -> Response:
            form = filled({})
            with form.refusing(WHOLE):
                done = self.sources.trigger(str(source_id), g.user.id)
                waits = "source-waits" if done.result.status == "pending" else "source-runs"
                message = "source-triggered" if done.result.made else waits
                return self.pages.redirect(
                    "telegram.source", "engine-away" if done.engine else message, source_id=source_id
                )
            return self.source(str(source_id), form)

    def source(self, source_id: str, form: Form[Any] | None = None) -> Response:
        """Show one source with its newest runs and a page of its files."""
        number, word = page_number(), request.args.get("state", "")
        state = FileState(word) if word in set(FileState) else None
        found = self.sources.source(source_id, g.user.id)
        runs, _ = self.sources.runs(source_id, g.user.id, 0, RUNS)
        files, total = self.sources.files(source_id, g.user.id, (number - 1) * FILES, FILES, state)
        return self.pages.render(
            "telegram/source",
            form.status if form is not None else 200,
            source=found,
            runs=runs,
            files=files,
            paging=Paging(number, FILES, total),
            state=state.value if state is not None else "",
            states={"": "All files"} | {each.value: words.capitalize() for each, words in FILE_STATES.items()},
            error=form.errors.get(WHOLE, "") if form is not None else "",
        )

    def edit(self, source: SourceAnswer, form: Form[Any]) -> Response:
        """Show the form of a source."""
        own = {each.id: each.name for each in self.sources.sessions(g.user.id)}
        sessions = {"": "As it is"} | own if source.session_id not in own else own
        return self.pages.render(
            "telegram/edit_source",
            form.status,
            source=source,
            form=form,
            sessions=sessions,
            targets=TARGETS,
            filters=FILTER_FIELDS,
            albums=ALBUMS,
        )

    def deletion(self, source_id: str, form: Form[Any]) -> Response:
        """Ask whether a source is to be deleted."""
        found = self.sources.source(source_id, g.user.id)
        return self.pages.render("telegram/delete_source", form.status, source=found, form=form)


def typed(source: SourceAnswer) -> Form[Any]:
    """Return the form of a source as it stands."""
    values = source.model_dump(mode="json")
    values["file_types"] = ", ".join(source.file_types)
    return filled({**values, **typed_filters(source.filters)})
