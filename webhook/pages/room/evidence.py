"""What an evidence bundle holds, each member for itself and none of it as a page of ours: screenshot, text, source."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, Response
from werkzeug.exceptions import NotFound

from jobs.bundles import BundleAway
from webhook.access import SEEING, requires
from webhook.api.room.downloads import HEADERS, disposition
from webhook.api.room.reading import RoomReading
from webhook.pages.base import ID


@dataclass(frozen=True)
class EvidencePages:
    """The members of bundles."""

    reading: RoomReading

    def add_to(self, routes: Blueprint) -> None:
        """Add the routes."""

        @routes.get(f"/runs/<{ID}:run_id>/screenshot")
        @requires(*SEEING)
        def screenshot(run_id: int) -> Response:
            try:
                return _sent(self.reading.bundle(run_id).screenshot(), "image/jpeg")
            except BundleAway as error:
                raise NotFound(str(error)) from error

        @routes.get(f"/runs/<{ID}:run_id>/page.txt")
        @requires(*SEEING)
        def page_text(run_id: int) -> Response:
            return _sent(self.reading.bundle(run_id).text().encode(), "text/plain; charset=utf-8")

        @routes.get(f"/runs/<{ID}:run_id>/source.txt")
        @requires(*SEEING)
        def page_source(run_id: int) -> Response:
            return _sent(self.reading.bundle(run_id).source().encode(), "text/plain; charset=utf-8")

        @routes.get(f"/runs/<{ID}:run_id>/bundle.zip")
        @requires(*SEEING)
        def bundle(run_id: int) -> Response:
            found = self.reading.bundle(run_id).path
            try:
                response = _sent(found.read_bytes(), "application/zip")
            except OSError as error:
                raise NotFound("The bundle cannot be read.") from error
            response.headers["Content-Disposition"] = disposition(found.name)
            return response


def _sent(content: bytes, kind: str) -> Response:
    response = Response(content, content_type=kind)
    response.headers.update(HEADERS)
    return response
