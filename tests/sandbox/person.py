"""Somebody at a portal of the sandbox: plain HTTP with cookies and without following redirects; and a gateway for texts."""

from __future__ import annotations

import json
import re
import threading
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass, field
from http.cookiejar import CookieJar
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

from sandbox import PASSWORD


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode(errors="replace")

    @property
    def location(self) -> str:
        return self.headers.get("Location", "")

    @property
    def token(self) -> str:
        return re.search(r'name="csrf_token" value="([^"]+)"', self.text)[1]  # type: ignore[index]


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_arguments):
        return None


class Person:
    """A browser of the simplest kind."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.jar = CookieJar()
        self._opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor(self.jar), _Stay()
        )

    def ask(
        self,
        path: str,
        form: dict[str, str] | None = None,
        timeout: float = 60,
        body: bytes | None = None,
        **headers: str,
    ) -> Answer:
        data = body if form is None else urllib.parse.urlencode(form).encode()
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        request = urllib.request.Request(self.url + path, data, headers)
        try:
            with self._opener.open(request, timeout=timeout) as answer:
                return Answer(answer.status, dict(answer.headers), answer.read())
        except urllib.error.HTTPError as error:
            return Answer(error.code, dict(error.headers), error.read())

    def submit(self, username: str, password: str = PASSWORD, timeout: float = 60) -> Answer:
        """Open the sign-in page and submit a password."""
        form = {"csrf_token": self.ask("/login").token, "username": username, "password": password}
        return self.ask("/login", form, timeout=timeout)

    def type_code(self, code: str) -> Answer:
        """Open the code page and submit a code."""
        return self.ask("/code", {"csrf_token": self.ask("/code").token, "code": code})

    def cookie(self, name: str) -> str:
        return next(cookie.value or "" for cookie in self.jar if cookie.name == name)


@dataclass
class Phones:
    """A gateway that takes text messages, and refuses the first few when told so."""

    token: str
    refusals: int = 0
    payloads: list[dict] = field(default_factory=list)
    url: str = ""
    path = "sms"

    def read(self, body: dict) -> dict:
        return body["data"]["payload"]

    def __enter__(self) -> Self:
        phones = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.headers["Authorization"] != f"Bearer {phones.token}":
                    status = 401
                elif phones.refusals > 0:
                    phones.refusals, status = phones.refusals - 1, 503
                else:
                    phones.payloads.append(phones.read(json.loads(body)))
                    status = 200
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_arguments) -> None:
                """Keep quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/{self.path}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()
        return self

    def __exit__(self, *_error) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def codes(self, receiver: str) -> list[str]:
        """Codes that a telephone got, in the order in which they came."""
        return [
            re.search(r"\d{6,8}", payload["text"])[0]  # type: ignore[index]
            for payload in self.payloads
            if payload["to"][0]["phone_number"] == receiver
        ]


@dataclass
class Mails(Phones):
    """The same for mails, as a mail-routing service posts them."""

    path = "mail"

    def read(self, body: dict) -> dict:
        return body

    def codes(self, receiver: str, domain: str = "") -> list[str]:
        """
        Codes that a mailbox got, in the order in which they came; mails that name none are left out.

        domain: with which the senders' addresses end; users of several portals have the same mailbox.
        """
        texts = [
            re.sub("<[^>]*>", "", mail["text"] or mail["html"])
            for mail in self.payloads
            if mail["to"] == receiver and mail["from"].endswith(domain)
        ]
        named = [re.search(r"(?:use this code|utiliser le code)\s+(\w+)", text) for text in texts]
        return [found[1] for found in named if found is not None]
