"""The tick: due times become jobs exactly once; what is missed, paused, late or out of hours is written down."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from database.jobs.claims import claim
from database.jobs.schedules import last, named, put
from database.jobs.settling import settle
from database.jobs.steps import Ending
from database.models import ScraperJob
from database.models.jobs import MissedRuns
from jobs.clock import TurnableClock
from jobs.definitions import BadSchedule, define, read_definitions
from jobs.freshness import freshness
from jobs.simulation import Targets
from jobs.tick import Ticked, fire_schedules, resume
from tests.database.crowd import crowd

BEGIN = datetime(2026, 11, 30, 0, 0, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


class Ticking:
    def __init__(self, db) -> None:
        self.db, self.clock = db, TurnableClock(BEGIN)

    def add(self, name: str = "s", **fields) -> None:
        usual = {"spiders": ["acme_usage"], "accounts": ["ana"], "cron": "0 6 * * *", "time_zone": "UTC"}
        with self.db.transaction() as session:
            put(session, name, {"missed": MissedRuns.ONCE, **usual, **fields}, self.clock.at)

    def at(self, moment: datetime) -> list[str]:
        self.clock.turn(moment)
        done = Ticked()
        fire_schedules(self.db, self.clock, Targets(), done)
        return done.sentences

    def firings(self, name: str = "s") -> list[tuple[datetime, int, int, str]]:
        with self.db.transaction() as session:
            found = last(session, named(session, name), 100)
        return [(each.due_at, each.due_times, each.jobs, each.reason) for each in reversed(found)]

    def jobs(self) -> list[ScraperJob]:
        with self.db.transaction() as session:
            return list(session.scalars(select(ScraperJob).order_by(ScraperJob.id)))

    def finish(self, outcome: str = "done") -> None:
        with self.db.transaction() as session:
            while (taken := claim(session, "w", self.clock.at, 60)) is not None:
                for job in taken.jobs:
                    settle(session, job, taken.id, Ending("success", outcome), self.clock.at)


@pytest.fixture
def ticking(store) -> Ticking:
    return Ticking(store)


def test_a_due_time_makes_its_jobs_once(ticking):
    ticking.add(accounts=["ana", "bea"])
    assert ticking.at(BEGIN + 5 * HOUR) == []
    assert ticking.at(BEGIN + 6 * HOUR) == ["schedule s: due 2026-11-30 06:00 UTC, 2 jobs made"]
    assert ticking.at(BEGIN + 6.1 * HOUR) == []
    assert ticking.firings() == [(BEGIN + 6 * HOUR, 1, 2, "")]
    assert [(job.label, job.due_at, job.available_at) for job in ticking.jobs()] == [
        (name, BEGIN + 6 * HOUR, BEGIN + 6 * HOUR) for name in ("ana", "bea")
    ]


def test_what_is_open_still_is_not_made_again(ticking):
    ticking.add()
    ticking.at(BEGIN + 6 * HOUR)
    ticking.at(BEGIN + 30 * HOUR)
    assert ticking.firings()[-1] == (BEGIN + 30 * HOUR, 1, 0, "1 open already")
    ticking.finish()
    ticking.at(BEGIN + 54 * HOUR)
    assert [job.status for job in ticking.jobs()] == ["success", "pending"]


@pytest.mark.parametrize(
    ("missed", "expected"),
    [
        ("once", [(3, 1, "")]),
        ("skip", [(3, 0, "missed: no worker was there, and missed runs are skipped")]),
        ("each", [(1, 1, ""), (1, 1, ""), (1, 1, "")]),
    ],
)
def test_missed_runs(ticking, missed, expected):
    ticking.add(missed=MissedRuns(missed))
    ticking.at(BEGIN + 2.5 * DAY)
    assert [firing[1:] for firing in ticking.firings()] == expected
    # The next one is on time.
    ticking.finish()
    ticking.at(BEGIN + 3.25 * DAY)
    assert ticking.firings()[-1] == (BEGIN + 3.25 * DAY, 1, 1, "")


def test_a_clock_that_ran_ahead_and_was_set_back(ticking):
    ticking.add()
    ticking.at(BEGIN + 30.5 * DAY)  # ahead by a month
    ticking.finish()
    assert ticking.firings() == [(BEGIN + 30.25 * DAY, 31, 1, "")]
    assert ticking.at(BEGIN + DAY) == ["schedule s: the clock was set back to 2026-12-01 00:00"]
    # What the month ahead has seen is not due again; what comes after it is.
    assert ticking.at(BEGIN + 1.5 * DAY) == []
    ticking.at(BEGIN + 31.5 * DAY)
    assert ticking.firings()[1:] == [(BEGIN + 31.25 * DAY, 1, 1, "")]


def test_a_pause_is_written_down(ticking):
    ticking.add()
    with ticking.db.transaction() as session:
        named(session, "s").paused = True
    assert ticking.at(BEGIN + 2.5 * DAY) == []
    with ticking.db.transaction() as session:
        resume(session, named(session, "s"), ticking.clock.at)
    assert ticking.firings() == [(BEGIN + 2.25 * DAY, 3, 0, "paused")]
    assert ticking.at(BEGIN + 2.6 * DAY) == []
    ticking.at(BEGIN + 3.25 * DAY)
    assert ticking.firings()[-1][2:] == (1, "")


def test_a_changed_expression_makes_nothing_due_that_has_passed(ticking):
    ticking.add()
    ticking.clock.turn(BEGIN + 12 * HOUR)
    ticking.add(cron="0 11 * * *")
    assert ticking.at(BEGIN + 12 * HOUR) == []
    assert ticking.at(BEGIN + 35 * HOUR) != []


def test_hours_and_jitter_put_jobs_off(ticking):
    users = [f"user{n}" for n in range(20)]
    ticking.add(accounts=users, hours="08:00-20:00", jitter=600, time_zone="Europe/Zurich")
    ticking.at(BEGIN + 5 * HOUR)
    assert {job.available_at for job in ticking.jobs()} == {BEGIN + 7 * HOUR}
    ticking.add("t", accounts=users, spiders=["acme_bills"], jitter=600)
    ticking.at(BEGIN + 6 * HOUR)
    spread = [job.available_at - BEGIN - 6 * HOUR for job in ticking.jobs() if job.report_type == "bills"]
    assert len(set(spread)) > 15
    assert max(spread) <= timedelta(minutes=10)


def test_freshness(ticking):
    ticking.add(accounts=["ana", "bea"], fresh_by="12:00")

    def fresh():
        with ticking.db.transaction() as session:
            return freshness(session, named(session, "s"), ticking.clock.at)

    ticking.at(BEGIN + 6 * HOUR)
    assert fresh() is None
    ticking.finish()
    ticking.clock.turn(BEGIN + 13 * HOUR)
    assert (fresh().is_met, fresh().deadline) == (True, BEGIN + 12 * HOUR)
    ticking.at(BEGIN + 30 * HOUR)
    ticking.finish("in minutes")
    assert fresh().is_met
    ticking.clock.turn(BEGIN + 37 * HOUR)
    assert (fresh().is_met, fresh().lacking) == (False, ("ana", "bea"))


TICKS = """
from jobs.clock import TurnableClock
from jobs.simulation import Targets
from jobs.tick import Ticked, fire_schedules
from datetime import UTC, datetime, timedelta

clock, made = TurnableClock(datetime(2026, 11, 30, tzinfo=UTC)), Ticked()
for turn in range(24):
    clock.turn(clock.at + timedelta(hours=1))
    fire_schedules(db, clock, Targets(), made)
print(made.made)
"""


def test_any_number_of_workers_ticks_each_due_time_once(ticking, database_url):
    for number in range(3):
        ticking.add(
            f"s{number}", cron=f"{number} * * * *", accounts=["ana"], spiders=[f"acme_{number}"], missed=MissedRuns.EACH
        )
    made = crowd(database_url, 4, TICKS)
    found = [firing for number in range(3) for firing in ticking.firings(f"s{number}")]
    assert sum(times for _, times, _, _ in found) == len({(due, times) for due, times, _, _ in found}) == 3 * 24
    assert sum(map(int, made)) == len(ticking.jobs()) == sum(jobs for _, _, jobs, _ in found)


def test_definitions_name_the_field_that_is_wrong(tmp_path):
    good = {
        "name": "n",
        "spiders": "a, b",
        "cron": "@daily",
        "time_zone": "UTC",
        "accounts": "all",
        "fresh_by": "12:00",
    }
    made = define(good)
    assert (made.spiders, made.accounts, made.fields()["missed"]) == (["a", "b"], None, MissedRuns.ONCE)
    for field, value, said in [
        ("cron", "61 * * * *", "cron: '61 \\* \\* \\* \\*' is no cron expression: Bad minute"),
        ("time_zone", "Mars", "time_zone: 'Mars' is no time zone"),
        ("hours", "6-22", "hours: a time of day looks like 06:00"),
        ("missed", "never", "missed: Input should be 'once', 'skip' or 'each'"),
        ("fresh_by", "noon", "fresh_by: a time of day looks like"),
        ("spiders", "", "spiders: Value should have at least 1 item"),
        ("colour", "red", "colour: there is no such field"),
        ("jitter", -1, "jitter: Input should be greater"),
    ]:
        with pytest.raises(BadSchedule, match=said):
            define({**good, field: value})
    file = tmp_path / "s.toml"
    for text, said in [
        ("name = ", "is not TOML"),
        ('name = "n"', "it must hold tables"),
        ('[[schedule]]\nname = "n"\n', "schedule n: spiders: Field required"),
    ]:
        file.write_text(text)
        with pytest.raises(BadSchedule, match=said):
            read_definitions(file)
