"""The README's "Every night, without you", typed from an empty database: the run is there, at the time that was told."""

from __future__ import annotations

import json
import re
import shlex
import signal
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select, update

from database.engine import Database
from database.models import Run, ScraperJob
from database.models.jobs import Firing, Schedule
from sandbox import running
from tests.project import ROOT, wait_for


def typed() -> list[list[str]]:
    """The commands of the README's section, as a shell reads them."""
    section = (ROOT / "README.md").read_text().partition("\n## Every night, without you\n")[2].partition("\n## ")[0]
    (block,) = re.findall(r"```sh\n(.*?)```", section, re.S)
    return [shlex.split(line)[1:] for line in block.strip().splitlines()]


def test_three_commands_and_a_night(project, tmp_path):
    add, following, worker = typed()
    with running(tmp_path / "sandbox", ("iec",)) as sandbox:
        here = project(tmp_path, **sandbox.environment)
        assert here.scrapy("db", "upgrade").returncode == 0
        added = here.scrapy(*add)
        told = json.loads(here.scrapy(*following, "--json").stdout)
        assert added.stdout.strip().endswith(f"due next at {told[0]['there']}.")
        local = datetime.fromisoformat(told[0]["due_(UTC)"]).astimezone(ZoneInfo("Asia/Jerusalem"))
        assert (local.hour, local.minute, len(told)) == (5, 30, 5)
        assert timedelta(0) < local - datetime.now(UTC) <= timedelta(hours=25)
        db = Database(f"sqlite:///{here.data / 'latchkey.db'}")
        with db.transaction() as session:  # a night passes
            session.execute(update(Schedule).values(seen_until=Schedule.created_at))
            schedule = session.scalars(select(Schedule)).one()
            schedule.seen_until -= timedelta(days=1)
        process = here.start(*worker)

        def runs() -> list[Run]:
            with db.transaction() as session:
                return list(session.scalars(select(Run).where(Run.finished_at.is_not(None))))

        (run,) = wait_for(runs, 60)
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=60)
        assert process.returncode == 0, said
        with db.transaction() as session:
            job, firing = session.scalars(select(ScraperJob)).one(), session.scalars(select(Firing)).one()
        assert (run.spider, run.outcome, run.job_id, job.status) == ("iec_tariffs", "success", job.id, "success")
        assert firing.due_at == job.due_at
        assert (local - firing.due_at.astimezone(local.tzinfo)) in (timedelta(days=1), timedelta(days=2))
        db.engine.dispose()
