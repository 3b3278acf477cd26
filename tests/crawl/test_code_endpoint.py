"""A code that comes by neither authenticator, message nor person: the login fetches it from an endpoint."""

from __future__ import annotations

import re
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest

USER = "sms+endpoint@example.com"


@pytest.fixture
def endpoint():
    """A server that takes the portal's messages and hands out their codes; the first question comes too early."""
    codes: list[tuple[float, str]] = []
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            text = self.rfile.read(int(self.headers["Content-Length"])).decode()
            codes.append((time.time(), re.findall(r"code(?: |\+|%20)is(?: |\+|%20)(\d{6})", text)[-1]))
            self.answer("")

        def do_GET(self):
            asked.append(self.path)
            since = float(parse_qs(urlsplit(self.path).query)["since"][0])
            fresh = [code for at, code in codes if at >= since]
            self.answer(fresh[-1] if fresh and len(asked) > 1 else "")

        def answer(self, text):
            self.send_response(200)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_):
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    server.asked = asked  # type: ignore[attr-defined]
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_code_of_an_endpoint_is_asked_for_until_it_is_there(crawls, plain, endpoint):
    url = f"http://127.0.0.1:{endpoint.server_port}"
    plain.configure(documents=2, sms_url=url)
    crawls.give("plain", USER)

    done = crawls.run("plain_fetched", PLAIN_CODES=url)

    assert done.returncode == 0, done.stderr
    assert len(endpoint.asked) == 2
    assert crawls.value("SELECT count(*) FROM plain_documents") == 2
    assert crawls.rows("SELECT * FROM code_requests") == []  # no receiver was reserved


def test_an_endpoint_without_a_code_ends_the_sign_in(crawls, plain, endpoint):
    url = f"http://127.0.0.1:{endpoint.server_port}"
    crawls.give("plain", "code-never+sms@example.com")

    done = crawls.run("plain_fetched", PLAIN_CODES=url, LATCHKEY_CODE_WAIT="1")

    assert done.returncode == 4, done.stderr
    assert crawls.outcomes == ["code_not_received"]
