"""What changes something at the company: commands that ask first, and do it once."""

from __future__ import annotations

import pytest

from commands._terminal import Refused, WrongArgument
from commands.iec.action import agree
from sandbox.iec.masa import connection_id, friend
from sandbox.iec.people import Customer
from scrapers.core.outcomes import OUTCOMES
from tests.portals.iec.conftest import Household


def iec(household: Household, *words: str):
    return household.project.scrapy("iec", *words, timeout=250)


def counted(household: Household, *names: str) -> list[int]:
    counters = household.admin.counters()
    return [counters[name] for name in names]


def test_a_report_is_mailed_when_somebody_agrees(household):
    """I14."""
    household.sign_in("ok")
    words = ("send-report", household.active[0], "--email", "owner@example.com")
    done = iec(household, *words, "--yes")
    assert (done.returncode, done.stdout) == (0, f"{household.active[0]}: the company says that it mails the report.\n")
    assert counted(household, "reports_mailed") == [1]
    assert household.admin.counters()["endpoints"].get("M3", 0) == 0
    run = household.rows("SELECT spider, outcome, target FROM runs")[0]
    assert tuple(run) == ("iec_send_report", "success", f"home {household.active[0]}")


@pytest.mark.matrix
def test_an_answer_that_is_not_true_sends_no_report(household):
    """And a request that failed on its way is not sent again: it may have been heard."""
    household.sign_in("ok")
    words = ("send-report", household.active[0], "--email", "owner@example.com", "--yes")
    household.admin.configure(answers=[{"path": r"/api/+Consumption/SendConsumption.*", "answer": "empty-5xx"}])
    done = iec(household, *words)
    assert (done.returncode, household.outcomes) == (OUTCOMES["portal_down"].exit_code, ["portal_down"])
    assert household.admin.counters()["endpoints"]["I14"] == 1
    assert done.stdout == ""


def test_an_invitation_and_its_end(household):
    """M6, M5: the link is printed as it is; who is removed no longer sees the contract."""
    household.sign_in("ok")
    contract = Customer(household.number).contracts[0]
    made = iec(household, "invite", contract.padded, "--yes")
    assert made.returncode == 0, made.stderr
    assert made.stdout.startswith("https://www.iec.example/invitations/")
    assert made.stdout == made.stdout.strip() + "\n"
    known = connection_id(friend(contract), contract)
    done = iec(household, "remove-shared", contract.number, known, "--yes")
    assert (done.returncode, done.stdout) == (0, f"{contract.number}: the company has removed the connection.\n")
    assert counted(household, "invitations", "shares_removed") == [1, 1]
    assert household.outcomes == ["success", "success"]


@pytest.mark.matrix
def test_ones_own_connection_is_not_removed(household):
    household.sign_in("ok")
    contract = Customer(household.number).contracts[0]
    own, known = (connection_id(who, contract) for who in (Customer(household.number).contact, friend(contract)))
    wrong = iec(household, "remove-shared", contract.number, own, "--yes")
    assert wrong.returncode == OUTCOMES["wrong_account"].exit_code
    assert f"Nobody else sees the contract by that connection; there are: {known}." in wrong.stderr
    assert counted(household, "shares_removed") == [0]


def test_nothing_is_done_without_a_yes(monkeypatch):
    agree("It changes something.", True)
    with pytest.raises(WrongArgument, match="Nobody is here to ask, so give --yes"):
        agree("It changes something.", False)
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    asked = []

    def answer(question: str) -> str:
        asked.append(question)
        return "n"

    monkeypatch.setattr("builtins.input", answer)
    with pytest.raises(Refused, match="Nothing was done"):
        agree("It changes something.", False)
    assert asked == ["It changes something. [y/N] "]
    monkeypatch.setattr("builtins.input", lambda question: "yes")
    agree("It changes something.", False)
