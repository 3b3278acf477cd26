"""Which version answers, and since when: a service that still runs old code is seen from outside."""

from __future__ import annotations

from datetime import UTC, datetime

from scrapers.core.version import version

__all__ = ["STARTED_AT", "version"]

STARTED_AT = datetime.now(UTC)
