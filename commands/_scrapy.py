"""What Scrapy's own commands share here: they know no job and no login, so some work without them and some do not work."""

from __future__ import annotations

import argparse
import sys
from typing import Any, ClassVar

from scrapy.commands import ScrapyCommand


class Unsigned:
    """Mixin of Scrapy's commands that fetch one address: without a job, without a session, files of this machine too."""

    does: ClassVar[str]  # what it would do with a spider, as its refusal says

    def process_options(self: Any, args: list[str], opts: argparse.Namespace) -> None:
        """Let `file:` and `data:` addresses be read, which no crawl has a use for."""
        super().process_options(args, opts)  # type: ignore[misc]
        handlers = {
            **self.settings.getdict("DOWNLOAD_HANDLERS"),
            "file": "scrapy.core.downloader.handlers.file.FileDownloadHandler",
            "data": "scrapy.core.downloader.handlers.datauri.DataURIDownloadHandler",
        }
        self.settings.set("DOWNLOAD_HANDLERS", handlers, priority="cmdline")

    def run(self: Any, args: list[str], opts: argparse.Namespace) -> None:
        """Refuse a spider that works for jobs, before it makes any run; else do as Scrapy does."""
        if opts.spider and (sentence := refusal(self.crawler_process.spider_loader, opts.spider, self.does)):
            refuse(self, sentence)
            return
        super().run(args, opts)  # type: ignore[misc]


class Refused(ScrapyCommand):
    """Base of Scrapy's commands that have no place here: one sentence, exit code 2."""

    requires_project = True
    requires_crawler_process = False
    default_settings: ClassVar[dict[str, Any]] = {"LOG_ENABLED": False}
    instead: ClassVar[str]  # why not, and what to use

    def short_desc(self) -> str:
        """Return the line of the command list."""
        return "Not used in this project (says what to use instead)"

    def long_desc(self) -> str:
        """Return what to use instead."""
        return self.instead

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        """Say it."""
        refuse(self, self.instead)


def refuse(command: ScrapyCommand, sentence: str) -> None:
    """Say why a command does nothing; its exit code is 2."""
    sys.stderr.write(f"{sentence}\n")
    command.exitcode = 2


def refusal(loader: Any, name: str, does: str) -> str | None:
    """Return why a spider cannot be used without a job; None for one that is none of ours."""
    from scrapers.core.spider import PortalSpider

    try:
        spider = loader.load(name)
    except KeyError:
        return f"there is no spider {name}; `scrapy list` shows them."
    if not issubclass(spider, PortalSpider):
        return None
    return (
        f"{name} works signed in and for a job, so {does} has no use for it: run `scrapy crawl {name}`, whose failed runs "
        "keep their pages (`scrapy runs ID`)."
    )
