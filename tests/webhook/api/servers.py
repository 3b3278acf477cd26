"""A mail server and Twilio's API on this machine, which keep what they are given."""

from __future__ import annotations

import base64
import email
import json
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs


class MailServer(socketserver.ThreadingTCPServer):
    """SMTP with AUTH PLAIN, as far as smtplib speaks it. refuses: every recipient."""

    allow_reuse_address = daemon_threads = True

    def __init__(self, password: str) -> None:
        super().__init__(("127.0.0.1", 0), _Mail)
        self.password, self.refuses = password, False
        self.mails: list[Any] = []

    @property
    def port(self) -> int:
        return self.server_address[1]


class _Mail(socketserver.StreamRequestHandler):
    server: MailServer

    def say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())

    def handle(self) -> None:
        signed_in = False
        self.say("220 here")
        while line := self.rfile.readline().decode().strip():
            verb = line.partition(" ")[0].upper()
            if verb == "EHLO":
                self.say("250-here\r\n250 AUTH PLAIN")
            elif verb == "AUTH":
                given = base64.b64decode(line.split()[2]).split(b"\0")[2].decode()
                signed_in = given == self.server.password
                self.say("235 in" if signed_in else "535 no")
            elif verb == "RCPT":
                self.say("550 no such user" if self.server.refuses or not signed_in else "250 ok")
            elif verb == "DATA":
                self.say("354 go on")
                lines = []
                while (read := self.rfile.readline()) != b".\r\n":
                    lines.append(read[1:] if read.startswith(b"..") else read)
                self.server.mails.append(email.message_from_bytes(b"".join(lines), policy=policy.default))
                self.say("250 taken")
            elif verb == "QUIT":
                self.say("221 bye")
                return
            else:
                self.say("250 ok")


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


@contextmanager
def serving(server: Any) -> Iterator[Any]:
    """Serve in a thread until the end of the block."""
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()
