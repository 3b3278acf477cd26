"""How what is missing, runs and files are put into words for people. Pure functions."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from database.families.standing import Gap
from jobs.missing import Cell, State
from scrapers.core.outcomes import OUTCOMES

# A word for the colour, a short word for a grid, and words to read.
STATES = {
    State.STORED: ("good", "stored", "Stored"),
    State.COMING: ("plain", "coming", "Coming"),
    State.NOT_YET: ("quiet", "not yet", "Not yet published"),
    State.GONE: ("quiet", "gone", "No longer offered"),
    State.FAILED: ("bad", "failed", "Failed"),
    State.NEVER: ("quiet", "never", "Never asked for"),
}
CHOICES = {"": "Everything", "missing": "All that is missing", **{state.value: words for state, (_, _, words) in STATES.items()}}  # fmt: skip
REPORT_TYPES = {"pdf_invoice": "Invoice", "monthly_reports": "Reports", "daily_usage": "Daily usage"}
OUTCOMES_CHOICES = {"": "All", "failed": "All that failed", **{code: code.replace("_", " ") for code in sorted(OUTCOMES)}}  # fmt: skip


def colour(state: State) -> str:
    """Return the class of a state."""
    return STATES[state][0]


def short(cell: Cell) -> str:
    """
    Return what a grid shows of a cell: its state, and how many files where there are some but not all.

    >>> short(Cell("2026-10", "monthly_reports", State.FAILED, stored=2, wanted=4))
    'failed 2/4'
    """
    word = STATES[cell.state][1]
    return f"{word} {cell.stored}/{cell.wanted}" if 0 < cell.stored < cell.wanted else word


def state_words(state: State) -> str:
    """Return the words for a state."""
    return STATES[state][2]


def report_type(word: str) -> str:
    """Return the words for a report type."""
    return REPORT_TYPES.get(word, word.replace("_", " "))


def outcome_colour(outcome: str | None) -> str:
    """Return the class of an outcome; None: it runs."""
    return "plain" if outcome is None else "good" if outcome == "success" else "bad"


def gap(found: Gap) -> str:
    """
    Return a gap in words.

    >>> from datetime import date
    >>> gap(Gap(date(2026, 3, 2), date(2026, 3, 5), 0, 0)), gap(Gap(date(2026, 4, 1), date(2026, 4, 1), 90, 96))
    ('2026-03-02 to 2026-03-05: nothing', '2026-04-01: 90 of 96')
    """
    days = f"{found.first_day}" if found.first_day == found.last_day else f"{found.first_day} to {found.last_day}"
    return f"{days}: {f'{found.found} of {found.expected}' if found.expected else 'nothing'}"


def lasted(run: Any) -> str:
    """
    Return how long a run took.

    >>> from types import SimpleNamespace as Run
    >>> begin = datetime(2026, 11, 1)
    >>> lasted(Run(started_at=begin, finished_at=begin.replace(minute=2))), lasted(Run(started_at=begin, finished_at=None))
    ('120 s', '–')
    """
    end: datetime | None = run.finished_at
    return "–" if end is None else f"{(end - run.started_at).total_seconds():.0f} s"


FILTERS = {
    "cell_colour": colour,
    "cell_short": short,
    "cell_state": state_words,
    "report_type": report_type,
    "outcome_colour": outcome_colour,
    "gap": gap,
    "lasted": lasted,
}
