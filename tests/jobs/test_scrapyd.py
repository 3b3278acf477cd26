"""A real Scrapyd, deployed to from a clean copy of the checkout, driven by our schedules and claims."""

from __future__ import annotations

import json
import shutil
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from database.engine import Database
from database.models import Run, ScraperJob
from jobs.warm import AnyProcess
from sandbox import running
from tests.jobs import same_jobs
from tests.project import ROOT, Project, free_port, wait_for

pytestmark = [pytest.mark.engines, pytest.mark.timeout(600)]
CONFIGURATION = """
[scrapyd]
bind_address = 127.0.0.1
http_port = {port}
username = ops
password = {password}
poll_interval = 0.3
max_proc = 2
jobstorage = scrapyd.jobstorage.SqliteJobStorage
"""
PASSWORD = "fence-post-4"
CLIENT = "import sys; sys.argv[0] = 'scrapyd-deploy'; from scrapyd_client.deploy import main; main()"


class Deployed:
    """The project, and a Scrapyd that has it as an egg; both on one database."""

    def __init__(self, here: Project, folder: Path, sandbox: dict[str, str]) -> None:
        self.here, self.folder, self.port = here, folder, free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        here.environment.update(
            LATCHKEY_ENGINE="scrapyd",
            LATCHKEY_SCRAPYD_URL=self.url,
            LATCHKEY_SCRAPYD_USERNAME="ops",
            LATCHKEY_SCRAPYD_PASSWORD=PASSWORD,
            LATCHKEY_WORKER_POLL="0.3",
            **sandbox,
        )
        folder.mkdir()
        (folder / "scrapyd.conf").write_text(CONFIGURATION.format(port=self.port, password=PASSWORD))
        self.process: subprocess.Popen[str] | None = None

    def start(self, **environment: str) -> None:
        """Start Scrapyd: our package comes from the egg alone."""
        env = {**self.here.env(environment), "PYTHONPATH": ""}
        self.process = subprocess.Popen([sys.executable, "-m", "scrapyd"], cwd=self.folder, env=env, text=True)
        wait_for(self.answers, 60)

    def answers(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def ask(self, path: str) -> Any:
        passwords = urllib.request.HTTPPasswordMgrWithDefaultRealm()
        passwords.add_password(None, self.url, "ops", PASSWORD)
        opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPBasicAuthHandler(passwords)
        )
        with opener.open(f"{self.url}/{path}", timeout=20) as answer:
            text = answer.read().decode()
        return json.loads(text) if ".json" in path else text


def clean_copy(folder: Path) -> Path:
    """Return a copy of what git keeps of this checkout."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split(
        "\n"
    )
    for name in filter(None, listed):
        if not name.startswith(("tests/", "benchmarks/")):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    return folder


@pytest.fixture
def deployed(project: Callable[..., Project], tmp_path: Path) -> Iterator[Deployed]:
    with running(tmp_path / "sandbox", ("iec",)) as sandbox:
        here = Deployed(project(tmp_path), tmp_path / "scrapyd", dict(sandbox.environment))
        assert here.here.scrapy("db", "upgrade", env={"LATCHKEY_ENGINE": None}).returncode == 0
        yield here
        here.stop()


def deploy(deployed: Deployed, tmp_path: Path) -> None:
    checkout = clean_copy(tmp_path / "checkout")
    target = f"[settings]\ndefault = scrapers.settings\n[deploy]\nurl = {deployed.url}\nproject = latchkey\nusername = ops\npassword = {PASSWORD}\n"
    (checkout / "scrapy.cfg").write_text(target)
    command = [sys.executable, "-c", CLIENT, "--version", "r1"]
    done = subprocess.run(command, cwd=checkout, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert '"status": "ok"' in done.stdout


def test_schedules_jobs_cancel_and_a_killed_dispatcher(deployed, tmp_path):
    here = deployed.here
    refused = here.scrapy("worker", "--once")
    assert (refused.returncode, "does not answer" in refused.stderr) == (1, True)
    deployed.start()
    refused = here.scrapy("worker", "--once")
    assert "Scrapyd has no project latchkey: deploy it" in refused.stderr
    deploy(deployed, tmp_path)
    assert "iec_tariffs" in deployed.ask("listspiders.json?project=latchkey")["spiders"]

    db = Database(f"sqlite:///{here.data / 'latchkey.db'}")

    def jobs() -> list[ScraperJob]:
        with db.transaction() as session:
            return list(session.scalars(select(ScraperJob).order_by(ScraperJob.id)))

    def worker(*arguments: str) -> AnyProcess:
        return here.start("worker", "--json-lines", *arguments, stderr=subprocess.STDOUT)

    # A job through Scrapyd: as a crawl from the checkout, and its log is there.
    here.scrapy("jobs", "create", "iec_tariffs")
    out, _ = worker("--once").communicate(timeout=120)
    (first,) = jobs()
    assert (first.status, first.outcome) == ("success", "success"), out
    with db.transaction() as session:
        run = session.scalars(select(Run)).one()
    assert (run.job_id, run.records > 0) == (first.id, True)
    finished = deployed.ask("listjobs.json?project=latchkey")["finished"]
    assert [each["spider"] for each in finished] == ["iec_tariffs"]
    assert "iec_tariffs" in deployed.ask(f"logs/latchkey/iec_tariffs/{finished[0]['id']}.log")

    # A portal that never answers: cancelled, the crawl at Scrapyd ends.
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(50)
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        deployed.stop()
        deployed.start(IEC_API_URL=address)
        here.scrapy("jobs", "create", "iec_tariffs", "-a", "again=yes")
        dispatcher = worker()
        wait_for(lambda: jobs()[-1].status == "running", 120)
        # The dispatcher is killed; its crawl goes on, and another one does not start it a second time.
        dispatcher.kill()
        second = worker()
        wait_for(lambda: len(deployed.ask("listjobs.json?project=latchkey")["running"]) == 1, 30)
        assert jobs()[-1].attempt == 1
        assert here.scrapy("jobs", "cancel", str(jobs()[-1].id)).returncode == 0
        wait_for(lambda: not deployed.ask("listjobs.json?project=latchkey")["running"], 90)
        second.send_signal(signal.SIGTERM)
        second.communicate(timeout=60)
    assert jobs()[-1].status == "cancelled"
    db.engine.dispose()


@pytest.mark.matrix
def test_the_same_jobs_bring_the_same_rows_and_files(project, tmp_path, encryption_key):
    expected = same_jobs.by_the_embedded_worker(project, tmp_path / "embedded")
    with same_jobs.portals_for(tmp_path / "sandbox") as sandbox:
        deployed = Deployed(project(tmp_path), tmp_path / "scrapyd", dict(sandbox.environment))
        here = deployed.here
        try:
            assert here.scrapy("db", "upgrade", env={"LATCHKEY_ENGINE": None}).returncode == 0
            same_jobs.store_customers(here, sandbox, tmp_path)
            deployed.start()
            deploy(deployed, tmp_path)
            same_jobs.create(here)
            worked = here.scrapy("worker", "--once", "--slots", "2", timeout=500)
            assert worked.returncode == 0, worked.stderr
            assert same_jobs.stored(here) == expected
            finished = deployed.ask("listjobs.json?project=latchkey")["finished"]
            assert len(finished) >= len(same_jobs.SPIDERS)
        finally:
            deployed.stop()
