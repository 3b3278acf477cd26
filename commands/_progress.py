"""The line at the bottom of a terminal that moves while a crawl works: its jobs, counts and step."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def moving_line(crawler: Any) -> Iterator[None]:
    """Show the line until the end of the block, where standard error is a terminal that can."""
    if not sys.stderr.isatty() or logging.getLogger().isEnabledFor(logging.INFO):
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

    with Live(get_renderable=line, console=console, refresh_per_second=4, transient=True), _above(sys.stderr):
        yield


@contextmanager
def _above(stream: Any) -> Iterator[None]:
    """Let handlers that write to standard error write to *stream*, which keeps the line below what is written."""
    known = [*logging.getLogger().handlers, *logging.getLogger("latchkey.progress").handlers]
    handlers = [each for each in known if isinstance(each, logging.StreamHandler) and each.stream is sys.__stderr__]
    for handler in handlers:
        handler.setStream(stream)
    try:
        yield
    finally:
        for handler in handlers:
            handler.setStream(sys.__stderr__)
