"""`GET /api/v1/records`: pages by id, the filters of `scrapy export records`, and for the token of readers alone."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from sqlalchemy import Integer

from database.access.users import Limits, open_session
from database.families.accounts import NewAccount, add_account
from database.models import PoolUsage
from database.models.messaging import ChannelMessage
from database.models.prices import User
from database.models.readings import Direction, MeterReading, Resolution
from database.models.telegram import AccessLevel, Source, TelegramSession
from scrapers.core.exports import record_types
from tests.project import CARRIERS
from tests.project import ROOT as PROJECT
from tests.webhook.conftest import GATEWAY, READER

ROOT = "/api/v1/records"
CANARY = "orchard-gate-7731"


@pytest.fixture
def stored(store):
    with store.transaction() as session:
        for client, number in (("Acme", "500100200"), ("Brook", "500100300")):
            account, _ = add_account(session, NewAccount(client, "Depot", "bell", number), CARRIERS)
            for day in (30, 31):
                session.add(PoolUsage(account_id=account.id, day=date(2026, 10, day), pool_used=2**40, pool_size=None))
        about = {"contract": "1", "meter": "2", "meter_code": "503", "direction": Direction.CONSUMPTION}
        at = datetime(2026, 10, 31, tzinfo=UTC)
        session.add(MeterReading(**about, resolution=Resolution.DAILY, starts_at=at, kwh=Decimal("0.1250")))
        user = User(email="ana@example.com")
        session.add(user)
        session.flush()
        telegram = {"key_fingerprint": "0" * 64, "api_id": 1, "api_hash": CANARY, "session_string": CANARY}
        session.add(TelegramSession(id="s", user_id=user.id, name="session", phone_number=CANARY, **telegram))
        session.flush()
        channel = {"identifier": "1", "channel_id": 1, "channel_title": "News", "access_level": AccessLevel.PRIVATE}
        session.add(Source(id="c", user_id=user.id, name="news", session_id="s", bot_token=CANARY, **channel))
        session.flush()
        session.add(ChannelMessage(source_id="c", message_id=7, sent_at=at, text=CANARY))
    return store


@pytest.fixture
def user_token(stored):
    with stored.transaction() as session:
        return open_session(session, session.query(User).one(), "", Limits())


def rows(client, path):
    answer = client.get(f"{ROOT}/{path}", headers=READER)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return answer.get_json()["rows"]


def test_rows_come_a_page_at_a_time(stored, client):
    path, found = f"{ROOT}/pool_usage?limit=3", []
    while path:
        answer = client.get(path, headers=READER)
        told = answer.get_json()
        found.append([row["id"] for row in told["rows"]])
        link = answer.headers.get("Link", "")
        assert bool(link) == (told["next"] is not None)
        path = link.partition(">")[0].removeprefix("<")
    assert [len(page) for page in found] == [3, 1]
    assert sorted({each for page in found for each in page}) == [each for page in found for each in page]
    (first, *_) = rows(client, "pool_usage")
    assert (first["pool_used"], first["pool_size"], first["day"]) == (2**40, None, "2026-10-30")
    (reading,) = rows(client, "readings")
    assert (reading["kwh"], reading["starts_at"]) == ("0.1250", "2026-10-31T00:00:00+00:00")


def test_rows_are_limited_as_by_the_command(stored, client):
    assert {row["account"] for row in rows(client, "pool_usage?client=Brook")} == {"500100300"}
    assert [row["day"] for row in rows(client, "pool_usage?account=500100200&since=2026-10-31")] == ["2026-10-31"]
    assert {row["day"] for row in rows(client, "pool_usage?until=2026-10-31T00:00:00Z")} == {"2026-10-30"}
    assert rows(client, "readings?until=2026-10-31T00:00:00Z") == []
    assert rows(client, "pool_usage?client=Acme&account=500100300") == []


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("nothing", 404),
        ("users", 404),
        ("readings?client=Acme", 404),
        ("pool_usage?limit=0", 422),
        ("pool_usage?since=yesterday", 422),
        ("pool_usage?until=0001-01-01T00:00:00Z", 200),
        ("pool_usage?until=0001-01-01T00:00:00%2B14:00", 422),
    ],
)
def test_what_there_is_not_is_refused(client, path, status):
    assert client.get(f"{ROOT}/{path}", headers=READER).status_code == status


def test_another_token_sees_nothing(stored, client, user_token):
    assert client.get("/me", headers={"Authorization": f"Bearer {user_token}"}).status_code == 200
    for headers in ({}, GATEWAY, {"Authorization": f"Bearer {user_token}"}, {"Cookie": f"pb_session={user_token}"}):
        for path in ("", "/pool_usage", "/price_check_runs", "/nothing"):
            answer = client.get(f"{ROOT}{path}", headers=headers)
            assert (answer.status_code, answer.get_json()) == (401, {"error": "A valid token is needed."})


def test_every_type_is_listed_and_shown_without_secrets(stored, client):
    listed = client.get(ROOT, headers=READER).get_json()["types"]
    assert [each["type"] for each in listed] == list(record_types())
    assert next(each for each in listed if each["type"] == "pool_usage")["limits"] == ["account", "client"]
    for each in listed:
        answer = client.get(f"{ROOT}/{each['type']}", headers=READER)
        assert answer.status_code == 200
        assert CANARY not in answer.get_data(as_text=True)
        assert all(list(row) == each["columns"] for row in answer.get_json()["rows"])
    assert [row["message_id"] for row in rows(client, "channel_messages")] == [7]


def test_ids_are_numbers_by_which_pages_follow():
    for kind in record_types().values():
        first = next(iter(kind.make().columns.values()))
        assert isinstance(first.type, Integer), kind.name


def test_the_examples_of_the_page_are_answered(stored, client):
    page = (PROJECT / "docs" / "reading-the-data.md").read_text().partition("## Over HTTP")[2]
    lines = re.findall(r'^curl .* "\$API(.*)"  # (\d+)$', page, re.M)
    assert len(lines) == 3
    for path, status in lines:
        assert client.get(path, headers=READER).status_code == int(status), path


def test_the_document_has_the_routes(client):
    paths = client.get("/docs/openapi.json", headers=READER).get_json()["paths"]
    assert set(paths[ROOT]["get"]["responses"]) == {"200", "401", "422", "429", "503"}
    asked = {each["name"] for each in paths[f"{ROOT}/{{type}}"]["get"]["parameters"]}
    assert asked == {"type", "after", "limit", "since", "until", "account", "client"}
