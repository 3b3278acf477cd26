"""LATCHKEY_SENTRY_DSN: what a server of Sentry's protocol gets of a crawl that went wrong, byte by byte; by default nothing."""

from __future__ import annotations

import getpass
import gzip
import json
import socket
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import brotli
import pytest

from database.settings import SettingsError
from sandbox import default_password
from scrapers.core import monitor
from tests.conftest import _forget_settings
from tests.project import ROOT, clean_environment

PACKED = {"br": brotli.decompress, "gzip": gzip.decompress}  # how the bodies come
ANA = "layout-b+canary@example.com"
KEPT = {"event_id", "timestamp", "platform", "level", "logger", "release", "tags", "exception", "fingerprint"}
FAILING = """
import logging
from scrapers.core import monitor
logging.basicConfig()  # each process of ours has set its log up by then
assert monitor.start()
def fail(password):
    account = "533122906-canary"
    raise LookupError(f"no {account} with {password}")
try:
    fail("canary-password")
except LookupError:
    logging.getLogger("acme.canary-free").exception("Failed for %s at %s", "canary@example.com", "https://x.example/canary?a=canary")
logging.getLogger("plain").error("canary without exception")
logging.getLogger("plain").warning("canary that is no error")
fail("canary-password")
"""


@pytest.fixture
def receiver():
    """Address and what came: the events, and all bytes."""
    events, came = [], []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            body = PACKED.get(self.headers.get("Content-Encoding"), bytes)(body)
            came.append(self.path.encode() + str(self.headers).encode() + body)
            lines = [json.loads(line) for line in body.splitlines() if line]
            events.extend(item for kind, item in zip(lines[1::2], lines[2::2], strict=True) if kind["type"] == "event")
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, format, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://key@127.0.0.1:{server.server_port}/1", events, came
    server.shutdown()
    thread.join()
    server.server_close()


def frames(event):
    """Return the functions of the newest exception, the outermost first."""
    return [frame["function"] for frame in event["exception"]["values"][-1]["stacktrace"]["frames"]]


def test_errors_come_without_a_word_of_what_they_say(receiver):
    """Logged with and without an exception, and one that ends the process."""
    dsn, events, came = receiver
    environment = {**clean_environment(), "LATCHKEY_SENTRY_DSN": dsn, "CANARY": "canary"}
    done = subprocess.run(
        [sys.executable, "-c", FAILING, "canary-argument"],
        cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.stderr.count("LookupError") == 2, done.stderr  # logged and told as without a monitor
    assert [event["level"] for event in events] == ["error"] * 3
    logged, bare, last = events
    assert (logged["logger"], logged["exception"]["values"][0]["type"]) == ("acme.canary-free", "LookupError")
    assert (frames(logged), frames(last)) == (["<module>", "fail"], ["<module>", "fail"])
    assert "exception" not in bare
    assert bare["tags"]["place"].startswith("<string>.<module>:")
    assert all(set(event) <= KEPT for event in events)
    everything = b"".join(came).replace(b"acme.canary-free", b"")
    for private in ("canary", "533122906", socket.gethostname(), str(ROOT), f'"{getpass.getuser()}"'):
        assert private.encode() not in everything, private


def test_a_crawl_that_a_developer_has_to_look_at_is_told(crawls, plain, receiver):
    dsn, events, came = receiver
    crawls.give("plain", ANA)
    done = crawls.run("plain_documents", LATCHKEY_SENTRY_DSN=dsn)
    assert (done.returncode, crawls.outcomes) == (6, ["portal_changed"]), done.stderr
    (told,) = (event for event in events if event["logger"] == "latchkey.outcome")
    assert told["tags"] == {"spider": "plain_documents", "outcome": "portal_changed", "run": "1"}
    everything = b"".join(came)
    for private in (default_password(ANA), "canary", socket.gethostname(), str(crawls.project.data)):
        assert private.encode() not in everything, private


def test_a_success_is_not_told(crawls, plain, receiver):
    dsn, events, came = receiver
    crawls.give("plain", "ok+canary@example.com")
    assert crawls.run("plain_documents", LATCHKEY_SENTRY_DSN=dsn).returncode == 0
    assert (events, came) == ([], [])


def test_a_server_that_is_away_changes_no_run(crawls, plain, free_port):
    crawls.give("plain", ANA)
    done = crawls.run("plain_documents", LATCHKEY_SENTRY_DSN=f"http://key@127.0.0.1:{free_port()}/1")
    assert (done.returncode, crawls.outcomes) == (6, ["portal_changed"])
    assert "Traceback" not in done.stderr


def test_by_default_it_is_off_and_not_even_imported():
    code = "import sys; from scrapers.core import monitor; print(monitor.start(), 'sentry_sdk' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=clean_environment(), capture_output=True, text=True, check=True
    )
    assert done.stdout == "False False\n"


def test_without_the_package_the_cure_is_told(monkeypatch):
    monkeypatch.setenv("LATCHKEY_SENTRY_DSN", "https://key@errors.example/1")
    monkeypatch.setattr(monitor, "find_spec", lambda name: None)
    _forget_settings()
    with pytest.raises(SettingsError, match=r"pip install 'sentry-sdk>=2\.75,<3'"):
        monitor.start()


@pytest.mark.parametrize("dsn", ["canary", "https://errors.example/1", "https://key:canary@errors.example/x"])
def test_a_malformed_address_is_named_and_not_repeated(dsn, monkeypatch):
    monkeypatch.setenv("LATCHKEY_SENTRY_DSN", dsn)
    _forget_settings()
    with pytest.raises(SettingsError, match=r"^LATCHKEY_SENTRY_DSN: ") as told:
        monitor.start()
    assert "canary" not in str(told.value)
