"""The page of a sign-in that an operator finishes: who may see it, what it says and refuses; tests/crawl has it with a browser."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from cryptography.fernet import Fernet

from database.access.assisted import Wanted, ask, end, open_to_operator, take
from database.access.users import user_of
from database.engine import now
from database.models import AuditEntry, LedgerEntry, Run
from database.models.assisted import AssistedSignIn
from database.models.operators import Role
from database.processes import signature
from scrapers.logins.base import code_channels
from tests.project import free_port
from tests.webhook.pages.conftest import words

TYPED = "canary-of-the-operator"
NORTH = "north@example.com"


@pytest.fixture
def olga(house):
    """An operator, and a job that waits since its sign-in has met a captcha."""
    code_channels()  # imports every portal, as `scrapy serve` does
    visitor = house.operator()
    visitor.job = house.job("510000001", NORTH, outcome="captcha_shown")
    return visitor


def attempts(house, job):
    """Write down the sign-ins of the job's run: at both logins of its portal, of which one has met the captcha."""
    with house.db.transaction() as session:
        run = Run(crawl="c", spider="bell_pdf_invoice", portal="bell", report_type="pdf_invoice", target="")
        run.job_id, run.username = job, NORTH
        session.add(run)
        session.flush()
        for login, result in (("bell_self_serve", "captcha_shown"), ("bell_enterprise_centre", "signed_in")):
            row = LedgerEntry(login=login, username=NORTH, secret_fingerprint="", host="", pid=1, run_id=run.id)
            row.started_at = row.finished_at = now(session)
            row.result = result
            session.add(row)


def press(visitor):
    """Press the button, and return the number of the sign-in."""
    answer = visitor.client.post(f"/room/inbox/jobs/{visitor.job}/finish", data=visitor.hidden)
    assert answer.status_code == 303, words(answer)
    return int(answer.headers["Location"].rpartition("/")[2])


def taken(house, number, address=""):
    """Let a worker take it; with an address also open it."""
    with house.db.transaction() as session:
        assert take(session, signature(), timedelta(minutes=10), ["bell"]).id == number
        if address:
            at = now(session) + timedelta(minutes=5)
            assert open_to_operator(session, number, address, Fernet.generate_key().decode(), at)


def test_the_button_asks_for_one_sign_in_of_the_login_that_met_the_captcha(house, olga):
    olga.open("/room/inbox")
    page = olga.send(f"/room/inbox/jobs/{olga.job}/finish")
    assert (page.status_code, "several logins" in words(page)) == (409, True)
    attempts(house, olga.job)
    olga.open("/room/inbox")
    number = press(olga)
    row = house.one(AssistedSignIn, id=number)
    assert (row.portal, row.login, row.username, row.state) == ("bell", "bell_self_serve", NORTH, "asked")
    assert press(olga) == number  # it is under way
    said = words(olga.open(f"/room/finishing/{number}"))
    assert "bell north@example.com at bell_self_serve" in said
    entry = house.one(AuditEntry, action="sign_in.asked")
    assert (entry.actor, entry.subject) == ("olga@example.com", f"bell_self_serve {NORTH}")


@pytest.fixture
def asked(house, olga):
    """The number of a sign-in that olga has asked for."""
    with house.db.transaction() as session:
        number = ask(session, user_of(session, "olga@example.com").id, Wanted("bell", "bell_self_serve", NORTH, 1))
    olga.open(f"/room/finishing/{number}")
    return number


def test_only_the_operator_who_asked_sees_it(house, olga, asked):
    otto = house.member("otto@example.com", Role.OPERATOR)
    vera = house.member("vera@example.com", Role.VIEWER)
    for visitor, status in ((otto, 404), (vera, 403)):
        for path in ("", "/picture"):
            assert visitor.client.get(f"/room/finishing/{asked}{path}").status_code == status
        for path in ("/acts", "/cancel"):
            answer = visitor.client.post(f"/room/finishing/{asked}{path}", data={**visitor.hidden, "text": TYPED})
            assert (answer.status_code, TYPED in answer.text) == (status, False)
    attempts(house, olga.job)
    otto.open("/room/inbox")
    page = otto.send(f"/room/inbox/jobs/{olga.job}/finish")
    assert (page.status_code, "olga@example.com finishes this sign-in now" in words(page)) == (409, True)
    assert house.one(AssistedSignIn, id=asked).ended_at is None


def test_what_is_shown_while_it_waits_and_when_its_process_cannot_be_reached(house, olga, asked):
    picture = f"/room/finishing/{asked}/picture?after=0"
    for change, state in (
        (lambda: None, "asked"),
        (lambda: taken(house, asked, f"127.0.0.1:{free_port()}"), "away"),
    ):
        change()
        answer = olga.client.get(picture)
        assert (answer.status_code, answer.headers["Latchkey-State"]) == (204, state)
        assert answer.headers["Cache-Control"] == "no-store"
    acts = {"acts": json.dumps([{"kind": "text", "text": TYPED}])}
    assert olga.client.post(f"/room/finishing/{asked}/acts", data={**olga.hidden, **acts}).status_code == 409
    page = olga.send(f"/room/finishing/{asked}/acts", text=TYPED, key="Enter")
    assert ("That was not done" in words(page), TYPED in page.text) == (True, False)
    page = olga.send(f"/room/finishing/{asked}/acts", **{"at.x": "480", "at.y": "270"})
    assert "That was not done" in words(page)
    with house.db.transaction() as session:
        end(session, asked, "success", "Everything is stored.")
    assert olga.client.get(picture).status_code == 410
    assert "It is signed in." in words(olga.open(f"/room/finishing/{asked}"))


@pytest.mark.parametrize(
    "form",
    [
        {"acts": "[{'kind'"},
        {"acts": json.dumps([{"kind": "text", "text": TYPED, "more": 1}])},
        {"acts": json.dumps([{"kind": "key", "name": TYPED}])},
        {"text": TYPED * 50},
        {"at.x": "961", "at.y": "2"},
    ],
)
def test_what_is_no_act_is_refused_without_repeating_it(olga, asked, form, caplog):
    caplog.set_level("DEBUG")
    answer = olga.client.post(f"/room/finishing/{asked}/acts", data={**olga.hidden, **form})
    assert (answer.status_code, TYPED in answer.text + caplog.text) == (422, False)


def test_a_form_of_another_site_does_nothing(olga, asked):
    address = f"/room/finishing/{asked}/acts"
    assert olga.client.post(address, data={"text": TYPED}).status_code == 403
    elsewhere = {"Sec-Fetch-Site": "cross-site"}
    assert olga.client.post(address, data={**olga.hidden, "text": TYPED}, headers=elsewhere).status_code == 403


def test_it_can_be_ended_before_it_is_the_operators_turn(house, olga, asked):
    taken(house, asked)
    page = olga.send(f"/room/finishing/{asked}/cancel")
    assert "The sign-in is ended." in words(page)
    row = house.one(AssistedSignIn, id=asked)
    assert (row.state, row.outcome, row.key, row.address) == ("ended", None, None, None)
    said = words(olga.open(f"/room/finishing/{asked}"))
    assert "It has ended without a session. It was cancelled" in said


@pytest.mark.parametrize(
    ("outcome", "is_offered"), [("captcha_shown", True), ("mfa_required", True), ("bad_credentials", False)]
)
def test_it_is_offered_where_a_person_helps(house, olga, outcome, is_offered):
    job = house.job("520000002", "south@example.com", outcome=outcome)
    entries = [entry for cause in olga.client.get("/api/v1/inbox").get_json()["causes"] for entry in cause["entries"]]
    (acts,) = [entry["acts"] for entry in entries if entry["id"] == job]
    assert ("finish_sign_in" in acts) == is_offered
