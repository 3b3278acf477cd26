"""The routes of codes: what they give, what they never give, and how often."""

from __future__ import annotations

import asyncio
import logging

import pytest
from sqlalchemy import text

from database.access.codes import CodeBroker
from tests.webhook.conftest import GATEWAY, PHONE, READER, SAID

QUERY = "?login=bell_self_serve&receiver=%2B12015550100"


def send(client, code="12345678", path="/sms", sender="BELL", receiver=PHONE):
    answer = client.post(path, json={"key": SAID.format(code), "from": sender, "to": receiver}, headers=GATEWAY)
    assert answer.status_code == 200
    return answer


def test_a_code_is_looked_at_often_and_taken_once(client, store):
    assert client.get(f"/code{QUERY}", headers=READER).get_json() == {
        "code": None,
        "status": "no code available",
        "timestamp": None,
    }
    send(client)
    for _ in range(2):
        looked = client.get(f"/code{QUERY}", headers=READER)
        assert (looked.get_json()["code"], looked.get_json()["status"]) == ("12345678", "available")
        assert looked.headers["Cache-Control"] == "no-store"
    taken = [client.post(f"/code/consume{QUERY}", headers=READER).get_json() for _ in range(2)]
    assert [(each["code"], each["status"]) for each in taken] == [
        ("12345678", "consumed"),
        (None, "code already used"),
    ]


def test_a_code_is_gone_after_its_life(make_client, store, wait_for):
    client = make_client(code_life=0.2)
    send(client)
    assert wait_for(lambda: client.get(f"/code{QUERY}", headers=READER).get_json()["code"] is None)


def test_receivers_and_senders_are_kept_apart(client):
    send(client, "11111111", receiver="+12015550101")
    send(client, "22222222", sender="ROGERS")
    assert client.get(f"/code{QUERY}", headers=READER).get_json()["code"] is None


def test_a_prefix_limits_whose_message_it_is(client):
    send(client, "11111111", path="/telus/sms")
    send(client, "22222222", path="/bell/sms")
    assert client.get("/bell/code?login=bell_self_serve&receiver=2015550100", headers=READER).json["code"] == "22222222"
    assert client.get("/telus/code?receiver=2015550100", headers=READER).json["code"] == "11111111"


@pytest.mark.parametrize(
    ("path", "status", "named"),
    [
        ("/code?receiver=1", 400, "`login` is missing"),
        ("/bell/code?receiver=1", 400, "`login` is missing"),  # bell has two
        ("/code?login=bell_self_serve", 400, "`receiver` is missing"),
        ("/code?login=nobody&receiver=1", 404, "no login of that name"),
        ("/telus/code?login=bell_self_serve&receiver=1", 404, "no login of that name"),
        ("/code?login=" + "x" * 101 + "&receiver=1", 422, "not as it should be"),
        ("/code?login=bell_self_serve&receiver=" + "1" * 201, 422, "not as it should be"),
        ("/nothing", 404, "not found"),
        ("/code/consume", 405, "not allowed"),
    ],
)
def test_what_is_missing_is_named(client, path, status, named):
    answer = client.get(path, headers=READER)
    assert answer.status_code == status
    assert named in answer.get_json()["error"]
    assert "xxx" not in answer.get_data(as_text=True)


def test_a_strange_receiver_finds_nothing(client, store):
    for receiver in ("%00", "%ff", "%F0%9F%98%80", "%ED%A0%80"):
        answer = client.post(f"/code/consume?login=bell_self_serve&receiver={receiver}", headers=READER)
        assert (answer.status_code, answer.get_json()["code"]) == (200, None)


def test_status_shows_that_there_is_a_code_and_not_which(client, store):
    send(client, path="/bell/sms")
    send(client, "Your bill is ready", receiver="+12015550101")
    answer = client.get("/status", headers=GATEWAY)
    body = answer.get_json()
    assert body["webhook_active"] is True
    assert [(row["receiver"], row["portal"], row["has_code"], row["code_used"]) for row in body["receivers"]] == [
        ("…0100", "bell", True, False),
        ("…0101", None, False, False),
    ]
    assert not any(word in answer.get_data(as_text=True) for word in ("12345678", "201555", "bill"))
    client.post(f"/code/consume{QUERY}", headers=READER)
    used = client.get("/bell/status", headers=READER).get_json()["receivers"][0]
    assert (used["has_code"], used["code_used"]) == (False, True)


def test_health_says_which_service_answers(client):
    body = client.get("/health").get_json()
    assert (body["status"], body["version"]) == ("healthy", "0.1.0")
    assert body["started_at"] <= body["timestamp"]


def test_a_waiting_sign_in_gets_what_comes_in(client, store):
    async def sign_in() -> str:
        broker = CodeBroker(store, poll=0.02)
        async with broker.open(
            login="bell_self_serve",
            portal="bell",
            username="ok",
            receiver="201-555-0100",
            senders=["Bell"],
            pattern=r"\b([0-9]{8})\b",
        ) as request:
            await asyncio.to_thread(send, client)
            # It is the sign-in's: nobody else gets to see it.
            other = await asyncio.to_thread(client.post, f"/code/consume{QUERY}", headers=READER)
            assert other.get_json()["code"] is None
            return await request.answer(60)

    assert asyncio.run(sign_in()) == "12345678"


def test_nothing_secret_in_logs_and_replies(client, caplog):
    caplog.set_level(logging.DEBUG)
    shown = [send(client).get_data(as_text=True)]
    shown.append(client.post("/sms", data="{12345678", headers={**GATEWAY, "Content-Type": "application/json"}).text)
    shown.append(client.post("/sms?receiver=12345678" + "1" * 300, json={"key": "12345678"}, headers=GATEWAY).text)
    shown.append(client.get("/status", headers=READER).text)
    client.post(f"/code/consume{QUERY}", headers=READER)
    secrets = {"12345678", GATEWAY["Authorization"].split()[1], READER["Authorization"].split()[1], "verification"}
    for secret in secrets:
        assert secret not in caplog.text
        assert secret not in "".join(shown)
    assert "Took a message" in caplog.text


def test_one_address_is_slowed_down_also_while_it_guesses(make_client):
    client = make_client(webhook_rate="5 per minute")
    answers = [client.get("/status", headers={"X-Token": f"guess-{n}"}) for n in range(7)]
    assert [answer.status_code for answer in answers] == [401] * 5 + [429] * 2
    assert answers[-1].get_json() == {"error": "Too many requests."}
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 61
    assert client.get("/status", headers={"X-Token": "x"}, environ_base={"REMOTE_ADDR": "192.0.2.1"}).status_code == 401
    assert client.get("/health").status_code == 200


def test_one_sender_is_slowed_down_alone(make_client):
    client = make_client(webhook_sender_rate="2 per minute")

    def status(sender: str, receiver: str = PHONE, headers=GATEWAY) -> int:
        return client.post("/sms", json={"key": "a", "from": sender, "to": receiver}, headers=headers).status_code

    for _ in range(5):
        assert status("BELL", headers={}) == 401  # who may not come in uses up nothing
    assert [status("BELL") for _ in range(3)] == [200, 200, 429]
    assert status("ROGERS") == 200
    assert status("BELL", "+12015550101") == 200


def test_a_sender_has_one_limit_whatever_the_route(make_client):
    client = make_client(webhook_sender_rate="2 per minute")
    body = {"key": "a", "from": "BELL", "to": PHONE}
    answers = [client.post(path, json=body, headers=GATEWAY) for path in ("/sms", "/bell/sms", "/telus/sms", "/sms")]
    assert [answer.status_code for answer in answers] == [200, 200, 429, 429]


def test_addresses_behind_a_known_proxy_are_told_apart(make_client):
    client = make_client(webhook_rate="1 per minute", webhook_proxies=1)
    for number in range(3):
        assert client.get("/status", headers={**READER, "X-Forwarded-For": f"192.0.2.{number}"}).status_code == 200
    direct = make_client(webhook_rate="1 per minute")
    answers = [direct.get("/status", headers={**READER, "X-Forwarded-For": f"192.0.2.{n}"}) for n in range(2)]
    assert [answer.status_code for answer in answers] == [200, 429]


def test_a_database_without_tables_is_told_in_one_sentence(client, store, caplog):
    with store.transaction() as session:
        session.execute(text("DROP TABLE messages"))
    answer = client.post("/sms", json={"key": "12345678", "to": PHONE}, headers=GATEWAY)
    assert answer.status_code == 503
    assert "later" in answer.get_json()["error"]
    assert "scrapy db upgrade" in caplog.text
    assert "Traceback" not in caplog.text
