"""What becomes of a job by the outcome of its run: each code there is, and the breaker of its portal."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from sqlalchemy import select

from database.jobs.claims import claim
from database.jobs.queue import NewJob, add
from database.jobs.settings import QueueSettings
from database.jobs.settling import settle
from database.jobs.steps import Ending, next_step
from database.models import Breaker, ScraperJob
from scrapers.core.outcomes import OUTCOMES

AT = datetime(2026, 11, 30, 20, 0, tzinfo=UTC)
MORNING = AT.replace(day=1, month=12, hour=11, minute=0)  # 6 o'clock of the next day in Toronto
HOUR, HALF = timedelta(hours=1), timedelta(minutes=30)
LATER = (AT + 0.7 * HOUR, AT + 1.3 * HOUR)
SOON = (AT + timedelta(minutes=7), AT + timedelta(minutes=13))
TOMORROW = (MORNING, MORNING + HALF)
NOW = (AT, AT)

# By code: status, when it is due again, whether a try is used up, who has to act first.
STEPS = {
    **dict.fromkeys(
        "code_not_received session_ended sign_in_timed_out token_untrusted identity_mismatch signed_out cache_error report_failed "
        "portal_refused unexpected_answer portal_down rate_limited download_timed_out bad_file incomplete upload_failed "
        "browser_died flow_timed_out crawl_stopped splash_away files_failed".split(),
        ("pending", LATER, True, None),
    ),
    **dict.fromkeys(
        "bad_credentials credential_missing credential_malformed reauthentication_required credential_blocked account_locked "
        "captcha_shown terms_pending mfa_required mfa_failed code_unclear wrong_account not_listed upload_client_gone session_inactive "
        "session_expired session_revoked account_banned channel_closed channel_unknown".split(),
        ("pending", None, False, "owner"),
    ),
    **dict.fromkeys(
        "crawl_not_started store_away store_full upload_refused upload_misconfigured browser_missing".split(),
        ("pending", TOMORROW, True, "operator"),
    ),
    **dict.fromkeys(
        "identity_unproved portal_changed unexpected_error".split(), ("pending", TOMORROW, True, "developer")
    ),
    **dict.fromkeys("blocked not_yet_published".split(), ("pending", TOMORROW, False, None)),
    **dict.fromkeys("credential_busy report_not_ready database_away".split(), ("pending", SOON, False, None)),
    **dict.fromkeys("lease_lost interrupted".split(), ("pending", NOW, False, None)),
    **dict.fromkeys(
        "credential_cooling_down sign_in_budget_spent flood_wait".split(),
        ("pending", (AT + 3 * HOUR, AT + 3 * HOUR + timedelta(minutes=1)), False, None),
    ),
    **dict.fromkeys(
        "no_longer_available price_unclear product_gone address_not_asked saving_forbidden".split(),
        ("error", None, False, None),
    ),
    "success": ("success", None, False, None),
}
TROUBLES = {"blocked", "sign_in_timed_out", "portal_down", "rate_limited", "download_timed_out", "flow_timed_out"}


def ending(code: str, **moment) -> Ending:
    outcome = OUTCOMES[code]
    facts = (code, outcome.then.value, "", outcome.actor.value, outcome.portal_trouble, outcome.portal_works)
    return Ending(*facts, **{"time_zone": "America/Toronto", **moment})


def test_the_table_names_every_outcome():
    assert set(STEPS) == set(OUTCOMES)
    assert {code for code, outcome in OUTCOMES.items() if outcome.portal_trouble} == TROUBLES


@pytest.mark.parametrize("code", STEPS)
def test_each_outcome_has_its_next_step(code):
    status, window, uses_try, parked = STEPS[code]
    step = next_step(ending(code, until=AT + 3 * HOUR), 0, 3, AT, QueueSettings.current(), Random(1))
    assert (step.status, step.uses_try, step.parked_for) == (status, uses_try, parked)
    assert step.available_at is None if window is None else window[0] <= step.available_at <= window[1]


@pytest.mark.parametrize("code", STEPS)
def test_with_its_last_try_a_job_ends_as_an_error(code):
    step = next_step(ending(code), 2, 3, AT, QueueSettings.current(), Random(1))
    assert step.status == ("error" if STEPS[code][2] else STEPS[code][0])


def test_pauses_grow_and_differ():
    def pause(tries: int, seed: int) -> timedelta:
        return next_step(ending("portal_down"), tries, 9, AT, QueueSettings.current(), Random(seed)).available_at - AT

    assert 1.5 * HOUR <= pause(1, 1) <= 2.5 * HOUR
    assert 3 * HOUR <= pause(2, 1) <= 5 * HOUR
    assert len({pause(0, seed) for seed in range(20)}) == 20


def test_the_portals_hour_is_one_that_its_day_has():
    """On 8 March 2026 Toronto has no 2 o'clock: what is due at it comes at 3."""
    eve = datetime(2026, 3, 7, 22, 0, tzinfo=UTC)
    step = next_step(ending("not_yet_published", hour=2), 0, 3, eve, QueueSettings.current(), Random(1))
    assert datetime(2026, 3, 8, 7, 0, tzinfo=UTC) <= step.available_at <= datetime(2026, 3, 8, 7, 30, tzinfo=UTC)


def make(session, count: int, portal: str = "acme", at: datetime = AT) -> list[int | None]:
    return add(
        session,
        [
            NewJob(portal, "invoices", f"{portal} {n}", f"{n}", f"user{n:02}", f"{portal}:user{n:02}")
            for n in range(count)
        ],
        at,
    )


def test_a_dead_portal_is_met_by_few_credentials_and_then_by_one_at_a_time(store):
    """40 credentials, 4 slots, a day of trouble: at most 5 reach the portal, and one more for each probe."""
    random, at, reached, probes = Random(7), AT, [], 0
    with store.transaction() as session:
        make(session, 40)
    running = []
    while at < AT + 24 * HOUR:
        with store.transaction() as session:
            tripped = session.scalar(select(Breaker.tripped_at))
            while len(running) < 4 and (taken := claim(session, "worker", at, 3600)) is not None:
                running.append(taken)
                reached.append(taken.username)
                probes += tripped is not None
            for taken in running:
                for job in taken.jobs:
                    settle(session, job, taken.id, ending("portal_down"), at, random)
            running = []
        at += timedelta(minutes=5)
    assert len(set(reached)) <= 5 + probes
    assert 5 <= probes <= 9  # 15 minutes, 30, 1 h, 2 h, 4 h …
    with store.transaction() as session:
        assert session.scalar(select(Breaker.tripped_at)) is not None
        # A success lets all go on, as many as the portal gets at once.
        at = session.scalar(select(Breaker.probe_at)) + timedelta(seconds=1)
        taken = claim(session, "worker", at, 3600)
        assert claim(session, "worker", at, 3600) is None
        settle(session, taken.jobs[0], taken.id, ending("success"), at, random)
        assert claim(session, "worker", at, 3600) is not None
        assert claim(session, "worker", at, 3600) is not None
        assert claim(session, "worker", at, 3600) is None


def test_the_end_of_a_run_that_sent_nothing_says_nothing_of_the_portal(store):
    with store.transaction() as session:
        make(session, 6)
        for code in ("portal_down", "success"):
            taken = claim(session, "worker", AT, 60)
            settle(session, taken.jobs[0], taken.id, ending(code, requests=0), AT)
        assert session.scalar(select(Breaker.portal)) is None


def test_a_success_of_the_spider_lets_its_other_jobs_go_on(store):
    with store.transaction() as session:
        make(session, 3)
        for code in ("portal_changed", "bad_credentials", "success"):
            taken = claim(session, "worker", AT, 60)
            settle(session, taken.jobs[0], taken.id, ending(code), AT + HOUR)
        rows = session.scalars(select(ScraperJob).order_by(ScraperJob.id)).all()
    assert [(row.status, row.available_at, row.parked_for) for row in rows] == [
        ("pending", AT + HOUR, None),  # what a developer had to mend is mended
        ("pending", None, "owner"),
        ("success", None, None),
    ]
