"""`scrapy shell`: Scrapy's own, without a session; also for the pages in an evidence bundle."""

from __future__ import annotations

from scrapy.commands.shell import Command as ScrapyShell

from commands._scrapy import Unsigned


class Command(Unsigned, ScrapyShell):
    """Try selectors on an address or a file."""

    does = "`scrapy shell`"
