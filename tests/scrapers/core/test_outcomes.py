"""The table of outcomes: one sentence each, and an exit code that says who must act."""

from __future__ import annotations

from typing import Any

import pytest

from scrapers.core import outcomes
from scrapers.core.jobs import Counts, Job, Plan
from scrapers.core.outcomes import EXIT_CODES, OUTCOMES, SUCCESS, Actor

FAILURES: list[Any] = [kind for kind in vars(outcomes).values() if isinstance(kind, type) and "outcome" in vars(kind)]


def test_success_alone_ends_with_zero():
    assert SUCCESS.exit_code == 0
    assert [outcome.code for outcome in OUTCOMES.values() if outcome.exit_code == 0] == ["success"]


@pytest.mark.parametrize("kind", FAILURES, ids=lambda kind: kind.__name__)
def test_every_failure_is_a_row_of_the_table(kind):
    outcome = kind.outcome
    assert OUTCOMES[outcome.code] is outcome
    assert outcome.exit_code == EXIT_CODES[outcome.actor]
    assert outcome.sentence.endswith(".")
    assert "\n" not in outcome.sentence
    assert str(kind("Seen.")) == f"{outcome.sentence} Seen."


def test_no_two_failures_share_a_code():
    assert len({kind.outcome.code for kind in FAILURES}) == len(FAILURES) == len(OUTCOMES) - 1


def test_who_must_act_is_ordered_by_weight():
    assert list(EXIT_CODES) == [Actor.NOBODY, Actor.OPERATOR, Actor.OWNER, Actor.DEVELOPER]
    assert list(EXIT_CODES.values()) == sorted(EXIT_CODES.values())


def a_job() -> Job:
    return Job(Plan(target=None, key="k", label="l", credential=None, account_id=None), 1, "bell_pdf_invoice", None)


def test_the_worst_failure_decides_and_among_equals_the_first():
    job, first, second = a_job(), outcomes.BadFile("1"), outcomes.Incomplete("2")
    for failure in (outcomes.PortalDown(), first, second):
        job.fail(failure)
    assert job.failure is first
    job.fail(outcomes.UnexpectedError())
    assert isinstance(job.failure, outcomes.UnexpectedError)


def test_evidence_is_no_part_of_what_is_printed():
    failure = outcomes.BadFile("detail", evidence={"page": "secret"})
    assert "secret" not in repr(failure) + str(failure)


def test_a_job_has_a_column_for_each_count():
    from database.models import Run

    assert set(vars(Counts())) <= set(Run.__table__.columns.keys())
