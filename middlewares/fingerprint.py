"""The request fingerprint: URL, method, body and job."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from scrapy.utils.request import RequestFingerprinter

from scrapers.core.requests import state_of

if TYPE_CHECKING:
    from scrapy import Request


class JobFingerprinter(RequestFingerprinter):
    """Scrapy's fingerprint plus the job: one URL returns different data for different accounts."""

    def fingerprint(self, request: Request) -> bytes:
        """Return 20 bytes."""
        plain = super().fingerprint(request)
        state = state_of(request)
        return plain if state is None else hashlib.sha1(plain + str(state.job).encode()).digest()
