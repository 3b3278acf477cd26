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


# The facts that differ from "no". A failure that is not named here has none.
FACTS = {
    "BadCredentials": {"answers", "nothing_sent"},
    "AccountLocked": {"answers", "nothing_sent"},
    "CaptchaShown": {"answers", "nothing_sent", "for_a_person"},
    "MfaFailed": {"answers", "proves_secret"},
    "MfaRequired": {"proves_secret", "for_a_person"},
    "CodeNotReceived": {"proves_secret"},
    "CodeUnclear": {"proves_secret"},
    "TermsPending": {"proves_secret", "for_a_person"},
    "Blocked": {"nothing_sent", "for_a_person"},
    "PortalDown": {"hides_answer", "nothing_sent"},
    "RateLimited": {"hides_answer"},
    "BrowserDied": {"hides_answer"},
    "FlowTimedOut": {"hides_answer"},
    "LeaseLost": {"forbids_storing"},
    "IdentityMismatch": {"forbids_storing"},
    "IdentityUnproved": {"forbids_storing"},
    "WrongAccount": {"forbids_storing"},
}
NAMES = ("answers", "proves_secret", "hides_answer", "nothing_sent", "for_a_person", "forbids_storing")


@pytest.mark.parametrize("kind", FAILURES, ids=lambda kind: kind.__name__)
def test_every_failure_states_its_facts(kind):
    assert {name for name in NAMES if getattr(kind, name)} == FACTS.get(kind.__name__, set())


@pytest.mark.parametrize("kind", FAILURES, ids=lambda kind: kind.__name__)
def test_the_facts_of_a_failure_agree_with_each_other(kind):
    assert not (kind.answers and kind.hides_answer)
    assert not (kind.proves_secret and kind.hides_answer)
    assert not (kind.proves_secret and kind.nothing_sent)  # a portal that asks for a code may have sent it
    signs_in = kind.answers or kind.proves_secret or kind.for_a_person
    assert not signs_in or issubclass(kind, outcomes.LoginFailed)


def test_a_portals_own_failures_have_the_facts_of_the_outcomes_that_they_are():
    from scrapers.portals.iec import errors

    assert errors.IdNumberRefused.answers
    assert errors.CodeRefused.proves_secret
    assert errors.SlowDown.hides_answer
    assert errors.CompanyDown.nothing_sent
    assert not any(getattr(errors.IECLoginError, name) for name in NAMES)


@pytest.mark.parametrize("kind", FAILURES, ids=lambda kind: kind.__name__)
def test_a_job_may_store_until_a_failure_forbids_it(kind):
    job = a_job()
    assert job.may_store
    job.fail(kind("Seen."))
    job.fail(outcomes.BadFile())
    assert job.may_store is not kind.forbids_storing


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
