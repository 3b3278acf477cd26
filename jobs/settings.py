"""Settings of workers: how many crawls, how long and how big, how often they look."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from database.settings import RoomSettings


class WorkerSettings(RoomSettings):
    """How a worker behaves."""

    worker_slots: int = Field(2, ge=1, description="Crawls that a worker runs side by side.")
    worker_poll: float = Field(2.0, gt=0, description="Seconds between two looks of a worker for due jobs.")
    worker_drain: float = Field(
        120.0, ge=0, description="Seconds that running crawls get when a worker is told to stop."
    )
    worker_health: Path | None = Field(None, description="File with a worker's state; empty: in the data folder.")
    crawl_life: float = Field(3600.0, gt=0, description="Seconds after which a worker ends a crawl.")
    crawl_memory: int = Field(
        1500, ge=50, description="MB of memory, browser included, above which a worker ends a crawl."
    )
    missed_after: float = Field(10.0, gt=0, description="Minutes after which a due time counts as missed.")
