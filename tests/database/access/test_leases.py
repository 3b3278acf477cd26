"""Leases, on both databases: one holder at a time, and a dead one only for a while, or not at all."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from database.access.leases import Leases, holder
from database.models import Lease
from database.processes import signature
from tests.database.crowd import a_process, crowd
from tests.project import wait_for

NAME = "run:bell_self_serve:ok@example.com"


@pytest.fixture
def leases(store):
    return Leases(store)


def expire(leases):
    with leases.db.transaction() as session:
        for row in session.scalars(select(Lease)):
            row.expires_at -= timedelta(hours=1)


def test_one_holds_it_and_the_others_wait(leases):
    assert leases.holder_of(NAME) is None
    assert leases.acquire(NAME, "a", 60) == 1
    assert leases.acquire(NAME, "b", 60) is None
    assert leases.acquire("another", "b", 60) == 1
    assert leases.holder_of(NAME) == "a"


def test_the_holder_may_take_it_again(leases):
    assert leases.acquire(NAME, "a", 60) == leases.acquire(NAME, "a", 60) == 1


def test_after_its_release_another_one_has_a_higher_epoch(leases):
    leases.acquire(NAME, "a", 60)
    assert leases.release(NAME, "a")
    assert leases.holder_of(NAME) is None
    assert leases.acquire(NAME, "b", 60) == 2
    assert not leases.release(NAME, "a")
    assert leases.holder_of(NAME) == "b"
    leases.release(NAME, "b")
    assert leases.acquire(NAME, "b", 60) == 3


def test_an_expired_one_is_taken_over_and_its_holder_is_told(leases):
    leases.acquire(NAME, "a", 60)
    expire(leases)
    assert leases.holder_of(NAME) is None
    assert leases.acquire(NAME, "b", 60) == 2
    assert not leases.renew(NAME, "a", 60)
    assert not leases.release(NAME, "a")
    assert leases.renew(NAME, "b", 60)


def test_renewing_prolongs_it_also_when_nobody_took_it_meanwhile(leases):
    leases.acquire(NAME, "a", 60)
    expire(leases)
    assert leases.renew(NAME, "a", 60)
    assert leases.holder_of(NAME) == "a"
    assert not leases.renew("another", "a", 60)


def test_a_released_one_cannot_be_renewed(leases):
    leases.acquire(NAME, "a", 60)
    leases.release(NAME, "a")
    assert not leases.renew(NAME, "a", 60)


def test_processes_at_once_never_overlap(store, database_url, tmp_path):
    """Eight processes work eight times each in a place where a second one would be seen."""
    inside = str(tmp_path / "inside")
    answers = crowd(
        database_url,
        8,
        f"""
import os, threading
from database.access.leases import Leases, holder
leases, done, me = Leases(db), 0, str(os.getpid())
while done < 8:
    epoch = leases.acquire("place", me, 30)
    if epoch is None:
        threading.Event().wait(0.005)
        continue
    os.close(os.open({inside!r}, os.O_CREAT | os.O_EXCL))  # fails when somebody is inside
    os.unlink({inside!r})
    assert leases.release("place", me)
    done += 1
    print(epoch)
""",
    )
    assert sorted(int(epoch) for answer in answers for epoch in answer.split()) == list(range(1, 65))


def test_of_sixteen_processes_at_once_one_has_it(store, database_url):
    program = 'from database.access.leases import Leases; print(Leases(db).acquire("place", str(number), 60) or "no")'
    assert sorted(crowd(database_url, 16, program)) == ["1", *["no"] * 15]


def test_a_killed_holder_keeps_it_no_longer_than_its_time(store, database_url):
    leases = Leases(store)
    program = """
from database.access.leases import Leases, holder
print(Leases(db).acquire("place", "dead", 60), flush=True)
sys.stdin.read()
"""
    with a_process(database_url, program) as (process, output):
        assert output.readline() == "1\n"
        process.kill()
        process.wait()
        assert leases.acquire("place", "alive", 60) is None
        expire(leases)
        assert leases.acquire("place", "alive", 60) == 2
    assert leases.holder_of("place") == "alive"


def test_what_a_killed_process_of_this_machine_held_is_taken_over_at_once(store, database_url):
    """Also before its parent has asked how it ended, when its number still exists."""
    leases = Leases(store)
    program = """
from database.access.leases import Leases, holder
print(Leases(db).acquire("place", holder("a crawl"), 3600), flush=True)
sys.stdin.read()
"""
    with a_process(database_url, program) as (process, output):
        assert output.readline() == "1\n"
        assert leases.acquire("place", holder("another crawl"), 60) is None
        process.kill()
        assert wait_for(lambda: leases.acquire("place", holder("another crawl"), 60)) == 2
    assert leases.holder_of("place") == holder("another crawl")


@pytest.mark.parametrize(
    ("changed", "taken"),
    [
        (lambda machine, pid, began: (machine, pid, began), False),  # ourselves
        (lambda machine, pid, began: (machine, pid, "1"), True),  # a former process with our number
        (lambda machine, pid, began: ("elsewhere", "1", began), False),  # nothing is known of another machine's
    ],
)
def test_a_holder_is_known_by_machine_number_and_birth(leases, changed, taken):
    other = "+".join(changed(*signature().split("+")))
    leases.acquire(NAME, f"a crawl {other}", 60)
    assert leases.acquire(NAME, "b", 60) == (2 if taken else None)
