"""Mails from a mail-routing service: who may bring them, which are kept, and what is read in them."""

from __future__ import annotations

import asyncio
import json
import logging
import random
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from database.access.codes import CodeBroker, CodeChannel
from database.models import Message
from database.settings import SettingsError
from tests.webhook.conftest import CHANNELS, GATEWAY, GATEWAY_TOKEN, READER
from webhook.access import REPLAY_WINDOW, signature
from webhook.app import LARGEST_MAIL
from webhook.settings import WebhookSettings

KEY = "mail-signing-key-for-tests"
SENDER = "noreply@example.com"
MAILBOX = "codes@example.org"
CODE = "AB12CD34"
MAIL = {
    "from": f"Example Portal <{SENDER.upper()}>",
    "to": f"Codes <{MAILBOX.upper()}>",
    "subject": "Your sign-in",
    "text": f"To sign in use this code {CODE} now.",
    "received_at": "2026-11-20T10:00:00Z",
    "id": "<1@example.com>",
}
QUERY = f"?login=bell_enterprise_centre&receiver={MAILBOX}"


def stored(store) -> list[Message]:
    with store.transaction() as session:
        return list(session.scalars(select(Message).order_by(Message.id)))


def post(client, headers=GATEWAY, path="/mail", **changes):
    body = {name: value for name, value in {**MAIL, **changes}.items() if value is not None}
    return client.post(path, json=body, headers=headers)


def signed(body: bytes, key: str = KEY, age: float = 0, stamp: str = "") -> dict[str, str]:
    stamp = stamp or str(int(time.time() - age))
    return {"X-Signature": signature(key, body, stamp), "X-Timestamp": stamp, "Content-Type": "application/json"}


def test_a_mail_is_stored_encrypted_and_read_by_its_login(client, store):
    assert post(client).get_json()["status"] == "accepted"
    (message,) = stored(store)
    assert (message.receiver, message.sender, message.portal) == (MAILBOX, SENDER, None)
    assert message.text == f"Your sign-in\nTo sign in use this code {CODE} now."
    assert (message.gateway_id, message.sent_at) == ("<1@example.com>", datetime(2026, 11, 20, 10, tzinfo=UTC))
    with store.engine.connect() as connection:
        assert CODE not in str(connection.exec_driver_sql("SELECT * FROM messages").all())
    assert client.get(f"/code{QUERY}", headers=READER).get_json()["code"] == CODE


def test_each_recipient_is_a_receiver_and_a_repetition_is_stored_once(client, store):
    others = ["second@example.org", "Third <third@example.org>, second@example.org"]
    for _ in range(2):
        assert post(client, to=others).status_code == 200
    assert [message.receiver for message in stored(store)] == ["second@example.org", "third@example.org"]


def test_the_receiver_may_stand_in_the_address(client, sqlite):
    for to in (None, "", []):
        assert post(client, path=f"/mail?receiver={MAILBOX}", to=to).status_code == 200
    assert [message.receiver for message in stored(sqlite)] == [MAILBOX]


def test_html_is_read_as_people_see_it(client, sqlite):
    html = f"""<html><head><style>.a {{color: #123456}}</style><title>BB22CC33</title></head><body>
        <div style="display: none">use this code ZZ99ZZ99</div><p>use this <b>code</b>&nbsp;<span>{CODE[:4]}</span>{CODE[4:]}
        </p><p><a href="https://example.com/allow?t=1">Allow or deny</a></p></body></html>"""
    assert post(client, text=None, html=html).status_code == 200
    (message,) = stored(sqlite)
    assert message.text == f"Your sign-in\nuse this code {CODE}\nAllow or deny <https://example.com/allow?t=1>"


@pytest.mark.parametrize(
    ("path", "sender", "kept"),
    [
        ("/mail", "someone@example.com", False),
        ("/mail", "noreply@example.com.evil.example", False),
        ("/bell/mail", SENDER, True),
        ("/bell/mail", "someone@example.com", False),
        ("/verizon/mail", SENDER, True),  # no login of it is known, so nobody has said who its senders are
        ("/verizon/mail", "anybody@example.com", True),
    ],
)
def test_only_mails_of_the_logins_senders_are_kept(client, sqlite, path, sender, kept):
    answer = post(client, path=path, **{"from": sender})
    assert (answer.status_code, answer.get_json()["status"]) == (200, "accepted")
    assert len(stored(sqlite)) == kept


@pytest.mark.parametrize("name", ["Bell, Canada <{}>", "Bell @ Home <{}>", "{} (Bell)", '"Bell: <x@y.example>" <{}>'])
def test_a_sender_is_written_as_in_a_mailbox(client, sqlite, name):
    assert post(client, **{"from": name.format(SENDER)}).status_code == 200
    assert [message.sender for message in stored(sqlite)] == [SENDER]


def test_html_that_is_nested_too_deep_is_refused_or_left_out(client, sqlite):
    deep = "<div>" * 3000 + f"use this code {CODE}"
    assert post(client, text=None, html=deep).status_code == 400
    assert post(client, html=deep).status_code == 200
    assert len(stored(sqlite)) == 1


def test_a_sign_in_that_waits_for_anybody_gets_its_mail(client, store):
    async def sign_in() -> str:
        broker = CodeBroker(store, poll=0.02)
        async with broker.open(
            login="trucktech",
            portal="trucktech",
            username="ok",
            receiver=MAILBOX,
            senders=[],
            pattern=r"code ([A-Z0-9]{8})\b",
        ) as request:
            stamp = datetime.now(UTC).isoformat()
            await asyncio.to_thread(post, client, **{"from": "who@example.net", "received_at": stamp})
            return await request.answer(60)

    assert asyncio.run(sign_in()) == CODE
    post(client, **{"from": "who@example.net", "text": "another code XY12XY12"})
    assert len(stored(store)) == 1


def test_a_mail_older_than_the_request_is_not_its_answer(client, store):
    async def sign_in() -> str:
        broker = CodeBroker(store, poll=0.02)
        async with broker.open(
            login="bell_enterprise_centre",
            portal="bell",
            username="ok",
            receiver=MAILBOX,
            senders=[SENDER],
            pattern=r"code (\w{8})",
        ) as request:
            for minutes, code in ((2, "OLDOLD99"), (0, CODE)):
                stamp = (datetime.now(UTC) - timedelta(minutes=minutes)).isoformat()
                await asyncio.to_thread(post, client, text=f"code {code}", received_at=stamp, id=code)
            return await request.answer(60)

    assert asyncio.run(sign_in()) == CODE


def test_a_signature_is_as_good_as_the_token(make_client, sqlite):
    client = make_client(webhook_mail_key=KEY)
    body = json.dumps(MAIL).encode()
    headers = signed(body)
    for given in (headers, headers, {**headers, "X-Signature": f"sha256={headers['X-Signature'].upper()}"}):
        assert client.post("/mail", data=body, headers=given).status_code == 200
    assert len(stored(sqlite)) == 1  # a replay is a repetition
    assert client.post("/bell/mail", data=body, headers=headers).status_code == 200


@pytest.mark.parametrize(
    "change",
    [
        {"X-Signature": ""},
        {"X-Signature": "0" * 64},
        {"X-Signature": "\u00ff"},
        {"X-Timestamp": ""},
        {"X-Timestamp": str(int(time.time()) + 1)},  # another than was signed
        {"X-Timestamp": "soon"},
        {"X-Timestamp": "9" * 400},
    ],
    ids=["none", "zeros", "no ASCII", "no time", "another time", "no number", "a number too big"],
)
def test_a_signature_that_does_not_fit_is_refused(make_client, sqlite, change):
    client = make_client(webhook_mail_key=KEY)
    body = json.dumps(MAIL).encode()
    assert client.post("/mail", data=body, headers={**signed(body), **change}).status_code == 401
    assert stored(sqlite) == []


def test_a_signature_is_of_one_body_one_key_and_one_time(make_client, sqlite):
    client = make_client(webhook_mail_key=KEY)
    body = json.dumps(MAIL).encode()
    for headers in (
        signed(body + b" "),
        signed(body, key=GATEWAY_TOKEN),
        signed(body, key=""),
        signed(body, age=REPLAY_WINDOW + 5),
        signed(body, age=-REPLAY_WINDOW - 5),
        {**signed(body), "Content-Type": "text/plain"},
    ):
        assert client.post("/mail", data=body, headers=headers).status_code == 401
    assert make_client().post("/mail", data=body, headers=signed(body)).status_code == 401  # no key is set
    assert make_client().post("/mail", data=body, headers=signed(body, key="")).status_code == 401
    assert client.post(f"/code/consume{QUERY}", data=b"{}", headers=signed(b"{}")).status_code == 401
    assert client.get("/status", headers=signed(b"")).status_code == 401
    assert stored(sqlite) == []


def test_who_may_bring_mails(client):
    assert post(client, headers=READER).status_code == 401
    assert post(client, headers={}).status_code == 401
    assert post(client, headers={"X-Token": GATEWAY_TOKEN}).status_code == 200


@pytest.mark.parametrize(("key", "named"), [("tiny", "shorter"), (GATEWAY_TOKEN, "the same as LATCHKEY_WEBHOOK_TOKEN")])
def test_a_bad_key_is_named_and_not_shown(key, named):
    with pytest.raises(SettingsError, match=f"LATCHKEY_WEBHOOK_MAIL_KEY is {named}") as caught:
        WebhookSettings(webhook_token=GATEWAY_TOKEN, webhook_mail_key=key).check_tokens()
    assert key not in str(caught.value)


MALFORMED: list[tuple[Any, int, str]] = [
    ("{", 400, "not JSON"),
    ("[" * 60000, 400, "not JSON"),
    ("null", 400, '{"from": …'),
    ({"from": None}, 400, "`from` is missing"),
    ({"from": "BELL"}, 400, "`from` is missing"),
    ({"from": ["a@example.com"]}, 400, "`from` must be a text"),
    ({"from": "a" * 999}, 400, "`from` is longer than 998"),
    ({"to": None}, 400, "send `to`"),
    ({"to": "nobody"}, 400, "`to` has no mail address"),
    ({"to": 5}, 400, "`to` must be"),
    ({"to": [5]}, 400, "`to` must be"),
    ({"to": [f"{number}@example.org" for number in range(51)]}, 400, "more than 50"),
    ({"to": "a" * 200 + "@example.org"}, 400, "longer than 200"),
    ({"subject": []}, 400, "`subject` must be a text"),
    ({"text": None}, 400, "`text` is missing"),
    ({"text": " ", "html": "\n"}, 400, "`text` is missing"),
    ({"text": 5}, 400, "`text` must be a text"),
    ({"html": ["<p>"]}, 400, "`html` must be a text"),
    ({"id": "a" * 999}, 400, "`id` is longer"),
    ({"text": "a" * LARGEST_MAIL}, 413, "capacity"),
]


def test_what_is_wrong_is_named_and_not_repeated(client, sqlite):
    for body, status, named in MALFORMED:
        data = body if isinstance(body, str) else json.dumps({**MAIL, **body})
        answer = client.post("/mail", data=data, headers={**GATEWAY, "Content-Type": "application/json"})
        assert (answer.status_code, named in answer.get_json()["error"]) == (status, True), (named, answer.text)
        assert CODE not in answer.text
    assert client.post("/mail", data="x", headers=GATEWAY).status_code == 415
    assert stored(sqlite) == []


def test_a_long_mail_is_kept_as_far_as_a_code_may_stand(client, sqlite):
    padding = "<style>" + "a" * 300_000 + "</style>"
    assert post(client, text=None, html=f"{padding}<p>use this code {CODE}</p>" + "<p>x" * 50_000).status_code == 200
    (message,) = stored(sqlite)
    assert CODE in message.text
    assert len(message.text) == 20_000


def test_no_mail_whatever_makes_it_fail(make_client, store):
    """300 bodies grown from the known names with a fixed seed: every answer is a 200 or a 400."""
    channels = {**CHANNELS, "verizon": CodeChannel("verizon", portal="verizon")}
    client = make_client(channels, webhook_rate="100000 per minute", webhook_sender_rate="100000 per minute")
    rng = random.Random(7)
    leaves: list[Any] = [
        None,
        True,
        -1,
        10**40,
        "",
        "\x00",
        "\ud800",
        "a@b",
        "<",
        "<a href=",
        [],
        {},
        "&#0;",
        "<![CDATA[",
    ]
    leaves += [
        "<p>" * 3000,
        "a@b, c@d",
        '"',
        "=?utf-8?q?=ff?=",
        "<?xml encoding='utf-16'?>",
        "\x00a@b",
        SENDER,
        MAILBOX,
    ]
    for _ in range(300):
        names = rng.sample([*MAIL, "html"], rng.randrange(3, 8))
        body = {name: MAIL.get(name) if rng.random() < 0.4 else rng.choice(leaves) for name in names}
        answer = client.post("/verizon/mail?receiver=a@b", json=body, headers=GATEWAY)
        assert answer.status_code in (200, 400), body


def test_nothing_secret_in_logs_and_replies(client, caplog):
    caplog.set_level(logging.DEBUG)
    shown = post(client).text + post(client, text=None).text + client.get("/status", headers=READER).text
    client.post(f"/code/consume{QUERY}", headers=READER)
    for secret in (CODE, MAILBOX, SENDER, GATEWAY_TOKEN):
        assert secret not in shown + caplog.text
    assert "Took a mail for any portal" in caplog.text


def test_the_documentation_says_how(client):
    paths = client.get("/docs/openapi.json", headers=GATEWAY).get_json()["paths"]
    assert {"/mail", "/bell/mail", "/verizon/mail"} <= set(paths)
    said = paths["/mail"]["post"]
    assert {"signature": []} in said["security"]
    schema = said["requestBody"]["content"]["application/json"]["schema"]
    assert set(schema["properties"]) == {"from", "to", "subject", "text", "html", "received_at", "id"}
