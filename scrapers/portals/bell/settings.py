"""Settings of Bell's spiders. The addresses of sign-ins are settings of the logins."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from scrapers.core.settings import PortalSettings


class BellSettings(PortalSettings):
    """`BELL_…` variables."""

    portal: ClassVar[str] = "bell"

    header_wait: float = Field(
        60.0,
        ge=0,
        allow_inf_nan=False,
        description="Seconds after which a missing header menu of an e-report counts as the cache error.",
    )
