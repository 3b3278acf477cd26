"""The pages of the control room: signing in, what needs a person now, what was changed."""

from __future__ import annotations

from flask import Blueprint, Flask

from webhook.access import SEEING, SEEING_ALL
from webhook.api.room.acts import Room
from webhook.api.room.finishing import Finishing
from webhook.api.room.passkeys import Passkeys
from webhook.api.room.signing import RoomSigning
from webhook.pages.base import Door, Pages, Section
from webhook.pages.prices.shown import moment
from webhook.pages.room.audit import AuditPages
from webhook.pages.room.finishing import FinishingPages
from webhook.pages.room.inbox import InboxPages
from webhook.pages.room.signing import SigningPages

PREFIX = "/room"
MESSAGES = {
    "room-signed-in": "You are signed in.",
    "room-signed-out": "You are signed out.",
    "code-given": "The code is given to the sign-in that waits for it.",
    "code-too-late": "That sign-in no longer waits for a code: it has one, or it has ended. The code was not used.",
    "secret-changed": "The new secret is stored, and the jobs that waited for it are due.",
    "unblocked": "The credential may be tried again, and the jobs that waited for it are due.",
    "accepted": "It is accepted: nothing is to be fetched for that period.",
    "due-again": "The jobs are due again.",
    "solved": "That needs nobody any more.",
    "act-not-done": "That was not done: it is not your turn in the page, or the page has gone.",
    "sign-in-cancelled": "The sign-in is ended.",
}


def add_room_pages(app: Flask, pages: Pages, room: Room, signing: RoomSigning, passkeys: Passkeys) -> None:
    """Add the pages of the control room."""
    pages.prefixes.add(PREFIX)
    pages.messages.update(MESSAGES)
    pages.filters.setdefault("moment", moment)
    pages.room = Door("room.inbox", "room.sign_in", "room.sign_out", PREFIX)
    pages.sections += [
        Section("Inbox", "room.inbox", frozenset(SEEING)),
        Section("Audit", "room.audit", frozenset(SEEING_ALL)),
    ]
    routes = Blueprint("room", __name__, url_prefix=PREFIX)
    SigningPages(pages, signing.accounts, signing, passkeys).add_to(routes)
    InboxPages(pages, room).add_to(routes)
    FinishingPages(pages, Finishing(room.db)).add_to(routes)
    AuditPages(pages, room).add_to(routes)
    app.register_blueprint(routes)
