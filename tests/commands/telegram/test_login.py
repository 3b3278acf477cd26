"""`scrapy telegram login` as a person types at it."""

from __future__ import annotations

import sqlite3
import sys
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from sandbox import PASSWORD
from tests.project import wait_for
from tests.sandbox.telegram.client import play
from tests.telegram import API_HASH, API_ID
from tests.terminal import READY, Terminal

PHONE, APP, HASH = "Phone number, as +12015550100: ", "API id (my.telegram.org): ", "API hash: "
CODE, SECRET = "Code that Telegram has sent: ", "Password of the account: "


@pytest.fixture
def terminal(signing):
    environment = signing.env()
    environment["PATH"] = f"{Path(sys.executable).parent}:{environment['PATH']}"
    opened = Terminal(environment)
    wait_for(lambda: opened.sees(READY))
    yield opened
    opened.close()


def converse(terminal, command, *turns):
    """Type a command, answer each question in turn, and return what is said in the end; a function is asked for its answer."""
    terminal.type(command)
    said = ""
    for question, answer in turns:
        wait_for(partial(terminal.sees, question), 60)
        said += terminal.shown
        terminal.type(answer() if callable(answer) else answer)
    wait_for(lambda: terminal.sees(READY))
    return said + terminal.shown


def sessions(signing):
    with closing(sqlite3.connect(signing.data / "latchkey.db")) as db:
        return db.execute("SELECT name, state, user_id FROM telegram_sessions").fetchall()


def who(number):
    return (PHONE, number), (APP, str(API_ID)), (HASH, API_HASH)


def test_a_person_signs_in_with_a_slip_and_a_password(signing, terminal, server):
    number = server.number("password")
    code = lambda: server.code(number)  # noqa: E731 - it is known once it was sent
    said = converse(
        terminal,
        "scrapy telegram login --name Main",
        *who(number),
        (CODE, "00000"),
        (CODE, code),
        (SECRET, "not it"),
        (SECRET, PASSWORD),
    )
    assert "The code is wrong." in said
    assert "The password is wrong." in said
    assert "Stored: Main (" in said
    for secret in (API_HASH, server.code(number), PASSWORD, "not it"):
        assert secret not in said
    assert sessions(signing) == [("Main", "active", None)]
    said = converse(terminal, "scrapy telegram login", *who(number))
    assert "has a session already" in said
    said = converse(terminal, "scrapy telegram channels Main --no-details --json")
    assert "Weekly Reports" in said


def test_a_string_is_printed_on_request_and_not_stored(signing, terminal, server):
    number = server.number()
    said = converse(terminal, "scrapy telegram login --print", *who(number), (CODE, lambda: server.code(number)))
    assert "keep it like a password" in said
    (string,) = [line.strip() for line in said.splitlines() if len(line.strip()) == 353]

    async def scene():
        async with server.client(string) as client:
            return (await client.get_me()).phone

    assert f"+{play(scene())}" == number
    assert sessions(signing) == []


def test_what_telegram_refuses_is_one_sentence(terminal, server):
    assert "knows no such phone number" in converse(terminal, "scrapy telegram login", *who("+12015550100"))
    assert "has banned this phone number" in converse(terminal, "scrapy telegram login", *who(server.number("banned")))
    said = converse(terminal, "scrapy telegram login", *who(server.number("code-flood")))
    assert "It ends at " in said
    assert "Traceback" not in said
    assert "no phone number" in converse(terminal, "scrapy telegram login", (PHONE, "hello"))


def test_wrong_codes_have_a_bound(signing, terminal, server):
    number = server.number("code-refused")
    turns = [(CODE, f"1000{n}") for n in range(6)]
    said = converse(terminal, "scrapy telegram login", *who(number), *turns)
    assert "wrong too often" in said
    assert sessions(signing) == []
