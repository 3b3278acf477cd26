"""The messages that carry a picture and acts between two processes: sealed, taken once, and silent about what they hold."""

from __future__ import annotations

import json

import pytest
from cryptography.fernet import Fernet
from pydantic import ValidationError

from scrapers.core.remote import ACTS, Ask, Broken, Key, Picture, Seal, Text, answer, read_answer

NONCE = "n" * 20
TYPED = "open-sesame"


def test_an_answer_carries_facts_and_the_picture():
    picture = Picture(7, b"\xff\xd8\npicture\n")
    assert read_answer(NONCE, answer(NONCE, picture, done=True)) == ({"done": True}, picture)
    assert read_answer(NONCE, answer(NONCE, None)) == ({}, None)
    with pytest.raises(Broken):
        read_answer("another", answer(NONCE, picture))


def test_a_message_is_taken_once_and_from_whom_has_the_key_alone():
    key = Seal.new_key()
    reader = Seal(key)
    message = Seal(key).close(b"act")
    assert reader.open(message) == b"act"
    old = Fernet(key).encrypt_at_time(b"act", 0)
    for broken in (message, b"nothing", Seal(Seal.new_key()).close(b"act"), message[:-4] + b"AAA=", old):
        with pytest.raises(Broken):
            reader.open(broken)


@pytest.mark.parametrize(
    "acts",
    [
        [{"kind": "key", "name": TYPED}],
        [{"kind": "key", "name": "F5"}],
        [{"kind": "text", "text": TYPED * 100}],
        [{"kind": "down", "x": 1.01, "y": 0, "typed": TYPED}],
        [{"kind": "wheel", "by": 99_999}],
        [{"kind": "run", "text": TYPED}],
        [{"kind": "key", "name": "Tab"}] * 61,
        {"kind": "text", "text": TYPED},
    ],
)
def test_what_is_no_act_is_refused_without_repeating_it(acts):
    with pytest.raises(ValidationError) as refused:
        ACTS.validate_json(json.dumps(acts))
    assert TYPED not in str(refused.value)


def test_what_is_typed_is_in_no_text_of_an_act():
    acts = [Text(kind="text", text=TYPED), Key(kind="key", name="Enter")]
    assert TYPED not in repr(acts) + repr(Ask(nonce=NONCE, do="act", acts=acts))
    assert ACTS.validate_json(json.dumps([each.model_dump() for each in acts])) == acts
