"""The pages of what is missing, what runs, what was done and what it left behind."""

from __future__ import annotations

from flask import Blueprint, Flask

from webhook.access import SEEING
from webhook.api.room.downloads import Opens
from webhook.api.room.reading import RoomReading
from webhook.pages.base import Pages, Section
from webhook.pages.room import PREFIX
from webhook.pages.room.evidence import EvidencePages
from webhook.pages.room.missing import MissingPages
from webhook.pages.room.runs import RunPages
from webhook.pages.room.shown import FILTERS
from webhook.pages.telegram.shown import size


def add_overview_pages(app: Flask, pages: Pages, reading: RoomReading, opens: Opens) -> None:
    """Add the pages to those of the control room."""
    pages.filters.update(FILTERS)
    pages.filters.setdefault("size", size)
    pages.sections += [
        Section("Missing", "overview.missing", frozenset(SEEING)),
        Section("Runs", "overview.runs", frozenset(SEEING)),
        Section("Files", "overview.files", frozenset(SEEING)),
    ]
    routes = Blueprint("overview", __name__, url_prefix=PREFIX)
    MissingPages(pages, reading).add_to(routes)
    RunPages(pages, reading, opens).add_to(routes)
    EvidencePages(reading).add_to(routes)
    app.register_blueprint(routes)
