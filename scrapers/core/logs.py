"""The form of log lines: text for people, or one JSON object a line, with the run and the job that it is about."""

from __future__ import annotations

import json
import logging
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, Protocol
from weakref import WeakSet

from scrapers.core.redaction import redactor, without_queries
from scrapers.core.settings import crawl_settings

ABOUT = "about"  # attribute of a record that is about one job; given as `extra`


class HasRow(Protocol):
    """A plan, as far as log lines need it."""

    job_id: int | None


class Subject(Protocol):
    """A job of the crawl, as far as log lines need it."""

    id: int  # of its run
    spider: str

    @property
    def plan(self) -> HasRow:
        """What is to be done."""


# The job whose request is handled in this task; lines that name no job of their own are about it.
about: ContextVar[Subject | None] = ContextVar(ABOUT, default=None)
_all: WeakSet[Any] = WeakSet()  # jobs of this process; where there is one only, every line is about it


def register(job: Subject) -> None:
    """Take note of a job of this process."""
    _all.add(job)


def subject_of(record: logging.LogRecord) -> dict[str, Any]:
    """Return run, job and spider that a line is about; {} where it is about no single one."""
    job: Subject | None = getattr(record, ABOUT, None) or about.get()
    if job is None and len(_all) == 1:
        job = next(iter(_all), None)
    if job is None:
        return {}
    found = {"run": job.id, "job": job.plan.job_id, "spider": job.spider}
    return {name: value for name, value in found.items() if value is not None}


def hide(text: str) -> str:
    """Return a text without known secrets and without the queries of URLs."""
    return without_queries(redactor.hide(text))


class JsonFormatter(logging.Formatter):
    """
    Formats a record as one line of JSON, in ASCII.

    Keys: at (ISO 8601, UTC), level, logger, message; run, job and spider where it is about one job; exception with a
    traceback where there is one.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": hide(record.getMessage()),
            **subject_of(record),
        }
        if record.exc_info and not record.exc_text:
            record.exc_text = self.formatException(record.exc_info)
        if record.exc_text:
            line["exception"] = hide(record.exc_text)
        return json.dumps(line, default=str)


def formatter(text: str, times: str | None = None) -> logging.Formatter:
    """Return the formatter that LATCHKEY_LOG_FORMAT names. text, times: format of a line and its time where it is text."""
    return JsonFormatter() if is_json() else logging.Formatter(text, times)


def is_json() -> bool:
    """Tell whether log lines are JSON."""
    return crawl_settings().log_format == "json"


def as_line(sentence: str, job: Subject | None = None, level: int = logging.WARNING) -> str:
    """Return a sentence for a person as it stands on standard error: as it is, or as a line of JSON."""
    if not is_json():
        return sentence
    record = logging.LogRecord("latchkey", level, "", 0, sentence, None, None)
    setattr(record, ABOUT, job)
    return JsonFormatter().format(record)


def sentence_of(line: str) -> str:
    """
    Return what a line of a log says, whichever form it has.

    >>> sentence_of('{"message": "It is away."}'), sentence_of("It is away."), sentence_of("{1}")
    ('It is away.', 'It is away.', '{1}')
    """
    try:
        return str(json.loads(line)["message"])
    except (ValueError, TypeError, KeyError):
        return line
