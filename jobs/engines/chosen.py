"""The engine that LATCHKEY_ENGINE names."""

from __future__ import annotations

from database.engine import Database
from jobs.clock import Clock
from jobs.engines.embedded import Engine
from jobs.engines.scrapyd import ScrapydEngine
from jobs.settings import WorkerSettings


def chosen_engine(db: Database, clock: Clock, name: str | None = None, wait: float | None = None) -> Engine:
    """Return the engine of that name, by default the one of the settings. wait: seconds for an answer of its server, other than usual."""
    name = name or WorkerSettings.current().engine
    if name == "procrastinate":
        from jobs.engines.procrastinate import ProcrastinateEngine

        return ProcrastinateEngine(db, clock)
    if name == "prefect":
        from jobs.engines.prefect import PrefectEngine

        return PrefectEngine(db, clock) if wait is None else PrefectEngine(db, clock, wait)
    return ScrapydEngine(db, clock) if name == "scrapyd" else Engine(db, clock)
