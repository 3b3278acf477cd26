"""The bodies that gateways send: the known shapes are read, everything else is refused by name and never with a 500."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select

from database.models import Message
from tests.webhook.conftest import GATEWAY, PHONE, SAID

TEXT = SAID.format("12345678")
JSON = {**GATEWAY, "Content-Type": "application/json"}
EVENT = {"id": "event-1", "text": TEXT, "from": {"phone_number": "BELL"}, "to": [{"phone_number": PHONE}]}


def stored(store) -> list[Message]:
    with store.transaction() as session:
        return list(session.scalars(select(Message).order_by(Message.id)))


@pytest.mark.parametrize(
    ("body", "gateway_id", "sent_at"),
    [
        ({"key": TEXT, "from": "BELL", "to": PHONE}, None, None),
        ({"data": {"payload": EVENT}}, "event-1", None),
        ({"data": {"event_type": "message.received", "payload": {**EVENT, "to": PHONE}}}, "event-1", None),
        (
            {"data": {"payload": {**EVENT, "from": "BELL", "received_at": "2026-11-20T10:00:00Z"}}},
            "event-1",
            datetime(2026, 11, 20, 10, tzinfo=UTC),
        ),
        (
            {"from": "BELL", "to": PHONE, "text": TEXT, "sentStamp": 1, "receivedStamp": 1795168800000, "sim": "a"},
            None,
            datetime(2026, 11, 20, 10, tzinfo=UTC),
        ),
        (
            {"from": "BELL", "to": PHONE, "text": TEXT, "receivedStamp": "1795168800000"},
            None,
            datetime(2026, 11, 20, 10, tzinfo=UTC),
        ),
    ],
    ids=["key", "event", "event of a type", "event with a time", "forwarder", "forwarder with texts"],
)
def test_json_shapes(client, sqlite, body, gateway_id, sent_at):
    assert client.post("/sms", json=body, headers=GATEWAY).get_json()["status"] == "accepted"
    (message,) = stored(sqlite)
    assert (message.receiver, message.sender, message.text) == (PHONE, "bell", TEXT)
    assert (message.gateway_id, message.sent_at) == (gateway_id, sent_at)


@pytest.mark.parametrize("as_form", [False, True])
def test_a_text_of_several_lines_is_taken_as_it_is(client, sqlite, as_form):
    """Gateways put a text into their template without escaping its line breaks and tabs."""
    text = "12345678 is your code.\n\n@portal.example #12345678\tbye"
    if as_form:
        answer = client.post("/sms", data={"From": "BELL", "To": PHONE, "Body": text}, headers=GATEWAY)
    else:
        body = f'{{"from": "BELL", "to": "{PHONE}", "text": "{text}"}}'
        answer = client.post("/sms", data=body, content_type="application/json", headers=GATEWAY)
    assert answer.status_code == 200
    assert [message.text for message in stored(sqlite)] == [text]


@pytest.mark.parametrize("multipart", [False, True])
def test_a_form(client, sqlite, multipart):
    form = {"From": "BELL", "To": "(201) 555-0100", "Body": TEXT, "MessageSid": "SM1"}
    encoding = {"content_type": "multipart/form-data"} if multipart else {}
    assert client.post("/sms", data=form, headers=GATEWAY, **encoding).mimetype == "text/xml"
    (message,) = stored(sqlite)
    assert (message.receiver, message.sender, message.gateway_id) == (PHONE, "bell", "SM1")


def test_the_receiver_comes_from_the_body_or_the_query_or_the_setting(make_client, sqlite):
    client = make_client(sms_receiver="+12015550103")
    client.post("/sms?receiver=%2B12015550102", json={"key": "1", "to": "+12015550101"}, headers=GATEWAY)
    client.post("/sms?receiver=+12015550102", json={"key": "2"}, headers=GATEWAY)  # a plus sign that became a blank
    client.post("/sms", json={"key": "3"}, headers=GATEWAY)
    assert [message.receiver for message in stored(sqlite)] == ["+12015550101", "+12015550102", "+12015550103"]


def test_a_gateways_other_events_are_acknowledged_and_dropped(client, sqlite):
    body = {"data": {"event_type": "message.sent", "payload": EVENT}}
    assert client.post("/sms", json=body, headers=GATEWAY).status_code == 200
    assert stored(sqlite) == []


def test_a_repetition_is_acknowledged_and_stored_once(client, store):
    answers = [client.post("/sms", json={"data": {"payload": EVENT}}, headers=GATEWAY) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert len(stored(store)) == 1


def test_what_databases_refuse_is_taken_out(client, store):
    body = '{"key": "\\ud800 code\\u0000 12345678", "from": "\\udfff\\u0000", "to": "\\u0000+12015550100"}'
    assert client.post("/sms", data=body, headers=JSON).status_code == 200
    assert stored(store)[0].receiver == PHONE


MALFORMED = [
    ("", 400, "not JSON"),
    ("{", 400, "not JSON"),
    ("[" * 60000, 400, "not JSON"),
    ('{"key": ' + "1" * 10000 + "}", 400, "not JSON"),
    (b"\xff\xfe\x00", 400, "not JSON"),
    ("null", 400, '{"key": …}'),
    ("[]", 400, '{"key": …}'),
    ('"text"', 400, '{"key": …}'),
    ("{}", 400, '{"key": …}'),
    ('{"key": null}', 400, "`key` is missing"),
    ('{"key": "  "}', 400, "`key` is missing"),
    ('{"key": ["a"]}', 400, "`key` is missing"),
    ('{"key": "a", "from": true, "to": "1"}', 400, "`from` must be a text"),
    ('{"key": "a", "to": {"x": 1}}', 400, "`to` must be a text"),
    ('{"key": "a"}', 400, "LATCHKEY_SMS_RECEIVER"),
    ('{"from": "BELL", "to": "1"}', 400, "`text` is missing"),
    ('{"data": null}', 400, "`data.payload` is missing"),
    ('{"data": {"payload": "x"}}', 400, "`data.payload` is missing"),
    ('{"data": {"payload": {}}}', 400, "`data.payload.text` is missing"),
    ('{"data": {"payload": {"text": "a", "to": [[]]}}}', 400, "`data.payload.to`"),
    ('{"data": {"payload": {"text": "a", "from": {"phone_number": {}}, "to": "1"}}}', 400, "from.phone_number"),
    (json.dumps({"key": "a" * 10001, "to": "1"}), 400, "longer than 10000"),
    (json.dumps({"key": "a", "to": "1" * 201}), 400, "longer than 200"),
    (json.dumps({"key": "a" * 70000, "to": "1"}), 413, "capacity"),
]


def test_malformed_json_is_refused_by_name(client, sqlite):
    for body, status, named in MALFORMED:
        answer = client.post("/sms", data=body, headers=JSON)
        assert answer.status_code == status, body[:80]
        assert named in answer.get_json()["error"], body[:80]
    assert stored(sqlite) == []


@pytest.mark.parametrize(
    ("kind", "body", "status"),
    [
        ("text/plain", "x", 415),
        ("", "x", 415),
        ("application/x-www-form-urlencoded", "", 400),
        ("application/x-www-form-urlencoded", "Body=%00%ff&To=%ff", 200),
        ("multipart/form-data", "x", 400),
        ("multipart/form-data; boundary=a", "--a\r\nrubbish", 400),
        ("application/json; charset=nonsense", '{"key": "a", "to": "1"}', 200),
    ],
)
def test_other_bodies(client, kind, body, status):
    assert client.post("/sms", data=body, headers={**GATEWAY, "Content-Type": kind}).status_code == status


def test_an_implausible_time_is_no_time(client, sqlite):
    stamps: list[Any] = [None, True, "", "soon", 10**30, "9" * 400, -1, [], {}, 0.5, "0001-01-01T00:00:00+14:00"]
    for stamp in stamps:
        body = {"from": "BELL", "to": PHONE, "text": f"{TEXT} {stamp}", "receivedStamp": stamp}
        assert client.post("/sms", json=body, headers=GATEWAY).status_code == 200
    assert [message.sent_at for message in stored(sqlite)] == [None] * 11


def test_no_body_whatever_makes_it_fail(make_client, store):
    """500 bodies grown from the known shapes with a fixed seed: every answer is a 2xx or a 4xx."""
    client = make_client(webhook_rate="100000 per minute", webhook_sender_rate="100000 per minute")
    rng = random.Random(7)
    leaves: list[Any] = [
        None,
        True,
        0,
        -1,
        1e308,
        10**40,
        "",
        "\x00",
        "\ud800",
        "a" * 300,
        PHONE,
        TEXT,
        [],
        {},
        [[]],
        float("nan"),
    ]
    keys = ["key", "data", "payload", "text", "from", "to", "id", "phone_number", "event_type", "received_at", "x"]

    def grow(depth: int):
        if depth == 0 or rng.random() < 0.3:
            return rng.choice(leaves)
        if rng.random() < 0.2:
            return [grow(depth - 1) for _ in range(rng.randrange(3))]
        return {rng.choice(keys): grow(depth - 1) for _ in range(rng.randrange(1, 5))}

    for _ in range(500):
        body = json.dumps(grow(4)).encode()
        answer = client.post("/sms?receiver=1", data=body, headers=JSON)
        assert answer.status_code in (200, 400), body
        assert "error" in answer.get_json() or "status" in answer.get_json()
