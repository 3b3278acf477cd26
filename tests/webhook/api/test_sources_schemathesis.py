"""
Schemathesis asks the routes of sources what their document allows, and what it does not: as one user, and at another's rows.

As for the other routes all checks are on, and no row of the other user is in an answer or has changed afterwards.
"""

from __future__ import annotations

import re
from time import monotonic
from typing import Any

import pytest
from sqlalchemy import delete, func, select
from werkzeug.serving import make_server

from database.access import users
from database.access.guesses import Limits
from database.models import Run, StoredFile
from database.models.jobs import Schedule, ScraperJob
from database.models.messaging import ChannelFile
from database.models.prices import User
from database.models.telegram import AccessLevel, Source, TargetStore, TelegramSession
from sandbox.mailserver import serving
from tests.turns import one_database
from tests.webhook.api.conftest import ANA, BEN
from tests.webhook.api.test_schemathesis import HERS, MINE, Asking, Lasting, add_rows, telegram_id
from tests.webhook.telegram import note_file, note_run
from webhook.api.checking import Checker

OURS = r"^/(sources|flows)"
COUNT = 3  # sources of each user


def id_of(first, number):
    return f"{first:08d}-0000-4000-8000-{number:012d}"


class AskingSources(Asking):
    """The same over the routes of sources, whose own rows are made again when they are deleted."""

    def __init__(self, api, url, string, runs, examples, phases):
        self.turn, self.runs = 0, runs
        super().__init__(api, url, ANA, string, examples, phases)
        self.schema = self.schema.include(path_regex=OURS)

    def token(self):
        token = super().token()  # after which there is the user
        with self.api.db.transaction() as session:
            left = session.scalar(select(func.count()).select_from(Source).where(Source.user_id == MINE)) or 0
        if left < COUNT:
            add_sources(self.api.db, MINE)
        return token

    def provider(self):
        asking = self

        class Token:
            def get(self, case, context):
                return asking.token()

            def set(self, case, data, context):
                case.headers["Authorization"] = f"Bearer {data}"
                asking.aim_at_rows(case)

        return Token

    def aim_at_rows(self, case):
        """Let ids of rows be those of a row: in turn an own one and one of the other user; a session the own one."""
        self.turn += 1
        first, number = (MINE, HERS)[self.turn % 2], self.turn % COUNT
        given = case.path_parameters or {}
        if re.fullmatch(r"[0-9a-f-]{36}", str(given.get("source_id", ""))):
            given["source_id"] = id_of(first, number)
        if "deployment" in given and self.turn % 5:
            given["deployment"] = f"source-{id_of(first, number)}"
        if isinstance(given.get("run_id"), int) and given["run_id"] > 0 and self.turn % 5:
            given["run_id"] = self.runs[first][number]
        named = case.body.get("session_id") if isinstance(case.body, dict) else None
        if isinstance(named, str) and 0 < len(named) <= 200 and self.turn % 3:  # what is wrong on purpose stays wrong
            case.body["session_id"] = telegram_id(MINE)


def add_sources(db, first):
    """Add those of a user's sources that are missing; each has a name by which it is found in any answer."""
    with db.transaction() as session:
        for number in range(COUNT):
            if session.get(Source, id_of(first, number)) is None:
                facts = {"access_level": AccessLevel.PRIVATE, "identifier": "5", "channel_id": 5, "access_hash": 1}
                facts |= {"channel_title": f"of {first}", "target": TargetStore.LOCAL, "session_id": telegram_id(first)}
                session.add(Source(id=id_of(first, number), user_id=first, name=f"of {first}", **facts))


def rows_of(db, first, runs):
    """Return all that belongs to the sources of a user, as plain data."""
    ids = [id_of(first, number) for number in range(COUNT)]
    wanted: dict[Any, Any] = {
        Source: Source.id.in_(ids),
        ChannelFile: ChannelFile.source_id.in_(ids),
        Run: Run.id.in_(runs),
        ScraperJob: ScraperJob.target["source"].as_string().in_(ids),
        TelegramSession: TelegramSession.user_id == first,
        Schedule: Schedule.name.in_([f"source-{each}" for each in ids]),
    }
    with db.transaction() as session:
        return [
            {column.key: getattr(row, column.key) for column in model.__table__.columns}
            for model, condition in wanted.items()
            for row in session.scalars(select(model).where(condition).order_by(model.id))
        ]


@pytest.fixture
def check(request, make_api, telegram_server):
    """Give a function that asks as Ana, and returns how often what was asked and looked at."""
    db = request.getfixturevalue("store" if "store" in request.fixturenames else "sqlite")
    rate = "1000000 per minute"
    generous = {"auth_rate": rate, "user_rate": rate, "telegram_rate": rate, "auth_resend_cap": 100}
    generous["telegram"] = telegram_server.settings(busy_wait=10)
    checker = Checker(db, 0, start=lambda portal: None)
    api = make_api(checker=checker, webhook={"webhook_rate": rate}, erase=lambda store, path: True, **generous)
    strings = {first: telegram_server.string(telegram_server.number()) for first in (HERS, MINE)}
    with db.transaction() as session:
        for email, first in ((BEN, HERS), (ANA, MINE)):
            add_rows(session, email, first, strings[first])
    runs = {}
    for first in (HERS, MINE):
        add_sources(db, first)
        runs[first] = [note_run(db, id_of(first, number), message=f"of {first}") for number in range(COUNT)]
        for number in range(COUNT):
            note_file(db, id_of(first, number), runs[first][number], path=f"of {first}/a.pdf", name=f"of {first}")

    def run(examples, phases):
        before = rows_of(db, HERS, runs[HERS])
        assert len(before) == 4 * COUNT + 1
        with serving(make_server("127.0.0.1", 0, api.app, threaded=True, request_handler=Lasting)) as server:
            url = f"http://127.0.0.1:{server.port}"
            asking = AskingSources(api, url, strings[MINE], runs, examples, phases).run()
        assert not asking.failures, "\n\n".join(asking.failures)
        assert asking.seen() == set()
        assert rows_of(db, HERS, runs[HERS]) == before
        # What is looked for would be found.
        with db.transaction() as session:
            token = users.open_session(session, session.get_one(User, HERS), "", Limits())
        for path in ("/sources/", f"/sources/{id_of(HERS, 0)}/files", f"/flows/runs/{runs[HERS][0]}"):
            asking.answers = [api.with_token(token).get(path).data]
            assert asking.seen(), path
        assert min(asking.asked[status] for status in (200, 401, 404, 422)) > 0
        return asking.asked

    yield run
    with db.transaction() as session:
        for model in (ChannelFile, StoredFile, Run, ScraperJob, Source, Schedule, TelegramSession):
            session.execute(delete(model))


def test_a_small_run(check):
    asked = check(1, ("fuzzing",))
    assert asked["requests"] > 20


@one_database
@pytest.mark.matrix
@pytest.mark.timeout(900)
@pytest.mark.parametrize("examples", [6, pytest.param(15, marks=pytest.mark.figures)])
def test_a_whole_run(store, check, record_property, examples):
    began = monotonic()
    asked = check(examples, ("examples", "coverage", "fuzzing", "stateful"))
    told = f"{asked['requests']} requests, {monotonic() - began:.0f} s: {dict(asked)}"
    print(told)
    record_property("asked", told)
    assert asked["requests"] > 500
