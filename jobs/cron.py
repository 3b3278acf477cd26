"""When a cron expression is due in a time zone: the same answer from wherever one looks, daylight saving included."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import islice
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

NAMED = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
FIELDS = 5  # cronsim takes a sixth one for seconds, which no worker is exact enough for
# Around a change of the clocks the same local time comes twice: looking begins before it.
BEFORE = timedelta(hours=4)


class BadCron(ValueError):
    """An expression or time zone is none. The text is one sentence."""


def check_cron(given: str) -> str:
    """
    Return an expression as it is stored; raise BadCron for one that is none or is never due.

    >>> check_cron("@Daily"), check_cron(" 30  6 * * mon-fri ")
    ('@daily', '30 6 * * mon-fri')
    """
    text = " ".join(given.split())
    if text.startswith("@"):
        text = text.lower()
        if text not in NAMED:
            raise BadCron(f"{text} is none of {', '.join(NAMED)}.")
        return text
    if len(text.split()) != FIELDS:
        raise BadCron(f"{text!r} has not {FIELDS} fields: minute, hour, day of the month, month, day of the week.")
    try:
        next(CronSim(text, datetime(2000, 1, 1, tzinfo=UTC)))
    except (CronSimError, StopIteration) as error:
        raise BadCron(f"{text!r} is no cron expression: {error or 'it is never due'}.") from None
    return text


def check_zone(name: str) -> str:
    """Return the name of a time zone; raise BadCron when it is none."""
    _zone(name)
    return name


def due_times(cron: str, zone: str, after: datetime, until: datetime | None = None) -> Iterator[datetime]:
    """Yield the due times after *after*, up to and with *until*, in UTC; without *until* they do not end."""
    start = (after - BEFORE).astimezone(_zone(zone))
    last = after
    for local in CronSim(NAMED.get(cron, cron), start):
        due = local.astimezone(UTC)
        if until is not None and due > until:
            return
        if due > last:
            last = due
            yield due


def last_due(cron: str, zone: str, after: datetime, until: datetime) -> datetime | None:
    """Return the last due time after *after*, up to and with *until*, without looking at all of them; None: there is none."""
    start = (until + BEFORE).astimezone(_zone(zone))
    for local in CronSim(NAMED.get(cron, cron), start, reverse=True):
        due = local.astimezone(UTC)
        if due <= after:
            return None
        if due <= until:
            # Backwards the two passes of a doubled hour may come in another order.
            return max([due, *islice(due_times(cron, zone, due, until), 100)])
    return None


def spread(key: str, due: datetime, seconds: int) -> timedelta:
    """Return by how much a job is put off: up to *seconds*, always the same for one key and due time."""
    digest = hashlib.blake2b(f"{key} {due.isoformat()}".encode(), digest_size=8).digest()
    return timedelta(seconds=int.from_bytes(digest) % (seconds + 1))


@cache
def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise BadCron(f"{name!r} is no time zone: they are called as Europe/Zurich.") from None
