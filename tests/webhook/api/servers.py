"""Twilio's API and a receiver of JSON on this machine, which keep what they are given."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import parse_qs

from tests.web import Answer, Asked, WebServer


class Twilio(WebServer):
    """The route by which text messages are sent. status: of its answers."""

    def __init__(self) -> None:
        super().__init__()
        self.status = 201
        self.messages: list[dict[str, str]] = []
        self.keys: list[str] = []

    def answer(self, asked: Asked) -> Answer:
        """Take a message, or refuse it."""
        form = parse_qs(asked.body.decode())
        self.keys.append(base64.b64decode(asked.headers["Authorization"].split()[1]).decode())
        if self.status < 400:
            self.messages.append({name: values[0] for name, values in form.items()})
        said = {"code": 21211, "message": f"The number {form['To'][0]} is not valid."}
        return Answer(json.dumps(said), self.status, {"Content-Type": "application/json"})


class JsonReceiver(WebServer):
    """What takes JSON by POST at any path. status: of its answers."""

    def __init__(self) -> None:
        super().__init__()
        self.status = 200
        self.bodies: list[Any] = []

    def answer(self, asked: Asked) -> Answer:
        """Keep what comes."""
        self.bodies.append(json.loads(asked.body))
        return Answer(status=self.status)
