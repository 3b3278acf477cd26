"""Receivers and senders as people, gateways and mailboxes write them."""

from __future__ import annotations

import pytest

from database.access.addresses import address, mail_address, receivers

PHONE, MAIL = "+15550160006", "codes@example.com"


@pytest.mark.parametrize(
    "given",
    [
        f"{PHONE};{MAIL}",
        f"{PHONE},{MAIL}",
        f"{MAIL} {PHONE}",
        f"{PHONE}\n{MAIL}",
        f"+1 (555) 016-0006 / {MAIL.upper()}",
        f"\u202a{PHONE}\u202c, co\u200bdes@example.com",
        "tel:+15550160006, Codes <codes@example.com>",
        "\uff0b1 555 016\u00a00006 | codes@example.com",
        f"{PHONE}, {MAIL}, 1-555-016-0006",
    ],
)
def test_both_receivers_are_kept(given):
    assert receivers(given) == {"sms": PHONE, "mail": MAIL}


@pytest.mark.parametrize("given", ["+972 (0)50-123-4567", "+9720501234567", "00972 50 1234567", "972-50-1234567"])
def test_a_number_has_one_spelling_with_and_without_the_zero_that_is_dialled_at_home(given):
    assert receivers(given) == {"sms": "+972501234567"}
    assert address(given) == "+972501234567"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("050-1234567", "no country code"),
        ("0161 496 0000", "no country code"),
        ("BELL", "neither a phone number"),
        ("61234", "neither a phone number"),
        (f"{PHONE} ext 5", "neither a phone number"),
        ("codes@", "neither|no mail address"),
        ("a@b@example.com", "no mail address"),
        (f"{PHONE}, +15550160007", "only one phone number"),
        (f"{MAIL}; other@example.com", "only one mail address"),
    ],
)
def test_what_no_message_could_come_to_is_refused_with_a_sentence(given, said):
    with pytest.raises(ValueError, match=said):
        receivers(given)


@pytest.mark.parametrize(
    "given",
    [
        "Bell, Canada <codes@example.com>",
        "Bell: Canada <codes@example.com>",
        "Bell @ Home <codes@example.com>",
        'Bell "Canada <codes@example.com>',
        "Bell <codes@example.com",
        "codes@example.com (Bell, Canada)",
        "=?utf-8?q?Bell=2C_Canada?= <codes@example.com>",
        "other@example.net <codes@example.com>",
        '"<other@example.net>" <codes@example.com>',
    ],
)
def test_the_sender_is_the_address_and_never_the_name(given):
    assert mail_address(given) == "codes@example.com"


@pytest.mark.parametrize("given", ["", "Bell", "a@example.com, b@example.com", "A <a@example.com>, B <b@example.com>"])
def test_no_sender_and_several_are_none(given):
    assert mail_address(given) == ""
