"""Signatures of processes: what a killed one held is taken over, after the machine has been started anew too."""

from __future__ import annotations

import itertools
import re
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import insert, select

from database.access.leases import Leases
from database.models import Lease, Run, RunState
from database.processes import has_died, has_ended, signature
from scrapers.core.runs import close_dead_runs
from scrapers.core.spool import sweep

HOST, *INSTALLATION, BOOT, NAMESPACE = re.fullmatch(
    r"(.+?)(?:\.([0-9a-f]{6}))?\.([0-9a-f]{8})\.([0-9]+)", signature().partition("+")[0]
).groups()
MINE = "".join(f".{each}" for each in INSTALLATION if each)
PROCESS = signature().partition("+")[2]
OTHER_BOOT = "0badb007"


def of(host: str = HOST, installation: str = MINE, boot: str = BOOT, namespace: str = NAMESPACE) -> str:
    return f"{host}{installation}.{boot}.{namespace}+{PROCESS}"


@pytest.mark.parametrize(
    ("name", "ended"),
    [
        (of(), False),  # this process
        (of(boot=OTHER_BOOT), True),
        (of(boot=OTHER_BOOT, namespace="4026539999"), True),  # a container, started anew with its host
        (of(boot=OTHER_BOOT, installation=""), True),  # written by an earlier version
        (of(namespace="4026539999"), False),  # another container of this host: nothing is known of it
        (of(host="elsewhere", boot=OTHER_BOOT), False),
        (of(host=f"{HOST}.example", boot=OTHER_BOOT), False),
        (of(installation=".012345", boot=OTHER_BOOT), False),  # another machine of the same name
        ("elsewhere+1+1", False),
        (f"{HOST}+1+1", False),
        ("", False),
    ],
    ids=itertools.count(),  # the names hold this process's id
)
def test_a_process_of_an_earlier_start_of_this_machine_has_ended(name, ended):
    assert has_ended(name) is ended


def test_a_row_of_an_earlier_start_has_died():
    assert has_died(of(boot=OTHER_BOOT), "", None)
    assert not has_died(of(host="elsewhere", boot=OTHER_BOOT), "", None)


def test_runs_leases_and_spool_folders_of_an_earlier_start_are_taken_over(store, tmp_path):
    killed, alive = of(boot=OTHER_BOOT), of(host="elsewhere", boot=OTHER_BOOT)
    common = {"crawl": "c", "spider": "s", "portal": "p", "report_type": "r"}
    later = datetime.now(UTC) + timedelta(hours=1)
    with store.transaction() as session:
        session.add_all(Run(process=process, **common) for process in (killed, alive, signature()))
        for name, holder in (("killed", f"run {killed}"), ("alive", f"run {alive}")):
            lease = {"name": name, "holder": holder, "epoch": 1, "taken_at": datetime.now(UTC), "expires_at": later}
            session.execute(insert(Lease).values(lease))
    with store.transaction() as session:
        assert close_dead_runs(session) == 1
        states = session.execute(select(Run.process, Run.state, Run.outcome).order_by(Run.id)).all()
    assert [tuple(row) for row in states] == [
        (killed, RunState.FINISHED, "interrupted"),
        (alive, RunState.RUNNING, None),
        (signature(), RunState.RUNNING, None),
    ]
    leases = Leases(store)
    assert leases.acquire("killed", f"new {signature()}", 60) == 2
    assert leases.acquire("alive", f"new {signature()}", 60) is None

    for process in (killed, alive, signature()):
        (tmp_path / "spool" / f"12345678@{process}").mkdir(parents=True)
    assert sweep(tmp_path / "spool") == 1
    assert {path.name.partition("@")[2] for path in (tmp_path / "spool").iterdir()} == {alive, signature()}
