"""/metrics: who may read it, and that its figures are those of the database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from prometheus_client.parser import text_string_to_metric_families

from database.engine import DatabaseAway
from database.jobs.claims import claim
from database.jobs.queue import NewJob, add
from database.models import Run, RunState, ScraperJob
from database.models.jobs import Breaker, MissedRuns, Schedule, Worker
from database.settings import SettingsError
from scrapers.core.version import version
from tests.conftest import _forget_settings
from tests.webhook.conftest import CHANNELS, GATEWAY_TOKEN, READER_TOKEN
from webhook.app import create_app
from webhook.settings import WebhookSettings

TOKEN = "metrics-token-for-tests"
ORDER = ("portal", "report_type", "state", "outcome", "actor", "version")  # of labels in the keys below
SHOWN = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture
def client(store):
    given = {"webhook_token": GATEWAY_TOKEN, "code_reader_token": READER_TOKEN, "metrics_token": TOKEN}
    return create_app(WebhookSettings(**given), store, CHANNELS, ("bell",)).test_client()


def figures(client):
    """Return name and labels -> value of all samples."""
    answer = client.get("/metrics", headers=SHOWN)
    assert answer.status_code == 200
    return {
        (sample.name, *(sample.labels[label] for label in ORDER if label in sample.labels)): sample.value
        for family in text_string_to_metric_families(answer.get_data(as_text=True))
        for sample in family.samples
    }


def run(outcome, at, **values):
    given = {"crawl": "c", "spider": "acme_bills", "portal": "acme", "report_type": "bills", "state": RunState.FINISHED}
    actor = "nobody" if outcome == "success" else "owner"
    return Run(**given, outcome=outcome, actor=actor, finished_at=at, started_at=at, **values)


def test_an_empty_database_has_figures(client):
    found = figures(client)
    assert found[("latchkey_job_lag_seconds",)] == 0
    assert found[("latchkey_worker_slots",)] == 0
    assert [key for key in found if key[0] == "latchkey_build"] == [("latchkey_build", version())]


def test_the_figures_are_those_of_the_database(client, store):
    at = datetime.now(UTC).replace(microsecond=0)
    with store.transaction() as session:
        session.add(run("success", at - timedelta(hours=2), files=2, records=30, sign_ins=1, requests=9))
        session.add(run("success", at - timedelta(hours=1), files=1, records=10, requests=4))
        session.add(run("bad_credentials", at, sign_ins=1, requests=3))
        session.add(Run(crawl="c", spider="acme_bills", portal="acme", report_type="bills", started_at=at))
        add(session, [NewJob("acme", "bills", name, name, name, f"acme:{name}") for name in ("ana", "bea")], at)
        add(session, [NewJob("acme", "bills", "cyd")], at, available_at=at + timedelta(hours=1))
        claim(session, "w", at, 3600)
        session.add(ScraperJob(portal="acme", report_type="bills", parked_for="owner", parked_at=at, created_at=at))
        for name, later in (("w", 600), ("v", -3600)):  # in the future, so that it is not silent on a slow machine
            seen = at + timedelta(seconds=later)
            session.add(Worker(name=name, host="h", pid=7, slots=3, started_at=seen, seen_at=seen, state="working"))
        trouble = {"outcome": "portal_down", "changed_at": at, "tripped_at": at, "probe_at": at}
        session.add(Breaker(portal="acme", **trouble))
        session.add(Schedule(name="nightly", cron="@daily", time_zone="UTC", missed=MissedRuns.ONCE, seen_until=at))
    found = figures(client)
    assert found[("latchkey_runs_total", "acme", "bills", "success", "nobody")] == 2
    assert found[("latchkey_runs_total", "acme", "bills", "bad_credentials", "owner")] == 1
    assert found[("latchkey_runs_running", "acme", "bills")] == 1
    sums = {name: found[(f"latchkey_{name}_total", "acme", "bills")] for name in ("files", "records", "sign_ins", "requests")}  # fmt: skip
    assert sums == {"files": 3, "records": 40, "sign_ins": 2, "requests": 16}
    last = found[("latchkey_last_success_timestamp_seconds", "acme", "bills")]
    assert last == (at - timedelta(hours=1)).timestamp()
    states = {state: found[("latchkey_jobs", "acme", state)] for state in ("running", "due", "later", "parked")}
    assert states == {"running": 1, "due": 1, "later": 1, "parked": 1}
    assert found[("latchkey_jobs_parked", "acme", "owner")] == 1
    assert 0 <= found[("latchkey_job_lag_seconds",)] < 3600
    assert (found[("latchkey_workers", "working")], found[("latchkey_workers", "silent")]) == (1, 1)
    assert found[("latchkey_worker_slots",)] == 3
    assert found[("latchkey_portal_in_trouble", "acme", "portal_down")] == 1
    assert found[("latchkey_schedules", "active")] == 1


def test_what_a_run_does_not_say_is_unknown_and_no_sample_is_there_twice(client, store):
    at = datetime.now(UTC).replace(microsecond=0)
    with store.transaction() as session:
        session.add(run("success", at))
        for outcome, ended in (("success", at - timedelta(hours=1)), ("success", None), (None, at)):
            unsaid = run(outcome, at)
            unsaid.actor, unsaid.finished_at = None, ended
            session.add(unsaid)
    said = client.get("/metrics", headers=SHOWN).get_data(as_text=True).splitlines()
    samples = [line.rpartition(" ")[0] for line in said if not line.startswith("#")]
    assert len(samples) == len(set(samples))
    found = figures(client)
    counted = {key[3:]: value for key, value in found.items() if key[0] == "latchkey_runs_total"}
    assert counted == {("success", "nobody"): 1, ("success", "unknown"): 2, ("unknown", "unknown"): 1}
    assert found[("latchkey_last_success_timestamp_seconds", "acme", "bills")] == at.timestamp()


def test_no_label_names_a_customer(client, store):
    with store.transaction() as session:
        session.add(run("success", datetime.now(UTC), username="canary@example.com", target="canary 533122906"))
    assert "canary" not in client.get("/metrics", headers=SHOWN).get_data(as_text=True)


def test_both_forms_are_written(client):
    plain = client.get("/metrics", headers=SHOWN)
    assert plain.content_type.startswith("text/plain")
    asked = client.get("/metrics", headers={**SHOWN, "Accept": "application/openmetrics-text; version=1.0.0"})
    assert asked.content_type.startswith("application/openmetrics-text")
    assert asked.get_data(as_text=True).endswith("# EOF\n")


@pytest.mark.parametrize("shown", [None, "", "wrong", GATEWAY_TOKEN, READER_TOKEN])
def test_nobody_else_reads_it(client, shown):
    headers = {} if shown is None else {"Authorization": f"Bearer {shown}"}
    assert client.get("/metrics", headers=headers).status_code == 401
    assert client.get("/status", headers=SHOWN).status_code == 401  # nor does its token open anything else


def test_without_a_token_nobody_reads_it(store):
    settings = WebhookSettings(webhook_token=GATEWAY_TOKEN, code_reader_token=READER_TOKEN)
    client = create_app(settings, store, CHANNELS, ()).test_client()
    for headers in ({}, {"Authorization": "Bearer "}, {"X-Token": ""}):
        assert client.get("/metrics", headers=headers).status_code == 401


@pytest.mark.parametrize(("token", "named"), [("tiny", "shorter"), (READER_TOKEN, "the same as LATCHKEY_CODE_READER_TOKEN")])  # fmt: skip
def test_a_poor_token_is_refused(monkeypatch, token, named):
    monkeypatch.setenv("LATCHKEY_METRICS_TOKEN", token)
    _forget_settings()
    given = {"webhook_token": GATEWAY_TOKEN, "code_reader_token": READER_TOKEN}
    with pytest.raises(SettingsError, match=f"^LATCHKEY_METRICS_TOKEN is {named}"):
        WebhookSettings(**given).check_tokens()


def test_a_database_that_is_away_is_told_as_everywhere(client, store, monkeypatch):
    def away():
        raise DatabaseAway("It is away.")

    monkeypatch.setattr(store, "transaction", away)
    assert client.get("/metrics", headers=SHOWN).status_code == 503
