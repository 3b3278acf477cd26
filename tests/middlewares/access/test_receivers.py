"""What a killed sign-in leaves at the receiver of its codes, and what a sign-in that waits for the receiver is told."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from datetime import timedelta

import pytest

from database.access.codes import CodeBroker, ReceiverBusy, holders
from database.models import Run, RunState
from database.models.codes import CodeRequest, CodeRequestState
from database.processes import signature

PHONE = "+12015550100"
SIGN_IN = f"""
import asyncio, os
from database.access.codes import CodeBroker
from database.engine import database
from database.models import Run
from database.processes import signature

async def main(may_send):
    with database().transaction() as session:
        run = Run(crawl="1", spider="acme_bills", portal="acme", report_type="bills", process=signature())
        session.add(run)
        session.flush()
        number = run.id
    async with CodeBroker(database()).open(login="acme", portal="acme", username="ann", receiver="{PHONE}",
            senders=["ACME"], pattern="x", run_id=number) as request:
        if may_send:
            await request.may_send()
        os.kill(os.getpid(), 9)
"""


def killed(*, may_send):
    """Run a sign-in in a process of its own that is killed before or after the portal may have sent."""
    program = f"{SIGN_IN}\nasyncio.run(main({may_send}))"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == -9


def ask(store, heard=None, wait=0.0):
    async def enter():
        opened = CodeBroker(store, poll=0.01).open(
            login="acme",
            portal="acme",
            username="bob",
            receiver=PHONE,
            senders=["ACME"],
            pattern="x",
            wait=wait,
            on_wait=heard,
        )
        async with opened:
            pass

    asyncio.run(enter())


def test_a_sign_in_that_was_killed_before_the_portal_could_send_frees_the_receiver_at_once(store):
    killed(may_send=False)
    ask(store)
    with store.transaction() as session:
        first, _second = session.query(CodeRequest).order_by(CodeRequest.id)
        assert (first.state, first.sent_at, first.rest_until) == (CodeRequestState.UNUSED, None, None)


def test_one_that_was_killed_later_holds_it_and_the_next_is_told_until_when(store):
    killed(may_send=True)
    heard = []
    with pytest.raises(ReceiverBusy):
        ask(store, heard.append, wait=0.2)
    with store.transaction() as session:
        first = session.query(CodeRequest).one()
        shown = holders(session)
    assert first.sent_at is not None
    assert heard == shown  # once, however long it waits
    assert (shown[0].receiver, shown[0].login, shown[0].username) == (PHONE, "acme", "ann")
    assert shown[0].until == first.requested_at + timedelta(seconds=300)


def test_one_that_runs_holds_it_whatever_it_has_done_yet(store):
    with store.transaction() as session:
        run = Run(crawl="1", spider="acme_bills", portal="acme", report_type="bills", process=signature())
        session.add(run)
        session.flush()
        number = run.id

    async def both():
        broker = CodeBroker(store, poll=0.01)
        how = {"login": "acme", "portal": "acme", "receiver": PHONE, "senders": ["ACME"], "pattern": "x"}
        async with broker.open(**how, username="ann", run_id=number):
            with pytest.raises(ReceiverBusy):
                async with broker.open(**how, username="bob", wait=0.1):
                    pass
            with store.transaction() as session:
                session.get_one(Run, number).state = RunState.FINISHED  # closed by another process
            async with broker.open(**how, username="bob", wait=60):
                pass

    asyncio.run(both())
