"""Pauses: as the portal asks, else longer with each try."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from scrapers.core.pace import FIRST_PAUSE, backoff, retry_after


def test_a_date_is_as_good_as_seconds():
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True)
    assert 85 < retry_after(date) <= 90
    assert 85 < retry_after((datetime.now(UTC) + timedelta(seconds=90)).strftime("%a %b %d %H:%M:%S %Y")) <= 90


PAST = ["Wed, 21 Oct 2015 07:28:00 GMT", "Sun Nov  6 08:49:37 1994", "Sunday, 06-Nov-94 08:49:37 GMT"]


@pytest.mark.parametrize(
    "text", ["", "soon", "-1", "1.5", "0", "00", "²", "٣", "Mon, 99 Nov 99999 00:00:00", *PAST, None]
)
def test_what_asks_for_no_pause_leaves_it_to_us(text):
    assert retry_after(text) is None


def test_pauses_grow_and_differ():
    for tries in range(1, 6):
        longest = FIRST_PAUSE * 2**tries
        pauses = [backoff(tries) for _ in range(50)]
        assert all(longest / 2 <= pause <= longest for pause in pauses)
        assert len(set(pauses)) > 1
