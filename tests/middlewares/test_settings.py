"""The settings of mailboxes: what is wrong is named, and no secret is shown."""

from __future__ import annotations

import json

import pytest

from database.settings import SettingsError
from middlewares.settings import MailboxSettings

ONE = {"ADDRESS": "codes@example.org", "HOST": "mail.example.org", "PASSWORD": "never-shown"}
ENTRY = {"address": "Second@Example.org, third@example.org", "host": "mail.example.org", "password": "never-shown"}


def load(monkeypatch, **values):
    for name, value in values.items():
        monkeypatch.setenv(f"LATCHKEY_{name}", value)
    return MailboxSettings.load()


def one(**changes):
    return {f"MAILBOX_{name}": value for name, value in {**ONE, **changes}.items() if value is not None}


def test_none_is_set_by_default():
    assert MailboxSettings.load().every() == ()


def test_one_mailbox_and_further_ones(monkeypatch):
    settings = load(monkeypatch, **one(), MAILBOXES=json.dumps([{**ENTRY, "user": "u", "security": "starttls"}]))
    assert [mailbox.address for mailbox in settings.every()] == [
        ("codes@example.org",),
        ("second@example.org", "third@example.org"),
    ]
    assert settings.of("Third@example.org").at == "mail.example.org:143"
    assert settings.of("codes@example.org").at == "mail.example.org:993"
    assert (settings.of("codes@example.org").login, settings.of("third@example.org").login) == (
        "codes@example.org",
        "u",
    )
    assert settings.of("fourth@example.org") is None
    assert "never-shown" not in repr(settings) + str(settings.every())


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "localhost"])
def test_plain_text_is_for_this_machine(monkeypatch, host):
    assert load(monkeypatch, **one(HOST=host, SECURITY="none")).every()[0].at.endswith(":143")


@pytest.mark.parametrize(
    ("values", "named"),
    [
        (one(HOST=None), "LATCHKEY_MAILBOX_HOST: it is not set"),
        (one(PASSWORD=None), "LATCHKEY_MAILBOX_PASSWORD: it is not set"),
        (one(ADDRESS="codes"), "LATCHKEY_MAILBOX_ADDRESS: it must be a mail address"),
        (one(ADDRESS="a@example.org,codes"), "LATCHKEY_MAILBOX_ADDRESS: it must be a mail address"),
        (one(PORT="x"), "LATCHKEY_MAILBOX_PORT"),
        (one(SECURITY="ssl"), "LATCHKEY_MAILBOX_SECURITY"),
        (one(SECURITY="none"), "LATCHKEY_MAILBOX_SECURITY: none is for a server on this machine"),
        (one(CA_FILE="/nowhere"), "LATCHKEY_MAILBOX_CA_FILE: there is no such file"),
        (one(POLL="0"), "LATCHKEY_MAILBOX_POLL"),
        ({"MAILBOXES": "{"}, "LATCHKEY_MAILBOXES: it is not JSON"),
        ({"MAILBOXES": "{}"}, "LATCHKEY_MAILBOXES: it must be a JSON list"),
        ({"MAILBOXES": '["never-shown"]'}, "LATCHKEY_MAILBOXES: it must be a JSON list of objects"),
        ({"MAILBOXES": json.dumps([ENTRY, {**ENTRY, "host": None}])}, "LATCHKEY_MAILBOXES: `host` of entry 2"),
        ({"MAILBOXES": json.dumps([{**ENTRY, "pasword": "never-shown"}])}, "LATCHKEY_MAILBOXES: `pasword` of entry 1"),
        ({"MAILBOXES": json.dumps([{**ENTRY, "security": "none"}])}, "LATCHKEY_MAILBOXES: entry 1: none is for"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_wrong_is_named_and_not_shown(monkeypatch, values, named):
    with pytest.raises(SettingsError) as caught:
        load(monkeypatch, **values)
    assert named in str(caught.value)
    assert "never-shown" not in str(caught.value)
