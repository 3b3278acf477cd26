"""Sign-ins that operators finish, on both databases: one at a time for a credential, taken once, ended once, and audited."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from database.access.assisted import (
    LOST,
    NOT_TAKEN,
    OneAtATime,
    Wanted,
    ask,
    close_to_operator,
    end,
    of_user,
    open_to_operator,
    started,
    take,
)
from database.engine import now
from database.models import AuditEntry
from database.models.assisted import AssistedSignIn
from database.models.prices import User
from database.processes import signature
from tests.database.crowd import crowd

WANTED = Wanted("bell", "bell_self_serve", "ana", 7)
LIFE = timedelta(minutes=10)


@pytest.fixture
def people(store):
    """Ids of two operators."""
    with store.transaction() as session:
        users = [User(email=f"{name}@example.com") for name in ("olga", "otto")]
        session.add_all(users)
        session.flush()
        return [user.id for user in users]


def actions(session):
    return [(row.action, row.detail) for row in session.scalars(select(AuditEntry).order_by(AuditEntry.id))]


def test_it_is_asked_for_taken_opened_closed_and_ended_once(store, people):
    olga, otto = people
    with store.transaction() as session:
        number = ask(session, olga, WANTED)
        assert ask(session, olga, WANTED) == number  # pressed twice
        with pytest.raises(OneAtATime, match=r"olga@example\.com finishes this sign-in now"):
            ask(session, otto, WANTED)
        assert started(session, number) is None
        assert take(session, signature(), LIFE, ["telus"]) is None
        taken = take(session, signature(), LIFE, ["bell", "telus"])
        assert (taken.id, taken.state, started(session, number)) == (number, "started", taken)
        assert take(session, signature(), LIFE, None) is None
        assert open_to_operator(session, number, "127.0.0.1:7", "key", now(session) + LIFE)
        assert of_user(session, number, otto) is None
        assert (of_user(session, number, olga).state, taken.key) == ("open", "key")
        close_to_operator(session, number)
        session.refresh(taken)
        assert (taken.state, taken.address, taken.key) == ("started", None, None)
        end(session, number, "success", "Everything is stored.")
        end(session, number, None, "too late")
        assert (taken.state, taken.outcome, taken.message) == ("ended", "success", "Everything is stored.")
        assert not open_to_operator(session, number, "127.0.0.1:7", "key", now(session))
        assert actions(session) == [
            ("sign_in.asked", {"job": 7, "number": number}), ("sign_in.ended", {"number": number, "outcome": "success"})
        ]  # fmt: skip
        assert ask(session, otto, WANTED) != number


@pytest.mark.parametrize(("process", "said"), [(None, NOT_TAKEN), ("of a worker", LOST)])
def test_one_that_no_process_works_at_ends(store, people, process, said):
    with store.transaction() as session:
        number = ask(session, people[0], WANTED)
        if process is not None:
            gone = signature().rpartition("+")[0].rpartition("+")[0] + "+999999999+1"
            assert take(session, gone, LIFE, None).id == number
        else:
            session.get_one(AssistedSignIn, number).deadline -= timedelta(hours=1)
        found = of_user(session, number, people[0])
        assert (found.state, found.outcome, found.message) == ("ended", None, said)


def test_what_has_ended_is_forgotten_after_a_day(store, people):
    with store.transaction() as session:
        first = ask(session, people[0], WANTED)
        end(session, first, None, "x")
        session.get_one(AssistedSignIn, first).ended_at -= timedelta(days=2)
        ask(session, people[0], WANTED)
        assert [row.ended_at for row in session.scalars(select(AssistedSignIn))] == [None]


TAKER = """
from datetime import timedelta
from database.access.assisted import take
from database.processes import signature
with db.transaction() as session:
    taken = take(session, signature(), timedelta(minutes=10), None)
    print(taken.id if taken else 0)
"""


def test_of_several_workers_one_takes_it(store, people, database_url):
    with store.transaction() as session:
        number = ask(session, people[0], WANTED)
    assert sorted(map(int, crowd(database_url, 4, TAKER))) == [0, 0, 0, number]
