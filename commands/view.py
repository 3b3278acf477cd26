"""`scrapy view`: Scrapy's own, without a session."""

from __future__ import annotations

from scrapy.commands.view import Command as ScrapyView

from commands._scrapy import Unsigned


class Command(Unsigned, ScrapyView):
    """Open an address and show what it answers in a browser."""

    does = "`scrapy view`"
