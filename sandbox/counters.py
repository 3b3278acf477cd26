"""What a portal counts, and the journal of its last requests."""

from __future__ import annotations

import time
from collections import deque
from typing import Any

from sandbox.state import State

NUMBERS = (
    "sign_ins",  # successful ones
    "refused",  # passwords refused
    "locks",  # users locked, each time
    "code_requests",  # times a code was asked for
    "codes_sent",  # messages handed to the gateway and accepted by it
    "codes_used",
    "codes_refused",
    "pages",  # HTML answers with status 200
    "requests",
    "downloads",  # answers with a file name
    "bytes",  # of answers' bodies
    "in_flight_max",
    "in_flight_now",
    "connections_max",
    "sessions_created",
    "sessions_died",
    "knocks",  # requests that came while the portal was shut, see `shut` of a fault
    "over_limit",  # requests that came while the limit was in flight already
)
GROUPS = ("submissions", "paths")  # passwords submitted per user name, requests per route
JOURNAL_LENGTH = 2000


class Counters:
    """Numbers by name, numbers by name and key, and the time of the first request; kept in the portal's state."""

    def __init__(self, state: State) -> None:
        self._table = state.table("counters")
        self.journal: deque[dict[str, Any]] = deque(maxlen=JOURNAL_LENGTH)
        self._journal_number = 0
        self._in_flight = 0
        self.fill()

    def fill(self) -> None:
        """Make the rows that are missing; nothing is in flight yet as far as this process knows."""
        self._numbers = self._table.setdefault("numbers", dict.fromkeys(NUMBERS, 0))
        self._groups = {name: self._table.setdefault(name, {}) for name in GROUPS}
        self._numbers["in_flight_now"] = self._in_flight
        self._times = self._table.setdefault("times", {"first_request_at": None, "last_request_at": None})

    def add(self, name: str, by: int = 1) -> None:
        """Count; a portal may count under names of its own."""
        self._numbers[name] = self._numbers.get(name, 0) + by
        self._table.touch("numbers")

    def add_to(self, group: str, key: str, by: int = 1) -> None:
        """Count under a key of a group, say a user name in `submissions`."""
        if group not in self._groups:
            self._groups[group] = self._table.setdefault(group, {})
        rows = self._groups[group]
        rows[key] = rows.get(key, 0) + by
        self._table.touch(group)

    def add_group(self, group: str) -> None:
        """Have a group that a portal counts in, empty as long as nothing was counted."""
        if group not in self._groups:
            self._groups[group] = self._table.setdefault(group, {})

    def highest(self, name: str, value: int) -> None:
        """Raise a maximum."""
        if value > self._numbers.get(name, 0):
            self._numbers[name] = value
            self._table.touch("numbers")

    def forget_maxima(self) -> None:
        """Begin the maxima of requests in flight and connections again."""
        self._numbers.update(in_flight_max=self._in_flight, connections_max=0)
        self._table.touch("numbers")

    def entered(self) -> int:
        """Count a request in; return how many are in flight with it."""
        self._in_flight += 1
        now = time.time()
        if self._times["first_request_at"] is None:
            self._times["first_request_at"] = now
        self._times["last_request_at"] = now
        self._table.touch("times")
        self._numbers["in_flight_now"] = self._in_flight
        self.highest("in_flight_max", self._in_flight)
        self.add("requests")
        return self._in_flight

    def left(self) -> None:
        """Count a request out."""
        self._in_flight -= 1
        self._numbers["in_flight_now"] = self._in_flight

    def note(self, **entry: Any) -> None:
        """Add a line to the journal; it must hold no secret."""
        self._journal_number += 1
        self.journal.append({"number": self._journal_number, "time": time.time(), **entry})

    def as_json(self) -> dict[str, Any]:
        """Return everything counted."""
        return {**self._numbers, **self._groups, **self._times}
