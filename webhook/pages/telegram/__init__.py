"""The pages of Telegram: sessions, the channels that they see, and the sources whose files are fetched."""

from __future__ import annotations

from flask import Blueprint, Flask

from webhook.api.telegram.logins import TelegramLogins
from webhook.api.telegram.managing import TelegramSessions
from webhook.api.telegram.source_acts import Sources
from webhook.pages.base import Pages, Section
from webhook.pages.telegram.adding import AddingPages
from webhook.pages.telegram.sessions import SessionPages
from webhook.pages.telegram.shown import FILTERS
from webhook.pages.telegram.sources import SourcePages

PREFIX = "/telegram"
MESSAGES = {
    "session-added": "The session is stored.",
    "session-renewed": "The session works again.",
    "session-changed": "The changes are stored.",
    "session-on": "The session is used again.",
    "session-off": "The session is switched off: nothing is fetched with it.",
    "session-deleted": "The session is deleted.",
    "session-is-active": "Telegram knows the session: it works.",
    "session-is-expired": "Telegram no longer knows the session: sign in again.",
    "session-is-revoked": "The session was ended: sign in again.",
    "session-is-banned": "Telegram has banned the account.",
    "session-is-unreachable": "Telegram could not be asked; that says nothing of the session.",
    "source-added": "The source is stored.",
    "source-changed": "The source is changed.",
    "source-paused": "The source is paused: its schedule is not followed until you resume it.",
    "source-resumed": "The source is active again.",
    "source-deleted": "The source is deleted; its stored files stay.",
    "source-and-files-deleted": "The source and its stored files are deleted.",
    "source-triggered": "The source is read as soon as a worker is free.",
    "source-waits": "The source waits to be read already.",
    "source-runs": "The source is being read.",
    "engine-away": "The job is stored, and is started as soon as the engine answers.",
}


def add_telegram_pages(
    app: Flask, pages: Pages, sessions: TelegramSessions, logins: TelegramLogins, sources: Sources
) -> None:
    """Add the pages of Telegram before those of the account."""
    pages.prefixes.add(PREFIX)
    pages.messages.update(MESSAGES)
    pages.filters.update(FILTERS)
    own = [Section("Sources", "telegram.sources"), Section("Telegram", "telegram.sessions")]
    place = next(
        (n for n, each in enumerate(pages.sections) if each.endpoint == "prices.sessions"), len(pages.sections)
    )
    pages.sections[place:place] = own
    routes = Blueprint("telegram", __name__, url_prefix=PREFIX)
    SessionPages(pages, sessions, logins).add_to(routes)
    AddingPages(pages, sessions, sources).add_to(routes)
    SourcePages(pages, sources).add_to(routes)
    app.register_blueprint(routes)
