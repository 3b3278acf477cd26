"""Which jobs are missing, as the spiders say it; and when a parked job may go on."""

from __future__ import annotations

from datetime import timedelta

import pytest
from scrapy.settings import Settings
from sqlalchemy import select

from database.access.ledger import Ledger
from database.families.accounts import NewAccount, add_account
from database.families.cycles import cycle_for, latest_closed
from database.families.fleet import tenant_named
from database.jobs.claims import claim
from database.jobs.queue import add
from database.jobs.settling import settle
from database.jobs.steps import Ending
from database.models import (
    Account,
    BillingCycle,
    CarrierPortalCredential,
    Client,
    FileStatus,
    Note,
    ScraperJob,
    StoredCredential,
    StoredFile,
)
from database.models.base import utc_now
from database.models.operators import Acceptance
from jobs.clock import Clock
from jobs.parking import release_parked
from jobs.planning import Planner, Spiders, UnknownSpider, Wanted
from scrapers.core.queued import secret_of
from scrapers.logins.credentials import credential_for
from tests.project import CARRIERS

SPIDER = "bell_pdf_invoice"


@pytest.fixture
def planner(store) -> Planner:
    with store.transaction() as session:
        for client, username in (("Birch", "b@example.com"), ("Cedar", "c@example.com"), ("Gone", "g@example.com")):
            session.add(CarrierPortalCredential(portal="bell", username=username, password="x", nickname=client))
        session.flush()
        for client, number, username in (
            ("Birch", "500100101", "b@example.com"),
            ("Birch", "500100102", "b@example.com"),
            ("Cedar", "500100201", "c@example.com"),
            ("Gone", "500100301", "g@example.com"),
        ):
            add_account(session, NewAccount(client, "Main", "bell", number, username, billing_day=15), CARRIERS)
        session.scalars(select(Client).where(Client.name == "Gone")).one().active = False
    return Planner(Spiders(Settings({"SPIDER_MODULES": ["scrapers.portals"]})), Clock())


def labels(planner, store, *spiders: str, **wanted) -> tuple[list[str], str]:
    with store.transaction() as session:
        found = planner.find(session, Wanted(spiders or (SPIDER,), **wanted))
        return [job.label for job in found.jobs], found.said()


def month() -> str:
    return "{:04d}-{:02d}".format(*latest_closed(15, Clock().now().date()))


def test_accounts_of_active_clients(planner, store):
    newest = month()
    assert labels(planner, store) == ([f"5001001{n} {newest}" for n in ("01", "02")] + [f"500100201 {newest}"], "")
    assert labels(planner, store, client="Cedar") == ([f"500100201 {newest}"], "")
    assert labels(planner, store, accounts=["500100102"], month="2026-01") == (["500100102 2026-01"], "")
    assert labels(planner, store, client="Gone") == ([], "bell_pdf_invoice: there is no such account.")
    assert labels(planner, store, accounts=["7"]) == ([], "bell_pdf_invoice: bell has no active account 7.")


def test_a_job_is_what_the_table_says(planner, store):
    with store.transaction() as session:
        job = planner.find(session, Wanted([SPIDER], ["500100201"])).jobs[0]
        cycle = session.get(BillingCycle, job.billing_cycle_id)
    assert (job.username, job.exclusive, job.type, job.target) == (
        "c@example.com",
        "bell:c@example.com",
        "pdf_invoice",
        None,
    )
    assert cycle is not None
    assert job.scraper_config_id is not None
    assert job.identity == f"{SPIDER} 500100201/{month()}"


def test_open_cycles_that_have_ended_are_asked_for_too(planner, store):
    year, number = latest_closed(15, Clock().now().date())
    earlier = (year - 1, 12) if number == 1 else (year, number - 1)
    with store.transaction() as session:
        account = session.scalars(select(Account).where(Account.number == "500100101")).one()
        cycle_for(session, account, *earlier)
    made, _ = labels(planner, store, accounts=["500100101"])
    assert made == [f"500100101 {month()}", "500100101 {:04d}-{:02d}".format(*earlier)]
    # Daily usage is of the present day alone.
    made, _ = labels(planner, store, "bell_daily_usage", accounts=["500100101"])
    assert len(made) == 1


def test_what_is_stored_or_no_longer_offered_is_left_out(planner, store):
    with store.transaction() as session:
        key = f"500100101/{month()}"
        session.add(StoredFile(spider=SPIDER, portal="bell", report_type="pdf_invoice", target_key=key, key="invoice", status=FileStatus.READY))  # fmt: skip
        session.add(Note(spider=SPIDER, target_key=f"500100102/{month()}", name="no_longer_available", value=month()))
    assert labels(planner, store, client="Birch") == ([], "1 stored already; 1 no longer offered")
    assert labels(planner, store, client="Birch", arguments={"again": "yes"})[0] == [f"5001001{n} {month()}" for n in ("01", "02")]  # fmt: skip


def test_what_was_accepted_as_gone_is_left_out(planner, store):
    """A period, until it is asked for again; a fleet has none and is fetched as before."""
    of_month, of_fleet = f"{SPIDER} 500100101/{month()}", "trucktech_vehicles acme"
    with store.transaction() as session:
        session.add(StoredCredential(kind="portal", portal="trucktech", username="ann", password="1"))
        tenant_named(session, "trucktech", "acme")
        for identity in (of_month, of_fleet):
            session.add(
                Acceptance(identity=identity, label="x", outcome="no_longer_available", actor="olga@example.com")
            )
    assert labels(planner, store, client="Birch") == ([f"500100102 {month()}"], "1 accepted as gone")
    assert labels(planner, store, client="Birch", arguments={"again": "yes"})[0] == [f"5001001{n} {month()}" for n in ("01", "02")]  # fmt: skip
    with store.transaction() as session:
        assert [job.identity for job in planner.find(session, Wanted(["trucktech_vehicles"])).jobs] == [of_fleet]


def test_words_for_spiders(planner, store):
    names = [spider.name for spider in planner.spiders.named(["trucktech", "iec_tariffs"])]
    assert names == ["trucktech_faults", "iec_tariffs"] or set(names) > {"iec_tariffs", "trucktech_faults"}
    carriers = {spider.portal for spider in planner.spiders.named(["carriers"])}
    assert carriers == {"att", "bell", "rogers", "telus", "tmobile", "verizon"}
    with pytest.raises(UnknownSpider, match="'acme' is no spider, portal or family"):
        planner.spiders.named(["acme"])


def test_other_families(planner, store):
    with store.transaction() as session:
        for name in ("home", "office"):
            session.add(StoredCredential(kind="portal", portal="iec", username=name, password="1"))
        session.add(StoredCredential(kind="portal", portal="trucktech", username="ann", password="1"))
        tenant_named(session, "trucktech", "acme")
    with store.transaction() as session:
        jobs = planner.find(session, Wanted(["iec_account"])).jobs
        narrowed = planner.find(session, Wanted(["iec_account"], ["home"], arguments={"contract": "00042"})).jobs
        fleet = planner.find(session, Wanted(["trucktech_vehicles"])).jobs
    assert [(job.label, job.exclusive, job.target["person"]) for job in jobs] == [
        ("home", None, "home"),
        ("office", None, "office"),
    ]
    assert [(job.identity, job.arguments) for job in narrowed] == [
        ("iec_account home contract=00042", {"contract": "00042"})
    ]
    assert [(job.label, job.exclusive, job.target["tenant"]) for job in fleet] == [("acme", None, "acme")]


def test_jobs_that_others_have_made_are_filled_in(planner, store):
    with store.transaction() as session:
        account = session.scalars(select(Account).where(Account.number == "500100201")).one()
        cycle = cycle_for(session, account, 2026, 10)
        made = [
            ScraperJob(portal="bell", report_type="pdf_invoice", billing_cycle_id=cycle.id),
            ScraperJob(portal="bell", report_type="pdf_invoice", billing_cycle_id=cycle.id),
            ScraperJob(portal="acme", report_type="bills"),
            ScraperJob(portal="trucktech", report_type="faults"),
        ]
        session.add_all(made)
        session.flush()
        problems = planner.complete(session)
    first, *others = made
    assert (first.identity, first.username, first.exclusive) == (
        f"{SPIDER} 500100201/2026-10",
        "c@example.com",
        "bell:c@example.com",
    )
    assert [job.status for job in others] == ["error"] * 3
    assert [said.partition(": ")[2] for said in problems] == [
        f"Job {first.id} is open for the same.",
        "There is no spider acme_bills.",
        "-a job=4: it names no tenant.",
    ]


@pytest.fixture
def parked(planner, store) -> ScraperJob:
    """A job whose owner must act."""
    at = utc_now() - timedelta(minutes=5)
    with store.transaction() as session:
        spider = planner.spiders.one(SPIDER)
        assert spider is not None
        found = planner.find(session, Wanted([SPIDER], ["500100201"])).jobs
        add(session, found, at)
        taken = claim(session, "w", at, 60)
        assert taken is not None
        secret = secret_of(session, SPIDER, credential_for(spider, session, "c@example.com"))
        ending = Ending("bad_credentials", "parked", "", "owner", secret=secret)
        settle(session, taken.jobs[0], taken.id, ending, at)
        return session.scalars(select(ScraperJob)).one()


def freed(planner, store) -> list[str]:
    with store.transaction() as session:
        return [
            job.log.splitlines()[-1].partition("] ")[2] for job in release_parked(session, planner.spiders, utc_now())
        ]


def test_a_parked_job_waits(planner, store, parked):
    assert (parked.parked_for, parked.available_at) == ("owner", None)
    assert freed(planner, store) == []
    with store.transaction() as session:
        assert claim(session, "w", utc_now(), 60) is None


def test_a_changed_secret_lets_it_go_on(planner, store, parked):
    with store.transaction() as session:
        row = session.scalars(select(StoredCredential).where(StoredCredential.username == "c@example.com")).one()
        row.password = "y"
    assert freed(planner, store) == ["Due again: its credential has changed."]
    assert freed(planner, store) == []
    with store.transaction() as session:
        assert claim(session, "w", utc_now(), 60) is not None


def test_an_unblock_lets_it_go_on(planner, store, parked):
    ledger = Ledger(store)
    ledger.finish(ledger.begin("bell_self_serve", "c@example.com", "x\n"), "bad_credentials")
    assert freed(planner, store) == []
    ledger.unblock(["bell_self_serve"], "c@example.com")
    assert freed(planner, store) == ["Due again: its credential was unblocked."]


def test_a_sign_in_lets_it_go_on(planner, store, parked):
    ledger = Ledger(store)
    ledger.finish(ledger.begin("bell_self_serve", "c@example.com", "x\n"), "signed_in")
    assert freed(planner, store) == ["Due again: its credential has signed in."]


def test_a_sign_in_does_not_cure_a_wrong_account(planner, store, parked):
    with store.transaction() as session:
        session.scalars(select(ScraperJob)).one().outcome = "wrong_account"
    ledger = Ledger(store)
    ledger.finish(ledger.begin("bell_self_serve", "c@example.com", "x\n"), "signed_in")
    assert freed(planner, store) == []
