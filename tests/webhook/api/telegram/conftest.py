"""The API with a Telegram of its own."""

from __future__ import annotations

import shutil
from io import BytesIO
from types import SimpleNamespace

import pytest
from sqlalchemy import delete, select

from database.engine import Database
from database.models.telegram import AccessLevel, Source, TelegramLogin, TelegramSession
from tests.telegram import API_HASH, API_ID
from tests.webhook.api.conftest import ANA, Api, Chosen

APP = {"api_id": API_ID, "api_hash": API_HASH}


@pytest.fixture
def telegram(telegram_server):
    """The server, with no wait or fault of another test in force."""
    before = telegram_server.admin.configuration()
    yield telegram_server
    telegram_server.admin.configure(**before)
    telegram_server.admin.clock(0)


class TelegramApi(Api):
    """The API, and what a user does with sessions in a line."""

    def __init__(self, server, db, mail_server, twilio, **settings):
        self.server = server
        telegram = server.settings(**settings.pop("telegram", {}))
        super().__init__(
            db, mail_server, twilio, telegram=telegram, **{"telegram_rate": "10000 per minute", **settings}
        )

    def forget(self):
        with self.db.transaction() as session:
            for model in (Source, TelegramLogin, TelegramSession):
                session.execute(delete(model))
        super().forget()

    def begin(self, client, number, **more):
        """Ask for a code; return the id of the login."""
        answer = client.post("/sessions/send-otp", json={"phone_number": number, **APP, **more})
        assert answer.status_code == 200, answer.get_json()
        return answer.get_json()["temp_session_id"]

    def give(self, client, login, **given):
        return client.post("/sessions/verify-otp", json={"temp_session_id": login, **given})

    def sign_up(self, client, number, **given):
        """Sign in to Telegram by a code, and return the session."""
        answer = self.give(client, self.begin(client, number), code=self.server.code(number), **given)
        assert answer.status_code == 201, answer.get_json()
        return answer.get_json()

    def add(self, client, string, **given):
        return client.post("/sessions/", json={"name": "Main", **APP, "session_string": string, **given})

    def upload(self, client, content, name="me.session", **given):
        data = {"api_id": str(API_ID), "api_hash": API_HASH, "file": (BytesIO(content), name), **given}
        return client.post("/sessions/upload-file", data=data, content_type="multipart/form-data")

    def row(self, session_id):
        with self.db.transaction() as session:
            row = session.get_one(TelegramSession, session_id)
            session.expunge(row)
            return row

    def strings(self):
        """Return the strings of all sessions and logins that are stored."""
        with self.db.transaction() as session:
            rows = [*session.scalars(select(TelegramSession)), *session.scalars(select(TelegramLogin))]
            return [row.session_string for row in rows]

    def source(self, session_id, user_id=None, source_id="00000000-0000-4000-8000-000000000001"):
        """Add a source that uses a session."""
        facts = {"access_level": AccessLevel.PRIVATE, "identifier": "1", "channel_id": 1, "channel_title": "One"}
        with self.db.transaction() as session:
            session.add(Source(id=source_id, user_id=user_id, name="One", session_id=session_id, **facts))


@pytest.fixture(scope="session")
def telegram_made(tmp_path_factory, sqlite_with_tables):
    """What all tests of the usual settings share, as in the folder above."""
    path = tmp_path_factory.mktemp("api") / "api.db"
    shutil.copy(sqlite_with_tables, path)
    db = Database(f"sqlite:///{path}")
    yield SimpleNamespace(db=db, chosen=Chosen(db), api=None)
    db.engine.dispose()


@pytest.fixture
def api(request, telegram_made, telegram, mail_server, twilio, encryption_key):
    """The application as it usually is, with an empty database; on both of them for a test that asks for `store`."""
    made = telegram_made
    made.chosen.db = request.getfixturevalue("store") if "store" in request.fixturenames else made.db
    made.api = made.api or TelegramApi(telegram, made.chosen, mail_server, twilio)
    made.api.forget()
    yield made.api
    made.api.wait()


@pytest.fixture
def make_telegram_api(request, telegram, mail_server, twilio, encryption_key):
    """Give a function that makes the application with settings of its own: `telegram={…}` those of Telegram."""
    db = request.getfixturevalue("store" if "store" in request.fixturenames else "sqlite")

    def make(**given):
        made = TelegramApi(telegram, db, mail_server, twilio, **given)
        made.forget()
        return made

    return make


@pytest.fixture
def ana(api):
    return api.user(ANA)
