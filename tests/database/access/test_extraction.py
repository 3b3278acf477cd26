"""Which number of a message is its code: 126 invented messages with one, and some without, in several languages."""

from __future__ import annotations

import json
from pathlib import Path

from database.access.extraction import candidates
from scrapers.reading.mail import readable

LOOKS = {"6": r"\b(\d{6})\b", "6-8": r"\b(\d{6,8})\b", "mixed": r"\b([A-Za-z0-9]{8})\b"}
LINES = Path(__file__).with_name("messages.jsonl").read_text(encoding="utf-8").splitlines()
MESSAGES = [json.loads(line) for line in LINES]


def said(kind: str, subject: str, body: str) -> str:
    """Return the text that the broker keeps of a message."""
    if kind == "sms":
        return body
    return readable(subject, "", body) if kind == "html" else readable(subject, body)


def test_no_wrong_code_is_taken_and_hardly_a_right_one_is_missed():
    found = [(*message, candidates(LOOKS[message[1]], said(*message[2:]))) for message in MESSAGES]
    taken = [(row[0], row[-1][0], *row[2:-1]) for row in found if len(row[-1]) == 1]
    assert [row for row in taken if row[0] != row[1]] == []
    with_code = [row for row in found if row[0] is not None]
    missed = [row for row in with_code if row[-1] != (row[0],)]
    assert len(with_code) == 126
    assert missed == []
