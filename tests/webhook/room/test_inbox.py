"""What needs a person: grouped by cause, oldest first; each act solves its entry, and no secret is kept in clear."""

from __future__ import annotations

import asyncio
import re
from datetime import timedelta

import pytest
from sqlalchemy import text

from database.access.codes import CodeBroker, MessageNotReceived, OpenRequest, purge_expired
from database.access.encryption import key_ring
from database.access.ledger import BAD_CREDENTIALS, Ledger, Refusal
from database.engine import now
from database.jobs.causes import collect, failed_job
from database.jobs.queue import of_due_time
from database.models import CodeRequest, Run, ScraperJob, StoredCredential
from database.models.codes import CodeRequestState
from database.models.jobs import ScraperJobStatus
from database.models.notices import Cause
from database.models.operators import Acceptance
from database.models.runs import RunState
from tests.webhook.pages.conftest import words
from tests.webhook.room.conftest import PASSWORD

NEW = "another-secret"


@pytest.fixture
def olga(house):
    """An operator who is signed in."""
    return house.operator()


def causes(visitor):
    """Return the inbox by the API: cause -> entries."""
    answer = visitor.client.get("/api/v1/inbox")
    assert answer.status_code == 200
    return {cause["cause"]: cause["entries"] for cause in answer.get_json()["causes"]}


def test_nothing_to_do(house, olga):
    assert words(olga.open("/room/inbox")) == "Inbox Look again Nothing needs a person now."
    assert causes(olga) == {}


def test_what_waits_is_grouped_by_cause_oldest_first(house, olga):
    with house.db.transaction() as session:
        at = now(session)
    day = timedelta(days=1)
    house.account("North Ltd", "510000003", "north@example.com")
    first = house.job("520000002", "south@example.com", parked_at=at - 3 * day)
    locked = house.job("510000001", "north@example.com", outcome="account_locked", parked_at=at - 5 * day)
    refused = [house.job("510000001", "north@example.com", month=month, parked_at=at - day) for month in (8, 9)]
    refused.append(house.job("510000003", "north@example.com", parked_at=at - 2 * day))
    code = house.waits("south@example.com", first)
    found = causes(olga)
    assert list(found) == ["code_wanted", "account_locked", "bad_credentials"]
    assert [(each["id"], each["jobs"], each["clients"]) for each in found["bad_credentials"]] == [
        (first, 1, ["South Ltd"]),
        (refused[0], 3, ["North Ltd"]),
    ]
    assert found["bad_credentials"][1]["since"].startswith(f"{at - 2 * day:%Y-%m-%dT%H:%M}")
    assert found["bad_credentials"][0]["acts"] == ["change_secret", "unblock"]
    assert [each["id"] for each in found["account_locked"]] == [locked]
    assert (found["code_wanted"][0]["id"], found["code_wanted"][0]["code"]["receiver"]) == (code, "…0100")
    said = words(olga.open("/room/inbox"))
    assert said.index("Code wanted") < said.index("Account locked") < said.index("Bad credentials")
    assert "3 jobs wait for it" in said
    assert "1 job waits for it" in said


def test_jobs_that_go_on_by_themselves_need_nobody(house, olga):
    house.job("510000001", "north@example.com", parked_for=None, parked_at=None, outcome="portal_down")
    done = {"status": ScraperJobStatus.SUCCESS, "outcome": "success"}
    house.job("520000002", "south@example.com", **done)
    # An error that a later job of the same target and period has made up for.
    house.job("520000002", "south@example.com", month=9, status=ScraperJobStatus.ERROR, outcome="portal_down")
    house.job("520000002", "south@example.com", month=9, **done)
    assert causes(olga) == {}


# Codes


def answered(house, request_id, seconds=0.0):
    """Return the code that the sign-in of a request gets, as a crawl asks for it; None for none."""
    request = house.one(CodeRequest, id=request_id)
    waiting = OpenRequest(house.db.db, request_id, request.receiver, "bell", 0.01)
    try:
        return asyncio.run(waiting.answer(seconds))
    except MessageNotReceived:
        return None


def test_two_sign_ins_wait_and_each_gets_its_own_code(house, olga):
    north = house.waits("north@example.com", house.job("510000001", "north@example.com"))
    south = house.waits("south@example.com", house.job("520000002", "south@example.com"), receiver="+12015550101")
    olga.open("/room/inbox")
    assert "The code is given" in words(olga.send(f"/room/inbox/codes/{south}", code=" 222 333 "))
    assert olga.client.post(f"/api/v1/inbox/codes/{north}", json={"code": "444555"}).status_code == 204
    with house.db.transaction() as session:
        stored = session.execute(text("SELECT typed FROM code_requests ORDER BY id")).scalars().all()
        assert all(value and "222333" not in value and "444555" not in value for value in stored)
        assert [key_ring().decrypt(value) for value in stored] == ["444555", "222333"]
    assert (answered(house, north), answered(house, south)) == ("444555", "222333")
    assert [row.typed for row in house.all(CodeRequest)] == [None, None]
    assert {row.state for row in house.all(CodeRequest)} == {CodeRequestState.ANSWERED}
    assert "code_wanted" not in causes(olga)
    did = [action for _, action in house.actions() if action.startswith("code.")]
    assert did == ["code.typed", "code.typed", "code.used", "code.used"]


@pytest.mark.parametrize("typed", ["12345", "123456789", "letters", "123456 and 654321", "x" * 1999])
def test_a_text_that_is_no_code_is_not_given(house, olga, typed):
    request = house.waits("north@example.com", house.job("510000001", "north@example.com"))
    olga.open("/room/inbox")
    page = olga.send(f"/room/inbox/codes/{request}", code=typed)
    assert (page.status_code, "That is no code of bell_self_serve" in words(page)) == (422, True)
    assert typed not in page.text
    answer = olga.client.post(f"/api/v1/inbox/codes/{request}", json={"code": typed})
    assert (answer.status_code, list(answer.get_json()["fields"]), typed in answer.text) == (422, ["code"], False)
    assert house.one(CodeRequest, id=request).typed is None


def test_a_code_is_not_given_to_another_sign_in(house, olga):
    """Also not to a later one of the same user, receiver and senders."""
    job = house.job("510000001", "north@example.com")
    first = house.waits("north@example.com", job)
    assert olga.client.post(f"/api/v1/inbox/codes/{first}", json={"code": "123456"}).status_code == 204
    with house.db.transaction() as session:
        request, at = session.get_one(CodeRequest, first), now(session)
        request.deadline, request.closed_at, request.state = at, at, CodeRequestState.EXPIRED
    second = house.waits("north@example.com", job)
    assert answered(house, second) is None
    with house.db.transaction() as session:
        purge_expired(session)
    assert house.one(CodeRequest, id=first).typed is None


@pytest.mark.parametrize("why", ["answered", "expired", "closed", "run over", "never was"])
def test_a_late_code_is_told_and_kept_nowhere(house, olga, why):
    job = house.job("510000001", "north@example.com")
    request = house.waits("north@example.com", job)
    olga.open("/room/inbox")
    with house.db.transaction() as session:
        row, at = session.get_one(CodeRequest, request), now(session)
        if why == "answered":
            row.state = CodeRequestState.ANSWERED
        elif why == "expired":
            row.deadline = at
        elif why == "closed":
            row.closed_at, row.state = at, CodeRequestState.EXPIRED
        elif why == "run over":
            run = session.get_one(Run, row.run_id)
            run.state, run.finished_at = RunState.FINISHED, at
    number = request if why != "never was" else request + 1000
    assert "no longer waits for a code" in words(olga.send(f"/room/inbox/codes/{number}", code="123456"))
    answer = olga.client.post(f"/api/v1/inbox/codes/{number}", json={"code": "123456"})
    assert answer.status_code == 410
    assert house.one(CodeRequest, id=request).typed is None
    if why != "never was":
        assert "code_wanted" not in causes(olga)


def test_a_code_before_the_portal_was_asked_is_refused(house, olga):
    request = house.waits("north@example.com", sent_at=None)
    assert causes(olga) == {}
    answer = olga.client.post(f"/api/v1/inbox/codes/{request}", json={"code": "123456"})
    assert (answer.status_code, "not asked for a code yet" in answer.text) == (422, True)


@pytest.mark.parametrize(
    ("pattern", "kind", "typed", "found"),
    [
        (r"code ([A-Z0-9]{8})\b", "code", "AB12CD34", "AB12CD34"),
        (r"(?<!\d)(\d{6})(?!\d)", "code", "377-537", "377537"),
        (r"(https://[\w./?=-]+)", "link", "https://portal.example/go?t=1", "https://portal.example/go?t=1"),
    ],
)
def test_codes_of_other_forms(house, olga, pattern, kind, typed, found):
    request = house.waits("north@example.com", pattern=pattern, kind=kind)
    assert olga.client.post(f"/api/v1/inbox/codes/{request}", json={"code": typed}).status_code == 204
    assert answered(house, request) == found


def test_both_receivers_of_one_sign_in_are_one_entry(house, olga):
    job = house.job("510000001", "north@example.com")
    by_phone = house.waits("north@example.com", job)
    run = house.one(CodeRequest, id=by_phone).run_id
    by_mail = house.waits("north@example.com", receiver="codes@example.com", run_id=run)
    assert [each["id"] for each in causes(olga)["code_wanted"]] == [by_phone]
    assert olga.client.post(f"/api/v1/inbox/codes/{by_phone}", json={"code": "123456"}).status_code == 204
    assert answered(house, by_mail) == "123456"


def test_a_real_broker_gets_what_is_typed(house, olga):
    async def sign_in():
        broker = CodeBroker(house.db.db, poll=0.01)
        opened = broker.open(
            login="bell_self_serve", portal="bell", username="north@example.com", receiver="+12015550177",
            senders=["BELL"], pattern=r"\b(\d{6,8})\b",
        )  # fmt: skip
        async with opened as request:
            await request.may_send()
            entry = causes(olga)["code_wanted"][0]
            assert olga.client.post(f"/api/v1/inbox/codes/{entry['id']}", json={"code": "808182"}).status_code == 204
            return await request.answer(10)

    assert asyncio.run(sign_in()) == "808182"
    assert causes(olga) == {}


# Jobs


def test_a_changed_secret_frees_its_jobs_and_is_not_shown(house, olga):
    jobs = [house.job("510000001", "north@example.com", month=month) for month in (8, 9)]
    other = house.job("520000002", "south@example.com")
    olga.open("/room/inbox")
    page = olga.send(f"/room/inbox/jobs/{jobs[0]}/secret", password=NEW, totp_secret="")
    assert "The new secret is stored" in words(page)
    assert NEW not in page.text
    assert [each["id"] for each in causes(olga)["bad_credentials"]] == [other]
    assert house.one(StoredCredential, username="north@example.com").password == NEW
    assert house.one(StoredCredential, username="south@example.com").password == PASSWORD
    freed = house.one(ScraperJob, id=jobs[0])
    assert (freed.parked_for, freed.log.rpartition("] ")[2]) == (None, "Due again: its credential has changed.")
    assert ("olga@example.com", "credential.changed") in house.actions()
    solved = olga.client.put(f"/api/v1/inbox/jobs/{jobs[0]}/secret", json={"password": NEW})
    assert solved.status_code == 410


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"password": ""}, "password"),
        ({"password": "two\nlines"}, "password"),
        ({"password": NEW, "totp_secret": "no base32!"}, "totp_secret"),
        ({"password": NEW, "stored_for": "elsewhere"}, "stored_for"),
    ],
)
def test_a_secret_that_cannot_be_right_is_refused_by_name(house, olga, given, field):
    job = house.job("510000001", "north@example.com")
    answer = olga.client.put(f"/api/v1/inbox/jobs/{job}/secret", json=given)
    assert (answer.status_code, list(answer.get_json()["fields"])) == (422, [field])
    olga.open("/room/inbox")
    page = olga.send(f"/room/inbox/jobs/{job}/secret", **given)
    assert page.status_code == 422
    assert f'id="change_secret-{job}-{field}-problem"' in page.text
    assert "no base32!" not in page.text
    assert NEW not in page.text
    assert house.one(StoredCredential, username="north@example.com").password == PASSWORD


def test_a_credential_that_is_kept_elsewhere_is_not_changed_here(house, olga):
    job = house.job("510000001", "of-the-environment@example.com")
    answer = olga.client.put(f"/api/v1/inbox/jobs/{job}/secret", json={"password": NEW})
    assert (answer.status_code, "the environment or a file" in answer.text) == (409, True)


def test_an_unblocked_credential_may_be_tried_again(house, olga):
    ledger = Ledger(house.db.db)
    attempt = ledger.begin("bell", "north@example.com", "secret")
    ledger.finish(attempt, BAD_CREDENTIALS)
    with pytest.raises(Refusal):
        ledger.check("bell", "north@example.com", "secret")
    job = house.job("510000001", "north@example.com", outcome="credential_blocked")
    olga.open("/room/inbox")
    assert "may be tried again" in words(olga.send(f"/room/inbox/jobs/{job}/unblock"))
    assert causes(olga) == {}
    assert house.one(ScraperJob, id=job).parked_for is None


def test_a_period_that_is_gone_is_accepted(house, olga):
    gone = {"status": ScraperJobStatus.ERROR, "outcome": "no_longer_available"}
    first, second = house.job("510000001", "north@example.com", 3, **gone), house.job("520000002", None, 3, **gone)
    assert [each["id"] for each in causes(olga)["no_longer_available"]] == [first, second]
    olga.open("/room/inbox")
    assert "It is accepted" in words(olga.send(f"/room/inbox/jobs/{first}/accept"))
    assert [each["id"] for each in causes(olga)["no_longer_available"]] == [second]
    kept = house.one(Acceptance)
    assert (kept.identity, kept.actor) == ("bell_pdf_invoice 510000001 2026-03", "olga@example.com")
    assert ("olga@example.com", "period.accepted") in house.actions()
    assert olga.client.post(f"/api/v1/inbox/jobs/{first}/accept").status_code == 410
    assert olga.client.post(f"/api/v1/inbox/jobs/{second}/accept").get_json() == {"jobs": 1}


def open_causes(house):
    with house.db.transaction() as session:
        collect(session, now(session))
    return [(cause.outcome, cause.failures) for cause in house.all(Cause) if cause.solved_at is None]


def test_an_accepted_period_is_told_of_no_more(house, olga):
    """One cause for an account: it goes on as long as another of its periods needs a person."""
    gone = {"status": ScraperJobStatus.ERROR, "outcome": "no_longer_available"}
    first, second = (house.job("510000001", "north@example.com", month, **gone) for month in (3, 4))
    with house.db.transaction() as session:
        for number in (first, second):
            failed_job(session, session.get_one(ScraperJob, number), "no_longer_available", "operator", now(session))
    for number, left in ((first, [("no_longer_available", 2)]), (second, [])):
        assert olga.client.post(f"/api/v1/inbox/jobs/{number}/accept").status_code == 200
        assert open_causes(house) == left
    assert house.one(Cause).solved_by == "an operator has accepted that there is nothing to fetch"


def test_a_run_whose_period_was_accepted_before_it_was_looked_at_is_no_news(house, olga):
    gone = {"status": ScraperJobStatus.ERROR, "outcome": "no_longer_available"}
    kept, accepted = (house.job("510000001", "north@example.com", month, **gone) for month in (3, 4))
    assert olga.client.post(f"/api/v1/inbox/jobs/{accepted}/accept").status_code == 200
    facts = {"spider": "bell_pdf_invoice", "portal": "bell", "report_type": "pdf_invoice", "crawl": "c", "target": ""}
    facts |= {"state": RunState.FINISHED, "outcome": "no_longer_available", "actor": "operator"}
    for job, found in ((accepted, []), (kept, [("no_longer_available", 1)])):
        with house.db.transaction() as session:
            at = now(session)
            session.add(Run(job_id=job, username="north@example.com", started_at=at, finished_at=at, **facts))
        assert open_causes(house) == found


def test_what_was_accepted_for_a_missed_due_time_holds_for_the_next_ones(house, olga):
    gone = {"status": ScraperJobStatus.ERROR, "outcome": "no_longer_available"}
    plain = "bell_pdf_invoice 510000001 2026-03"
    job = house.job("510000001", None, 3, **gone)
    with house.db.transaction() as session:
        of_time = of_due_time(plain, now(session))
        session.get_one(ScraperJob, job).identity = of_time
    assert olga.client.post(f"/api/v1/inbox/jobs/{job}/accept").get_json() == {"jobs": 1}
    assert {kept.identity for kept in house.all(Acceptance)} == {plain, of_time}


def test_a_job_is_run_again(house, olga):
    ended = house.job("510000001", None, status=ScraperJobStatus.ERROR, outcome="portal_changed", retry_count=3)
    waits = house.job("520000002", "south@example.com", outcome="terms_pending")
    assert olga.client.post(f"/api/v1/inbox/jobs/{ended}/run-again").get_json() == {"jobs": 1}
    olga.open("/room/inbox")
    assert "The jobs are due again." in words(olga.send(f"/room/inbox/jobs/{waits}/run-again"))
    assert causes(olga) == {}
    assert {(job.status, job.retry_count, job.parked_for) for job in house.all(ScraperJob)} == {
        (ScraperJobStatus.PENDING, 0, None)
    }


def test_an_act_that_does_not_help_is_refused(house, olga):
    """A refused password is not typed again unless somebody has unblocked it."""
    job = house.job("510000001", "north@example.com")
    for act in ("run-again", "accept"):
        assert olga.client.post(f"/api/v1/inbox/jobs/{job}/{act}").status_code == 409
    assert house.one(ScraperJob, id=job).parked_for == "owner"


def test_a_viewer_is_shown_no_forms(filled):
    from database.models.operators import Role

    page = filled.house.member("vera@example.com", Role.VIEWER).open("/room/inbox")
    assert "North Ltd" in page.text
    assert re.findall(r'action="([^"]*)"', page.text) == ["/room/sign-out"]


def test_the_audit_on_its_page(house, olga):
    house.job("510000001", "north@example.com")
    page = olga.open("/room/audit?action=user")
    assert "user.granted" in words(page)
    assert "credential.added" not in words(page)
    assert "credential.added" in words(olga.open("/room/audit"))
    rows = olga.client.get("/api/v1/audit?action=credential.added&limit=1").get_json()["entries"]
    assert [(row["action"], row["subject"]) for row in rows] == [("credential.added", "bell south@example.com")]
    older = olga.client.get(f"/api/v1/audit?action=credential.added&before={rows[0]['id']}").get_json()["entries"]
    assert [row["subject"] for row in older] == ["bell north@example.com"]
    assert olga.client.get("/room/audit?before=x").status_code == 200
