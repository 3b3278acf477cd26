"""`scrapy bench`: it would measure Scrapy with our middlewares on pages of no portal."""

from __future__ import annotations

from commands._scrapy import Refused


class Command(Refused):
    """Say what to use instead."""

    instead = "`scrapy bench` measures no sign-in, file or record: `make bench` measures Latchkey."
