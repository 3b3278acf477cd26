"""A worker starts what operators have asked for, and says how it ended where its process has not."""

from __future__ import annotations

import sys
from io import StringIO

import pytest

from database.access.assisted import Wanted, ask, of_user
from database.models.prices import User
from database.processes import signature
from jobs.assisting import AssistedSignIns
from jobs.clock import Clock
from jobs.events import Events
from tests.project import ROOT, wait_for


@pytest.fixture
def olga(sqlite):
    with sqlite.transaction() as session:
        user = User(email="olga@example.com")
        session.add(user)
        session.flush()
        return user.id


@pytest.fixture
def sqlite(tmp_path, sqlite_with_tables, encryption_key, monkeypatch):
    """The database of the processes that are started, too."""
    import shutil

    from database.engine import Database

    url = f"sqlite:///{shutil.copy(sqlite_with_tables, tmp_path / 'latchkey.db')}"
    environment = {"LATCHKEY_DATABASE_URL": url, "LATCHKEY_DATA_DIR": str(tmp_path / "data"), "PYTHONPATH": str(ROOT)}
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(ROOT)
    db = Database(url)
    yield db
    db.engine.dispose()


@pytest.mark.parametrize(
    ("portal", "said"),
    [("trucktech", "No credential of trucktech is known"), ("nowhere", "there is no portal nowhere")],
)
def test_a_sign_in_that_cannot_begin_says_why(sqlite, olga, portal, said):
    out = StringIO()
    helping = AssistedSignIns(sqlite, Events(Clock(), to=out), signature(), [portal])
    with sqlite.transaction() as session:
        number = ask(session, olga, Wanted(portal, portal, "ana", 1))
    helping.begin()
    assert helping.any_run
    helping.begin()  # there is no other one

    def ended():
        helping.reap()
        return not helping.any_run

    wait_for(ended, 60)
    with sqlite.transaction() as session:
        found = of_user(session, number, olga)
        assert (found.state, found.outcome, said in found.message) == ("ended", None, True), found.message
    assert f"sign-in {portal} ana, which an operator finishes" in out.getvalue()


def test_a_worker_that_ends_takes_its_sign_ins_along(sqlite, olga, monkeypatch):
    helping = AssistedSignIns(sqlite, Events(Clock(), to=StringIO()), signature(), None)
    with sqlite.transaction() as session:
        number = ask(session, olga, Wanted("trucktech", "trucktech", "ana", 1))
    helping.begin()
    helping.close()
    helping.reap()
    with sqlite.transaction() as session:
        assert of_user(session, number, olga).state == "ended"


def test_a_process_that_cannot_be_started_is_said_and_ends_no_worker(sqlite, olga, monkeypatch):
    monkeypatch.setattr(sys, "executable", str(ROOT / "no-such-python"))
    helping = AssistedSignIns(sqlite, Events(Clock(), to=StringIO()), signature(), None)
    with sqlite.transaction() as session:
        number = ask(session, olga, Wanted("trucktech", "trucktech", "ana", 1))
    helping.begin()
    assert not helping.any_run
    with sqlite.transaction() as session:
        found = of_user(session, number, olga)
        assert (found.state, found.message) == ("ended", "It could not be started: No such file or directory.")
