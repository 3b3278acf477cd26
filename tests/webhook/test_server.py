"""`scrapy serve` as a process of its own: real HTTP, real signals, one sentence for each way it cannot start."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import pytest
from sqlalchemy import text

from database.access.codes import CodeBroker
from database.engine import Database, DatabaseAway
from database.models import Base
from database.settings import SettingsError
from scrapers.logins.base import code_channels
from tests.project import CARRIERS
from tests.webhook.conftest import GATEWAY, GATEWAY_TOKEN, PHONE, READER, READER_TOKEN, SAID
from webhook.codes.routes import all_channels
from webhook.listening import CannotListen
from webhook.server import serve
from webhook.settings import WebhookSettings


def http(method: str, url: str, body: bytes | dict[str, Any] | None = None, headers: dict[str, str] | None = None):
    """Send one request and return status and body."""
    parts = urlsplit(url)
    connection = HTTPConnection(parts.netloc, timeout=60)
    given = {**(headers or {})}
    if isinstance(body, dict):
        body, given["Content-Type"] = json.dumps(body).encode(), "application/json"
    try:
        connection.request(method, f"{parts.path}?{parts.query}", body, given)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


TOKENS = {"LATCHKEY_WEBHOOK_TOKEN": GATEWAY_TOKEN, "LATCHKEY_CODE_READER_TOKEN": READER_TOKEN}


@pytest.fixture
def served(project, tmp_path, encryption_key, wait_for):
    """Start `scrapy serve` on a database of its own, and give process, address and database."""
    url = f"sqlite:///{tmp_path / 'served.db'}"
    db = Database(url)
    Base.metadata.create_all(db.engine)
    ready = tmp_path / "ready.json"

    def start(*arguments, **environment):
        ready.unlink(missing_ok=True)
        process = project(tmp_path, LATCHKEY_DATABASE_URL=url, **TOKENS, **environment).start(
            "serve", "--port", "0", "--ready-file", str(ready), *arguments, fresh=True
        )
        wait_for(lambda: ready.exists() or process.poll() is not None, 150)
        assert process.poll() is None, process.communicate()
        said = json.loads(ready.read_text())
        assert said["pid"] == process.pid
        return process, said["url"]

    yield start, db, ready
    db.engine.dispose()


def test_codes_come_in_and_are_given_over_http(served):
    start, db, ready = served
    process, url = start()

    def send(number: int, sender: str = "BELL") -> str:
        receiver, code = f"+120155501{number:02}", f"{70000000 + number}"
        party = {"from": {"phone_number": sender}, "to": [{"phone_number": receiver}]}
        payload = {"id": f"m-{number}", "text": SAID.format(code), **party}
        status, reply = http("POST", f"{url}/bell/sms", {"data": {"payload": payload}}, GATEWAY)
        assert status == 200
        return reply

    async def sign_in(number: int, threads: ThreadPoolExecutor) -> str:
        loop = asyncio.get_running_loop()
        async with CodeBroker(db, poll=0.05).open(
            login="bell_self_serve",
            portal="bell",
            username=f"user-{number}",
            receiver=f"+120155501{number:02}",
            senders=["BELL"],
            pattern=r"\b([0-9]{8})\b",
        ) as request:
            replies = await asyncio.gather(*(loop.run_in_executor(threads, send, number) for _ in range(2)))
            assert not any(str(70000000 + number) in reply for reply in replies)
            return await request.answer(60)

    async def all_of_them() -> list[str]:
        with ThreadPoolExecutor(8) as threads:
            return await asyncio.gather(*(sign_in(number, threads) for number in range(20)))

    assert asyncio.run(all_of_them()) == [f"{70000000 + number}" for number in range(20)]

    # By hand: looked at, then taken once.
    login, channel = "bell_self_serve", all_channels(code_channels(), CARRIERS)["bell_self_serve"]
    send(50, sender=next(iter(channel.senders), "BELL"))
    query = f"login={login}&receiver=%2B12015550150"
    assert json.loads(http("GET", f"{url}/code?{query}", None, READER)[1])["code"] == "70000050"
    taken = [json.loads(http("POST", f"{url}/code/consume?{query}", None, READER)[1]) for _ in range(2)]
    assert [(each["code"], each["status"]) for each in taken] == [
        ("70000050", "consumed"),
        (None, "code already used"),
    ]
    assert json.loads(http("GET", f"{url}/health")[1])["status"] == "healthy"

    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=100)
    assert process.returncode == 0
    assert out.count("\n") == 1
    assert out.startswith(f"Listening on {url}: POST /sms")
    assert not ready.exists()
    assert "Took a message for bell" in err
    for secret in ("7000", GATEWAY_TOKEN, READER_TOKEN, "verification", "receiver=", "2015550"):
        assert secret not in out + err.replace(str(process.pid), "")
    assert "Traceback" not in err


def test_rubbish_harms_nobody_and_an_expired_message_is_deleted_unasked(served, wait_for):
    start, db, _ = served
    process, url = start(LATCHKEY_CODE_LIFE="0.5")
    host, port = url.removeprefix("http://").split(":")
    for rubbish in (
        b"\x16\x03\x01\x02\x00\x01\x00",
        b"POST /sms HTTP/1.1\r\nContent-Length: -5\r\n\r\n",
        b"POST /sms HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"GET /%zz?%ff HTTP/1.1\r\nHost: \xff\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
    ):
        with socket.create_connection((host, int(port)), timeout=60) as connection:
            connection.sendall(rubbish)
            connection.shutdown(socket.SHUT_WR)
            assert b" 500 " not in connection.recv(200)
    status, _ = http("POST", f"{url}/sms", b"x" * 100_000, {**GATEWAY, "Content-Type": "application/json"})
    assert status == 413
    status, _ = http("POST", f"{url}/sms", {"key": "code 123456", "to": PHONE}, GATEWAY)
    assert status == 200
    assert process.poll() is None

    def texts() -> int:
        with db.transaction() as session:
            return session.execute(text("SELECT count(*) FROM messages")).scalar_one()

    assert wait_for(lambda: texts() == 0)


@pytest.mark.parametrize(
    ("given", "tables", "error", "said"),
    [
        ({"webhook_token": ""}, True, SettingsError, "LATCHKEY_WEBHOOK_TOKEN is not set: make one with"),
        ({}, False, DatabaseAway, "run `scrapy db upgrade`"),
        ({"webhook_host": "no-such-host.invalid"}, True, CannotListen, "check LATCHKEY_WEBHOOK_HOST"),
        ({"webhook_host": "192.0.2.1"}, True, CannotListen, "Cannot listen on 192.0.2.1"),
    ],
    ids=["no token", "no tables", "unknown host", "foreign host"],
)
def test_what_keeps_it_from_starting_is_one_sentence(tmp_path, encryption_key, given, tables, error, said):
    db = Database(f"sqlite:///{tmp_path / 'served.db'}")
    if tables:
        Base.metadata.create_all(db.engine)
    tokens = {"webhook_token": GATEWAY_TOKEN, "code_reader_token": READER_TOKEN, "webhook_port": 0}
    with pytest.raises(error) as caught:
        serve(WebhookSettings(**{**tokens, **given}), db, {}, (), ready_file=tmp_path / "ready.json")
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "ready.json").exists()


def test_without_a_key_it_does_not_start(tmp_path, monkeypatch):
    monkeypatch.setenv("LATCHKEY_DATA_DIR", str(tmp_path))
    settings = WebhookSettings(webhook_token=GATEWAY_TOKEN, webhook_port=0)
    with pytest.raises(SettingsError, match="LATCHKEY_ENCRYPTION_KEYS is not set"):
        serve(settings, Database(f"sqlite:///{tmp_path / 'served.db'}"), {}, ())


def test_without_a_token_the_command_says_so(project, tmp_path):
    ended = project(tmp_path).scrapy("serve", "--port", "0")
    assert (ended.returncode, ended.stdout, ended.stderr.count("\n")) == (1, "", 1)
    assert ended.stderr.startswith("LATCHKEY_WEBHOOK_TOKEN is not set: make one with")


def test_a_port_that_is_taken_is_one_sentence(project, tmp_path):
    db = Database(f"sqlite:///{tmp_path / 'served.db'}")
    Base.metadata.create_all(db.engine)
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        here = project(tmp_path, LATCHKEY_DATABASE_URL=f"sqlite:///{tmp_path / 'served.db'}", **TOKENS)
        ended = here.scrapy("serve", "--port", str(port))
    assert ended.returncode == 1
    assert ended.stderr.startswith(f"Something else listens on 127.0.0.1:{port}: end it, or set LATCHKEY_WEBHOOK_PORT")
    assert ended.stderr.count("\n") == 1


def test_wrong_usage_ends_with_2(project, tmp_path):
    ended = project(tmp_path, **TOKENS).scrapy("serve", "--port", "70000")
    assert ended.returncode == 2
    assert ended.stderr.strip().endswith("--port must be between 0 and 65535")
