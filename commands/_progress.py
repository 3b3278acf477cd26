"""How far a long command has come: a moving line at the bottom of a terminal while a crawl works, else a line now and then."""

from __future__ import annotations

import io
import logging
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

SAID_EVERY = 1.0  # seconds between two lines of progress


class Lines:
    """Lines on standard error while something takes long: at most one a second, none for what is done at once."""

    def __init__(self) -> None:
        self._next = time.monotonic() + SAID_EVERY

    def __call__(self, what: str, done: int, whole: int) -> None:
        """Say how far it has come."""
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + SAID_EVERY
            print(f"{what.replace('_', ' ')}: {done} of {whole}", file=sys.stderr)


@contextmanager
def moving_line(crawler: Any) -> Iterator[None]:
    """Show the line until the end of the block, where standard error is a terminal that can."""
    # A log with every request would push it off the screen.
    if not sys.stderr.isatty() or crawler.settings.get("LOG_LEVEL") in ("DEBUG", "INFO"):
        yield
        return
    from rich.console import Console
    from rich.live import Live
    from rich.spinner import Spinner

    from scrapers.core.queued import so_far

    console = Console(stderr=True)
    if console.is_dumb_terminal:
        yield
        return
    spinner = Spinner("dots")

    def line() -> Spinner:
        work = getattr(crawler.spider, "work", None)
        spinner.update(text=f"{crawler.spidercls.name}: {so_far(work.jobs.values() if work is not None else ())}")
        return spinner

    live = Live(get_renderable=line, console=console, refresh_per_second=4, transient=True, redirect_stderr=False)
    with live, _above(console):
        yield


class _Above(io.TextIOBase):
    """Standard error while the line stands: what is written appears above it, as wide as it is."""

    def __init__(self, console: Console) -> None:
        self.console = console

    def write(self, text: str) -> int:
        """Print a text as it stands."""
        self.console.print(text, end="", soft_wrap=True, markup=False, highlight=False, emoji=False)
        return len(text)


@contextmanager
def _above(console: Console) -> Iterator[None]:
    """Let the handlers that write to standard error write above the line."""
    known = [*logging.getLogger().handlers, *logging.getLogger("latchkey.progress").handlers]
    handlers = [each for each in known if isinstance(each, logging.StreamHandler) and each.stream is sys.stderr]
    for handler in handlers:
        handler.setStream(_Above(console))
    try:
        yield
    finally:
        for handler in handlers:
            handler.setStream(sys.stderr)
