"""What `GET /status` tells of the work, and to whom."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from database.jobs.claims import claim
from database.jobs.queue import NewJob, add
from database.models.jobs import Breaker, Worker
from tests.webhook.conftest import GATEWAY, READER


def test_readers_see_how_the_work_stands(client, sqlite):
    at = datetime.now(UTC)
    with sqlite.transaction() as session:
        add(session, [NewJob("acme", "bills", name, name, name, f"acme:{name}") for name in ("ana", "bea")], at)
        add(session, [NewJob("acme", "bills", "cyd")], at, available_at=at + timedelta(hours=1))
        claim(session, "w", at, 3600)
        session.add(Worker(name="w", host="here", pid=7, slots=2, started_at=at, seen_at=at, state="working"))
        session.add(Worker(name="v", host="there", pid=8, slots=2, started_at=at, seen_at=at - timedelta(hours=1), state="working"))  # fmt: skip
        session.add(
            Breaker(portal="acme", outcome="portal_down", usernames=[], changed_at=at, tripped_at=at, probe_at=at)
        )
    told = client.get("/status", headers=READER).get_json()
    (acme,) = told["work"]["jobs"]
    assert {name: acme[name] for name in ("portal", "running", "due", "later", "parked")} == {
        "portal": "acme", "running": 1, "due": 1, "later": 1, "parked": 0,
    }  # fmt: skip
    assert {(each["worker"], each["state"]) for each in told["work"]["workers"]} == {("here 7", "working"), ("there 8", "silent")}  # fmt: skip
    assert [each["trouble"] for each in told["work"]["portals_in_trouble"]] == ["portal_down"]
    assert client.get("/status", headers=GATEWAY).get_json()["work"] is None
    assert client.get("/bell/status", headers=READER).get_json()["work"] is None
