"""What becomes of a job when its run has ended: a function of the outcome's facts and of the job, without a database."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from random import Random
from zoneinfo import ZoneInfo

from database.jobs.settings import QueueSettings
from database.models.jobs import ScraperJobStatus

LONGEST = timedelta(hours=24)  # pause between two tries
SHORTEST = timedelta(minutes=1)  # pause of a job that a run was taken from, so that it does not turn in circles
SPREAD = timedelta(minutes=30)  # jobs of the portal's hour are spread over that
MOST_RETURNS = 5  # times in a row that a job may come back from a dead crawl for nothing
_RANDOM = Random()


@dataclass(frozen=True, slots=True)
class Ending:
    """How a run ended, as far as its job is concerned: the facts of `scrapers.core.outcomes.Outcome`, and the moment's."""

    outcome: str
    then: str  # a value of scrapers.core.outcomes.Then
    message: str = ""
    actor: str = "nobody"
    portal_trouble: bool = False
    portal_works: bool = False
    requests: int = 1  # that were sent; without any, nothing is known of the portal
    until: datetime | None = None  # when the credential may be used again, for `when it may`
    secret: str | None = None  # fingerprint of the secret, for `parked`
    time_zone: str = "UTC"  # of the portal
    hour: int = 6  # from which the portal has the day's data, in its time zone


@dataclass(frozen=True, slots=True)
class Step:
    """The next state of a job. available_at: None for a state that is not pending, and for a parked job."""

    status: ScraperJobStatus
    available_at: datetime | None = None
    uses_try: bool = False
    parked_for: str | None = None


def next_step(
    ending: Ending, tries: int, most: int, at: datetime, settings: QueueSettings, random: Random = _RANDOM
) -> Step:
    """
    Return what becomes of a job.

    tries: that it has used up before this run, of *most*. at: the present instant.
    """
    pending = ScraperJobStatus.PENDING
    match ending.then:
        case "done":
            return Step(ScraperJobStatus.SUCCESS)
        case "final":
            return Step(ScraperJobStatus.ERROR)
        case "at once":
            return Step(pending, at)
        case "in minutes":
            return Step(pending, at + _jittered(timedelta(minutes=settings.report_pause), random))
        case "when it may":
            free = ending.until + SHORTEST if ending.until else portal_morning(at, ending, random)
            return Step(pending, max(free, at + SHORTEST))
        case "tomorrow":
            return Step(pending, portal_morning(at, ending, random))
        case "parked":
            return Step(pending, parked_for=ending.actor)
    if tries + 1 >= most:
        return Step(ScraperJobStatus.ERROR, uses_try=True)
    if ending.then == "daily":
        return Step(pending, portal_morning(at, ending, random), uses_try=True, parked_for=ending.actor)
    return Step(pending, at + pause(tries, timedelta(minutes=settings.job_pause), random), uses_try=True)


def pause(before: int, first: timedelta, random: Random = _RANDOM) -> timedelta:
    """Return the pause after a failure that had *before* others before it: doubled each time, with jitter."""
    return _jittered(min(first * 2 ** min(before, 20), LONGEST), random)


def portal_morning(at: datetime, ending: Ending, random: Random = _RANDOM) -> datetime:
    """Return a moment just after the portal's hour of the next day, by the portal's calendar."""
    zone = ZoneInfo(ending.time_zone)
    day = at.astimezone(zone).date() + timedelta(days=1)
    # Through UTC, so that an hour that the zone leaves out becomes the next one.
    opening = datetime.combine(day, time(ending.hour), zone).astimezone(at.tzinfo)
    return opening + random.random() * SPREAD


def _jittered(pause: timedelta, random: Random) -> timedelta:
    return pause * random.uniform(0.75, 1.25)
