"""
Schemathesis asks the whole API what its document allows, and what it does not: as one user, and as another one.

The same requests at each run. All checks are on. Whatever a request says, no row of the other user is in an answer, and
none has changed afterwards.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from datetime import timedelta
from decimal import Decimal
from time import monotonic
from typing import Any

import pytest
import schemathesis
from schemathesis.engine import Status, events, from_schema
from sqlalchemy import select
from werkzeug.serving import WSGIRequestHandler, make_server

from database.access import users
from database.access.guesses import Limits
from database.models.base import utc_now
from database.models.prices import (
    AlertChannel,
    AuthCode,
    AuthSession,
    PriceCheckRun,
    Purpose,
    User,
    WatchlistItem,
)
from database.models.telegram import LoginKind, TelegramLogin, TelegramSession
from sandbox.mailserver import serving
from tests.telegram import API_HASH, API_ID
from tests.turns import one_database
from tests.webhook.api.conftest import ANA, BEN, PHONES
from tests.webhook.conftest import GATEWAY_TOKEN, READER, READER_TOKEN
from webhook.api.checking import Checker

# From which numbers on their rows are. What is added gets numbers below the first (PostgreSQL) or above the second (SQLite).
HERS, MINE = 10_000, 500_000
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
    "positive_data_acceptance",
    "ignored_auth",
    "object_level_authorization",
)
KINDS = (User, WatchlistItem, PriceCheckRun, AuthSession, AlertChannel, AuthCode)
TELEGRAM = (TelegramSession, TelegramLogin)
# What a request may be answered with although it is as the document says, which no schema can say: a code is wrong, or
# receiver and login are neither named nor set (400); an address is of no product or service, or a number of no country, or an amount has more decimals than money, or
# Telegram knows no such number or session (422).
ACCEPTED = ["2xx", "401", "403", "404", "409"]
LIMITED = ["/me/email/verify", "/me/phone/verify"]  # after so many wrong codes of one user none is looked at (429)
WRONG = ["/sms", "/mail", "/code", "/code/consume", "/auth/register/verify-email", "/auth/register/verify-phone", "/auth/login/verify", "/api/v1/sign-in/verify"]  # fmt: skip
NO_SUCH = [
    "/me/watchlist-items",
    "/me/watchlist-items/{item_id}",
    "/me/alert-channels",
    "/auth/register/start",
    "/me/phone/start",
    "/sessions/",
    "/sessions/send-otp",
    "/sessions/verify-otp",
    "/sessions/upload-file",
    "/sessions/finalize",
    "/sessions/{session_id}",
    "/sources/private",
    "/sources/public",
    "/sources/{source_id}",
]


@pytest.fixture
def tested(make_api, request, telegram_server):
    """Give a function that makes the application, with rows of a user and of another one, whose Telegram is a real server."""
    strings = {first: telegram_server.string(telegram_server.number()) for first in (HERS, MINE)}

    def make(me, other):
        db = request.getfixturevalue("store" if "store" in request.fixturenames else "sqlite")
        rate = "1000000 per minute"
        generous = {"auth_rate": rate, "user_rate": rate, "check_rate": rate, "auth_resend_cap": 100, "check_wait": 0}
        generous |= {"telegram_rate": rate, "telegram": telegram_server.settings(busy_wait=10)}
        checker = Checker(db, 0, start=lambda portal: None)
        api = make_api(checker=checker, webhook={"webhook_rate": rate}, legacy_routes=False, **generous)
        with db.transaction() as session:
            for email, first in ((other, HERS), (me, MINE)):
                add_rows(session, email, first, strings[first])
        return api, strings[MINE]

    return make


def add_rows(session, email, first, string):
    """Add a registered user with items, checks, a channel, a sign-in, a code, and Telegram's, whose numbers begin at one."""
    at = utc_now()
    verified = {"email_verified_at": at, "phone_verified_at": at, "two_factor_enabled": True}
    user = User(id=first, email=email, phone_number=PHONES[email], created_at=at, **verified)
    session.add(user)
    session.flush()
    for number in range(first, first + 3):
        facts = {"portal": "shop", "product_url": f"https://www.shop.example/p/{number}", "product_key": f"p{number}"}
        session.add(WatchlistItem(id=number, user_id=first, threshold=Decimal(20), label=f"of {first}", **facts))
        session.flush()
        price = {"price_amount": Decimal("19.5"), "price_currency": "GBP", "alerts": []}
        session.add(PriceCheckRun(id=number, watchlist_item_id=number, status="success", outcome="success", message="", **price))  # fmt: skip
    session.add(AlertChannel(id=first, user_id=first, service="ntfy", address="ntfy://topic", fingerprint=str(first)))
    session.add(
        AuthCode(id=first, user_id=first, purpose=Purpose.LOGIN, channel="sms", code_hash="0" * 64, expires_at=at)
    )
    ends = at + timedelta(days=7)
    session.add(
        AuthSession(id=first, user_id=first, token_hash=f"{first:064d}", user_agent=f"of {first}", expires_at=ends)
    )
    app = {"user_id": first, "api_id": API_ID, "api_hash": API_HASH, "session_string": string}
    session.add(TelegramSession(id=telegram_id(first), name=f"of {first}", key_fingerprint=f"{first:064d}", **app))
    login = {"kind": LoginKind.UPLOAD, "phone_number": PHONES[email], "account_id": first, "expires_at": ends}
    session.add(TelegramLogin(id=telegram_id(first + 1), **login, **app))
    session.flush()


def telegram_id(number):
    """Return the id of a row of Telegram's."""
    return f"{number:08d}-0000-4000-8000-000000000000"


def rows_of(db, first):
    """Return all that is stored of a user, as plain data."""
    with db.transaction() as session:
        found = []
        for table in TELEGRAM:
            for kept in session.scalars(select(table).where(table.user_id == first)):
                found.append({column.key: getattr(kept, column.key) for column in table.__table__.columns})
        for model in KINDS:
            for row in session.scalars(
                select(model).where(model.id >= first, model.id < first + 1000).order_by(model.id)
            ):
                found.append({column.key: getattr(row, column.key) for column in model.__table__.columns})
        return found


class Asking:
    """One run of all checks over the API, signed in as a user."""

    def __init__(self, api, url, email, string, examples, phases):
        self.api, self.email, self.string, self._token = api, email, string, ""
        self.failures, self.asked, self.answers = [], Counter(), []
        config = schemathesis.Config.from_dict(
            {
                "seed": 1,
                "generation": {"max-examples": examples, "deterministic": True, "database": "none"},
                "phases": {
                    name: {"enabled": name in phases} for name in ("examples", "coverage", "fuzzing", "stateful")
                },
                "checks": {"positive_data_acceptance": {"expected-statuses": ACCEPTED}},
                "cache": {"enabled": False},
                "operations": [
                    *(self.accepting(path, "400") for path in WRONG),
                    *(self.accepting(path, "400", "429") for path in LIMITED),
                    *(self.accepting(path, "422") for path in NO_SUCH),
                ],
            }
        )
        self.schema: Any = schemathesis.openapi.from_url(f"{url}/docs/openapi.json", headers=READER, config=config)
        self.schema.auth(refresh_interval=None)(self.provider())

    @staticmethod
    def accepting(path, *more):
        statuses = {"positive_data_acceptance": {"expected-statuses": [*ACCEPTED, *more]}}
        return {"include-path": path, "checks": statuses}

    def provider(self):
        asking = self

        class Token:
            def get(self, case, context):
                path = case.operation.path
                if path.startswith(("/code", "/status")):
                    return READER_TOKEN
                return (
                    asking.token()
                    if path.startswith(("/me", "/auth", "/sessions", "/sources", "/flows", "/api"))
                    else GATEWAY_TOKEN
                )

            def set(self, case, data, context):
                case.headers["Authorization"] = f"Bearer {data}"
                asking.aim(case)

        return Token

    def token(self):
        """Return a token that is good now: a request may have ended the sign-in before, or deleted the user."""
        with self.api.db.transaction() as session:
            if self._token and users.session_of(session, self._token) is not None:
                return self._token
            user = users.user_of(session, self.email)
            if user is None:
                add_rows(session, self.email, MINE, self.string)
                user = users.user_of(session, self.email)
            self._token = users.open_session(session, user, "", Limits())
            return self._token

    @staticmethod
    def aim(case):
        """Let numbers of rows that may be there be those of a row: in turn an own one and one of the other user."""
        for name, value in (case.path_parameters or {}).items():
            if isinstance(value, int) and not isinstance(value, bool) and value > 0:
                case.path_parameters[name] = (MINE, HERS)[value % 2] + value % 3 if value % 5 else value
            if isinstance(value, str) and re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", value):
                turn, number = int(value[:8], 16), name.startswith("temp")
                case.path_parameters[name] = telegram_id((MINE, HERS)[turn % 2] + number) if turn % 5 else value

    def run(self):
        for event in from_schema(self.schema).execute():
            if isinstance(event, events.NonFatalError | events.FatalError):
                self.failures.append(str(getattr(event, "value", None) or event.exception))
            if isinstance(event, events.ScenarioFinished):
                self.note(event)
        return self

    def note(self, event):
        for node in (each for nodes in event.recorder.checks.values() for each in nodes):
            self.asked[node.name] += 1
            if node.status is Status.FAILURE:
                failure = node.failure_info.failure
                self.failures.append(f"{event.recorder.label}: {node.name}: {failure.title}: {failure.message} {node.failure_info.code_sample}")  # fmt: skip
        for interaction in event.recorder.interactions.values():
            if interaction.response is not None:
                self.asked["requests"] += 1
                self.asked[interaction.response.status_code] += 1
                self.asked["at rows of the other user"] += bool(
                    re.search(rf"/0*{HERS}[0-9]?\b", interaction.request.uri)
                )
                self.answers.append(interaction.response.content or b"")

    def seen(self):
        """Return the numbers and texts of the other user's rows that are in any answer."""
        found = set()
        for answer in self.answers:
            if BEN.encode() in answer or f"of {HERS}".encode() in answer:
                found.add(answer)
            try:
                said = json.loads(answer)
            except ValueError:
                continue
            found |= {name for name, value in numbers(said) if HERS <= value < HERS + 1000}
        return found


def numbers(said):
    """Yield the numbers of rows in an answer."""
    if isinstance(said, list):
        for each in said:
            yield from numbers(each)
    elif isinstance(said, dict):
        for name, value in said.items():
            if name in ("id", "user_id", "watchlist_item_id") and isinstance(value, int):
                yield name, value
            else:
                yield from numbers(value)


class Lasting(WSGIRequestHandler):
    """Answers on connections that stay open, and says nothing."""

    protocol_version = "HTTP/1.1"

    def log(self, *args):
        """Write nothing."""


def check(tested, examples, phases):
    """Ask as Ana; return how often what was asked and looked at."""
    api, string = tested(ANA, BEN)
    before = rows_of(api.db, HERS)
    assert len(before) == 12
    with serving(make_server("127.0.0.1", 0, api.app, threaded=True, request_handler=Lasting)) as server:
        asking = Asking(api, f"http://127.0.0.1:{server.port}", ANA, string, examples, phases).run()
    assert not asking.failures, "\n\n".join(asking.failures)
    assert asking.seen() == set()
    assert rows_of(api.db, HERS) == before
    # What is looked for would be found.
    with api.db.transaction() as session:
        token = users.open_session(session, session.get_one(User, HERS), "", Limits())
    for path in ("/me", "/me/watchlist-items", f"/me/watchlist-items/{HERS}/runs", "/me/alert-channels", "/sessions/"):
        asking.answers = [api.with_token(token).get(path).data]
        assert asking.seen(), path
    assert asking.asked["at rows of the other user"] > 0
    assert min(asking.asked[status] for status in (200, 401, 404, 422)) > 0
    return asking.asked


def test_a_small_run(tested):
    asked = check(tested, 1, ("fuzzing",))
    assert asked["requests"] > 50


@one_database
@pytest.mark.matrix
@pytest.mark.timeout(600)
def test_a_whole_run(store, tested, record_property):
    began = monotonic()
    asked = check(tested, 15, ("examples", "coverage", "fuzzing", "stateful"))
    told = f"{asked['requests']} requests, {monotonic() - began:.0f} s: {dict(asked)}"
    print(told)
    record_property("asked", told)
    assert asked["requests"] > 1000
    assert {asked[name] > 300 for name in CHECKS} == {True}
