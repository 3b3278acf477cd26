"""
Errors for a server that speaks Sentry's protocol; off unless LATCHKEY_SENTRY_DSN is set.

What leaves the process is a list of what may: types of exceptions, names and line numbers of functions, the name of the
logger, spider, outcome, numbers of run and job, our version. Texts of messages and exceptions, values of variables, addresses,
user and host names are not among them.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from typing import Any

from database.settings import SettingsError
from scrapers.core.logs import subject_of
from scrapers.core.settings import crawl_settings
from scrapers.core.version import version

ROOMS = ("commands.", "database.", "jobs.", "middlewares.", "pipelines.", "scrapers.", "webhook.")
KEPT = ("event_id", "timestamp", "platform", "level", "logger", "release")  # of an event
TAGS = ("spider", "outcome", "run", "job", "place")
FRAME = ("module", "function", "lineno")
_started = False


def start() -> bool:
    """Begin to send errors, where LATCHKEY_SENTRY_DSN is set; return whether it is. Raises SettingsError."""
    global _started
    dsn = crawl_settings().sentry_dsn.get_secret_value()
    if not dsn or _started:
        return bool(dsn)
    if find_spec("sentry_sdk") is None:
        raise SettingsError(
            "LATCHKEY_SENTRY_DSN is set, and sentry-sdk is not installed: pip install 'sentry-sdk>=2.75,<3'."
        )
    import sentry_sdk
    from sentry_sdk.integrations.atexit import AtexitIntegration
    from sentry_sdk.integrations.excepthook import ExcepthookIntegration

    sentry_sdk.init(
        dsn=dsn,
        release=f"latchkey@{version()}",
        before_send=only_known,
        # No other integrations: they would collect requests, arguments, log lines and packages.
        default_integrations=False,
        auto_enabling_integrations=False,
        integrations=[ExcepthookIntegration(), AtexitIntegration(callback=lambda pending, seconds: None)],
        include_local_variables=False,
        include_source_context=False,
        send_default_pii=False,
        max_breadcrumbs=0,
        auto_session_tracking=False,
        send_client_reports=False,
    )
    logging.getLogger().addHandler(_Errors(logging.ERROR))
    _started = True
    return True


def tell_outcome(job: Any, code: str) -> None:
    """Send that a run has ended in a way for which a developer has to act. job: a `scrapers.core.jobs.Job`."""
    if not _started:
        return
    import sentry_sdk

    tags = {"spider": job.spider, "run": job.id, "outcome": code}
    sentry_sdk.capture_event({"level": "error", "logger": "latchkey.outcome", "tags": tags})


class _Errors(logging.Handler):
    """Sends each record of an error: from where it was logged and which exceptions, not what it says."""

    def emit(self, record: logging.LogRecord) -> None:
        """Send one."""
        import sentry_sdk
        from sentry_sdk.utils import event_from_exception

        if record.name.startswith("sentry_sdk"):
            return
        event: Any = {}
        if record.exc_info and record.exc_info[0] is not None:
            event, _ = event_from_exception(record.exc_info)
        event |= {"level": record.levelname.lower(), "logger": record.name}
        event["tags"] = {"place": f"{record.module}.{record.funcName}:{record.lineno}", **subject_of(record)}
        sentry_sdk.capture_event(event)


def only_known(event: Any, hint: Any) -> Any:
    """Return an event with what may be sent, and nothing else of it."""
    tags = event.get("tags") or {}
    exceptions = list(_exceptions(event))
    place = next((f"{each['type']}" for each in reversed(exceptions)), event.get("logger", ""))
    found = {name: event[name] for name in KEPT if name in event}
    found["tags"] = {name: str(tags[name]) for name in TAGS if tags.get(name) is not None}
    if exceptions:
        found["exception"] = {"values": exceptions}
    # A server groups by what an event says: without a text, by what it is and where.
    found["fingerprint"] = [
        place,
        *(found["tags"][name] for name in ("place", "spider", "outcome") if name in found["tags"]),
    ]
    return found


def _exceptions(event: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for each in (event.get("exception") or {}).get("values") or ():
        frames = ((each or {}).get("stacktrace") or {}).get("frames") or ()
        yield {
            "type": str(each.get("type")),
            "module": each.get("module"),
            "stacktrace": {
                "frames": [
                    {name: frame.get(name) for name in FRAME} | {"in_app": str(frame.get("module")).startswith(ROOMS)}
                    for frame in frames
                ]
            },
        }
