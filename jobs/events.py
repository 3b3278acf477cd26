"""What a worker tells: one line for each event, for people or as JSON."""

from __future__ import annotations

import json
import sys
from typing import Any, TextIO

from jobs.clock import Clock


class Events:
    """
    Writes one line for each event.

    as_json: as an object with its facts; as_log: as an object with the keys that log lines have (`scrapers.core.logs`).
    """

    def __init__(self, clock: Clock, *, as_json: bool = False, as_log: bool = False, to: TextIO | None = None) -> None:
        self.clock = clock
        self.as_json = as_json
        self.as_log = as_log
        self.to = to or sys.stderr

    def tell(self, event: str, sentence: str, **facts: Any) -> None:
        """Write down an event. sentence: for people; facts: beside it in the JSON line, without secrets."""
        at = self.clock.now()
        if self.as_json:
            line = {"at": at.isoformat(timespec="milliseconds"), "event": event, "sentence": sentence, **facts}
            text = json.dumps(line, ensure_ascii=False, default=str)
        elif self.as_log:
            line = {"at": at.isoformat(timespec="milliseconds"), "level": "INFO", "logger": "latchkey.worker"}
            text = json.dumps({**line, "message": sentence, "event": event, **facts}, default=str)
        else:
            text = f"{at.astimezone():%H:%M:%S} {sentence}"
        self.to.write(f"{text}\n")
        self.to.flush()
