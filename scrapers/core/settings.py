"""What the crawl can be told through the environment; `scrapers/settings.py` is Scrapy's own map."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import AliasChoices, Field

from database.settings import RoomSettings, SettingsError


class CrawlSettings(RoomSettings):
    """How crawls behave: browser, waits, pace. Waits are in seconds."""

    headless: bool = Field(
        True,
        validation_alias=AliasChoices("LATCHKEY_HEADLESS", "HEADLESS"),
        description="False shows the browser's window.",
    )
    browser: Literal["chrome", "firefox", "edge", "safari"] = Field("chrome", description="Which browser runs flows.")
    browser_path: Path | None = Field(None, description="Browser to start; empty means the first one that is found.")
    browser_pages: int = Field(
        2, ge=1, description="Sessions that may sign in and be visited side by side in the browser."
    )
    requests_in_flight: int = Field(16, ge=1, description="HTTP requests in flight to one portal at most.")
    page_wait: float = Field(30.0, gt=0, description="How long a flow waits for a named element.")
    flow_wait: float = Field(900.0, gt=0, description="How long a whole flow may take.")
    sign_in_wait: float = Field(300.0, gt=0, description="How long a sign-in may take, codes included.")
    code_wait: float = Field(120.0, gt=0, description="How long a sign-in waits for its one-time code.")
    person_wait: float = Field(300.0, gt=0, description="How long a person may take to finish a visible sign-in.")
    busy_wait: float = Field(600.0, ge=0, description="How long a run waits for another run in the same session.")
    download_wait: float = Field(120.0, gt=0, description="How long a download may take to start.")
    report_wait: float = Field(600.0, ge=0, description="How long a run waits for a report that the portal is making.")
    retry_wait: float = Field(60.0, ge=0, description="Longest pause between two tries of one request.")
    evidence: bool = Field(True, description="Keep a bundle of every failed run.")
    credentials_file: Path | None = Field(None, description="JSON file of credentials with mode 600.")


@cache
def crawl_settings() -> CrawlSettings:
    """Return the settings of this process, read once."""
    settings = CrawlSettings.load()
    assert isinstance(settings, CrawlSettings)
    return settings


def portal_option(name: str, default: float) -> float:
    """Return a portal's own number from the environment (`BELL_HEADER_WAIT`), in the unit of its default."""
    text = os.environ.get(name, "")
    if not text:
        return default
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number < float("inf"):
        raise SettingsError(f"{name} must be a number, 0 or more.")
    return number
