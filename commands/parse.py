"""`scrapy parse`: Scrapy's own, for spiders that need no job."""

from __future__ import annotations

import argparse

from scrapy.commands.parse import Command as ScrapyParse
from scrapy.exceptions import UsageError
from scrapy.http import Request

from commands._scrapy import Unsigned, refuse


class Command(Unsigned, ScrapyParse):
    """Fetch an address and hand it to a spider's callback."""

    does = "`scrapy parse`"

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        """Refuse an address that is no spider's, and a spider of ours."""
        if len(args) != 1 or "://" not in args[0]:
            raise UsageError
        assert self.crawler_process is not None
        if not opts.spider and not self.crawler_process.spider_loader.find_by_request(Request(args[0])):
            refuse(self, "no spider is there for an address alone: try selectors with `scrapy shell ADDRESS`.")
            return
        super().run(args, opts)
