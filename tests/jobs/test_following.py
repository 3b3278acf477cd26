"""The schedules of sources and the engines: the embedded one, and a real Prefect, also one that is away meanwhile."""

from __future__ import annotations

import json
import uuid
from datetime import timedelta

import pytest
from scrapy.utils.project import get_project_settings
from sqlalchemy import select

from database.engine import now
from database.jobs.claims import claim
from database.models import ScraperJob
from database.models.jobs import Schedule
from database.models.telegram import TelegramSession
from jobs.clock import Clock, TurnableClock
from jobs.cron import NAMED
from jobs.engines.embedded import Engine, EngineAway
from jobs.engines.prefect import PrefectEngine
from jobs.planning import Planner, Spiders
from jobs.tick import tick
from scrapers.core.outcomes import ChannelUnknown
from scrapers.portals.telegram.resolving import Resolved
from tests.jobs.prefect_server import environment, kill, start, until_up
from tests.postgresql import full_postgresql
from tests.project import clean_environment, free_port
from tests.turns import one_database
from webhook.api.telegram.source_acts import Sources
from webhook.api.telegram.source_models import NewPrivate, SourceChange
from webhook.background import catch_up

MINUTE = timedelta(minutes=1)


class Acts:
    """The acts upon sources. Telegram is not asked: what is looked at here begins once a channel is known."""

    def __init__(self, db, engine):
        self.db, self.engine, self.session = db, engine, str(uuid.uuid4())
        with db.transaction() as session:
            facts = {"api_id": 1, "api_hash": "x", "session_string": "1x", "key_fingerprint": self.session}
            session.add(TelegramSession(id=self.session, name="House", **facts))
        self.acts = Sources(db, lambda: self.engine, look_up, lambda portal: None, lambda store, path: False)

    def add(self, **body):
        return self.acts.add_private(None, NewPrivate(name="n", session_id=self.session, channel_id=5, **body))

    def change(self, source, **body):
        return self.acts.change(source, None, SourceChange(**body))

    def wanted(self):
        """Return what the engine must have: cron, zone, and whether it is active, by name."""
        with self.db.transaction() as session:
            rows = session.scalars(select(Schedule)).all()
            return {row.name: (NAMED.get(row.cron, row.cron), row.time_zone, not row.paused) for row in rows}

    def jobs(self):
        with self.db.transaction() as session:
            return list(session.scalars(select(ScraperJob).order_by(ScraperJob.id)))


def look_up(session_id, address, *, join):
    if not address.value.isdecimal():
        raise ChannelUnknown
    return Resolved(int(address.value), 1, "News", None, is_protected=False)


# The embedded engine


def test_the_embedded_engine_follows_each_change(store, encryption_key):
    with store.transaction() as session:
        clock = TurnableClock(now(session))
    here, planner = Acts(store, Engine(store, clock)), Planner(Spiders(get_project_settings()), clock)

    def made(minutes):
        """Turn the clock, tick, and say how many jobs that made; they are done at once."""
        clock.turn(clock.at + minutes * MINUTE)
        count = tick(store, clock, planner).made
        with store.transaction() as session:
            for job in session.scalars(select(ScraperJob)):
                job.status = "success"
        return count

    source = here.add(schedule="* * * * *", time_zone="Europe/Zurich").id
    assert made(2) == 1
    assert here.jobs()[0].target == {"source": source}
    later = f"0 {(clock.at.hour + 8) % 24} * * *"
    assert here.change(source, schedule=later).schedule == later
    assert made(2) == 0
    here.change(source, schedule="* * * * *")
    here.change(source, is_active="inactive")
    assert made(5) == 0
    here.change(source, is_active="active")
    assert made(2) == 1
    # By hand, beside its schedule.
    here.change(source, schedule="")
    assert made(2) == 0
    done = here.acts.trigger(source, None)
    with store.transaction() as session:
        taken = claim(session, "w", now(session), 60)
        assert taken is not None
        assert taken.jobs == (done.result.job_id,)
    here.change(source, schedule="* * * * *")
    here.acts.remove(source, None)
    assert here.wanted() == {}
    assert made(5) == 0


# Prefect


def test_what_is_typed_is_stored_where_prefect_is_away(project, tmp_path):
    here = project(tmp_path, LATCHKEY_ENGINE="prefect", LATCHKEY_PREFECT_URL=f"http://127.0.0.1:{free_port()}/api")
    assert here.scrapy("db", "upgrade").returncode == 0
    file = tmp_path / "s.toml"
    file.write_text('[[schedule]]\nname = "b"\nspiders = "iec_tariffs"\ncron = "@daily"\ntime_zone = "UTC"\n')
    for words, said in (
        (
            ("schedules", "add", "a", "iec_tariffs", "--cron", "@daily"),
            "Stored; the engine follows with its next tick.",
        ),
        (("schedules", "pause", "a"), "Done here; the engine follows with its next tick."),
        (("schedules", "import", str(file)), "Stored; the engine follows with its next tick."),
        (("worker", "--once"), "Prefect at"),
    ):
        done = here.scrapy(*words)
        assert (done.returncode, done.stderr.startswith(said)) == (1, True), done.stderr
        assert "does not answer" in done.stderr
        assert "Traceback" not in done.stderr
    listed = json.loads(here.scrapy("schedules", "list", "--json").stdout)
    assert [(each["name"], each["next"] == "paused") for each in listed] == [("a", True), ("b", False)]


@pytest.mark.prefect
@pytest.mark.matrix
@pytest.mark.timeout(900)
@one_database
def test_deployments_equal_our_schedules_also_after_prefect_was_away(
    store, encryption_key, tmp_path, monkeypatch, record_property
):
    port = free_port()
    monkeypatch.setenv("LATCHKEY_PREFECT_URL", f"http://127.0.0.1:{port}/api")
    with full_postgresql() as theirs:
        env = {**clean_environment(), **environment(tmp_path, port, theirs)}
        server = start(tmp_path, ("server", "start"), env)
        try:
            api = until_up(port)
            engine = PrefectEngine(store, Clock(), wait=20)
            here, compared = Acts(store, engine), []

            def equal():
                """Compare all deployments with all schedules."""
                found = {}
                for name, each in api.deployments().items():
                    ((cron, zone, active),) = [
                        (one["schedule"]["cron"], one["schedule"]["timezone"], one["active"])
                        for one in each["schedules"]
                    ]
                    assert each["paused"] is not active
                    found[name] = (cron, zone, active)
                assert found == here.wanted()
                with store.transaction() as session:
                    assert engine.behind(session) is None
                compared.append(len(found))

            def posted():
                """Return the jobs that have a flow run."""
                return sorted(run["parameters"]["job"] for run in api.ask("/flow_runs/filter", {"limit": 200}) if run["parameters"])  # fmt: skip

            # While it is there.
            first = here.add(schedule="0 */6 * * *", time_zone="Europe/Zurich")
            assert first.engine is None
            equal()
            for change in ({"schedule": "@daily"}, {"is_active": "inactive"}, {"schedule": "5 4 * * *"}, {"is_active": "active"}, {"schedule": ""}, {"schedule": "0 1 * * *"}):  # fmt: skip
                assert here.change(first.id, **change).engine is None
                equal()
            job = here.acts.trigger(first.id, None)
            assert job.engine is None
            assert posted() == [job.result.job_id]
            run = api.ask("/flow_runs/filter", {"limit": 1})[0]
            assert run["work_queue_name"].startswith("credential-")
            assert here.acts.remove(first.id, None).engine is None
            equal()
            assert compared[-1] == 0

            # A deployment that somebody has changed, or whose schedule is gone, is put right, too.
            kept = here.add(schedule="0 2 * * *")
            found = api.deployment(f"source-{kept.id}")
            assert found is not None
            api.ask(f"/deployments/{found['id']}/pause_deployment", {}, "POST")
            api.deploy("source-gone", "due", {"active": True, "schedule": {"cron": "* * * * *", "timezone": "UTC"}})
            engine.follow()
            equal()

            # Each act while it does not answer, then made good: by the webhook, a tick, or the next change.
            planner, there = Planner(Spiders(get_project_settings()), Clock()), engine.api.settings
            away = there.model_copy(update={"prefect_url": f"http://127.0.0.1:{free_port()}/api"})
            state = {"source": kept.id}

            def create():
                answer = here.add(schedule="30 5 * * *")
                state["new"] = answer.id
                return answer

            acts = {
                "create": create,
                "change": lambda: here.change(state["new"], schedule="31 5 * * *", time_zone="Asia/Tokyo"),
                "pause": lambda: here.change(state["new"], is_active="inactive"),
                "resume": lambda: here.change(state["new"], is_active="active"),
                "clear": lambda: here.change(state["source"], schedule=""),
                "trigger": lambda: here.acts.trigger(state["source"], None),
                "delete": lambda: here.acts.remove(state["new"], None),
            }
            ways = [lambda: catch_up(engine), lambda: engine.tick(planner), lambda: here.add(schedule="0 7 * * *")]
            for number, (name, act) in enumerate(acts.items()):
                engine.api.settings = away
                said = act().engine
                assert said is not None, name
                assert "does not answer" in said
                if name != "trigger":
                    with pytest.raises(EngineAway):
                        catch_up(engine)
                engine.api.settings = there
                (ways[1] if name == "trigger" else ways[number % 3])()
                equal()
            with store.transaction() as session:
                (waiting,) = session.scalars(select(ScraperJob.id).where(ScraperJob.status == "pending"))
            assert posted().count(waiting) == 1

            # The server itself is dead meanwhile, and comes back.
            kill(server)
            second = here.add(schedule="45 6 * * *")
            assert second.engine is not None
            assert here.change(second.id, is_active="inactive").engine is not None
            assert here.acts.source(second.id, None).engine is not None
            server = start(tmp_path, ("server", "start"), env)
            until_up(port)
            assert catch_up(engine)
            assert not catch_up(engine)
            equal()
            assert here.acts.source(second.id, None).engine is None
            record_property("compared", len(compared))
            print(f"deployments compared with schedules {len(compared)} times: {compared}")
        finally:
            kill(server)
