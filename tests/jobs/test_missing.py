"""What is missing of accounts, on both databases: every state, when it comes, by what it is narrowed, and freshness ahead of time."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from database.families.accounts import NewAccount, add_account
from database.families.cycles import cycle_for, cycle_of_day
from database.families.holdings import Chosen
from database.jobs.schedules import put
from database.models import (
    Account,
    BillingCycle,
    BillingCycleFile,
    BillingCyclePdfFile,
    CarrierReport,
    Client,
    DailyUsageFile,
    FileStatus,
    Note,
    Run,
    RunState,
    ScraperJob,
    ScraperJobStatus,
)
from database.models.jobs import Breaker, Firing, Schedule, Worker
from database.models.operators import Acceptance
from jobs.definitions import define
from jobs.forecast import missed_targets
from jobs.missing import AT_ONCE, State, Wanted, csv_rows, every_line, part, states_named
from tests.project import CARRIERS

AT = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
TODAY = date(2026, 11, 20)
TOMORROW = datetime(2026, 11, 21, 6, 30, tzinfo=UTC)
NEWEST = "2026-11"  # of those that have ended


class Books:
    """Accounts with what is stored of them, and what was asked for."""

    def __init__(self, store):
        self.store = store

    def account(self, number="500100200", client="Meadow", carrier="bell"):
        with self.store.transaction() as session:
            new = NewAccount(client, "Main", carrier, number, None, 15, None)
            account, _ = add_account(session, new, CARRIERS)
            reports = session.query(CarrierReport).filter_by(carrier_id=account.carrier_id).count()
            for slug, required in (("lines", True), ("devices", True), ("notes", False)) if not reports else ():
                session.add(CarrierReport(name=slug, slug=slug, carrier_id=account.carrier_id, required=required))
            return account.id

    def month(self, number, month=NEWEST, *, invoice=None, reports=(), comment=None):
        """Write a cycle with the status of its invoice and the slugs of its stored reports; return its id."""
        with self.store.transaction() as session:
            account = session.get_one(Account, number)
            cycle = cycle_for(session, account, *map(int, month.split("-")))
            if invoice is not None:
                file = BillingCyclePdfFile(billing_cycle_id=cycle.id, status=invoice, status_comment=comment)
                session.add(file)
            for file, report in session.query(BillingCycleFile, CarrierReport).join(CarrierReport).filter(
                BillingCycleFile.billing_cycle_id == cycle.id, CarrierReport.slug.in_(reports)
            ):  # fmt: skip
                assert report.slug in reports
                file.status = FileStatus.READY
            return cycle.id

    def days(self, number, *days):
        with self.store.transaction() as session:
            account = session.get_one(Account, number)
            for day in days:
                cycle = cycle_of_day(session, account, day)
                session.add(DailyUsageFile(billing_cycle_id=cycle.id, day=day, status=FileStatus.READY))
            return cycle.id

    def run(self, cycle_id, outcome, report_type="pdf_invoice", at=AT - timedelta(days=1), **values):
        with self.store.transaction() as session:
            account = session.get_one(BillingCycle, cycle_id).account_id
            facts = {
                "state": RunState.FINISHED,
                "finished_at": at,
                "actor": "operator",
                "message": f"It was {outcome}.",
            }
            facts = {} if outcome is None else facts
            run = Run(crawl="c", spider=f"bell_{report_type}", portal="bell", report_type=report_type, started_at=at)
            facts |= {"outcome": outcome, "account_id": account, "billing_cycle_id": cycle_id, **values}
            for name, value in facts.items():
                setattr(run, name, value)
            session.add(run)
            session.flush()
            return run.id

    def job(self, cycle_id, report_type="pdf_invoice", **values):
        with self.store.transaction() as session:
            job = ScraperJob(portal="bell", report_type=report_type, billing_cycle_id=cycle_id, **values)
            session.add(job)
            session.flush()
            return job.id

    def schedule(self, name="morning", spiders=("bell",), cron="30 6 * * *", **values):
        given = {"name": name, "spiders": list(spiders), "cron": cron, "time_zone": "UTC", **values}
        with self.store.transaction() as session:
            put(session, name, define(given).fields(), AT)

    def lines(self, at=AT, **asked):
        chosen = asked.pop("chosen", Chosen())
        with self.store.transaction() as session:
            return part(session, Wanted(chosen, **asked), at, 0, 20).lines

    def cell(self, number, report_type="pdf_invoice", month=NEWEST, at=AT):
        (line,) = self.lines(at=at, chosen=Chosen(account_id=number), months=(month,))
        return line.of(report_type)[month]

    def state(self, *args, **more):
        cell = self.cell(*args, **more)
        return cell.state, cell.when


@pytest.fixture
def books(store):
    return Books(store)


def test_what_is_stored_and_what_was_never_asked_for(books):
    number = books.account()
    assert books.state(number) == (State.NEVER, None)
    books.month(number, invoice=FileStatus.PROCESSED, reports=("lines",))
    assert books.state(number) == (State.STORED, None)
    cell = books.cell(number, "monthly_reports")
    assert (cell.state, cell.stored, cell.wanted, cell.lacking) == (State.NEVER, 1, 2, ("devices",))
    books.month(number, "2026-09", reports=("lines", "devices"))
    assert books.state(number, "monthly_reports", "2026-09") == (State.STORED, None)


def test_what_comes_by_a_schedule_or_a_job(books):
    number = books.account()
    books.schedule(spiders=("carriers",), accounts="all")
    assert books.state(number) == (State.COMING, TOMORROW)
    # A month that is over for long is asked for by hand only; one that was opened and is not too old is asked for.
    assert books.state(number, month="2026-09") == (State.NEVER, None)
    september = books.month(number, "2026-09")
    assert books.state(number, month="2026-09") == (State.COMING, TOMORROW)
    books.job(september, available_at=AT + timedelta(hours=1))
    assert books.state(number, month="2026-09") == (State.COMING, AT + timedelta(hours=1))


@pytest.mark.parametrize(
    ("schedule", "comes"),
    [
        ({"spiders": ("bell_pdf_invoice",)}, True),
        ({"spiders": ("telus", "bell_daily_usage")}, False),
        ({"accounts": "500100200,1"}, True),
        ({"accounts": "1"}, False),
        ({"client": "Meadow"}, True),
        ({"client": "Brook"}, False),
    ],
    ids=str,
)
def test_only_schedules_that_ask_for_the_account_count(books, schedule, comes):
    number = books.account()
    books.schedule(**{"accounts": "all", **schedule})
    assert books.state(number)[0] is (State.COMING if comes else State.NEVER)


def test_a_paused_schedule_brings_nothing(books):
    number = books.account()
    books.schedule(accounts="all")
    with books.store.transaction() as session:
        session.query(Schedule).one().paused = True
    assert books.state(number)[0] is State.NEVER


@pytest.mark.parametrize(
    ("outcome", "state"),
    [
        ("not_yet_published", State.NOT_YET),
        ("no_longer_available", State.GONE),
        ("bad_credentials", State.FAILED),
        ("report_not_ready", State.FAILED),
        ("success", State.FAILED),
    ],
)
def test_how_the_last_run_ended(books, outcome, state):
    number = books.account()
    cycle = books.month(number)
    books.run(cycle, "portal_down")
    run = books.run(cycle, outcome)
    cell = books.cell(number)
    assert (cell.state, cell.run_id, cell.why) == (state, run, outcome)
    assert cell.said


def test_a_failure_with_a_next_try_and_one_that_waits_for_a_person(books):
    number = books.account()
    cycle = books.month(number)
    books.run(cycle, "bad_credentials")
    books.schedule(accounts="all")
    assert books.state(number) == (State.FAILED, TOMORROW)
    books.job(cycle, parked_for="owner", outcome="bad_credentials", message="Refused.")
    cell = books.cell(number)
    assert (cell.state, cell.when, cell.said) == (State.FAILED, None, "Refused.")
    other = books.account("2")
    cycle = books.month(other)
    books.run(cycle, "not_yet_published")
    books.job(cycle, outcome="not_yet_published", available_at=TOMORROW)
    assert books.state(other) == (State.NOT_YET, TOMORROW)


def test_what_was_accepted_as_gone(books):
    number = books.account()
    books.run(books.month(number), "bad_file")
    books.schedule(accounts="all")
    about = {"label": "500100200 2026-11", "outcome": "bad_file", "actor": "olga@example.com"}
    with books.store.transaction() as session:
        session.add(Acceptance(identity=f"bell_pdf_invoice 500100200/{NEWEST}", **about))
    assert books.state(number) == (State.GONE, None)


def test_what_an_earlier_run_has_found_gone_stays_so(books):
    """By its note: the run itself may be deleted, or be followed by one that failed otherwise."""
    number = books.account()
    cycle = books.month(number)
    assert books.state(number) == (State.NEVER, None)
    with books.store.transaction() as session:
        about = {"target_key": f"500100200/{NEWEST}", "name": "no_longer_available", "value": NEWEST}
        session.add(Note(spider="bell_pdf_invoice", **about))
    assert books.cell(number).said == "The portal has said that it offers it no more."
    assert books.state(number) == (State.GONE, None)
    assert books.state(number, "monthly_reports") == (State.NEVER, None)
    assert books.state(books.account("500100201")) == (State.NEVER, None)
    books.run(cycle, "portal_down")
    assert books.state(number) == (State.GONE, None)


def test_what_runs_now_comes_now(books):
    number = books.account()
    cycle = books.month(number)
    books.run(cycle, "portal_down")
    books.job(cycle, status=ScraperJobStatus.RUNNING)
    assert books.state(number) == (State.COMING, AT)
    other = books.account("2")
    books.run(books.month(other), None)
    assert books.state(other) == (State.COMING, AT)


def test_a_file_that_was_marked_as_an_error(books):
    number = books.account()
    books.month(number, invoice=FileStatus.ERROR, comment="It cannot be read.")
    cell = books.cell(number)
    assert (cell.state, cell.said) == (State.FAILED, "It cannot be read.")


def test_a_cycle_that_has_not_ended(books):
    number = books.account()
    books.schedule(accounts="all")
    # It ends on 15 December: the portal has nothing before, and the schedule asks after it.
    assert books.state(number, month="2026-12") == (State.NOT_YET, datetime(2026, 12, 16, 6, 30, tzinfo=UTC))
    assert "2027-01" not in {cell.month for cell in books.lines()[0].cells}


def test_daily_usage(books):
    number = books.account()
    assert books.state(number, "daily_usage", "2026-12") == (State.NEVER, None)
    books.days(number, TODAY - timedelta(days=2), TODAY - timedelta(days=1))
    books.schedule(accounts="all")
    cell = books.cell(number, "daily_usage", "2026-12")
    assert (cell.state, cell.when, cell.stored, cell.wanted) == (State.COMING, TOMORROW, 2, 5)
    cycle = books.days(number, TODAY)
    assert books.state(number, "daily_usage", "2026-12") == (State.STORED, None)
    # A day later the day's own run has failed; a failure of the day before does not count.
    books.run(cycle, "portal_down", "daily_usage", at=AT)
    later = AT + timedelta(days=1)
    assert books.state(number, "daily_usage", "2026-12", at=later)[0] is State.COMING
    books.run(cycle, "portal_down", "daily_usage", at=later)
    assert books.state(number, "daily_usage", "2026-12", at=later)[0] is State.FAILED
    # What was not fetched on its day is gone.
    books.days(number, date(2026, 11, 3))
    cell = books.cell(number, "daily_usage", "2026-11")
    assert (cell.state, cell.stored, cell.wanted) == (State.GONE, 1, 31)


def test_narrowed_by_client_carrier_account_and_state(books):
    mine, other = books.account(), books.account("2", client="Brook", carrier="telus")
    books.month(mine, invoice=FileStatus.READY, reports=("lines", "devices"))
    ids = lambda **asked: [line.account.id for line in books.lines(months=(NEWEST,), **asked)]  # noqa: E731
    assert ids() == [other, mine]  # by the client's name
    assert ids(chosen=Chosen(client="Meadow")) == [mine] == ids(chosen=Chosen(portal="bell"))
    assert ids(chosen=Chosen(number="2")) == [other]
    kinds = ("pdf_invoice", "monthly_reports")
    assert ids(states=states_named(["missing"]), report_types=kinds) == [other]
    assert ids(states=frozenset({State.STORED})) == [mine]
    with books.store.transaction() as session:
        session.query(Client).filter_by(name="Brook").one().active = False
    assert ids() == [mine]


def test_pages_and_csv_hold_every_account_once(books):
    numbers = [books.account(f"{1000 + each}") for each in range(AT_ONCE + 3)]
    found: list[int] = []
    start: int | None = 0
    with books.store.transaction() as session:
        while start is not None:
            page = part(session, Wanted(states=frozenset({State.NEVER})), AT, start, 20)
            found += [line.account.id for line in page.lines]
            start = page.following
        first, rest = (every_line(session, Wanted(months=(NEWEST,)), AT, start) for start in (0, AT_ONCE))
        bounded = part(session, Wanted(states=frozenset({State.STORED})), AT, 0, 20, most=AT_ONCE)
    assert found == numbers
    assert (len(first), len(rest)) == (AT_ONCE, 3)
    assert (bounded.lines, bounded.following) == ([], AT_ONCE)
    rows = list(csv_rows([*first, *rest]))
    assert len(rows) == 3 * len(numbers)
    assert rows[0][:8] == ("Meadow", "bell", "1000", NEWEST, "pdf_invoice", "never_asked", 0, 1)


class TestFreshness:
    """Targets that will be missed, before they are."""

    @pytest.fixture
    def due(self, books):
        """A schedule that was due at 6:30, to be done by 18:00; it is 15:00."""
        books.schedule(accounts="all", fresh_by="18:00")
        with books.store.transaction() as session:
            schedule = session.query(Schedule).one()
            schedule.seen_until = AT
            books.schedule_id = schedule.id
        self.worker(books, slots=2)
        return books

    @staticmethod
    def worker(books, slots):
        with books.store.transaction() as session:
            row = {"host": "h", "pid": 1, "slots": slots, "started_at": AT, "seen_at": AT, "state": "working"}
            session.merge(Worker(name="w", **row))

    @staticmethod
    def jobs(books, count=1, **values):
        with books.store.transaction() as session:
            facts = {"schedule_id": books.schedule_id, "due_at": AT.replace(hour=6, minute=30), "available_at": AT}
            for each in range(count):
                label = f"account {each}"
                session.add(ScraperJob(portal="bell", report_type="pdf_invoice", label=label, **facts | values))

    @staticmethod
    def reasons(books, at=AT):
        with books.store.transaction() as session:
            return [reason for target in missed_targets(session, at) if not target.is_over for reason in target.reasons]

    def test_nothing_is_told_while_all_is_well(self, due):
        assert self.reasons(due) == []
        self.jobs(due, 3)
        assert self.reasons(due) == []

    def test_jobs_that_wait_longer(self, due):
        self.jobs(due, available_at=AT.replace(hour=20))
        self.jobs(due, parked_for="owner")
        assert self.reasons(due) == [
            "1 job waits for the owner to act (account 0).",
            "1 job waits until 2026-11-20 20:00 UTC or longer (account 0).",
        ]

    def test_more_work_than_time(self, due):
        with due.store.transaction() as session:
            for _ in range(2):
                begun = AT - timedelta(days=2)
                run = Run(crawl="c", spider="bell_pdf_invoice", portal="bell", report_type="pdf_invoice")
                run.started_at, run.finished_at, run.outcome = begun, begun + timedelta(minutes=30), "success"
                run.state, run.requests = RunState.FINISHED, 3
                session.add(run)
        self.jobs(due, 12)  # 12 x 30 minutes at two places: just in time
        assert self.reasons(due) == []
        self.jobs(due)
        assert self.reasons(due) == ["13 jobs need about 3.2 hours, and 3.0 hours are left."]
        # One credential's jobs run one after another.
        with due.store.transaction() as session:
            for job in session.query(ScraperJob).limit(7):
                job.exclusive = "bell ana"
        self.worker(due, slots=50)
        assert self.reasons(due) == ["13 jobs need about 3.5 hours, and 3.0 hours are left."]

    def test_no_worker_and_a_portal_in_trouble(self, due):
        self.jobs(due)
        with due.store.transaction() as session:
            session.query(Worker).delete()
            facts = {"outcome": "portal_down", "changed_at": AT, "tripped_at": AT, "probe_at": AT.replace(hour=19)}
            session.add(Breaker(portal="bell", usernames=[], **facts))
        assert self.reasons(due) == [
            "bell is in trouble (portal_down), and is tried again after the deadline.",
            "No worker runs.",
        ]

    def test_before_it_is_due(self, due):
        evening = AT.replace(hour=19)
        self.worker(due, slots=0)
        assert self.reasons(due, evening) == ["No worker runs, so nothing is made due."]
        with due.store.transaction() as session:
            session.query(Schedule).one().paused = True
        assert self.reasons(due, evening) == ["The schedule is paused."]

    def test_hours_that_begin_after_the_deadline(self, books):
        books.schedule(accounts="all", fresh_by="08:00", hours="09:00-17:00")
        assert self.reasons(books) == ["Its jobs may start only at 2026-11-21 09:00 UTC."]

    def test_what_was_missed_stays_told(self, due):
        self.jobs(due, parked_for="owner")
        with due.store.transaction() as session:
            at = AT.replace(hour=6, minute=30)
            session.add(Firing(schedule_id=due.schedule_id, due_at=at, first_due_at=at, seen_at=at, jobs=1))
        with due.store.transaction() as session:
            found = missed_targets(session, AT.replace(hour=19))
        assert [(target.is_over, target.reasons) for target in found if target.is_over] == [(True, ("account 0",))]
        with due.store.transaction() as session:
            assert missed_targets(session, AT.replace(hour=19), client="Brook") == []
