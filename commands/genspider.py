"""`scrapy genspider`: its templates know no jobs, logins or outcomes."""

from __future__ import annotations

from commands._scrapy import Refused


class Command(Refused):
    """Say what to use instead."""

    instead = (
        "genspider's templates know no jobs and no logins: `scrapy startportal` writes a portal, its sandbox and tests."
    )
