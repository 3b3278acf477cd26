"""How requests ask Telegram: in a few threads at once, for one user so often, and what goes wrong as an HTTP error."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from math import ceil
from typing import NoReturn

from flask import g
from werkzeug.exceptions import BadGateway, Conflict, NotFound, TooManyRequests

from database.engine import Database
from database.models.base import utc_now
from scrapers.core.outcomes import CredentialMalformed, Failure, FloodWait, PortalRefused, RateLimited
from scrapers.portals.telegram.settings import TelegramSettings
from scrapers.portals.telegram.using import ENDED, InUse, NoSession
from webhook.api.requests import UserAccess
from webhook.settings import PriceWatchSettings

PLACES = 4  # requests that ask at once, so that threads stay free for all others
NO_SESSION = "There is no such session."
FULL = "Telegram is being asked for others: try again in some seconds."


@dataclass(frozen=True)
class Asking:
    """What the acts upon sessions have in common."""

    db: Database
    access: UserAccess
    prices: PriceWatchSettings
    settings: TelegramSettings
    places: threading.BoundedSemaphore = field(default_factory=lambda: threading.BoundedSemaphore(PLACES))

    @contextmanager
    def place(self) -> Iterator[None]:
        """Take a place among those that ask; raise TooManyRequests, and HTTP errors for what goes wrong."""
        self.access.count(self.prices.telegram_rate, "telegram", f"user {g.user.id}")
        if not self.places.acquire(blocking=False):
            raise TooManyRequests(FULL, retry_after=5)
        try:
            yield
        except Failure as failure:
            tell(failure)
        except InUse as error:
            raise Conflict(str(error)) from None
        except NoSession:
            raise NotFound(NO_SESSION) from None
        finally:
            self.places.release()


def tell(failure: Failure) -> NoReturn:
    """Raise the HTTP error that a failure is."""
    if isinstance(failure, FloodWait):
        wait_for(failure.until, str(failure))
    if isinstance(failure, RateLimited):
        # Telegram names no time with these; an hour is a guess.
        raise TooManyRequests(f"Telegram wants to be asked later. {failure.detail}", retry_after=3600)
    if isinstance(failure, (*ENDED, CredentialMalformed, PortalRefused)):
        raise Conflict(str(failure))
    raise BadGateway(f"Telegram could not be asked. {failure}")


def wait_for(until: datetime | None, said: str) -> NoReturn:
    """Raise TooManyRequests until a time."""
    raise TooManyRequests(said, retry_after=seconds_until(until) if until is not None else 60)


def seconds_until(at: datetime) -> int:
    """Return how many seconds it is until then, at least one."""
    return max(1, ceil((at - utc_now()).total_seconds()))
