"""The webhook's application, and how its callers show who they are."""

from __future__ import annotations

import shutil

import pytest

from database.access.codes import CodeChannel
from database.engine import Database
from tests.project import CARRIERS
from webhook.app import create_app
from webhook.settings import WebhookSettings

GATEWAY_TOKEN = "gateway-token-for-tests"
READER_TOKEN = "reader-token-for-tests"
TWILIO_TOKEN = "twilio-token-for-tests"
PHONE = "+12015550100"
SAID = "Bell: your verification code is {}. Do not share it."
GATEWAY = {"Authorization": f"Bearer {GATEWAY_TOKEN}"}
READER = {"Authorization": f"Bearer {READER_TOKEN}"}
CHANNELS = {
    "bell_self_serve": CodeChannel("bell_self_serve", ("BELL",), r"\b([0-9]{6,8})\b", portal="bell"),
    "bell_enterprise_centre": CodeChannel(
        "bell_enterprise_centre", ("noreply@example.com",), r"code ([A-Z0-9]{8})\b", portal="bell"
    ),
}


@pytest.fixture
def sqlite(tmp_path, sqlite_with_tables, encryption_key):
    """A database of the one kind, for what does not depend on it."""
    shutil.copy(sqlite_with_tables, tmp_path / "codes.db")
    db = Database(f"sqlite:///{tmp_path / 'codes.db'}")
    yield db
    db.engine.dispose()


@pytest.fixture
def make_client(request):
    """
    Give a function that makes a client of the application with settings of one's own.

    On both databases for a test that asks for `store`, else on SQLite.
    """
    store = request.getfixturevalue("store" if "store" in request.fixturenames else "sqlite")

    def make(channels=CHANNELS, **settings):
        given = {
            "webhook_token": GATEWAY_TOKEN,
            "code_reader_token": READER_TOKEN,
            "twilio_auth_token": TWILIO_TOKEN,
            **settings,
        }
        return create_app(WebhookSettings(**given), store, channels, tuple(CARRIERS)).test_client()

    return make


@pytest.fixture
def client(make_client):
    return make_client()
