"""Settings of the queue of jobs: tries, pauses, limits of a portal. Every process that ends a run reads them."""

from __future__ import annotations

from pydantic import Field

from database.settings import RoomSettings


class QueueSettings(RoomSettings):
    """How often a job is tried, and how many crawls a portal gets."""

    job_tries: int = Field(3, ge=1, description="Tries of a job; waiting for the portal or for its owner uses up none.")
    job_pause: float = Field(60.0, gt=0, description="Minutes before a failed job is tried again; doubled each time.")
    report_pause: float = Field(
        10.0, gt=0, description="Minutes before a report that the portal is making is collected."
    )
    portal_crawls: int = Field(2, ge=1, description="Crawls of one portal side by side, all workers together.")
    portal_pace: int = Field(
        0, ge=0, description="Requests to one portal in a minute, all processes together; 0: no limit."
    )
    breaker_after: int = Field(
        5, ge=1, description="Credentials that meet a portal's trouble before its other jobs wait."
    )
    breaker_pause: float = Field(
        15.0, gt=0, description="Minutes before one job tries a portal in trouble; doubled each time."
    )
