"""Crawls without a job of a person's: signing in, looking at a session, signing out. Imported inside of `run` alone."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from commands._terminal import Refused, WrongArgument
from commands.crawl import exit_code, show_progress
from database.access.assisted import end, started
from database.access.encryption import key_ring
from database.access.ledger import Ledger, Refusal
from database.access.sessions import Sessions
from database.engine import database, now
from database.jobs.queue import release_resting
from scrapers.core.jobs import ArgumentError
from scrapers.core.outcomes import SUCCESS, CredentialCoolingDown
from scrapers.logins.base import Login, code_channels, logins_of
from scrapers.logins.credentials import SeveralCredentials
from scrapers.logins.trial import look_spider, sign_in_spider, sign_out_spider


def login_of(places: Sequence[str], portal: str, name: str | None) -> type[Login]:
    """Return a portal's login of that name, or its first one; raise WrongArgument when there is none."""
    code_channels(places)  # imports every portal
    logins = {each.name: each for each in Login.registry.values() if each.portal == portal}
    if not logins:
        raise WrongArgument(f"there is no portal {portal}; `scrapy portals` shows them.")
    if name and name not in logins:
        raise WrongArgument(f"--login: {portal} has {', '.join(logins)}.")
    return logins[name] if name else next(iter(logins.values()))


def try_session(
    process: Any,
    login: type[Login],
    username: str | None,
    *,
    fresh: bool = False,
    look: bool = False,
    visible: bool = False,
    assisted: int = 0,
) -> tuple[int, str]:
    """
    Sign in through the same chain as every crawl; return the exit code and the user name.

    fresh: forget a live session first. look: never sign in, a session that has ended is the failure. visible: a person may
    help. assisted: number of the request of an operator who finishes it. Raises WrongArgument, Refused.
    """
    spider = look_spider(login) if look else sign_in_spider(login)
    asks = sys.stdin.isatty() and not look
    arguments = {"prompt": "yes" if asks else "no", "visible": "yes" if visible else "no"}
    if username:
        arguments["credential"] = username
    if assisted:
        arguments["assisted"] = str(assisted)
    try:
        key_ring()
        with database().transaction() as session:
            plans = spider.plans(session, spider.Arguments.parse(arguments))
        credential = plans[0].credential
        assert credential is not None  # plans() has refused to go on without one
        if fresh:
            Ledger(database()).check(login.name, credential.username, credential.secret)
            Sessions(database()).destroy(login.name, credential.username)
    except SeveralCredentials as several:
        raise WrongArgument(several.by("--username USERNAME")) from None
    except (ArgumentError, Refusal) as error:
        raise WrongArgument(str(error)) from None
    show_progress()
    crawler = process.create_crawler(spider)
    process.crawl(crawler, **arguments)
    process.start()
    if assisted:
        _tell_operator(crawler, assisted, login.portal, credential.username)
    return exit_code(crawler), credential.username


def requested(number: int, portal: str) -> tuple[str, str]:
    """Return login and user name of a request of the control room that a worker has taken; raise WrongArgument."""
    with database().transaction() as session:
        found = started(session, number)
    if found is None or found.portal != portal:
        raise WrongArgument(f"--assisted: no sign-in of {portal} with the number {number} waits to be begun.")
    return found.login, found.username


def _tell_operator(crawler: Any, number: int, portal: str, username: str) -> None:
    """Write down for the operator how a sign-in has ended; after a good one the jobs that rest since the captcha are due."""
    jobs = list(crawler.spider.work.jobs.values()) if crawler.spider is not None else []
    for job in jobs:
        if job.outcome is None:
            continue
        with database().transaction() as session:
            end(session, number, job.outcome.code, job.message)
            if job.outcome is SUCCESS:
                release_resting(session, portal, username, CredentialCoolingDown.outcome.code, now(session))


def refuse_operator(number: int, why: str) -> None:
    """Write down for the operator that a sign-in was not begun."""
    with database().transaction() as session:
        end(session, number, None, why)


def leave(process: Any, sessions: Sequence[tuple[type[Login], str]]) -> int:
    """Sign out of stored sessions, by login and user name, at the portal; return of how many it was possible."""
    if not sessions:
        return 0
    show_progress()
    crawlers = []
    for login, username in sessions:
        crawlers.append(process.create_crawler(sign_out_spider(login)))
        process.crawl(crawlers[-1], credential=username)
    process.start()
    spiders: list[Any] = [crawler.spider for crawler in crawlers if crawler.spider is not None]
    jobs = [job for spider in spiders for job in spider.work.jobs.values()]
    for warning in (warning for job in jobs for warning in job.warnings):
        sys.stderr.write(f"{warning}\n")
    return sum(not job.failures and not job.warnings for job in jobs)


def alive(portal: str, username: str | None) -> list[tuple[str, str]]:
    """Return login and user name of a portal's stored sessions; raise Refused when there is none."""
    from sqlalchemy import select

    from database.models import StoredSession

    names = [login.name for login in logins_of(portal)]
    query = select(StoredSession.login, StoredSession.username).where(
        StoredSession.login.in_(names), StoredSession.state.is_not(None)
    )
    if username:
        query = query.where(StoredSession.username == username)
    with database().transaction() as session:
        found = [(row.login, row.username) for row in session.execute(query.order_by(StoredSession.id))]
    if not found:
        raise Refused(f"No one is signed in to {portal}{f' as {username}' if username else ''}.")
    return found
