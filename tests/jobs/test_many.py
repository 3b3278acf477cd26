"""Many jobs with nothing new: what they cost beside fresh crawls, and that nothing is left over."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from functools import partial
from pathlib import Path

import psutil
import pytest
from sqlalchemy import func, select

from database.engine import Database
from database.models import Lease, Run, ScraperJob, StoredCredential
from sandbox import PASSWORD, running
from tests.project import ROOT, TEST_KEY, clean_environment, wait_for

MAKE_TABLES = "import sys; from tests.portals.plain.models import create; create(sys.argv[1])"
PLAIN = ("-s", "SPIDER_MODULES=tests.portals.plain")
FRESH = 10  # fresh crawls that are measured; each costs the same


def cpu() -> float:
    """Seconds of CPU of this process's children that have ended, and of theirs."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@pytest.fixture
def many(project, tmp_path, encryption_key):
    """Give a function that makes the project with so many users whose documents are stored already."""
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    url = f"sqlite:///{data / 'latchkey.db'}"
    environment = {**clean_environment(), "LATCHKEY_ENCRYPTION_KEYS": TEST_KEY, "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", MAKE_TABLES, url], cwd=ROOT, env=environment, check=True)
    db = Database(url)
    with running(tmp_path / "sandbox", ("plain",)) as sandbox:
        sandbox.admin["plain"].configure(documents=2)
        here = project(tmp_path, **sandbox.environment)

        def make(count: int):
            """Return the project, its database, and a function that makes a job for each user."""
            with db.transaction() as session:
                session.add_all(
                    StoredCredential(kind="portal", portal="plain", username=f"ok+{n}@example.com", password=PASSWORD)
                    for n in range(count)
                )
            again(count)
            here.scrapy("jobs", "run", "--max", "2", *PLAIN, timeout=1200)
            return here, db, again

        def again(count: int) -> None:
            made = here.scrapy("jobs", "create", "plain_documents", "--json", *PLAIN, timeout=300)
            assert sum(one["made"] for one in json.loads(made.stdout)["jobs"]) == count

        yield make
    db.engine.dispose()


def succeeded(db: Database) -> int:
    with db.transaction() as session:
        return session.scalar(select(func.count()).where(ScraperJob.status == "success")) or 0


def has_succeeded(db: Database, count: int) -> bool:
    return succeeded(db) == count


@pytest.mark.matrix
@pytest.mark.figures
@pytest.mark.timeout(2400)
def test_what_200_jobs_cost_beside_fresh_crawls(many, record_property):
    jobs = 200  # the worker's start is part of it
    here, db, again = many(jobs)
    again(jobs)
    before = cpu()
    worker = here.start("worker", "--once", "--slots", "2", *PLAIN, fresh=True, stderr=subprocess.DEVNULL)
    process, parent, child = psutil.Process(worker.pid), 0, 0

    def look() -> bool:
        nonlocal parent, child
        try:
            children = process.children(recursive=True)
        except psutil.NoSuchProcess:
            return True
        for one in children:
            try:
                memory, above = one.memory_full_info(), one.ppid()
            except psutil.Error:
                continue
            if above == worker.pid:
                parent = max(parent, memory.rss)
            else:
                child = max(child, memory.uss)
        return worker.poll() is not None

    wait_for(look, 1200, every=0.3)
    warm = (cpu() - before) / jobs
    assert succeeded(db) == 2 * jobs
    before = cpu()
    for number in range(FRESH):
        done = here.scrapy("crawl", "plain_documents", "-a", f"credential=ok+{number}@example.com", *PLAIN, fresh=True)
        assert done.returncode == 0
    fresh = (cpu() - before) / FRESH
    told = f"a job {warm:.3f} s of CPU, a fresh crawl {fresh:.3f} s: {warm / fresh:.2f}; parent {parent >> 20} MB, a child's own {child >> 20} MB"
    print(told)
    record_property("cost", told)
    assert warm <= 0.3 * fresh, told


@pytest.mark.matrix
@pytest.mark.timeout(4800)
@pytest.mark.parametrize(
    ("users", "rounds"),
    [
        pytest.param(20, 5, id="100"),
        pytest.param(40, 5, id="200", marks=pytest.mark.figures),
        pytest.param(100, 20, id="2000", marks=pytest.mark.figures),
    ],
)
def test_many_jobs_leave_nothing_over(many, tmp_path, users, rounds):
    here, db, again = many(users)
    worker = here.start(
        "worker", "--slots", "2", *PLAIN, fresh=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    process, sizes = psutil.Process(worker.pid), []
    for number in range(rounds):
        again(users)
        wait_for(partial(has_succeeded, db, users * (number + 2)), 1200, every=0.2)
        (parent,) = process.children()
        sizes.append((process.memory_info().rss, parent.memory_info().rss))
    descriptors = process.num_fds()
    known = [*process.children(recursive=True)]
    worker.terminate()
    assert worker.wait(120) == 0
    # Flat: of the last half no size is above that after the first quarter by more than 5 %.
    for place, what in enumerate(("worker", "parent")):
        assert max(each[place] for each in sizes[rounds // 2 :]) <= sizes[rounds // 4][place] * 1.05, (what, sizes)
    assert descriptors < 60
    assert not any(one.is_running() for one in known)
    with db.transaction() as session:
        assert session.scalar(select(func.count()).where(Run.outcome == "success")) == users * (rounds + 1)
        assert not session.scalars(select(Lease.name).where(Lease.holder != "", Lease.name.startswith("run:"))).all()
    left = {path.name for path in here.data.rglob("*") if path.is_file()} - {
        "latchkey.db",
        "latchkey.db-wal",
        "latchkey.db-shm",
    }
    assert not {name for name in left if not name.endswith(".json")}, left
    assert not any(Path(here.data / "spool").glob("*"))
