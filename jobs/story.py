"""What is told of a run, as plain data: what happened, who must act, what was counted, stored and recovered."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from database.models import Run, RunState, StoredFile
from scrapers.core.outcomes import OUTCOMES

RECOVERED = ": recovered "  # in a warning of what was recovered in the same run


def story(session: Session, run: Run, files: int | None = None) -> dict[str, Any]:
    """Return everything that is known about a run, in the order in which a person wants it. files: how many at most."""
    outcome = OUTCOMES.get(run.outcome or "")
    of_run = select(StoredFile).where(StoredFile.run_id == run.id).order_by(StoredFile.id).limit(files)
    running = run.state == RunState.RUNNING
    if running:
        sentence = (
            "Its process has ended without a word: run it again, nothing that was stored is lost."
            if run.has_died
            else "It is still running."
        )
    else:
        sentence = outcome.sentence if outcome else "This outcome is unknown to this version."
    return {
        "run": run.id,
        "spider": run.spider,
        "target": run.target,
        "username": run.username,
        "job": run.job_id,
        "started": run.started_at,
        "ended": run.finished_at,
        "seconds": seconds(run),
        "outcome": run.outcome or "running",
        "what_happened": sentence,
        "seen": (run.message or "").removeprefix(outcome.sentence if outcome else "").strip() or None,
        "step": run.step,
        "selector": run.selector,
        "who_must_act": run.actor if run.outcome not in (None, "success") else None,
        "try_again": outcome.retry.value if outcome and run.outcome != "success" else None,
        "what_to_do": outcome.advice if outcome and not running else None,
        "counts": {
            "files": run.files,
            "records": run.records,
            "already stored": run.already,
            "missing": run.missing,
            "sign-ins": run.sign_ins,
            "requests": run.requests,
            "downloads": run.downloads,
        },
        "missing": run.missing_names,
        "warnings": run.warnings,
        "files": [
            {
                "id": file.id,
                "name": file.key,
                "path": file.path,
                "size": file.size,
                "sha256": file.sha256,
                "status": file.status.value,
            }
            for file in session.scalars(of_run)
        ],
        "bundle": run.bundle,
    }


def recovered(run: Run) -> list[str]:
    """Return what a run has recovered from by itself, as its warnings say."""
    return [warning for warning in run.warnings if RECOVERED in warning]


def seconds(run: Run) -> float | None:
    """Return how long a run took; None while it runs."""
    return round((run.finished_at - run.started_at).total_seconds(), 1) if run.finished_at else None
