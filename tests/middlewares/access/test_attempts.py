"""What the ledger records of a sign-in that failed."""

from __future__ import annotations

from typing import Any

import pytest

from middlewares.access.attempts import ended
from scrapers.core import outcomes

FAILURES: list[Any] = [kind for kind in vars(outcomes).values() if isinstance(kind, type) and "outcome" in vars(kind)]
JUDGED = {"bad_credentials", "account_locked", "captcha_shown", "mfa_failed"}
AFTER_THE_PASSWORD = {"mfa_failed", "mfa_required", "code_not_received", "code_unclear", "terms_pending"}


@pytest.mark.parametrize("kind", FAILURES, ids=lambda kind: kind.__name__)
def test_what_is_recorded_after_the_password_was_submitted(kind):
    code = kind.outcome.code
    end = ended(kind(), submitted=True)
    assert end.proved == (code in AFTER_THE_PASSWORD)
    proved_only = f"error:{code}" if end.proved else "error:unanswered"
    assert end.result == (code if code in JUDGED else proved_only)


@pytest.mark.parametrize("kind", FAILURES, ids=lambda kind: kind.__name__)
def test_without_a_submission_nothing_is_proved_and_only_a_judgement_is_recorded(kind):
    code = kind.outcome.code
    end = ended(kind(), submitted=False)
    assert (end.result, end.proved) == (code if code in JUDGED else "not_submitted", False)


def test_a_stop_while_a_code_is_waited_for_proves_the_password():
    end = ended(outcomes.Interrupted(), submitted=True, asked=True)
    assert (end.result, end.proved) == ("error:interrupted", True)


def test_a_stop_before_the_portal_asked_for_a_code_may_have_hidden_a_refusal():
    end = ended(outcomes.Interrupted(), submitted=True, asked=False)
    assert (end.result, end.proved) == ("error:unanswered", False)


@pytest.mark.parametrize(("submitted", "result"), [(True, "error:unanswered"), (False, "not_submitted")])
def test_an_end_without_a_name_is_counted_by_what_was_submitted(submitted, result):
    end = ended(None, submitted=submitted)
    assert (end.result, end.proved) == (result, False)
