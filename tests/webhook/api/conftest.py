"""The API of the price watch, with a mail server and a Twilio of its own."""

from __future__ import annotations

import re
import shutil
from types import SimpleNamespace

import pytest
from sqlalchemy import delete, select

from database.engine import Database
from database.families.prices import CheckFailure, PriceReading, record_check
from database.models.jobs import ScraperJob, Worker
from database.models.operators import PasskeyChallenge
from database.models.prices import AuthCode, AuthSession, OtpAttempt, User
from jobs.settings import MailSettings
from sandbox.mailserver import MailServer, serving
from tests.telegram import telegram_running
from tests.webhook.api.servers import Twilio
from tests.webhook.conftest import CHANNELS, GATEWAY_TOKEN, READER_TOKEN, TWILIO_TOKEN
from webhook.api.sending import Sender
from webhook.app import create_app
from webhook.settings import PriceWatchSettings, WebhookSettings

ANA, BEN = "ana@example.com", "ben@example.com"
PHONES = {ANA: "+12015550100", BEN: "+12015550101"}
PASSWORD = "mail-password-for-tests"
SENDER = "watch@example.com"
ORIGIN = "http://localhost"  # by which Flask's test client opens the pages
PRODUCT = "https://www.shop.example/products/1001-tape-echo"


@pytest.fixture(scope="session")
def mail_server():
    with serving(MailServer(PASSWORD)) as server:
        yield server


@pytest.fixture(scope="session")
def twilio():
    with serving(Twilio()) as server:
        yield server


@pytest.fixture(scope="session")
def telegram_server(tmp_path_factory):
    with telegram_running(tmp_path_factory.mktemp("telegram")) as server:
        yield server


class Api:
    """The application with all around it, and what a user does in a line."""

    def __init__(
        self,
        db,
        mail_server,
        twilio,
        checker=None,
        webhook=None,
        mail=None,
        telegram=None,
        erase=None,
        opens=None,
        **settings,
    ):
        self.checker = checker
        self.db, self.mail_server, self.twilio = db, mail_server, twilio
        sms = {"twilio_account_sid": "AC123", "twilio_from_number": "+12015550199", "twilio_url": twilio.url}
        self.settings = PriceWatchSettings(
            **{"auth_resend_seconds": 0, "auth_rate": "10000 per minute", **sms, **settings}
        )
        given = {"smtp_address": "127.0.0.1", "smtp_port": mail_server.port, "smtp_security": "none"}
        given |= {"email_address": SENDER, "email_password": PASSWORD}
        self.sender = Sender(self.settings, MailSettings(**(given if mail is None else mail)), TWILIO_TOKEN)
        tokens = {"webhook_token": GATEWAY_TOKEN, "code_reader_token": READER_TOKEN}
        tokens |= {"webhook_public_url": ORIGIN, **(webhook or {})}
        self.app = create_app(
            WebhookSettings(**tokens),
            db,
            CHANNELS,
            (),
            prices=self.settings,
            sender=self.sender,
            checker=checker,
            telegram=telegram,
            erase=erase,
            opens=opens,
        )
        self.app.testing = True

    def forget(self):
        """Forget what tests before have left behind."""
        self.mail_server.mails.clear()
        self.twilio.messages.clear()
        self.mail_server.refuses, self.twilio.status = False, 201
        for limiter in self.app.extensions["limiter"]:
            limiter.reset()
        with self.db.transaction() as session:
            for model in (User, OtpAttempt, PasskeyChallenge, ScraperJob, Worker):
                session.execute(delete(model))

    def client(self):
        """Return a browser without cookies."""
        return self.app.test_client()

    def post(self, path, client=None, headers=None, **body):
        return (client or self.client()).post(path, json=body, headers=headers)

    def wait(self):
        """Wait until what was put off has been sent."""
        self.sender.flush()

    def mailed(self, to=ANA):
        """Return the code in the newest mail to an address."""
        self.wait()
        mails = [mail for mail in self.mail_server.mails if mail["To"] == to]
        return re.findall(r"Your code: (\d{6})\b", mails[-1].get_content())[0]

    def texted(self, to=PHONES[ANA]):
        """Return the code in the newest text message to a number."""
        self.wait()
        return re.findall(r"\b\d{6}\b", [sms for sms in self.twilio.messages if sms["To"] == to][-1]["Body"])[0]

    def register(self, email=ANA, client=None):
        """Register a user and return the answer of the last step."""
        for path, given in (
            ("start", lambda: {"phone_number": PHONES[email]}),
            ("verify-email", lambda: {"code": self.mailed(email)}),
        ):
            answer = self.post(f"/auth/register/{path}", email=email, **given())
            assert answer.status_code < 300, answer.get_json()
        return self.post("/auth/register/verify-phone", client, email=email, code=self.texted(PHONES[email]))

    def sign_in(self, email=ANA, client=None, headers=None):
        self.post("/auth/login/start", email=email)
        return self.post("/auth/login/verify", client, headers, email=email, code=self.texted(PHONES[email]))

    def user(self, email=ANA):
        """Register a user and return a client that shows the token."""
        return self.with_token(self.register(email).get_json()["access_token"])

    def with_token(self, token):
        client = self.client()
        client.delete_cookie("pb_session")
        client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token}"
        return client

    def item(self, client, **fields):
        answer = client.post("/me/watchlist-items", json={"product_url": PRODUCT, "threshold": 20, **fields})
        assert answer.status_code == 201, answer.get_json()
        return answer.get_json()["id"]

    def turn(self, back):
        """Make everything that was noted of codes and sessions older."""
        columns = {
            AuthCode: ("expires_at", "created_at"),
            AuthSession: ("expires_at", "created_at", "last_used_at"),
            OtpAttempt: ("window_started_at", "blocked_until", "updated_at"),
            PasskeyChallenge: ("expires_at",),
        }
        with self.db.transaction() as session:
            for model, names in columns.items():
                for row in session.scalars(select(model)):
                    for name in names:
                        if getattr(row, name) is not None:
                            setattr(row, name, getattr(row, name) - back)

    def read(self, item_id, price, currency="GBP", **more):
        """Write a check that has read a price."""
        with self.db.transaction() as session:
            return record_check(session, [item_id], PriceReading(price, currency, **more))[0].id

    def fail(self, item_id):
        with self.db.transaction() as session:
            return record_check(session, [item_id], CheckFailure("portal_down", "The shop does not answer."))[0].id


@pytest.fixture
def make_api(request, mail_server, twilio):
    """Give a function that makes the application; on both databases for a test that asks for `store`, else on SQLite."""
    db = request.getfixturevalue("store" if "store" in request.fixturenames else "sqlite")

    def make(**given):
        api = Api(db, mail_server, twilio, **given)
        api.forget()
        return api

    return make


class Chosen:
    """A database that can be another one for the next test."""

    def __init__(self, db):
        self.db = db

    def __getattr__(self, name):
        return getattr(self.db, name)


@pytest.fixture(scope="session")
def made(tmp_path_factory, sqlite_with_tables):
    """What all tests of the usual settings share: the application is made once, as that takes longer than most of them."""
    path = tmp_path_factory.mktemp("api") / "api.db"
    shutil.copy(sqlite_with_tables, path)
    db = Database(f"sqlite:///{path}")
    yield SimpleNamespace(db=db, chosen=Chosen(db), api=None)
    db.engine.dispose()


@pytest.fixture
def api(request, made, mail_server, twilio, encryption_key):
    """The application as it usually is, with an empty database; on both of them for a test that asks for `store`."""
    made.chosen.db = request.getfixturevalue("store") if "store" in request.fixturenames else made.db
    made.api = made.api or Api(made.chosen, mail_server, twilio)
    made.api.forget()
    yield made.api
    made.api.wait()
