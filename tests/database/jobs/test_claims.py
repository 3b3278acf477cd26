"""The claim, on both databases: order, companions, limits, one credential in one crawl, and what the dead give back."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from sqlalchemy import select

from database.access.leases import Leases
from database.jobs import claims, queue
from database.jobs.claims import claim, hand_back, reclaim, renew
from database.jobs.queue import NewJob, NotPossible, add, cancel, cancel_inactive, retry
from database.jobs.settling import settle
from database.jobs.steps import Ending
from database.models import Account, BillingCycle, Carrier, Client, Run, RunState, ScraperJob, ScraperType, Workspace
from tests.database.crowd import a_process, crowd

AT = datetime(2026, 11, 30, 8, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
DONE = Ending("success", "done", portal_works=True)
FAILED = Ending("cache_error", "later")


def new(number: int, *, spider: str = "acme_invoices", user: str | None = None, shared: bool = False, **more) -> NewJob:
    portal, _, kind = spider.partition("_")
    user = user or f"user{number}"
    exclusive = claims.lock_of(portal, user, shared)
    return NewJob(portal, kind, f"{spider} {number}", str(number), user, exclusive, **more)


def rows(session) -> dict[int | None, ScraperJob]:
    return {row.id: row for row in session.scalars(select(ScraperJob).order_by(ScraperJob.id))}


def test_what_is_open_is_not_made_twice(store):
    with store.transaction() as session:
        first, second = add(session, [new(1), new(2)], AT)
        assert add(session, [new(1), new(3)], AT)[0] is None
        taken = claim(session, "w", AT, 60)
        assert taken.jobs == (first,)
        assert add(session, [new(1)], AT) == [None]
        settle(session, first, taken.id, DONE, AT)
        (again,) = add(session, [new(1)], AT)
    assert again not in (None, first, second)


def test_the_order_is_priority_credential_account_kind_time(store):
    with store.transaction() as session:
        workspace = Workspace(name="Main", client=Client(name="Birch"))
        carrier = Carrier(name="Acme", portal="acme")
        cycles = []
        for number in "12":
            account = Account(number=number, workspace=workspace, carrier=carrier)
            cycles.append(BillingCycle(account=account, start_date=date(2026, 10, 1), end_date=date(2026, 10, 31)))
        session.add_all(cycles)
        session.flush()
        kinds = {kind: (f"acme_{kind}", kind) for kind in ScraperType}

        def carrier_job(number: int, user: str, cycle: int, kind: ScraperType) -> NewJob:
            spider, kind = kinds[kind]
            return new(number, spider=spider, user=user, billing_cycle_id=cycles[cycle].id, type=kind)

        add(session, [carrier_job(1, "b", 0, ScraperType.MONTHLY_REPORTS)], AT)
        add(session, [carrier_job(2, "a", 1, ScraperType.MONTHLY_REPORTS)], AT)
        add(session, [carrier_job(3, "a", 0, ScraperType.PDF_INVOICE)], AT)
        add(session, [carrier_job(4, "a", 0, ScraperType.DAILY_USAGE)], AT)
        add(session, [carrier_job(5, "c", 0, ScraperType.DAILY_USAGE)], AT, priority=1)
        add(session, [carrier_job(6, "d", 0, ScraperType.DAILY_USAGE)], AT, available_at=AT + MINUTE)
        order = []
        while (taken := claim(session, "w", AT, 60)) is not None:
            order.append(taken.labels)
            for job in taken.jobs:
                settle(session, job, taken.id, DONE, AT)
    assert order == [("5",), ("4",), ("3",), ("2",), ("1",)]


def test_a_crawl_takes_along_what_is_due_for_the_same_spider_and_credential(store):
    with store.transaction() as session:
        add(session, [new(1, user="ana"), new(2, user="bea"), new(3, user="ana")], AT)
        add(
            session, [new(4, user="ana", spider="acme_usage"), new(5, user="ana", arguments={"from": "2026-10-01"})], AT
        )
        add(session, [new(6, user="ana")], AT, available_at=AT + MINUTE)
        taken = claim(session, "w", AT, 60)
        assert (taken.spider, taken.username, taken.labels) == ("acme_invoices", "ana", ("1", "3"))
        assert claim(session, "w", AT, 60).username == "bea"
        assert [row.held for row in rows(session).values()] == ["acme:ana", "acme:bea", None, None, None, None]


def test_jobs_without_a_credential_go_together_where_they_say_what_they_are_about(store):
    with store.transaction() as session:
        about = [NewJob("acme", "prices", f"acme_prices {n}", str(n), target={"product": str(n)}) for n in range(3)]
        add(session, about[:2], AT)
        add(session, [NewJob("elm", "tariffs", f"elm_tariffs {n}", str(n)) for n in range(2)], AT)
        add(session, about[2:], AT, priority=1)
        taken = [claim(session, worker, AT, 60) for worker in ("v", "w", "x")]
    assert [each.labels for each in taken] == [("2", "0", "1"), ("0",), ("1",)]
    assert [each.spider for each in taken] == ["acme_prices", "elm_tariffs", "elm_tariffs"]


def test_one_credential_works_in_one_crawl_until_its_last_job_has_ended(store):
    with store.transaction() as session:
        add(session, [new(1, user="ana"), new(2, user="ana"), new(3, user="ana", spider="acme_usage")], AT)
        taken = claim(session, "w", AT, 60)
        settle(session, taken.jobs[0], taken.id, DONE, AT)
        assert claim(session, "w", AT, 60) is None
        settle(session, taken.jobs[1], taken.id, DONE, AT)
        assert claim(session, "w", AT, 60).spider == "acme_usage"


def test_a_shared_login_works_in_several_crawls(store):
    with store.transaction() as session:
        add(session, [new(n, user="ana", shared=True, spider=f"acme_{kind}") for n, kind in enumerate(("a", "b"))], AT)
        assert claim(session, "w", AT, 60).spider == "acme_a"
        assert claim(session, "w", AT, 60).spider == "acme_b"


@pytest.mark.parametrize("first_is_shared", [False, True])
def test_a_login_that_is_not_shared_works_alone_at_its_credential(store, first_is_shared):
    """Whatever login the other crawl of the credential signs in to."""
    with store.transaction() as session:
        add(session, [new(1, user="ana", spider="acme_a", shared=first_is_shared)], AT)
        add(session, [new(2, user="ana", spider="acme_b", shared=not first_is_shared)], AT)
        taken = claim(session, "w", AT, 60)
        assert taken.spider == "acme_a"
        assert claim(session, "w", AT, 60) is None
        settle(session, taken.jobs[0], taken.id, DONE, AT)
        assert claim(session, "w", AT, 60).spider == "acme_b"


def test_a_credential_in_whose_session_a_crawl_works_already_waits(store):
    """However that crawl was started: what counts is the lease on the session."""
    leases = Leases(store)
    leases.acquire("run:acme_self_serve:ana", "by hand", 3600)
    with store.transaction() as session:
        at = datetime.now(UTC)
        add(session, [new(1, user="ana")], at)
        assert claim(session, "w", at, 60) is None
    leases.release("run:acme_self_serve:ana", "by hand")
    with store.transaction() as session:
        assert claim(session, "w", datetime.now(UTC), 60) is not None


def test_a_portal_gets_only_so_many_crawls(store, monkeypatch):
    monkeypatch.setenv("LATCHKEY_PORTAL_CRAWLS", "2")
    with store.transaction() as session:
        add(session, [new(n) for n in range(4)] + [new(9, spider="birch_invoices")], AT)
        taken = [claim(session, "w", AT, 60).portal for _ in range(3)]
        assert (taken, claim(session, "w", AT, 60)) == (["acme", "acme", "birch"], None)
        assert claim(session, "w", AT, 60, portals=["birch"]) is None


def test_hours_in_which_a_job_may_start(store):
    with store.transaction() as session:
        (job,) = add(session, [new(1)], AT, hours="06:00-08:30", time_zone="Europe/Zurich")
        assert claim(session, "w", AT, 60) is None  # 9 o'clock there
        opens = datetime(2026, 12, 1, 5, 0, tzinfo=UTC)
        assert rows(session)[job].available_at == opens
        settle(session, job, claim(session, "w", opens, 60).id, FAILED, opens + 3 * MINUTE)
        assert opens + 48 * MINUTE <= rows(session)[job].available_at <= opens + 78 * MINUTE
        late = opens + 140 * MINUTE
        settle(session, job, claim(session, "w", late, 60).id, FAILED, late)
        assert rows(session)[job].available_at == opens + timedelta(days=1)


def test_the_dead_give_back_what_they_had_and_no_try_is_used(store):
    with store.transaction() as session:
        add(session, [new(1)], AT)
        lost = claim(session, "another+1+1", AT, 60)
        run = Run(crawl="x", spider="acme_invoices", portal="acme", report_type="invoices", job_id=lost.jobs[0],
                  process="another+1+1", host="another")  # fmt: skip
        session.add(run)
        assert claim(session, "w", AT + MINUTE / 2, 60) is None
        assert renew(session, lost.id, AT + MINUTE / 2, 60) == set(lost.jobs)
        assert reclaim(session, AT + MINUTE) == []
        taken = claim(session, "w", AT + 2 * MINUTE, 60)
        assert taken.jobs == lost.jobs
        job = rows(session)[taken.jobs[0]]
        assert (job.retry_count, job.attempt, job.returns) == (0, 2, 1)
        # The one that was thought dead writes nothing any more.
        assert renew(session, lost.id, AT + 2 * MINUTE, 60) == set()
        assert settle(session, job.id, lost.id, DONE, AT + 2 * MINUTE) is None
        assert settle(session, job.id, taken.id, DONE, AT + 2 * MINUTE).status == "success"
        session.refresh(run)
        assert (run.state, run.outcome) == (RunState.FINISHED, "interrupted")


def test_a_job_that_kills_every_crawl_is_given_up(store):
    at = AT
    with store.transaction() as session:
        (job,) = add(session, [new(1)], at)
        for _ in range(8):
            assert claim(session, "another+1+1", at, 60) is not None
            at += 2 * MINUTE
        assert claim(session, "another+1+1", at, 60) is None
        assert (rows(session)[job].status, rows(session)[job].attempt) == ("error", 8)


def test_what_is_handed_back_is_due_at_once(store):
    with store.transaction() as session:
        add(session, [new(1, user="ana"), new(2, user="ana")], AT)
        taken = claim(session, "w", AT, 60)
        settle(session, taken.jobs[0], taken.id, DONE, AT)
        assert hand_back(session, taken.id, AT, "The worker stops.") == [taken.jobs[1]]
        assert claim(session, "w", AT, 60).jobs == (taken.jobs[1],)


def test_a_cancelled_job_is_no_crawls_any_more(store):
    with store.transaction() as session:
        first, second = add(session, [new(1), new(2)], AT)
        taken = claim(session, "w", AT, 60)
        assert cancel(session, [first, second, 99], AT) == [first, second]
        assert renew(session, taken.id, AT, 60) == set()
        assert settle(session, first, taken.id, DONE, AT) is None
        assert {row.status for row in rows(session).values()} == {"cancelled"}
        assert retry(session, [second], AT) == [second]
        (newer,) = add(session, [new(1)], AT)
        with pytest.raises(NotPossible, match=f"Job {first} has been made anew: job {newer} is open"):
            retry(session, [first], AT)


def test_jobs_of_a_client_that_is_not_active_are_cancelled(store):
    with store.transaction() as session:
        clients = [Client(name="Birch", active=False), Client(name="Cedar")]
        carrier = Carrier(name="Acme", portal="acme")
        for number, client in enumerate(clients):
            account = Account(number=str(number), workspace=Workspace(name="Main", client=client), carrier=carrier)
            session.add(BillingCycle(account=account, start_date=date(2026, 10, 1), end_date=date(2026, 10, 31)))
        session.flush()
        cycles = session.scalars(select(BillingCycle.id).order_by(BillingCycle.id)).all()
        add(session, [new(n, billing_cycle_id=cycle) for n, cycle in enumerate(cycles)], AT)
        cancel_inactive(session, AT)
        assert [row.status for row in rows(session).values()] == ["cancelled", "pending"]


def test_a_log_is_bounded(store):
    with store.transaction() as session:
        (job,) = add(session, [new(1)], AT)
        row = rows(session)[job]
        for number in range(300):
            queue.write(row, AT, f"{number} " + "x" * 900)
        assert len(row.log) <= queue.LONGEST_LOG
        assert row.log.splitlines()[-1].startswith("[2026-11-30 08:00:00] 299 x")
        assert max(map(len, row.log.splitlines())) <= 530


WORKER = """
import json
from datetime import timedelta
from sqlalchemy import select
from database.engine import now
from database.jobs.claims import claim
from database.jobs.settling import settle
from database.jobs.steps import Ending
from database.models import ScraperJob
from database.processes import signature



def now_in_transaction():
    with db.transaction() as session:
        return now(session).timestamp()


done = []
for turn in range(2000):
    with db.transaction() as session:
        at = now(session)
        taken = claim(session, signature(), at, 60)
        left = session.scalar(select(ScraperJob.id).where(ScraperJob.status != "success").limit(1))
    if taken is None:
        if left is None:
            break
        continue
    begun = now_in_transaction()
    with db.transaction() as session:
        ended = now(session)
        for job in taken.jobs:
            settle(session, job, taken.id, Ending("success", "done", portal_works=True), ended)
            done.append((job, taken.username, begun, ended.timestamp()))
print(json.dumps(done))
"""
HOLDER = """
from database.engine import now
from database.jobs.claims import claim
from database.processes import signature
with db.transaction() as session:
    taken = claim(session, signature(), now(session), 3600)
print(*taken.jobs, flush=True)
sys.stdin.read()
"""


def test_many_workers_and_a_killed_one(store, database_url, monkeypatch):
    """120 jobs of 6 credentials, 4 processes, one more killed with -9 while it holds some: each done once, none side by side."""
    monkeypatch.setenv("LATCHKEY_PORTAL_CRAWLS", "10")
    with store.transaction() as session:
        jobs = [new(n, user=f"user{n % 6}", spider=f"acme_{'abcd'[n % 4]}") for n in range(120)]
        ids = add(session, jobs, datetime.now(UTC))
    with a_process(database_url, HOLDER) as (process, said):
        held = [int(number) for number in said.readline().split()]
        process.kill()
        process.wait()
        told = [tuple(each) for one in crowd(database_url, 4, WORKER) for each in json.loads(one)]
    assert sorted(job for job, *_ in told) == sorted(filter(None, ids))
    spans = sorted((user, begun, ended, job) for job, user, begun, ended in told)
    crawls = sorted({(user, begun, ended) for user, begun, ended, _ in spans})
    assert all(one[0] != next_[0] or one[2] < next_[1] for one, next_ in pairwise(crawls))
    with store.transaction() as session:
        found = rows(session)
    assert {number for number, row in found.items() if row.attempt == 2} == set(held)
    assert {row.attempt for number, row in found.items() if number not in held} == {1}
    assert {row.retry_count for row in found.values()} == {0}
