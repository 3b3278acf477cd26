"""`scrapy serve` as a process of its own: real HTTP, real signals, one sentence for each way it cannot start."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from database.codes import CodeBroker
from database.engine import Database
from database.models import Base
from scrapers.login import code_channels
from tests.webhook.conftest import GATEWAY, GATEWAY_TOKEN, PHONE, READER, READER_TOKEN, SAID
from webhook.codes import all_channels

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
            "serve", "--port", "0", "--ready-file", str(ready), *arguments
        )
        wait_for(lambda: ready.exists() or process.poll() is not None, 60)
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
        payload = {"id": f"m-{number}", "text": SAID.format(code), "from": {"phone_number": sender}}
        payload["to"] = [{"phone_number": receiver}]
        answer = requests.post(f"{url}/bell/sms", json={"data": {"payload": payload}}, headers=GATEWAY, timeout=20)
        assert answer.status_code == 200
        return answer.text

    async def sign_in(number: int, threads: ThreadPoolExecutor) -> str:
        loop = asyncio.get_running_loop()
        async with CodeBroker(db, poll=0.05).open(
            login="bell_self_serve",
            username=f"user-{number}",
            receiver=f"+120155501{number:02}",
            senders=["BELL"],
            pattern=r"\b([0-9]{8})\b",
        ) as request:
            replies = await asyncio.gather(*(loop.run_in_executor(threads, send, number) for _ in range(2)))
            assert not any(str(70000000 + number) in reply for reply in replies)
            return await request.answer(30)

    async def all_of_them() -> list[str]:
        with ThreadPoolExecutor(8) as threads:
            return await asyncio.gather(*(sign_in(number, threads) for number in range(20)))

    assert asyncio.run(all_of_them()) == [f"{70000000 + number}" for number in range(20)]

    # By hand: looked at, then taken once.
    login, channel = next(
        (name, each) for name, each in all_channels(code_channels()).items() if name.startswith("bell")
    )
    send(50, sender=next(iter(channel.senders), "BELL"))
    query = {"login": login, "receiver": "+12015550150"}
    ask = {"params": query, "headers": READER, "timeout": 20}
    assert requests.get(f"{url}/code", **ask).json()["code"] == "70000050"
    assert requests.post(f"{url}/code/consume", **ask).json()["status"] == "consumed"
    assert requests.post(f"{url}/code/consume", **ask).json()["code"] is None
    assert requests.get(f"{url}/health", timeout=20).json()["status"] == "healthy"

    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 0
    assert out.count("\n") == 1
    assert out.startswith(f"Listening on {url}: POST /sms")
    assert not ready.exists()
    assert "Took a message for bell" in err
    for secret in ("7000", GATEWAY_TOKEN, READER_TOKEN, "verification", "receiver=", "2015550"):
        assert secret not in out + err.replace(str(process.pid), "")
    assert "Traceback" not in err


def test_an_expired_message_is_deleted_without_being_asked_for(served, wait_for):
    from sqlalchemy import text

    start, db, _ = served
    _, url = start(LATCHKEY_CODE_LIFE="0.5")
    requests.post(f"{url}/sms", json={"key": "code 123456", "to": PHONE}, headers=GATEWAY, timeout=20)

    def texts() -> int:
        with db.transaction() as session:
            return session.execute(text("SELECT count(*) FROM messages")).scalar_one()

    assert wait_for(lambda: texts() == 0, 20)


def test_rubbish_on_the_wire_gets_an_answer_and_harms_nobody(served):
    start, _, _ = served
    process, url = start()
    host, port = url.removeprefix("http://").split(":")
    for rubbish in (
        b"\x16\x03\x01\x02\x00\x01\x00",
        b"POST /sms HTTP/1.1\r\nContent-Length: -5\r\n\r\n",
        b"POST /sms HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"GET /%zz?%ff HTTP/1.1\r\nHost: \xff\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
    ):
        with socket.create_connection((host, int(port)), timeout=10) as connection:
            connection.sendall(rubbish)
            connection.shutdown(socket.SHUT_WR)
            assert b" 500 " not in connection.recv(200)
    big = requests.post(f"{url}/sms", data=b"x" * 10_000_000, headers=GATEWAY, timeout=20)
    assert big.status_code == 413
    assert requests.get(f"{url}/health", timeout=20).status_code == 200
    assert process.poll() is None


@pytest.mark.parametrize(
    ("arguments", "environment", "tables", "said"),
    [
        ((), {"LATCHKEY_WEBHOOK_TOKEN": None}, True, "LATCHKEY_WEBHOOK_TOKEN is not set: make one with"),
        ((), {"LATCHKEY_WEBHOOK_TOKEN": "tiny"}, True, "LATCHKEY_WEBHOOK_TOKEN is shorter than"),
        ((), {"LATCHKEY_ENCRYPTION_KEYS": None}, True, "LATCHKEY_ENCRYPTION_KEYS is not set"),
        ((), {}, False, "run `scrapy db upgrade`"),
        (("--host", "no-such-host.invalid"), {}, True, "check LATCHKEY_WEBHOOK_HOST"),
        (("--host", "192.0.2.1"), {}, True, "Cannot listen on 192.0.2.1"),
    ],
    ids=["no token", "short token", "no key", "no tables", "unknown host", "foreign host"],
)
def test_what_keeps_it_from_starting_is_one_sentence(project, tmp_path, arguments, environment, tables, said):
    db = Database(f"sqlite:///{tmp_path / 'served.db'}")
    if tables:
        Base.metadata.create_all(db.engine)
    here = project(tmp_path, LATCHKEY_DATABASE_URL=f"sqlite:///{tmp_path / 'served.db'}", **TOKENS)
    ended = here.scrapy("serve", "--port", "0", *arguments, env=environment)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert said in ended.stderr
    assert ended.stderr.count("\n") == 1


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


@pytest.mark.parametrize("arguments", [("--port", "70000"), ("--port", "x"), ("now",)])
def test_wrong_usage_ends_with_2(project, tmp_path, arguments):
    ended = project(tmp_path, **TOKENS).scrapy("serve", *arguments)
    assert ended.returncode == 2
    assert "Traceback" not in ended.stderr
