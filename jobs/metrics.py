"""
Figures of the whole installation for Prometheus, counted in the database at each scrape.

Nothing is counted in memory: any process may answer for all workers and crawls, and a restart loses nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from database.engine import Database, now
from database.jobs.queue import is_due, is_parked
from database.models import Run, RunState, ScraperJob
from database.models.jobs import Schedule, Worker
from jobs import overview
from scrapers.core.version import version

UNKNOWN = (
    "unknown"  # label of an outcome or actor that is NULL; neither has this name, and to Prometheus "" is no label
)
STATES = ("running", "due", "later", "parked")  # of open jobs, as `jobs.overview` counts them
# Sums over runs that have ended: column, name of the metric, what it counts.
SUMS = (
    (Run.requests, "requests", "HTTP requests of runs that have ended, sign-ins included."),
    (Run.sign_ins, "sign_ins", "Sign-ins of runs that have ended."),
    (Run.files, "files", "Files stored by runs that have ended."),
    (Run.records, "records", "Records stored by runs that have ended."),
)


class Figures(Collector):
    """A collector for a registry of prometheus_client."""

    def __init__(self, db: Database) -> None:
        self.db = db

    def collect(self) -> Iterator[Metric]:
        """Yield all metrics as of now. Raises DatabaseAway."""
        with self.db.transaction() as session:
            yield from _build()
            yield from _runs(session)
            yield from _jobs(session, now(session))
            yield from _workers(session, now(session))


def _gauge(name: str, text: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, text, labels=labels)


def _counter(name: str, text: str, *labels: str) -> CounterMetricFamily:
    return CounterMetricFamily(name, text, labels=labels)


def _build() -> Iterator[Metric]:
    build = _gauge("latchkey_build", "The version that answers.", "version")
    build.add_metric([version()], 1)
    yield build


def _runs(session: Session) -> Iterator[Metric]:
    of_spider = ("portal", "report_type")
    ended = _counter("latchkey_runs", "Runs that have ended, by outcome.", *of_spider, "outcome", "actor")
    sums = [_counter(f"latchkey_{name}", text, *of_spider) for _, name, text in SUMS]
    success = _gauge("latchkey_last_success_timestamp_seconds", "When a run succeeded last.", *of_spider)
    totals: dict[tuple[str, str], Counter[str]] = {}
    succeeded: dict[tuple[str, str], datetime] = {}
    columns = (Run.portal, Run.report_type, Run.outcome, Run.actor)
    counted = select(*columns, func.count(), func.max(Run.finished_at), *(func.sum(each) for each, _, _ in SUMS))
    for portal, report_type, outcome, actor, count, last, *found in session.execute(
        counted.where(Run.state == RunState.FINISHED).group_by(*columns).order_by(*columns)
    ):
        ended.add_metric([portal, report_type, outcome or UNKNOWN, actor or UNKNOWN], count)
        totals.setdefault((portal, report_type), Counter()).update(
            {name: value for (_, name, _), value in zip(SUMS, found, strict=True)}
        )
        if outcome == "success" and last is not None:
            succeeded[portal, report_type] = max(last, succeeded.get((portal, report_type), last))
    for spider, of_it in totals.items():
        for (_, name, _), metric in zip(SUMS, sums, strict=True):
            metric.add_metric(spider, of_it[name])
    for spider, at in succeeded.items():
        success.add_metric(spider, at.timestamp())
    running = _gauge("latchkey_runs_running", "Runs under way.", *of_spider)
    now_running = select(Run.portal, Run.report_type, func.count()).where(Run.state == RunState.RUNNING)
    for portal, report_type, count in session.execute(now_running.group_by(Run.portal, Run.report_type)):
        running.add_metric([portal, report_type], count)
    yield from (ended, *sums, success, running)


def _jobs(session: Session, time: datetime) -> Iterator[Metric]:
    jobs = _gauge("latchkey_jobs", "Open jobs, by what they wait for.", "portal", "state")
    for row in overview.jobs(session, time):
        for state in STATES:
            jobs.add_metric([row["portal"], state], row[state])
    parked = _gauge("latchkey_jobs_parked", "Jobs that wait for someone to act.", "portal", "actor")
    waiting = select(ScraperJob.portal, ScraperJob.parked_for, func.count()).where(is_parked())
    for portal, actor, count in session.execute(waiting.group_by(ScraperJob.portal, ScraperJob.parked_for)):
        parked.add_metric([portal, actor or UNKNOWN], count)
    since = func.min(func.coalesce(ScraperJob.available_at, ScraperJob.created_at))
    oldest = session.scalar(select(since).where(is_due(time)))
    lag = _gauge("latchkey_job_lag_seconds", "How long the oldest due job has waited; 0: none is due.")
    lag.add_metric([], max((time - oldest).total_seconds(), 0.0) if oldest is not None else 0.0)
    trouble = _gauge("latchkey_portal_in_trouble", "1 for a portal whose jobs wait.", "portal", "outcome")
    for row in overview.portals_in_trouble(session):
        trouble.add_metric([row["portal"], row["trouble"]], 1)
    yield from (jobs, parked, lag, trouble)


def _workers(session: Session, time: datetime) -> Iterator[Metric]:
    workers = _gauge("latchkey_workers", "Workers that were heard of in the last day.", "state")
    for state, count in sorted(Counter(row["state"] for row in overview.workers(session, time)).items()):
        workers.add_metric([state], count)
    slots = _gauge("latchkey_worker_slots", "Crawls that workers which answer may run side by side.")
    answering = select(func.sum(Worker.slots)).where(
        Worker.state == "working", Worker.seen_at >= time - overview.SILENT
    )
    slots.add_metric([], session.scalar(answering) or 0)
    schedules = _gauge("latchkey_schedules", "Schedules.", "state")
    for paused, count in session.execute(select(Schedule.paused, func.count()).group_by(Schedule.paused)):
        schedules.add_metric(["paused" if paused else "active"], count)
    yield from (workers, slots, schedules)
