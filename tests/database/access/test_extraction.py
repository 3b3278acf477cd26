"""Which number of a message is its code: 191 invented messages with one, and some without, in several languages."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

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
    assert len(with_code) == 193
    assert missed == []


@pytest.mark.parametrize(
    "code", ["b2Xx0ZIm", "70X9v42d", "v9IW6QYY", "S6lXx8SS", "PvRs8g5g", "rS94uiW1", "BVOWP6v0", "TSUD5cp4"]
)
def test_words_and_masks_inside_a_code_of_letters_and_digits_are_parts_of_it(code):
    pattern = r"(?<![\w/=.@#%&+-])[A-Za-z0-9]{8}(?![\w/=@%-])"
    assert candidates(pattern, f"Hello,\n\nplease use this code {code} to sign in.\n") == (code,)
    assert candidates(pattern, f"Bonjour,\n\nveuillez utiliser le code {code} pour ouvrir une session.\n") == (code,)
