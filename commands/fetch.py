"""`scrapy fetch`: Scrapy's own, without a session."""

from __future__ import annotations

from scrapy.commands.fetch import Command as ScrapyFetch

from commands._scrapy import Unsigned


class Command(Unsigned, ScrapyFetch):
    """Fetch an address and print what it answers."""

    does = "`scrapy fetch`"
