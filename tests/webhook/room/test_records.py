"""`GET /api/v1/records`: pages by id, the filters of `scrapy export records`, and to each role what it may see."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from sqlalchemy import Integer, select

from database.access.guesses import Limits
from database.access.roles import grant
from database.access.users import open_session
from database.families.accounts import NewAccount, add_account
from database.models import Client, PoolUsage
from database.models.messaging import ChannelMessage
from database.models.operators import Role
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


def shown(store, role=None, client=""):
    """Return the header that shows the token of a new sign-in, of a user with a role or of the price watch alone."""
    with store.transaction() as session:
        of = session.scalars(select(Client).where(Client.name == client)).one_or_none()
        email = f"{role}@example.com"
        user = grant(session, email, role, of) if role is not None else session.scalars(select(User)).first()
        return {"Authorization": f"Bearer {open_session(session, user, '', Limits())}"}


@pytest.fixture
def viewer(stored):
    return shown(stored, Role.VIEWER)


@pytest.fixture
def of_acme(stored):
    """A viewer of one client."""
    return shown(stored, Role.CLIENT_VIEWER, "Acme")


def rows(client, path, headers):
    answer = client.get(f"{ROOT}/{path}", headers=headers)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return answer.get_json()["rows"]


def test_rows_come_a_page_at_a_time(viewer, client):
    path, found = f"{ROOT}/pool_usage?limit=3", []
    while path:
        answer = client.get(path, headers=viewer)
        told = answer.get_json()
        found.append([row["id"] for row in told["rows"]])
        link = answer.headers.get("Link", "")
        assert bool(link) == (told["next"] is not None)
        path = link.partition(">")[0].removeprefix("<")
    assert [len(page) for page in found] == [3, 1]
    assert sorted({each for page in found for each in page}) == [each for page in found for each in page]
    (first, *_) = rows(client, "pool_usage", viewer)
    assert (first["pool_used"], first["pool_size"], first["day"]) == (2**40, None, "2026-10-30")
    (reading,) = rows(client, "readings", viewer)
    assert (reading["kwh"], reading["starts_at"]) == ("0.1250", "2026-10-31T00:00:00+00:00")


def test_rows_are_limited_as_by_the_command(viewer, client):
    assert {row["account"] for row in rows(client, "pool_usage?client=Brook", viewer)} == {"500100300"}
    assert [row["day"] for row in rows(client, "pool_usage?account=500100200&since=2026-10-31", viewer)] == [
        "2026-10-31"
    ]
    assert {row["day"] for row in rows(client, "pool_usage?until=2026-10-31T00:00:00Z", viewer)} == {"2026-10-30"}
    assert rows(client, "readings?until=2026-10-31T00:00:00Z", viewer) == []
    assert rows(client, "pool_usage?client=Acme&account=500100300", viewer) == []


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
def test_what_there_is_not_is_refused(viewer, client, path, status):
    assert client.get(f"{ROOT}/{path}", headers=viewer).status_code == status


@pytest.mark.parametrize("headers", [{}, GATEWAY, READER], ids=["none", "gateway", "reader"])
def test_without_a_sign_in_nothing_is_seen(stored, client, headers):
    """The token of readers is for codes."""
    for path in ("", "/pool_usage", "/price_check_runs", "/nothing"):
        answer = client.get(f"{ROOT}{path}", headers=headers)
        assert (answer.status_code, answer.mimetype) == (401, "application/problem+json")


def test_a_user_of_the_price_watch_sees_nothing(stored, client):
    user = shown(stored)
    assert client.get("/me", headers=user).status_code == 200
    for path in ("", "/pool_usage", "/price_check_runs", "/nothing"):
        answer = client.get(f"{ROOT}{path}", headers=user)
        assert (answer.status_code, answer.mimetype) == (403, "application/problem+json")


def test_a_viewer_of_one_client_sees_its_rows_alone(of_acme, client):
    listed = client.get(ROOT, headers=of_acme).get_json()["types"]
    assert {"pool_usage", "invoices", "usage_records"} <= {each["type"] for each in listed}
    assert {tuple(each["limits"]) for each in listed} == {("account", "client")}
    for each in listed:
        assert "500100300" not in client.get(f"{ROOT}/{each['type']}", headers=of_acme).get_data(as_text=True)
    assert {row["account"] for row in rows(client, "pool_usage", of_acme)} == {"500100200"}
    assert len(rows(client, "pool_usage?client=Acme", of_acme)) == 2
    for others in ("client=Brook", "account=500100300"):
        assert rows(client, f"pool_usage?{others}", of_acme) == []


def test_what_belongs_to_no_client_is_refused_to_its_viewer(of_acme, client):
    refused = [name for name, kind in record_types().items() if kind.make().client is None]
    assert {"readings", "versions", "channel_messages", "price_check_runs", "faults"} <= set(refused)
    for name in refused:
        answer = client.get(f"{ROOT}/{name}", headers=of_acme)
        assert (answer.status_code, answer.mimetype) == (403, "application/problem+json"), name
    assert client.get(f"{ROOT}/nothing", headers=of_acme).status_code == 404


def test_without_the_control_room_there_are_no_records(make_client, monkeypatch):
    monkeypatch.setenv("LATCHKEY_CONTROL_ROOM", "false")
    assert make_client().get(ROOT, headers=READER).status_code == 404


def test_every_type_is_listed_and_shown_without_secrets(viewer, client):
    listed = client.get(ROOT, headers=viewer).get_json()["types"]
    assert [each["type"] for each in listed] == list(record_types())
    assert next(each for each in listed if each["type"] == "pool_usage")["limits"] == ["account", "client"]
    for each in listed:
        answer = client.get(f"{ROOT}/{each['type']}", headers=viewer)
        assert answer.status_code == 200
        assert CANARY not in answer.get_data(as_text=True)
        assert all(list(row) == each["columns"] for row in answer.get_json()["rows"])
    assert [row["message_id"] for row in rows(client, "channel_messages", viewer)] == [7]


def test_ids_are_numbers_by_which_pages_follow():
    for kind in record_types().values():
        first = next(iter(kind.make().columns.values()))
        assert isinstance(first.type, Integer), kind.name


def test_the_examples_of_the_page_are_answered(viewer, client):
    page = (PROJECT / "docs" / "reading-the-data.md").read_text().partition("## Over HTTP")[2]
    lines = re.findall(r'^curl .* "\$API(.*)"  # (\d+)$', page, re.M)
    assert len(lines) == 3
    for path, status in lines:
        assert client.get(path, headers=viewer).status_code == int(status), path


def test_the_document_has_the_routes(client):
    paths = client.get("/docs/openapi.json", headers=READER).get_json()["paths"]
    assert set(paths[ROOT]["get"]["responses"]) == {"200", "401", "403", "422", "429", "503"}
    asked = {each["name"] for each in paths[f"{ROOT}/{{type}}"]["get"]["parameters"]}
    assert asked == {"type", "after", "limit", "since", "until", "account", "client"}
