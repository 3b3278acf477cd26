"""Work of coroutines that waits together is one transaction, and each piece is told of its own end."""

from __future__ import annotations

import asyncio
import threading

import pytest
from sqlalchemy import event, func, select, text
from sqlalchemy.exc import IntegrityError

from database.engine import Database, DatabaseAway, SchemaLacking
from database.models import Client, Workspace
from database.writer import MOST
from tests.database.crowd import crowd


class Transactions:
    """What an engine does: how often a transaction begins, and how many end with a commit."""

    def __init__(self, engine):
        self.begun = self.committed = 0
        self._engine = engine

    def _begin(self, _connection):
        self.begun += 1

    def _commit(self, _connection):
        self.committed += 1

    def __enter__(self):
        event.listen(self._engine, "begin", self._begin)
        event.listen(self._engine, "commit", self._commit)
        return self

    def __exit__(self, *_):
        event.remove(self._engine, "begin", self._begin)
        event.remove(self._engine, "commit", self._commit)


def names(store):
    with store.transaction() as session:
        return list(session.scalars(select(Client.name).order_by(Client.id)))


def adds(name):
    def work(session):
        session.add(Client(name=name))
        session.flush()
        return name

    return work


def refused(session):
    session.add(Client(name="Refused"))
    session.flush()
    session.add(Workspace(name="Lost", client_id=999))
    session.flush()


async def together(store, *works, **options):
    """Run works that wait together, because the writer's threads are busy; return what each returned or raised."""
    gate, busy = threading.Event(), []
    for _ in range(store._writer._most_threads):
        begun = threading.Event()

        def hold(session, begun=begun):
            begun.set()
            assert gate.wait(30)

        busy.append(asyncio.ensure_future(store.run(hold, alone=True)))
        await asyncio.to_thread(begun.wait, 30)
    pieces = [asyncio.ensure_future(store.run(work, **options)) for work in works]
    await asyncio.sleep(0)
    gate.set()
    await asyncio.gather(*busy)
    return await asyncio.gather(*pieces, return_exceptions=True)


def test_what_waits_together_is_one_transaction(store):
    with Transactions(store.engine) as seen:
        told = asyncio.run(together(store, *(adds(str(number)) for number in range(20))))
    assert told == names(store) == [str(number) for number in range(20)]
    assert seen.begun <= store._writer._most_threads


def test_a_transaction_takes_so_many_and_no_more(store):
    with Transactions(store.engine) as seen:
        told = asyncio.run(together(store, *(adds(str(number)) for number in range(2 * MOST + 1))))
    assert len(told) == len(names(store)) == 2 * MOST + 1
    if store.dialect == "sqlite":
        assert seen.begun == 3


def test_one_that_is_refused_undoes_its_own_rows_alone(store):
    first, wrong, last = asyncio.run(together(store, adds("Birch"), refused, adds("Alder")))
    assert (first, last) == ("Birch", "Alder")
    assert isinstance(wrong, IntegrityError)
    assert names(store) == ["Birch", "Alder"]


def test_one_that_raises_undoes_its_own_rows_alone(store):
    def fails(session):
        adds("Gone")(session)
        raise LookupError("no lease")

    *told, wrong = asyncio.run(together(store, adds("Birch"), adds("Alder"), fails))
    assert told == ["Birch", "Alder"]
    assert isinstance(wrong, LookupError)
    assert names(store) == ["Birch", "Alder"]


def test_a_missing_table_is_named_to_the_piece_that_wants_it(store):
    first, wrong, last = asyncio.run(
        together(store, adds("Birch"), lambda session: session.execute(text("SELECT * FROM nowhere")), adds("Alder"))
    )
    assert (first, last) == ("Birch", "Alder")
    assert isinstance(wrong, SchemaLacking)
    assert names(store) == ["Birch", "Alder"]


def test_nothing_is_told_before_the_commit(store):
    """Another connection sees the rows of every piece as soon as the first of them is told."""
    seen = []

    async def all_of_them():
        async def one(name):
            await store.run(adds(name), patience=0.2)
            seen.append(await asyncio.to_thread(names, store))

        await asyncio.gather(*(one(str(number)) for number in range(5)))

    asyncio.run(all_of_them())
    assert seen == [["0", "1", "2", "3", "4"]] * 5


def test_a_commit_that_fails_is_told_to_every_piece(store):
    def fail(_connection):
        raise OSError("disk full")

    event.listen(store.engine, "commit", fail)
    try:
        told = asyncio.run(together(store, adds("Birch"), adds("Alder")))
    except OSError:
        told = None  # of the piece that kept the writer busy
    finally:
        event.remove(store.engine, "commit", fail)
    assert told is None or all(isinstance(each, OSError) for each in told)
    assert names(store) == []


def test_a_transaction_that_is_lost_in_its_middle_is_told_to_every_piece(store):
    """As SQLite gives it up when the disk is full, and as a connection ends with its server."""

    def loses(session):
        connection = session.connection().connection
        if store.dialect == "sqlite":
            connection.execute("ROLLBACK")
        else:
            connection.close = lambda: None
            connection.driver_connection.close()
        session.execute(text("SELECT * FROM nowhere"))

    told = asyncio.run(together(store, adds("Birch"), loses, adds("Alder")))
    assert all(isinstance(each, DatabaseAway) for each in told), told
    assert names(store) == []


def test_the_urgent_one_takes_the_patient_ones_along(store):
    async def three():
        patient = [asyncio.ensure_future(store.run(adds(name), patience=600)) for name in ("Birch", "Alder")]
        await asyncio.sleep(0)
        await store.run(adds("Oak"))
        await asyncio.wait_for(asyncio.gather(*patient), 30)

    with Transactions(store.engine) as seen:
        asyncio.run(three())
    assert sorted(names(store)) == ["Alder", "Birch", "Oak"]
    assert seen.begun == 1


def test_enough_patient_ones_wait_no_longer(store):
    async def many():
        await asyncio.wait_for(
            asyncio.gather(*(store.run(adds(str(number)), patience=600) for number in range(MOST))), 30
        )

    with Transactions(store.engine) as seen:
        asyncio.run(many())
    assert seen.begun == 1


def test_what_takes_long_is_alone(store):
    with Transactions(store.engine) as seen:
        asyncio.run(together(store, adds("Birch"), adds("Alder"), alone=True))
    assert seen.begun == 2


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)  # SQLite has one writer
def test_what_takes_long_does_not_hold_up_the_others(store):
    """On PostgreSQL, where another thread begins with what was behind it."""
    gate = threading.Event()

    def long(session):
        assert gate.wait(30)

    async def both():
        first = asyncio.ensure_future(store.run(long, alone=True))
        second = asyncio.ensure_future(store.run(adds("Birch")))
        await asyncio.wait_for(second, 20)
        gate.set()
        await first

    asyncio.run(both())
    assert names(store) == ["Birch"]


def test_what_was_cancelled_while_it_waited_is_not_done(store):
    async def two():
        gone = asyncio.ensure_future(store.run(adds("Gone"), patience=600))
        await asyncio.sleep(0)
        gone.cancel()
        await store.run(adds("Birch"))
        assert gone.cancelled()

    asyncio.run(two())
    assert names(store) == ["Birch"]


def test_threads_of_one_process_take_turns(store):
    """Coroutines' work and `transaction` of other threads: nothing is lost, and on SQLite nobody sleeps for the lock."""

    def counts(session):
        client = session.execute(select(Client).with_for_update()).scalar_one()
        client.city = str(int(client.city) + 1)

    def in_thread():
        with store.transaction() as session:
            counts(session)

    async def many():
        await asyncio.gather(
            *(store.run(counts) for _ in range(20)), *(asyncio.to_thread(in_thread) for _ in range(20))
        )

    with store.transaction() as session:
        session.add(Client(name="Birch", city="0"))
    asyncio.run(many())
    with store.transaction() as session:
        assert session.scalar(select(Client.city)) == "40"


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)  # SQLite has one writer
def test_of_two_that_wait_for_each_other_both_succeed(store):
    """PostgreSQL ends one of them; it is run once more, and the pieces that were with it are not lost."""
    with store.transaction() as session:
        session.add_all([Client(id=1, name="Birch", city="0"), Client(id=2, name="Alder", city="0")])
    both = threading.Barrier(2)
    tries = []

    def crosses(first, second):
        def work(session):
            tries.append(first)
            for number in (first, second):
                client = session.execute(select(Client).where(Client.id == number).with_for_update()).scalar_one()
                client.city = str(int(client.city) + 1)
                session.flush()
                if number == first and len(tries) <= 2:
                    both.wait(30)

        return work

    async def two():
        return await asyncio.gather(store.run(crosses(1, 2), alone=True), store.run(crosses(2, 1), alone=True))

    asyncio.run(two())
    assert len(tries) >= 3  # what is run again may take the first lock before the other has the second one
    with store.transaction() as session:
        assert list(session.scalars(select(Client.city))) == ["2", "2"]


def test_many_processes_write_together(store, database_url):
    """Each of six processes runs pieces that wait together; every one is there at the end."""
    program = """
import asyncio
from database.models import Client
def adds(each):
    def work(session):
        session.add(Client(name=f"{number} {each}", city=str(number)))
        session.flush()
    return work
async def many():
    await asyncio.gather(*(db.run(adds(each), patience=0.01) for each in range(40)))
asyncio.run(many())
"""
    crowd(database_url, 6, program)
    with store.transaction() as session:
        found = session.execute(select(Client.city, func.count()).group_by(Client.city)).all()
    assert sorted(count for _, count in found) == [40] * 6


def test_a_database_that_is_away_is_said_to_every_piece():
    db = Database("postgresql+psycopg://u:canary-password@127.0.0.1:1/none")

    async def three():
        return await asyncio.gather(
            *(db.run(adds(str(number)), patience=0.05) for number in range(3)), return_exceptions=True
        )

    told = asyncio.run(three())
    assert all(isinstance(each, DatabaseAway) for each in told)
    assert "canary" not in str(told)
