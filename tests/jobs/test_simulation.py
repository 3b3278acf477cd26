"""A simulated time of schedules, outages and kills: no due time is lost, nothing is done twice or side by side."""

from __future__ import annotations

import json
from functools import partial

import pytest

from database.jobs import claims, schedules
from jobs.scenarios import Scenario
from jobs.simulation import Simulation
from tests.turns import one_database

SHORT = Scenario(days=3, schedules=24, outages=16, kills=6, seed=2)
CROWDED = Scenario(days=3, outages=8, kills=0, seed=3)  # schedules of one credential are due close together


def played(db, scenario: Scenario):
    counts = Simulation(db, scenario).run()
    told = (counts.without_job_or_reason, counts.doubled, counts.overlaps, counts.wrong_attempts, counts.left)
    assert counts.is_sound == (told == (0,) * 5), counts
    return counts


@pytest.fixture
def in_memory(sqlite_with_tables, encryption_key):
    """A database with our tables, in memory."""
    import sqlite3

    from database.engine import Database

    db = Database("sqlite:///:memory:")
    with sqlite3.connect(sqlite_with_tables) as tables, db.engine.connect() as connection:
        tables.backup(connection.connection.driver_connection)
    yield db
    db.engine.dispose()


def test_some_days(in_memory):
    counts = played(in_memory, SHORT)
    assert counts.is_sound, counts
    assert counts.due_times > 40
    assert counts.outcomes["success"] > 40
    assert set(counts.faults.values()) >= {2, 6}


def test_a_credential_that_no_one_holds_is_seen_to_work_in_two_crawls(in_memory, monkeypatch):
    candidates = claims._candidates
    monkeypatch.setattr(claims, "_take", partial(claims._take, held=False))
    monkeypatch.setattr(
        claims, "_candidates", lambda session, at, portals, _under_way: candidates(session, at, portals, ())
    )
    assert played(in_memory, CROWDED).overlaps > 0


def test_due_times_that_are_not_written_down_are_missed(in_memory, monkeypatch):
    monkeypatch.setattr(schedules, "note", lambda *args, **fields: None)
    assert played(in_memory, SHORT).without_job_or_reason > 40


def test_a_clock_that_was_set_back_makes_nothing_due_twice(in_memory, monkeypatch):
    monkeypatch.setattr(schedules, "noted_until", lambda session, schedule: schedule.created_at)
    with pytest.raises(Exception, match=r"UNIQUE|uq_schedule_firings|IntegrityError"):
        played(in_memory, Scenario(days=8, schedules=14, outages=32, kills=0, seed=5))


@pytest.mark.matrix
@pytest.mark.timeout(900)
def test_a_season(in_memory):
    assert played(in_memory, Scenario(days=90, outages=30, kills=20)).is_sound


@pytest.mark.matrix
@pytest.mark.figures
@pytest.mark.timeout(900)
@pytest.mark.parametrize("seed", [1, 2])
def test_a_year(in_memory, seed):
    counts = played(in_memory, Scenario(seed=seed))
    assert counts.is_sound, counts
    assert (sum(counts.faults.values()), counts.faults["kill"]) == (150, 50)
    assert counts.due_times > 6000


@one_database
@pytest.mark.matrix
@pytest.mark.figures
@pytest.mark.timeout(900)
def test_a_month(store):
    assert played(store, Scenario(days=30, outages=40, kills=20)).is_sound


def test_the_command_tells_the_counts_as_json(project, tmp_path):
    done = project(tmp_path).scrapy(*"jobs simulate --days 1 --schedules 4 --outages 0 --kills 0 --json".split())
    told = json.loads(done.stdout)
    assert (done.returncode, told["doubled"], told["faults"]) == (0, 0, {})
    assert sum(told["outcomes"].values()) >= told["outcomes"]["success"] > 0
