"""A mail server on this machine: what is sent to it, it keeps."""

from __future__ import annotations

import base64
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any


class MailServer(socketserver.ThreadingTCPServer):
    """
    SMTP with AUTH PLAIN on a free port of this machine, as far as smtplib speaks it; keeps its mails.

    password: of any user name. refuses: every recipient.
    """

    allow_reuse_address = daemon_threads = True

    def __init__(self, password: str) -> None:
        super().__init__(("127.0.0.1", 0), _Mail)
        self.password, self.refuses = password, False
        self.mails: list[EmailMessage] = []

    @property
    def port(self) -> int:
        """The port on which it listens."""
        return int(self.server_address[1])


class _Mail(socketserver.StreamRequestHandler):
    server: MailServer

    def say(self, line: str) -> None:
        """Answer with a line."""
        self.wfile.write(f"{line}\r\n".encode())

    def handle(self) -> None:
        """Take what a client sends until it leaves."""
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
                self.server.mails.append(message_from_bytes(b"".join(lines), policy=default))
                self.say("250 taken")
            elif verb == "QUIT":
                self.say("221 bye")
                return
            else:
                self.say("250 ok")


@contextmanager
def serving(server: Any) -> Iterator[Any]:
    """Serve in a thread until the end of the block."""
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
