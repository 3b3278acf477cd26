"""What a schedule or a command asks for, as jobs: the spiders say which targets there are and which are stored already."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from scrapy.settings import BaseSettings
from scrapy.spiderloader import get_spider_loader
from sqlalchemy import select
from sqlalchemy.orm import Session

from database.access.encryption import UnreadableSecret
from database.engine import SchemaLacking
from database.families.holdings import accepted
from database.jobs.claims import lock_of
from database.jobs.queue import NewJob, config_of, open_with, write
from database.models import ScraperJob, ScraperType
from database.models.jobs import ScraperJobStatus
from database.settings import SettingsError
from jobs.clock import Clock
from scrapers.core.jobs import ArgumentError, Plan
from scrapers.core.spider import PortalSpider
from scrapers.core.stated import Family, family_of

REFUSALS = (ArgumentError, SchemaLacking, SettingsError, UnreadableSecret)


class UnknownSpider(LookupError):
    """A word names no spider, portal or family. The text is one sentence."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for."""

    spiders: Sequence[str]  # names of spiders, or words of portals or families
    accounts: Sequence[str] | None = None  # numbers, or targets of other families; None: all
    client: str | None = None
    month: str | None = None  # billing month YYYY-MM; None: the newest that has ended, and those that are open still
    arguments: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Found:
    """What there is to make, and why there is not more."""

    jobs: list[NewJob] = field(default_factory=list)
    stored: int = 0  # targets of which everything is stored
    final: int = 0  # targets that the portal no longer offers
    accepted: int = 0  # targets that an operator has accepted as gone
    problems: list[str] = field(default_factory=list)

    def said(self) -> str:
        """Return why there is no job for some targets; empty where each has one."""
        counts = {"stored already": self.stored, "no longer offered": self.final, "accepted as gone": self.accepted}
        return "; ".join([*self.problems, *(f"{count} {what}" for what, count in counts.items() if count)])


class Spiders:
    """The project's spiders, by the words that people use."""

    def __init__(self, settings: BaseSettings) -> None:
        self.loader = get_spider_loader(settings)
        self.places: list[str] = settings.getlist("SPIDER_MODULES")

    def named(self, words: Collection[str]) -> list[type[PortalSpider]]:
        """
        Return the spiders of names, portals or families; raise UnknownSpider for a word that is none.

        A portal or family stands for the spiders that `scrapy sync` runs.
        """
        found: dict[str, type[PortalSpider]] = {}
        for word in words:
            some = self._of(word)
            if not some:
                raise UnknownSpider(f"{word!r} is no spider, portal or family; `scrapy list` shows the spiders.")
            found |= {spider.name: spider for spider in some}
        return list(found.values())

    def one(self, name: str) -> type[PortalSpider] | None:
        """Return the spider of that name, or None."""
        try:
            spider: Any = self.loader.load(name)
        except KeyError:
            return None
        return spider if issubclass(spider, PortalSpider) else None

    def family(self, spider: type[PortalSpider]) -> Family | None:
        """Return the family of a spider's portal."""
        return family_of(spider.portal, self.places)

    def _of(self, word: str) -> list[type[PortalSpider]]:
        if (one := self.one(word)) is not None:
            return [one]
        every = [spider for name in sorted(self.loader.list()) if (spider := self.one(name)) is not None]
        return [
            spider
            for spider in every
            if spider.in_sync
            and (spider.portal == word or ((family := self.family(spider)) is not None and family.word == word))
        ]


class Planner:
    """Turns what is wanted into new jobs, by asking the spiders."""

    def __init__(self, spiders: Spiders, clock: Clock) -> None:
        self.spiders = spiders
        self.clock = clock

    def find(self, session: Session, wanted: Wanted) -> Found:
        """Return the jobs that are missing; what cannot be planned is named and stops nothing else."""
        found = Found()
        try:
            spiders = self.spiders.named(wanted.spiders)
        except UnknownSpider as error:
            found.problems.append(str(error))
            return found
        for spider in spiders:
            self._of_spider(session, spider, wanted, found)
        return found

    def complete(self, session: Session) -> list[str]:
        """Fill in what is missing in jobs that were made by others; return a sentence for each that cannot be done."""
        problems = []
        unknown = ScraperJob.identity.is_(None), ScraperJob.status == ScraperJobStatus.PENDING
        for job in session.scalars(select(ScraperJob).where(*unknown)).all():
            spider = self.spiders.one(job.spider)
            said = f"There is no spider {job.spider}." if spider is None else ""
            try:
                if spider is not None:
                    given = {"job": str(job.id), **(job.arguments or {})}
                    (plan,) = spider.planned(session, spider.Arguments.parse(given))
                    other = open_with(session, plan.identity)
                    said = f"Job {other.id} is open for the same." if other is not None else ""
                    if other is None:
                        known = new_job(session, spider, plan, {})
                        job.identity, job.label, job.username = known.identity, known.label, known.username
                        job.exclusive, job.type = known.exclusive, job.type or known.type
            except REFUSALS as error:
                said = str(error)
            if said:
                job.status, job.completed_at = ScraperJobStatus.ERROR, self.clock.now(session)
                write(job, job.completed_at, said)
                problems.append(f"Job {job.id}: {said}")
        session.flush()
        return problems

    def _of_spider(self, session: Session, spider: type[PortalSpider], wanted: Wanted, found: Found) -> None:
        try:
            targets = spider.asked_for(
                session,
                self._today(session, spider),
                names=wanted.accounts,
                client=wanted.client,
                month=wanted.month,
            )
        except ArgumentError as error:
            found.problems.append(f"{spider.name}: {error}")
            return
        for target in targets:
            arguments = {**wanted.arguments, **target}
            try:
                self._plan(session, spider, arguments, found)
            except REFUSALS as error:
                # One account that cannot be planned does not stop the others.
                names = arguments.get(spider.target_argument, "").split(",")
                if len(names) == 1:
                    found.problems.append(f"{spider.name}: {error}")
                    continue
                for name in names:
                    try:
                        self._plan(session, spider, {**arguments, spider.target_argument: name}, found)
                    except REFUSALS as reason:
                        found.problems.append(f"{spider.name}: {reason}")

    def _today(self, session: Session, spider: type[PortalSpider]) -> date:
        """Return today's date at a spider's portal, which may be UTC's of yesterday or tomorrow."""
        return self.clock.now(session).astimezone(ZoneInfo(getattr(spider, "time_zone", "UTC"))).date()

    def _plan(self, session: Session, spider: type[PortalSpider], arguments: Mapping[str, str], found: Found) -> None:
        parsed = spider.Arguments.parse(dict(arguments))
        with session.begin_nested():
            plans = spider.planned(session, parsed)
        kept = {**parsed.narrowing(), **({"again": "yes"} if parsed.again else {})}
        # What has no period, such as a fleet, is fetched again and again: there a failure was accepted, for once.
        periods = {plan.identity for plan in plans if plan.period and not parsed.again}
        gone = accepted(session, periods)
        for plan in plans:
            if plan.final:
                found.final += 1
            elif plan.identity in gone and not plan.done:
                found.accepted += 1
            elif plan.done:
                found.stored += 1
            elif all(plan.identity != known.identity for known in found.jobs):
                found.jobs.append(new_job(session, spider, plan, kept))


def new_job(session: Session, spider: type[PortalSpider], plan: Plan, arguments: Mapping[str, str]) -> NewJob:
    """Return the job that a plan stands for."""
    username = plan.credential.username if plan.credential is not None else None
    shared = not spider.by_client and all(login.shared for login in spider.logins)
    job = NewJob(
        spider.portal,
        spider.report_type,
        plan.identity,
        plan.label[:300],
        username,
        lock_of(spider.portal, username, shared),
        arguments=dict(arguments) or None,
    )
    if plan.billing_cycle_id is None:
        return replace(job, target=plan.target.model_dump(mode="json"))
    kinds = [kind for kind in ScraperType if kind.value == spider.report_type]
    config = config_of(session, plan.account_id) if plan.account_id is not None else None
    return replace(
        job, billing_cycle_id=plan.billing_cycle_id, scraper_config_id=config, type=kinds[0] if kinds else None
    )
