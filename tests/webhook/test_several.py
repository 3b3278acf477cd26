"""`LATCHKEY_SERVER=gunicorn`: several processes answer as one does, and count together what has to be counted together."""

from __future__ import annotations

import json
import signal
import socket
from pathlib import Path

import psutil
import pytest
from sqlalchemy import text

from database.settings import SettingsError
from scrapers.logins.base import code_channels
from tests.database.crowd import crowd
from tests.project import CARRIERS, wait_for
from tests.webhook.conftest import GATEWAY, GATEWAY_TOKEN, PHONE, READER, READER_TOKEN, SAID
from tests.webhook.test_server import http, served
from webhook import settings as module
from webhook.background import Turn
from webhook.codes.routes import all_channels
from webhook.counts import SharedCounts, in_folder
from webhook.settings import WebhookSettings

__all__ = ["served"]

GUNICORN = {"LATCHKEY_SERVER": "gunicorn", "LATCHKEY_SERVER_PROCESSES": "2"}


@pytest.mark.timeout(400)
def test_two_processes_are_one_service(served):
    start, db, ready = served
    process, url = start(**GUNICORN, LATCHKEY_WEBHOOK_RATE="30 per minute", LATCHKEY_CODE_LIFE="5")
    main = psutil.Process(process.pid)
    wait_for(lambda: len(main.children()) == 2)
    assert json.loads(http("GET", f"{url}/health")[1])["status"] == "healthy"

    # What is refused, and what is taken: no proxy is set, so no header of one counts.
    for body, headers, expected in (
        (b"x" * 100_000, {**GATEWAY, "Content-Type": "application/json"}, 413),
        ({"key": "code 123456", "to": PHONE}, {**GATEWAY, "X-Forwarded-For": "203.0.113.7"}, 200),
        ({"key": "code 123456", "to": PHONE}, {}, 401),
    ):
        assert http("POST", f"{url}/sms", body, headers)[0] == expected

    # A code that one has taken is given by whichever is asked, once.
    login, channel = "bell_self_serve", all_channels(code_channels(), CARRIERS)["bell_self_serve"]
    party = {"from": {"phone_number": next(iter(channel.senders), "BELL")}, "to": [{"phone_number": PHONE}]}
    payload = {"id": "m-1", "text": SAID.format("70000050"), **party}
    status, reply = http("POST", f"{url}/bell/sms", {"data": {"payload": payload}}, GATEWAY)
    assert (status, "70000050" in reply) == (200, False)
    query = f"login={login}&receiver=%2B{PHONE[1:]}"
    taken = [json.loads(http("POST", f"{url}/code/consume?{query}", None, READER)[1]) for _ in range(2)]
    assert [each["code"] for each in taken] == ["70000050", None]

    def texts() -> int:
        with db.transaction() as session:
            return session.execute(text("SELECT count(*) FROM messages WHERE text IS NOT NULL")).scalar_one()

    assert wait_for(lambda: texts() == 0)  # deleted by the one that has its turn

    # The limit is that of both together, also after both were killed: others take their place.
    statuses = [http("GET", f"{url}/status", None, READER)[0] for _ in range(40)]
    assert 200 in statuses
    assert statuses.count(429) >= 40 - 30
    opened = [Path(file.path) for child in main.children() for file in child.open_files()]
    (folder,) = {path.parent for path in opened if path.name == "counts.db"}
    assert folder.stat().st_mode & 0o777 == 0o700
    before = main.children()
    for child in before:
        child.kill()
    wait_for(lambda: len(main.children()) == 2 and not set(before) & set(main.children()))
    assert http("GET", f"{url}/status", None, READER)[0] == 429
    assert http("GET", f"{url}/health")[0] == 200  # which no limit counts

    children = main.children()
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=100)
    assert (process.returncode, out.count("\n")) == (0, 1)
    assert out.startswith(f"Listening on {url}: POST /sms")
    assert not ready.exists()
    assert not folder.exists()
    assert not any(child.is_running() for child in children)
    assert "Traceback" not in err
    for secret in ("70000050", GATEWAY_TOKEN, READER_TOKEN, PHONE[1:], "203.0.113.7"):
        assert secret not in out + err


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"server_processes": 2}, "LATCHKEY_SERVER_PROCESSES is more than one, and waitress is one process"),
        ({"server": "gunicorn"}, "LATCHKEY_SERVER is gunicorn, and gunicorn is not installed: pip install 'gunicorn>="),
    ],
)
def test_what_cannot_serve_is_refused_with_its_cure(given, said, monkeypatch):
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    with pytest.raises(SettingsError, match=f"^{said}"):
        WebhookSettings(**given).check_server()


def test_the_command_says_so_before_it_begins(project, tmp_path):
    tokens = {"LATCHKEY_WEBHOOK_TOKEN": GATEWAY_TOKEN, "LATCHKEY_CODE_READER_TOKEN": READER_TOKEN}
    ended = project(tmp_path, **tokens, LATCHKEY_SERVER_PROCESSES="3").scrapy("serve", "--port", "0")
    assert (ended.returncode, ended.stdout, ended.stderr.count("\n")) == (1, "", 1)
    assert ended.stderr.startswith("LATCHKEY_SERVER_PROCESSES is more than one")
    ended = project(tmp_path, **tokens, LATCHKEY_SERVER="nginx").scrapy("serve", "--port", "0")
    assert (ended.returncode, ended.stderr.startswith("LATCHKEY_SERVER: ")) == (1, True)


def test_an_address_that_cannot_be_had_is_one_sentence_by_gunicorn_too(project, tmp_path, sqlite_with_tables):
    (tmp_path / "served.db").write_bytes(sqlite_with_tables.read_bytes())
    tokens = {"LATCHKEY_WEBHOOK_TOKEN": GATEWAY_TOKEN, "LATCHKEY_CODE_READER_TOKEN": READER_TOKEN}
    here = project(tmp_path, LATCHKEY_DATABASE_URL=f"sqlite:///{tmp_path / 'served.db'}", **tokens, **GUNICORN)
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        taken = here.scrapy("serve", "--port", port)
        unknown = here.scrapy("serve", "--port", port, "--host", "no-such-host.invalid")
    assert [(each.returncode, each.stdout, each.stderr.count("\n")) for each in (taken, unknown)] == [(1, "", 1)] * 2
    assert taken.stderr.startswith(f"Something else listens on 127.0.0.1:{port}: end it, or set LATCHKEY_WEBHOOK_PORT")
    assert unknown.stderr.startswith("no-such-host.invalid is not an address here: check LATCHKEY_WEBHOOK_HOST")


# The counters


def test_counts_of_processes_add_up(tmp_path):
    program = (
        "from webhook.counts import SharedCounts\n"
        f"counts = SharedCounts({in_folder(tmp_path)!r})\n"
        "print(max(counts.incr('one', 60) for _ in range(200)))"
    )
    highest = crowd(f"sqlite:///{tmp_path / 'unused.db'}", 4, program)
    assert max(map(int, highest)) == 800
    counts = SharedCounts(in_folder(tmp_path))
    assert counts.get("one") == 800
    assert b"one" not in (tmp_path / "counts.db").read_bytes()


def test_a_counter_begins_anew_once_its_time_is_over(tmp_path, monkeypatch):
    clock = [1000.0]
    monkeypatch.setattr("webhook.counts.time.time", lambda: clock[0])
    counts = SharedCounts(in_folder(tmp_path))
    assert [counts.incr("a", 60), counts.incr("a", 60, 2), counts.incr("b", 60)] == [1, 3, 1]
    assert (counts.get_expiry("a"), counts.get_expiry("c")) == (1060.0, 1000.0)
    clock[0] = 1059.9
    assert counts.get("a") == 3
    clock[0] = 1060.0
    assert (counts.get("a"), counts.incr("a", 60), counts.get_expiry("a")) == (0, 1, 1120.0)
    counts.clear("a")
    assert (counts.get("a"), counts.check(), counts.reset(), counts.reset()) == (0, True, 1, 0)


def test_one_of_several_has_the_turn_until_it_ends(tmp_path):
    first, second, alone = Turn(tmp_path / "purge"), Turn(tmp_path / "purge"), Turn(None)
    assert [first.is_ours(), first.is_ours(), second.is_ours(), alone.is_ours()] == [True, True, False, True]
    first._held.close()  # as the system does when a process ends
    assert second.is_ours()
