"""Pauses: as the portal asks, else longer with each try."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from scrapers.core.pace import FIRST_PAUSE, backoff, retry_after


def test_a_date_is_as_good_as_seconds():
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True)
    assert 85 < retry_after(date) <= 90
    assert retry_after("Wed, 21 Oct 2015 07:28:00 GMT") == 0


@pytest.mark.parametrize("text", ["", "soon", "-1", "1.5", None])
def test_what_nobody_understands_asks_for_nothing(text):
    assert retry_after(text) is None


def test_pauses_grow_and_differ():
    for tries in range(1, 6):
        longest = FIRST_PAUSE * 2**tries
        pauses = [backoff(tries) for _ in range(50)]
        assert all(longest / 2 <= pause <= longest for pause in pauses)
        assert len(set(pauses)) > 1
