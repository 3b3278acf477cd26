"""What people are told: every cause once, again each day, its end; whatever happens to the servers that take it."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from io import StringIO
from itertools import pairwise

import pytest
from scrapy.utils.project import get_project_settings
from sqlalchemy import select, text

from database.access.encryption import key_ring
from database.access.ledger import UNBLOCKED
from database.families.accounts import NewAccount, add_account
from database.families.cycles import cycle_for
from database.jobs import causes, notices
from database.jobs.queue import NewJob, add
from database.jobs.recipients import put, remove
from database.models import (
    Account,
    BillingCyclePdfFile,
    CarrierPortalCredential,
    FileStatus,
    LedgerEntry,
    Note,
    Run,
    RunState,
    Schedule,
    ScraperJob,
    ScraperJobStatus,
)
from database.models.jobs import Firing
from database.models.notices import Cause, NoticeDelivery
from database.models.operators import Acceptance
from jobs.clock import TurnableClock
from jobs.digest import digest
from jobs.events import Events
from jobs.missing import State, Wanted, every_line
from jobs.notices import Notices, collect, digest_due, is_quiet, service_of
from jobs.planning import Planner, Spiders
from jobs.settings import MailSettings, NoticeSettings
from jobs.worker import Worker
from sandbox.mailserver import MailServer, serving
from scrapers.core.outcomes import OUTCOMES
from tests.database.crowd import crowd
from tests.jobs.test_alerts import PASSWORD, mail_environment
from tests.jobs.test_worker import Launcher, Waiting
from tests.project import CARRIERS
from tests.webhook.api.servers import JsonReceiver

BEGIN = datetime(2026, 11, 30, tzinfo=UTC)  # a Monday
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
OPS, ANA = "ops@example.com", "ana@example.com"
ALL = ("owner", "operator", "developer")
OFF = NoticeSettings(notify_digest="off")
SENDING = """
from io import StringIO
from itertools import pairwise
from jobs.clock import TurnableClock
from jobs.events import Events
from jobs.notices import Notices
from jobs.settings import MailSettings, NoticeSettings
from datetime import datetime
clock = TurnableClock(datetime.fromisoformat("{at}"))
mail = MailSettings(smtp_address="127.0.0.1", smtp_port={port}, smtp_security="none", email_address="here@example.com", email_password="{password}")
print(Notices(db, clock, mail, Events(clock, to=StringIO()), NoticeSettings(notify_digest="off")).send())
"""


class Receiver(JsonReceiver):
    """Keeps apart what it has taken."""

    def answer(self, asked):
        answer = super().answer(asked)
        body = self.bodies.pop()
        if self.status == 200:
            self.bodies.append(body)
        return answer


@pytest.fixture
def mail_server():
    with serving(MailServer(PASSWORD)) as server:
        yield server


@pytest.fixture
def web():
    with serving(Receiver()) as server:
        yield server


class Told:
    """Runs as crawls leave them, and what tells people of them."""

    def __init__(self, db, port):
        self.db, self.out, self.port = db, StringIO(), port
        self.clock = TurnableClock(BEGIN)
        self.settings = OFF

    def address(self, address, actors=ALL, client_id=None, digest=False):
        with self.db.transaction() as session:
            facts = {"actors": actors, "digest": digest, "client_id": client_id}
            return put(session, address, service_of(address), self.clock.at, **facts)[0].id

    def run(self, spider, outcome="success", username=None, target="2026-10", account_id=None, **more):
        portal, _, kind = spider.partition("_")
        facts = {"spider": spider, "portal": portal, "report_type": kind, "username": username, "target": target}
        facts |= {"crawl": "1", "state": RunState.FINISHED, "finished_at": self.clock.at, "account_id": account_id}
        facts |= {"outcome": outcome, "actor": OUTCOMES[outcome].actor.value, "started_at": self.clock.at}
        with self.db.transaction() as session:
            session.add(Run(**{**facts, **more}))

    def notices(self):
        mail = MailSettings(
            smtp_address="127.0.0.1",
            smtp_port=self.port,
            smtp_security="none",
            email_address="here@example.com",
            email_password=PASSWORD,
        )
        return Notices(self.db, self.clock, mail, Events(self.clock, to=self.out), self.settings)

    def tick(self, after=timedelta(0)):
        """Do what the worker does at a tick, after so long; return how many messages were sent."""
        self.clock.turn(self.clock.at + after)
        with self.db.transaction() as session:
            collect(session, self.clock.at, self.settings)
        return self.notices().send()

    def rows(self, kind):
        with self.db.transaction() as session:
            return list(session.scalars(select(kind).order_by(kind.id)))


@pytest.fixture
def told(store, mail_server):
    return Told(store, mail_server.port)


def subjects(server):
    """Return the subjects of what a server has taken, without our name."""
    given = [mail["Subject"] for mail in server.mails] if isinstance(server, MailServer) else None
    said = given if given is not None else [body["title"] for body in server.bodies]
    return [" ".join(each.split()).removeprefix("[Latchkey] ") for each in said]


# (day, hour, spider, user, outcome): 30 failures of 9 causes, successes, and what nobody has to act on.
THREE_DAYS = [
    *((day, 6, f"bell_{kind}", "ana", code)
      for day, code in ((0, "bad_credentials"), (1, "credential_blocked"), (2, "credential_blocked"))
      for kind in ("daily_usage", "monthly_reports", "pdf_invoice")),
    (0, 7, "telus_daily_usage", "ben", "captcha_shown"),
    (1, 7, "telus_daily_usage", "ben", "success"),
    *((day, hour, "rogers_daily_usage", "cy", "account_locked") for day, hour in ((1, 8), (1, 9), (2, 8))),
    (1, 3, "att_daily_usage", "dee", "mfa_required"),
    (1, 9, "att_daily_usage", "dee", "success"),
    *((day, 10, "bell_pdf_invoice", user, "portal_changed") for day in range(3) for user in ("eva", "fay")),
    *((0, 11, "telus_monthly_reports", user, "cache_error") for user in ("gil", "hal")),
    *((2, 6, "telus_monthly_reports", user, "success") for user in ("gil", "hal")),
    *((2, hour, "rogers_pdf_invoice", "ivy", "identity_mismatch") for hour in (3, 4)),
    *((day, 12, "iec_invoices", "jan", "store_away") for day in range(3)),
    *((0, 13, "tmobile_daily_usage", user, "unexpected_error") for user in ("kim", "lea")),
    (1, 13, "tmobile_daily_usage", "kim", "unexpected_error"),
    *((2, 13, "tmobile_daily_usage", user, "success") for user in ("kim", "lea")),
    *((day, 14, "att_monthly_reports", "max", code) for day, code in enumerate(("portal_down", "rate_limited", "not_yet_published"))),
]  # fmt: skip


def test_three_days_with_the_notifiers_away_on_the_second(told, mail_server, web, free_port):
    failures = [code for *_, code in THREE_DAYS if OUTCOMES[code].actor != "nobody"]
    assert len(failures) == 30
    told.address(OPS, ("operator", "developer"))
    told.address(f"json://127.0.0.1:{web.server_port}/owners", ("owner",))
    back = told.port
    for hour in range(72):
        told.port, web.status = (free_port(), 503) if 24 <= hour < 48 else (back, 200)
        for day, at, spider, user, code in THREE_DAYS:
            if 24 * day + at == hour:
                told.run(spider, code, user)
        told.tick(HOUR)
    assert Counter(subjects(mail_server)) == {
        "bell: portal changed": 1,
        "Still: bell: portal changed": 1,
        "telus: cache error": 1,
        "Still: telus: cache error": 1,
        "Solved: telus: cache error": 1,
        "rogers: identity mismatch": 1,
        "iec: store away": 1,
        "Still: iec: store away": 1,
        "tmobile: unexpected error": 1,
        "Still: tmobile: unexpected error": 1,
        "Solved: tmobile: unexpected error": 1,
    }
    assert Counter(subjects(web)) == {
        "bell: bad credentials of ana": 1,
        "Still: bell: bad credentials of ana": 1,
        "telus: captcha shown of ben": 1,
        "Solved: telus: captcha shown of ben": 1,
        "rogers: account locked of cy": 1,
        "Solved: att: mfa required of dee": 1,  # it began and ended while the receiver was away
    }
    found, messages = told.rows(Cause), told.rows(NoticeDelivery)
    assert (len(found), sum(each.failures for each in found)) == (9, 30)
    sent = [each for each in messages if each.result == "sent"]
    assert len(sent) == len(mail_server.mails) + len(web.bodies) == 17  # none lost, none doubled
    assert [each for each in messages if each.result != "sent"] == []
    begins: dict[int, list[datetime]] = {}
    for each in sent:
        if each.kind in notices.TELLS_BEGIN:
            begins.setdefault(each.cause_id, []).append(each.updated_at)
    assert begins.keys() == {each.id for each in found}
    assert all(later - earlier >= DAY for times in begins.values() for earlier, later in pairwise(times))
    assert "ConnectionRefusedError" in told.out.getvalue()


def test_a_message_groups_what_one_cause_concerns_and_shows_no_number(told, mail_server):
    told.address(OPS)
    for user, number in (("ana", "501234567"), ("ben", "501-234-568")):
        told.run(
            "bell_pdf_invoice", "portal_changed", user, f"{number} 2026-10", step="step", message="secret 501234567"
        )
    told.run("iec_invoices", "reauthentication_required", "012345678", "contract 345678901")
    assert told.tick() == 2
    developer, owner = (mail.get_content().replace("\r\n", "\n") for mail in mail_server.mails)
    assert developer == (
        f"{OUTCOMES['portal_changed'].sentence}\n"
        "A developer has to act.\n"
        "\n"
        "Portal: bell\n"
        "Since: 2026-11-30 00:00 UTC\n"
        "Failures: 2\n"
        "\n"
        "Concerned:\n"
        "- bell_pdf_invoice …4567 2026-10 (scrapy runs 1)\n"
        "- bell_pdf_invoice …4568 2026-10 (scrapy runs 2)\n"
        "\n"
        "You are told again after 24 hours, and when it is solved.\n"
    )
    assert "User: …5678\n" in owner
    assert "- iec_invoices contract …8901 (scrapy runs 3)\n" in owner
    assert subjects(mail_server)[1] == "iec: reauthentication required of …5678"


def test_a_cause_that_comes_and_goes_is_told_once_a_day(told, mail_server):
    told.address(OPS)
    for _ in range(12):  # every four hours for two days
        told.run("bell_pdf_invoice", "cache_error", "ana")
        told.tick(2 * HOUR)
        told.run("bell_pdf_invoice", "success", "ana")
        told.tick(2 * HOUR)
    begins = [each for each in subjects(mail_server) if each == "bell: cache error"]
    ends = [each for each in subjects(mail_server) if each == "Solved: bell: cache error"]
    assert len(begins) <= 2
    assert 2 <= len(ends) <= 3
    assert len(begins) + len(ends) == len(mail_server.mails)


def test_another_outcome_takes_the_place_of_the_one_before(told, mail_server):
    told.address(OPS)
    told.run("bell_pdf_invoice", "captcha_shown", "ana")
    told.tick(HOUR)
    told.run("bell_pdf_invoice", "portal_down", "ana")  # says nothing of it
    assert told.tick(HOUR) == 0
    told.run("bell_pdf_invoice", "portal_changed", "ana")
    assert told.tick(HOUR) == 2
    assert subjects(mail_server) == [
        "bell: captcha shown of ana",
        "Solved: bell: captcha shown of ana",
        "bell: portal changed",
    ]
    assert "its runs now end with portal_changed" in mail_server.mails[1].get_content()


def test_a_credential_that_is_unblocked_solves_its_cause(told, mail_server):
    told.address(OPS)
    told.run("bell_pdf_invoice", "bad_credentials", "ana")
    told.tick()
    told.clock.turn(BEGIN + HOUR)
    with told.db.transaction() as session:
        facts = {"login": "bell_self_serve", "username": "ana", "secret_fingerprint": "", "host": "", "pid": 1}
        session.add(LedgerEntry(**facts, started_at=told.clock.at, finished_at=told.clock.at, result=UNBLOCKED))
    assert told.tick() == 1
    assert subjects(mail_server)[1] == "Solved: bell: bad credentials of ana"
    assert "its credential was unblocked" in mail_server.mails[1].get_content()


def test_a_sign_in_solves_nothing_while_its_run_may_still_fail(told, mail_server):
    told.address(OPS)
    told.run("bell_pdf_invoice", "bad_credentials", "ana")
    told.tick()
    told.clock.turn(BEGIN + HOUR)
    with told.db.transaction() as session:
        facts = {"login": "bell_self_serve", "username": "ana", "secret_fingerprint": "", "host": "", "pid": 1}
        session.add(LedgerEntry(**facts, started_at=told.clock.at, result="signed_in"))
    told.run("bell_pdf_invoice", "success", "ana", state=RunState.RUNNING, finished_at=None)
    assert told.tick() == 0
    with told.db.transaction() as session:
        session.delete(session.scalars(select(Run).where(Run.state == RunState.RUNNING)).one())
    assert told.tick() == 1
    assert "its credential has signed in" in mail_server.mails[1].get_content()


def test_what_no_run_has_met_for_a_week_is_told_no_more_unless_a_job_waits(told, mail_server):
    told.address(OPS)
    told.run("bell_pdf_invoice", "wrong_account", "ana")
    told.run("telus_pdf_invoice", "wrong_account", "ben")
    with told.db.transaction() as session:
        (number,) = add(session, [NewJob("telus", "pdf_invoice", "telus ben", "ben", "ben")], told.clock.at)
        job = session.get_one(ScraperJob, number)
        job.outcome, job.parked_for = "wrong_account", "owner"
    for _ in range(10):
        told.tick(DAY)
    assert Counter(subjects(mail_server)) == {
        "bell: wrong account of ana": 1,
        "Still: bell: wrong account of ana": 5,
        "Solved: bell: wrong account of ana": 1,
        "telus: wrong account of ben": 1,
        "Still: telus: wrong account of ben": 9,
    }
    assert sum("no run has met it for 7 days" in mail.get_content() for mail in mail_server.mails) == 1


def test_a_client_with_addresses_of_its_own_is_told_in_place_of_all(told, mail_server):
    with told.db.transaction() as session:
        accounts = [
            add_account(session, NewAccount(client, "Main", "bell", f"50123456{place}"), CARRIERS)[0]
            for place, client in enumerate(("acme", "bolt"))
        ]
        acme, bolt = [(each.id, each.workspace.client_id) for each in accounts]
    told.address(OPS)
    told.address("boss@acme.example", ("owner",), client_id=acme[1])
    for number, user in ((acme[0], "acme@example.com"), (bolt[0], "bolt@example.com")):
        told.run("bell_pdf_invoice", "bad_credentials", user, account_id=number)
        told.run("bell_daily_usage", "portal_changed", user, account_id=number)
    assert told.tick() == 3
    assert sorted(
        (mail["To"], subject) for mail, subject in zip(mail_server.mails, subjects(mail_server), strict=True)
    ) == [
        ("boss@acme.example", "bell: bad credentials of acme@example.com"),
        (OPS, "bell: bad credentials of bolt@example.com"),
        (OPS, "bell: portal changed"),  # of both clients, because none has an address for developers
    ]


def test_an_address_that_is_added_later_is_told_what_is_open(told, mail_server):
    told.run("bell_pdf_invoice", "bad_credentials", "ana")
    told.run("bell_pdf_invoice", "bad_credentials", "ben")
    assert told.tick(HOUR) == 0
    told.run("bell_pdf_invoice", "success", "ben")
    told.tick(HOUR)
    number = told.address(OPS)
    assert told.tick(HOUR) == 1
    assert subjects(mail_server) == ["bell: bad credentials of ana"]
    told.clock.turn(told.clock.at + DAY)
    with told.db.transaction() as session:
        collect(session, told.clock.at, OFF)
        assert remove(session, number, told.clock.at)
        assert not remove(session, number, told.clock.at)
    assert (told.tick(), told.rows(NoticeDelivery)) == (0, [])


def test_nothing_is_sent_in_quiet_hours(told, mail_server):
    told.settings = NoticeSettings(notify_digest="off", notify_quiet="22:00-07:00", notify_time_zone="Europe/Zurich")
    told.address(OPS)
    told.clock.turn(datetime(2026, 11, 30, 21, 30, tzinfo=UTC))  # half past ten there
    told.run("bell_pdf_invoice", "bad_credentials", "ana")
    sent = [told.tick(HOUR) for _ in range(10)]
    assert sent == [0] * 8 + [1, 0]
    assert is_quiet(told.settings, datetime(2026, 12, 1, 5, 59, tzinfo=UTC))
    assert not is_quiet(told.settings, datetime(2026, 12, 1, 6, 0, tzinfo=UTC))


def test_an_address_that_takes_nothing_holds_up_no_other(told, mail_server, web):
    told.address(f"json://127.0.0.1:{web.server_port}")
    told.address(OPS)
    web.status = 500
    for user in ("ana", "ben"):
        told.run("bell_pdf_invoice", "bad_credentials", user)
    assert told.tick() == 2
    assert len(web.asked) == 1  # what else waits for it waits as long
    waiting = [each for each in told.rows(NoticeDelivery) if each.result == "pending"]
    assert {each.due_at for each in waiting} == {BEGIN + timedelta(minutes=1)}
    assert sorted(each.attempts for each in waiting) == [0, 1]
    assert "127.0.0.1" not in told.out.getvalue()
    web.status = 200
    assert told.tick(timedelta(minutes=1)) == 2
    assert told.tick(timedelta(minutes=1)) == 0


def test_mails_wait_for_the_settings_of_a_server(told, mail_server):
    told.address(OPS)
    told.run("bell_pdf_invoice", "bad_credentials", "ana")
    nothing = MailSettings(smtp_address="", email_address="")
    without = Notices(told.db, told.clock, nothing, Events(told.clock, to=told.out), OFF)
    with told.db.transaction() as session:
        collect(session, told.clock.at, OFF)
    assert (without.send(), without.send()) == (0, 0)
    assert told.out.getvalue().count("LATCHKEY_SMTP_ADDRESS") == 1
    assert told.tick() == 1


def test_an_address_that_no_key_reads_is_named_and_ends_no_thread(told, mail_server, wait_for):
    number = told.address(OPS)
    told.run("bell_pdf_invoice", "bad_credentials", "ana")
    with told.db.transaction() as session:
        collect(session, told.clock.at, OFF)
        session.execute(text("UPDATE notice_addresses SET address = 'written-under-a-lost-key'"))
    sending = told.notices()
    sending.begin()
    wait_for(lambda: "notices wait: " in told.out.getvalue(), 60)
    sending.close()
    assert "notice_addresses.address" in told.out.getvalue()
    assert "lost-key" not in told.out.getvalue()
    with told.db.transaction() as session:
        session.execute(text(f"UPDATE notice_addresses SET address = '{key_ring().encrypt(OPS)}' WHERE id = {number}"))
    assert told.tick() == 1


def test_several_processes_send_each_message_once(told, mail_server, database_url):
    told.address(OPS)
    for number in range(8):
        told.run("bell_pdf_invoice", "bad_credentials", f"user{number}")
    with told.db.transaction() as session:
        collect(session, told.clock.at, OFF)
    program = SENDING.format(at=told.clock.at.isoformat(), port=mail_server.port, password=PASSWORD)
    sent = [int(said) for said in crowd(database_url, 3, program)]
    assert (sum(sent), len(mail_server.mails), len(set(subjects(mail_server)))) == (8, 8, 8)


def test_a_message_of_a_process_that_died_is_sent_by_another(told, mail_server):
    told.address(OPS)
    told.run("bell_pdf_invoice", "bad_credentials", "ana")
    with told.db.transaction() as session:
        collect(session, told.clock.at, OFF)
        lost = notices.claim(session, told.clock.at, DAY)
    assert told.tick() == 0
    assert told.tick(notices.CLAIM) == 1
    with told.db.transaction() as session:
        notices.failed(session, lost, "Too late.", told.clock.at)
    (message,) = told.rows(NoticeDelivery)
    assert (message.result, message.attempts, message.error) == ("sent", 2, None)


def test_a_run_is_looked_at_once_and_a_late_failure_before_a_success_is_none(told, mail_server):
    told.address(OPS)
    told.clock.turn(BEGIN + HOUR)
    told.run("bell_pdf_invoice", "success", "ana")
    told.tick()
    told.run("bell_pdf_invoice", "cache_error", "ana", finished_at=BEGIN)
    assert (told.tick(), told.rows(Cause)) == (0, [])
    assert all(run.noticed_at == BEGIN + HOUR for run in told.rows(Run))


class NotBegun(Waiting):
    """A crawl that ends at once, and has begun nothing."""

    def poll(self):
        return 2

    def last_line(self):
        return "-a account=1: bell has no such account."


def test_a_worker_tells_of_runs_and_of_a_crawl_that_could_not_begin(told, mail_server, monkeypatch):
    """At its tick, in a thread of its own, and before it ends."""
    for name, value in {**mail_environment(mail_server), "LATCHKEY_NOTIFY_DIGEST": "off"}.items():
        monkeypatch.setenv(name, value)
    told.address(OPS)
    told.run("bell_pdf_invoice", "cache_error", "ana")
    with told.db.transaction() as session:
        add(session, [NewJob("acme", "usage", "acme_usage ana", "501234567 2026-10", "ana", "acme:ana")], BEGIN)
    launcher, events = Launcher(), Events(told.clock, to=told.out)
    monkeypatch.setattr(launcher, "start", lambda claim, clock: NotBegun(claim, clock.elapsed(), None))
    planner = Planner(Spiders(get_project_settings()), told.clock)
    Worker(told.db, told.clock, planner, launcher, events, slots=1).run(until_idle=True)
    assert subjects(mail_server) == ["bell: cache error", "acme: crawl not started"]
    assert "- acme_usage …4567 2026-10\n" in mail_server.mails[1].get_content().replace("\r\n", "\n")


@pytest.mark.parametrize(
    ("how", "at", "due"),
    [
        ("daily", "2026-12-02T05:59", "2026-12-01T06:00"),
        ("daily", "2026-12-02T06:00", "2026-12-02T06:00"),
        ("weekly", "2026-12-02T05:59", "2026-11-30T06:00"),
        ("weekly", "2026-11-30T05:59", "2026-11-23T06:00"),
        ("daily", "2026-06-02T05:59", "2026-06-02T05:00"),  # summer time
    ],
)
def test_when_a_digest_is_due(how, at, due):
    settings = NoticeSettings(notify_digest=how, notify_time_zone="Europe/Zurich")
    assert digest_due(settings, datetime.fromisoformat(f"{at}+00:00")).isoformat() == f"{due}:00+00:00"


def test_a_digest_a_day_also_after_days_without_the_server(told, mail_server, free_port):
    told.settings = NoticeSettings()
    told.address(OPS, digest=True)
    back = told.port
    told.run("bell_pdf_invoice", "success", "ana", files=2)
    sent = []
    for hour in range(96):
        told.port = free_port() if 24 <= hour < 60 else back
        if hour == 30:
            told.run("bell_daily_usage", "success", "ana", files=3, records=40)
        sent += [hour + 1] * told.tick(HOUR)
    assert sent == [7, 61, 79]  # that of the second day on the third, which has none of its own; and so on
    first, second, third = (mail.get_content().replace("\r\n", "\n") for mail in mail_server.mails)
    assert "- bell_pdf_invoice: 2 files, 0 records\n" in first
    assert "From 2026-11-30 07:00 to 2026-12-02 13:00.\n" in second
    assert "- bell_daily_usage: 3 files, 40 records\n" in second
    assert "Nothing is new.\n" in third


def test_a_digest_says_what_is_missing_who_must_act_and_what_came_late(told):
    at = datetime(2026, 11, 30, 12, tzinfo=UTC)
    told.clock.turn(at)
    with told.db.transaction() as session:
        for client, number in (("Acme", "501234567"), ("Bolt", "501234568")):
            account, _ = add_account(session, NewAccount(client, "Main", "bell", number), CARRIERS)
            for month in (8, 9, 10, 11, 12):
                cycle = cycle_for(session, account, 2026, month)
                if month == 9:
                    session.add(BillingCyclePdfFile(billing_cycle_id=cycle.id, status=FileStatus.READY))
            key = f"{number}/2026-08"
            session.add(Note(spider="bell_pdf_invoice", target_key=key, name="no_longer_available", value=""))
            session.flush()
        acme = session.scalars(select(Account).order_by(Account.id)).first()
        client = acme.workspace.client
        facts = {"cron": "0 6 * * *", "time_zone": "UTC", "fresh_by": "08:00", "seen_until": at}
        schedule = Schedule(name="nightly", spiders=["bell"], client="Acme", **facts)
        session.add(schedule)
        session.flush()
        due = datetime(2026, 11, 30, 6, tzinfo=UTC)
        session.add(Firing(schedule_id=schedule.id, due_at=due, first_due_at=due, seen_at=due, jobs=1))
        (made_job,) = add(
            session, [NewJob("bell", "pdf_invoice", "x", "501234567 2026-10")], due, schedule_id=schedule.id, due_at=due
        )
        job = session.get_one(ScraperJob, made_job)
        job.status, job.outcome, job.completed_at = ScraperJobStatus.ERROR, "portal_down", at
        job.billing_cycle_id = cycle_for(session, acme, 2026, 10).id
        account_id = acme.id
    told.run("bell_pdf_invoice", "captcha_shown", "ana@example.com", account_id=account_id, files=1)
    with told.db.transaction() as session:
        causes.collect(session, at)
        made = digest(session, at - DAY, at + HOUR, "Europe/Zurich", client)
        of_all = digest(session, at - DAY, at + HOUR, "UTC")
    assert made.subject == "[Latchkey] Acme: 2 invoices missing, 1 wait for a person, 1 schedules late, 1 new files"
    assert made.text == (
        "From 2026-11-29 13:00 to 2026-11-30 14:00, Acme.\n"
        "\n"
        "Missing invoices\n"
        "- bell …4567: 2026-10, 2026-11\n"
        "\n"
        "Waiting for a person\n"
        "- owner: bell captcha_shown of ana@example.com (1 affected, since 2026-11-30 13:00). "
        f"{OUTCOMES['captcha_shown'].sentence}\n"
        "\n"
        "Given up\n"
        "- bell_pdf_invoice: 1 jobs ended with portal_down\n"
        "\n"
        "New\n"
        "- bell_pdf_invoice: 1 files, 0 records\n"
        "\n"
        "Freshness\n"
        "- nightly: late by 2026-11-30 09:00: …4567 2026-10\n"
    )
    assert "- bell …4568: 2026-10, 2026-11\n" in of_all.text
    assert of_all.missing.keys() == {("bell", "501234567"), ("bell", "501234568")}


def test_a_digest_and_the_control_room_agree_on_what_is_missing(told):
    """What is accepted is gone in both; a month of which no cycle was opened is missing only if we fetch the account."""
    at = datetime(2026, 11, 30, 12, tzinfo=UTC)
    with told.db.transaction() as session:
        session.add(CarrierPortalCredential(portal="bell", username="ana@example.com", password="p"))
        session.flush()
        for number, username in (("501234567", "ana@example.com"), ("501234568", None), ("501234569", None)):
            new = NewAccount("Acme", "Main", "bell", number, username)
            account, _ = add_account(session, new, CARRIERS)
            for month in (9, 10, 12) if number != "501234569" else ():
                cycle_for(session, account, 2026, month)
        about = {"label": "501234567", "outcome": "bad_file", "actor": "olga@example.com"}
        session.add(Acceptance(identity="bell_pdf_invoice 501234567/2026-09", **about))
        for period in ("2026-09", "2026-10"):
            about = {"portal": "bell", "report_type": "pdf_invoice", "outcome": "bad_file"}
            identity = f"bell_pdf_invoice 501234567/{period}"
            ended = {"status": ScraperJobStatus.ERROR, "completed_at": at - HOUR}
            session.add(ScraperJob(**about, identity=identity, **ended))
        session.flush()
        made = digest(session, at - DAY, at, "UTC")
        wanted = Wanted(report_types=("pdf_invoice",), states=frozenset(State) - {State.STORED, State.GONE})
        shown = {
            line.account.number: [cell.month for cell in line.cells if cell.cycle_id is not None and cell.has_ended]
            for line in every_line(session, wanted, at, 0)
        }
    assert made.missing == {
        ("bell", "501234567"): ["2026-11", "2026-10"],
        ("bell", "501234568"): ["2026-10", "2026-09"],
    }
    assert made.given_up == [("bell_pdf_invoice", "bad_file", 1)]
    assert shown == {"501234567": ["2026-10"], "501234568": ["2026-10", "2026-09"], "501234569": []}
