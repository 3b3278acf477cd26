"""Notes of jobs, and used TOTP steps, on both databases."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from database.access.totp import TotpSteps
from database.models import UsedTotpStep
from database.notes import Notes
from tests.database.crowd import crowd

SPIDER, TARGET = "bell_ereports", "555-0100/2026-10-01"


def test_a_note_is_recalled_as_it_was_written(store):
    notes = Notes(store)
    assert notes.recall(SPIDER, TARGET, "report") is None
    for value in ({"name": "r1", "asked": [1, 2.5, None, True]}, ["é"], "text", 7, None):
        notes.remember(SPIDER, TARGET, "report", value)
        assert notes.recall(SPIDER, TARGET, "report") == value
    assert Notes(store).recall(SPIDER, "other", "report") is None


def test_notes_are_forgotten_one_by_one_or_all(store):
    notes = Notes(store)
    for name in ("a", "b", "c"):
        notes.remember(SPIDER, TARGET, name, name)
    notes.remember(SPIDER, "other", "a", "kept")
    assert notes.forget(SPIDER, TARGET, "a") == 1
    assert notes.forget(SPIDER, TARGET) == 2
    assert notes.forget(SPIDER, TARGET) == 0
    assert notes.recall(SPIDER, "other", "a") == "kept"


def test_a_totp_step_is_used_once(store):
    steps = TotpSteps(store)
    assert steps.use_step("bell", "u", 58_000_000)
    assert not steps.use_step("bell", "u", 58_000_000)
    assert steps.use_step("bell", "u", 58_000_001)
    assert steps.use_step("bell", "other", 58_000_000)
    assert steps.use_step("telus", "u", 58_000_000)


def test_old_steps_are_swept_out(store):
    steps = TotpSteps(store)
    steps.use_step("bell", "u", 1)
    with store.transaction() as session:
        session.scalars(select(UsedTotpStep)).one().used_at -= timedelta(days=2)
    steps.use_step("bell", "u", 2)
    with store.transaction() as session:
        assert session.scalars(select(UsedTotpStep.step)).all() == [2]


def test_of_processes_at_once_one_has_the_step(store, database_url):
    program = 'from database.access.totp import TotpSteps; print(TotpSteps(db).use_step("bell", "u", 58_000_000))'
    assert sorted(crowd(database_url, 8, program)) == [*["False"] * 7, "True"]
