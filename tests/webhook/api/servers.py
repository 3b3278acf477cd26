"""Twilio's API and a receiver of JSON on this machine, which keep what they are given."""

from __future__ import annotations

import base64
import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs


class Twilio(ThreadingHTTPServer):
    """The route by which text messages are sent. status: of its answers."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Twilio)
        self.status = 201
        self.messages: list[dict[str, str]] = []
        self.keys: list[str] = []
        self.paths: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Twilio(BaseHTTPRequestHandler):
    server: Twilio

    def do_POST(self) -> None:
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        self.server.paths.append(self.path)
        self.server.keys.append(base64.b64decode(self.headers["Authorization"].split()[1]).decode())
        if self.server.status < 400:
            self.server.messages.append({name: values[0] for name, values in form.items()})
        said = json.dumps({"code": 21211, "message": f"The number {form['To'][0]} is not valid."}).encode()
        self.send_response(self.server.status)
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    def log_message(self, *args: Any) -> None:
        """Write nothing."""


class WebServer(ThreadingHTTPServer):
    """What takes JSON by POST at any path. status: of its answers."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Web)
        self.status = 200
        self.bodies: list[Any] = []

    @property
    def port(self) -> int:
        return self.server_address[1]


class _Web(BaseHTTPRequestHandler):
    server: WebServer

    def do_POST(self) -> None:
        self.server.bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(self.server.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args: Any) -> None:
        """Write nothing."""
