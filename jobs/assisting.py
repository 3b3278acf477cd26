"""Starts the sign-ins that operators finish in the control room: each a `scrapy test-login` beside a worker's crawls."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import IO

from database.access import assisted
from database.engine import Database
from database.models.assisted import AssistedSignIn
from jobs.crawls import LEAVING, last_line_of
from jobs.events import Events
from scrapers.core.settings import crawl_settings

AT_ONCE = 3  # each has a browser of its own
MARGIN = 120.0  # seconds for the start of the process and for what follows the sign-in


@dataclass
class Started:
    """A sign-in that runs."""

    number: int
    process: subprocess.Popen[bytes]
    output: IO[bytes]  # a file without a name: nothing of it stays


class AssistedSignIns:
    """Those of one worker. They take no slot: an operator waits before the screen."""

    def __init__(
        self,
        db: Database,
        events: Events,
        name: str,
        portals: Collection[str] | None,
        settings: Sequence[str] = (),
    ) -> None:
        """name: signature of the worker. portals: its own; None: all. settings: `NAME=VALUE` for each, as `-s` gives them."""
        self.db, self.events, self.name, self.portals = db, events, name, portals
        self.settings = [part for each in settings for part in ("-s", each)]
        self._running: list[Started] = []

    @property
    def any_run(self) -> bool:
        """Whether one runs."""
        return bool(self._running)

    def begin(self) -> None:
        """Start what operators have asked for. Raises DatabaseAway."""
        while len(self._running) < AT_ONCE:
            with self.db.transaction() as session:
                taken = assisted.take(session, self.name, self._life(), self.portals)
            if taken is None:
                return
            self._start(taken)

    def reap(self) -> None:
        """Store the end of sign-ins that have no process any more and did not store it themselves. Raises DatabaseAway."""
        for each in list(self._running):
            if (code := each.process.poll()) is None:
                continue
            said = last_line_of(each.output) or f"Its process has ended with {code}."
            with self.db.transaction() as session:
                assisted.end(session, each.number, None, said)
            self._running.remove(each)
            each.output.close()
            self.events.tell("sign_in_ended", f"the sign-in {each.number} of an operator has ended", number=each.number)

    def close(self) -> None:
        """End what runs; `reap` writes it down."""
        for each in self._running:
            each.process.terminate()
        for each in self._running:
            try:
                each.process.wait(LEAVING)
            except subprocess.TimeoutExpired:
                with suppress(ProcessLookupError):
                    os.killpg(each.process.pid, signal.SIGKILL)
                each.process.wait()

    def _start(self, taken: AssistedSignIn) -> None:
        command = [sys.executable, "-m", "scrapy", "test-login", taken.portal, "--assisted", str(taken.id)]
        output = tempfile.TemporaryFile()
        try:
            process = subprocess.Popen(
                [*command, *self.settings],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,  # its browser is ended with it
            )
        except OSError as error:
            output.close()
            with self.db.transaction() as session:
                assisted.end(session, taken.id, None, f"It could not be started: {error.strerror}.")
            return
        self._running.append(Started(taken.id, process, output))
        sentence = f"sign-in {taken.login} {taken.username}, which an operator finishes"
        self.events.tell("sign_in", sentence, number=taken.id, login=taken.login)

    @staticmethod
    def _life() -> timedelta:
        settings = crawl_settings()
        waits = settings.busy_wait + settings.sign_in_wait + settings.person_wait
        return timedelta(seconds=waits + MARGIN)
