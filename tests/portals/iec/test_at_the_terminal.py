"""The electric company's sign-in with a person at the terminal: which way, which code, and what a wrong one costs."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.portals.iec.conftest import NEXT_CODE, Household
from tests.project import wait_for
from tests.terminal import READY, Terminal

WAY, CODE, AGAIN = "Send the code by (sms, mail): ", "One-time code of iec: ", "The code was refused. Once more: "


@pytest.fixture
def terminal(household: Household) -> Iterator[Terminal]:
    environment = household.project.env()
    environment["PATH"] = f"{Path(sys.executable).parent}:{environment['PATH']}"
    opened = Terminal(environment)
    wait_for(lambda: opened.sees(READY))
    yield opened
    opened.close()


def converse(terminal: Terminal, *turns: tuple[str, str]) -> str:
    """Type `scrapy test-login iec`, answer each question in turn, and return what is said in the end."""
    terminal.type("scrapy test-login iec")
    for question, answer in turns:
        wait_for(lambda question=question: terminal.sees(question), 60)  # type: ignore[misc]
        terminal.type(answer)
    wait_for(lambda: terminal.sees(READY))
    return terminal.shown


def test_a_person_chooses_the_way_and_pastes_the_code(household, terminal):
    number = household.give()
    household.admin.user(number, next_codes=[NEXT_CODE])
    said = converse(terminal, (WAY, "mail"), (CODE, f" {NEXT_CODE[:3]} {NEXT_CODE[3:]} "))
    assert "iec: signed in" in said
    assert household.admin.counters()["code_requests_by_factor"] == {"mail": 1}
    assert NEXT_CODE not in said


def test_three_wrong_codes_cost_one_attempt_and_one_message(household, terminal):
    number = household.give()
    household.admin.user(number, next_codes=[NEXT_CODE])
    converse(terminal, (WAY, "sms"), (CODE, "111111"), (AGAIN, "222222"), (AGAIN, "333333"))
    (attempt,) = household.rows("SELECT result FROM attempts")
    assert household.outcomes == [attempt["result"]]
    assert attempt["result"] in ("mfa_failed", "account_locked")  # OKTA locks the sign-in with the third
    said = converse(terminal)
    assert household.outcomes[1] == "credential_cooling_down"
    counters = household.admin.counters()
    assert (counters["code_requests"], counters["codes_refused"]) == (1, 3)
    assert number not in said
