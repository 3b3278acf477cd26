"""The broker of one-time codes, on both databases."""

from __future__ import annotations

import asyncio
import functools
import itertools
import json
import os
import random
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import IntegrityError

from database.access.addresses import address
from database.access.codes import (
    CodeBroker,
    CodeChannel,
    MessageNotReceived,
    MessageUnclear,
    ReceiverBusy,
    accept,
    consume,
    extract,
    peek,
    purge_expired,
    summaries,
)
from database.engine import Database, now
from database.models import CodeKind, CodeRequest, CodeRequestState, Message, Run, RunState
from tests.project import ROOT

PHONE, OTHER_PHONE = "+12015550100", "+12015550101"
DIGITS = r"\b([0-9]{6,8})\b"
BELL = CodeChannel("bell_self_serve", ("BELL",), DIGITS, portal="bell")
SAID = "Bell: your verification code is {}. Do not share it."


def in_a_loop(test):
    """Run a coroutine as a test."""

    @functools.wraps(test)
    def run(*args, **kwargs):
        asyncio.run(test(*args, **kwargs))

    return run


def ask(store, receiver=PHONE, login="bell_self_serve", senders=("BELL",), pattern=DIGITS, poll=0.02, **options):
    broker = CodeBroker(store, poll=poll)
    return broker.open(
        login=login,
        portal=login.partition("_")[0],
        username="ok@example.com",
        receiver=receiver,
        senders=senders,
        pattern=pattern,
        **options,
    )


def deliver(store: Database, code="12345678", receiver=PHONE, sender="BELL", **options):
    with store.transaction() as session:
        accept(session, receiver, sender, options.pop("text", SAID.format(code)), **options)


def moment(store: Database, seconds: float = 0):
    with store.transaction() as session:
        return now(session) + timedelta(seconds=seconds)


def let_time_pass(store: Database, seconds: float) -> None:
    """Make every request and message that much older."""
    ago = timedelta(seconds=seconds)
    with store.transaction() as session:
        for request in session.scalars(select(CodeRequest)):
            request.requested_at -= ago
            request.deadline -= ago
            request.closed_at = request.closed_at and request.closed_at - ago
            request.rest_until = request.rest_until and request.rest_until - ago
        for message in session.scalars(select(Message)):
            message.received_at -= ago


async def asked_when_time_has_passed(store: Database, seconds: float) -> str:
    """Ask for a code while the receiver is held, let time pass, and return the code that comes then."""

    async def sign_in() -> str:
        async with ask(store, wait=60) as request:
            await asyncio.to_thread(deliver, store)
            return await request.answer(60)

    waiting = asyncio.create_task(sign_in())
    await asyncio.sleep(0.2)
    assert not waiting.done()
    assert len(requests(store)) == 1
    await asyncio.to_thread(let_time_pass, store, seconds)
    return await waiting


def requests(store: Database) -> list[CodeRequest]:
    with store.transaction() as session:
        return list(session.scalars(select(CodeRequest).order_by(CodeRequest.id)))


def messages(store: Database) -> list[Message]:
    with store.transaction() as session:
        return list(session.scalars(select(Message).order_by(Message.id)))


@pytest.mark.parametrize(
    ("raw", "same"),
    [
        ("+1 (555) 010-0123", "+15550100123"),
        ("555 010 0123", "+15550100123"),
        ("1-555-010-0123", "+15550100123"),
        ("0015550100123", "+15550100123"),
        ("972550100123", "+972550100123"),
        (" 61 234 ", "61234"),
        ("Bell  Canada", "bell canada"),
        ("Bell <NoReply@example.com>", "noreply@example.com"),
        ("a\x00\ud800b", "a?b"),
    ],
)
def test_one_spelling_per_address(raw, same):
    assert address(raw) == same
    assert address(same) == same


def test_a_pattern_gives_its_group_or_the_whole_match():
    assert extract(DIGITS, "code 123456.") == "123456"
    assert extract("(?:code|lien) ([A-Z]{3})|([0-9]{4})", "lien 1234") == "1234"
    assert extract(r"https://\S+", "open https://example.com/a now") == "https://example.com/a"
    assert extract(DIGITS, "room 12345") is None


@in_a_loop
async def test_a_request_gets_its_message_and_the_text_is_gone(store):
    async with ask(store, run_id=7) as request:
        deliver(store)
        assert await request.answer(60) == "12345678"
    (row,) = requests(store)
    assert (row.state, row.rest_until, row.run_id) == (CodeRequestState.ANSWERED, None, 7)
    (message,) = messages(store)
    assert (message.text, message.claimed_by) == (None, row.id)


@pytest.mark.parametrize("answered", [True, False])
@in_a_loop
async def test_a_killed_sign_in_holds_the_receiver_only_if_its_message_may_still_come(store, answered):
    with store.transaction() as session:
        run = Run(crawl="a crawl", spider="s", portal="p", report_type="r", state=RunState.RUNNING)
        session.add(run)
        session.flush()
    killed = ask(store, run_id=run.id)
    request = await killed.__aenter__()
    await request.may_send()
    if answered:
        deliver(store)
        assert await request.answer(60) == "12345678"
    with pytest.raises(ReceiverBusy):
        await ask(store, wait=0).__aenter__()  # the sign-in goes on with its code
    with store.transaction() as session:
        session.execute(update(Run).values(state=RunState.FINISHED))  # as the next crawl sees it
    if answered:
        async with ask(store, wait=0) as another:
            deliver(store, code="87654321")
            assert await another.answer(60) == "87654321"
    else:
        with pytest.raises(ReceiverBusy):
            await ask(store, wait=0).__aenter__()
    await request.close()


@in_a_loop
async def test_nothing_is_stored_in_clear(store):
    deliver(store, code="87654321")
    with store.transaction() as session:
        stored = session.execute(text("select * from messages")).mappings().one()
    assert "87654321" not in str(dict(stored))
    assert "87654321" not in repr(messages(store)[0])


@in_a_loop
async def test_a_link_is_given_whole(store):
    pattern = r"Allow or deny\s*<(https://[^>]+)>"
    async with ask(store, login="verizon", senders=("vzw@example.com",), pattern=pattern, kind="link") as request:
        deliver(store, sender="VZW <vzw@example.com>", text="Allow or deny\n<https://example.com/a?b=c>")
        assert await request.answer(60) == "https://example.com/a?b=c"
    assert requests(store)[0].kind is CodeKind.LINK


@pytest.mark.parametrize(
    "wrong",
    [
        {"receiver": OTHER_PHONE},
        {"sender": "ROGERS"},
        {"text": "Your bill is ready."},
        {"portal": "telus"},
        {"portal": "bel"},
    ],
    ids=["receiver", "sender", "text", "portal", "portal name cut short"],
)
@in_a_loop
async def test_a_message_for_somebody_else_is_left_alone(store, wrong):
    async with ask(store) as request:
        deliver(store, **wrong)
        with pytest.raises(MessageNotReceived):
            await request.answer(0.2)
    assert messages(store)[0].text is not None


@in_a_loop
async def test_any_sender_will_do_when_the_login_names_none(store):
    async with ask(store, senders=()) as request:
        deliver(store, sender="+15550199", portal="bell")
        assert await request.answer(60) == "12345678"


@in_a_loop
async def test_messages_older_than_the_request_are_not_taken(store):
    deliver(store, "11111111")
    async with ask(store) as request:
        # Arrives now, but the gateway says that the phone had it long before.
        deliver(store, "22222222", sent_at=moment(store, -60))
        with pytest.raises(MessageNotReceived):
            await request.answer(0.2)
        deliver(store, "33333333", sent_at=moment(store, -2))  # within what clocks may differ
        assert await request.answer(60) == "33333333"


@in_a_loop
async def test_the_oldest_of_several_is_taken_and_only_one(store):
    async with ask(store) as request:
        deliver(store, "11111111")
        deliver(store, "22222222")
        assert await request.answer(60) == "11111111"
        with pytest.raises(MessageNotReceived):
            await request.answer(0)
    assert [message.text is None for message in messages(store)] == [True, False]


@in_a_loop
async def test_a_late_message_is_awaited(store):
    async with ask(store) as request:
        answer = asyncio.create_task(request.answer(60))
        await asyncio.sleep(0.3)
        assert not answer.done()
        await asyncio.to_thread(deliver, store)
        assert await answer == "12345678"


@pytest.mark.parametrize("ids", [(None, None), ("g-1", "g-1"), ("g-1", "g-2"), ("g-1", None)])
@in_a_loop
async def test_a_doubled_delivery_is_swallowed_also_after_use(store, ids):
    async with ask(store) as request:
        deliver(store, gateway_id=ids[0])
        deliver(store, gateway_id=ids[1])
        assert await request.answer(60) == "12345678"
        deliver(store, gateway_id=ids[1])
    assert len(messages(store)) == 1
    async with ask(store) as request:
        deliver(store, gateway_id=ids[1])
        with pytest.raises(MessageNotReceived):
            await request.answer(0.2)


@in_a_loop
async def test_a_gateway_that_repeats_itself_hours_later_is_known_by_its_id(store):
    deliver(store, gateway_id="g-1", received_at=moment(store, -7200))
    with store.transaction() as session:
        assert purge_expired(session) == 1
    assert (messages(store)[0].text, messages(store)[0].text_fingerprint) == (None, None)
    deliver(store, gateway_id="g-1")
    assert len(messages(store)) == 1


@in_a_loop
async def test_the_same_text_counts_again_after_its_life(store):
    deliver(store, received_at=moment(store, -301))
    deliver(store)
    assert len(messages(store)) == 2


def test_purge_keeps_what_is_fresh_and_forgets_what_is_old(store):
    deliver(store, "11111111")
    deliver(store, "22222222", received_at=moment(store, -301))
    deliver(store, "33333333", received_at=moment(store, -301), gateway_id="kept")
    deliver(store, "44444444", received_at=moment(store, -90000), gateway_id="forgotten")
    with store.transaction() as session:
        purge_expired(session)
    assert [(message.gateway_id, message.text is None) for message in messages(store)] == [
        (None, False),
        ("kept", True),
    ]


@pytest.mark.parametrize(
    ("first", "second", "together"),
    [
        (("BELL",), ("BELL",), False),
        (("BELL",), ("ROGERS",), True),
        (("BELL", "61234"), ("61234", "ROGERS"), False),
        ((), ("BELL",), False),
        (("BELL",), (), False),
    ],
)
@in_a_loop
async def test_one_request_per_receiver_and_sender(store, first, second, together):
    async with ask(store, senders=first) as one:
        one.unused()
        async with ask(store, receiver=OTHER_PHONE, senders=first, wait=60) as elsewhere:
            elsewhere.unused()
        if together:
            async with ask(store, senders=second, wait=60) as other:
                other.unused()
            return
        with pytest.raises(ReceiverBusy):
            async with ask(store, senders=second, wait=0.2):
                pytest.fail("two requests wait for the same message")


def test_the_database_itself_refuses_a_second_open_request(store):
    def row():
        return CodeRequest(
            login="bell_self_serve",
            username="ok@example.com",
            receiver=PHONE,
            senders=["bell"],
            sender_group="bell",
            kind=CodeKind.CODE,
            pattern=DIGITS,
            requested_at=moment(store),
            deadline=moment(store, 300),
            state=CodeRequestState.OPEN,
        )

    def insert(request):
        with store.transaction() as session:
            session.add(request)

    insert(row())
    with pytest.raises(IntegrityError):
        insert(row())


@in_a_loop
async def test_the_second_request_goes_on_when_the_first_is_over(store):
    async def second() -> str:
        async with ask(store, wait=60) as request:
            await asyncio.to_thread(deliver, store, "22222222")
            return await request.answer(60)

    async with ask(store) as request:
        waiting = asyncio.create_task(second())
        await asyncio.sleep(0.1)
        await asyncio.to_thread(deliver, store, "11111111")
        assert await request.answer(60) == "11111111"
        # Its sign-in is not over: what comes now, out of order, must not be the next one's.
        await asyncio.to_thread(deliver, store, "10101010")
    assert await waiting == "22222222"


@in_a_loop
async def test_a_receiver_rests_after_a_request_without_its_message(store):
    async with ask(store, life=600) as request:
        with pytest.raises(MessageNotReceived):
            await request.answer(0.1)
    with pytest.raises(ReceiverBusy):
        async with ask(store, wait=0.2):
            pytest.fail("the receiver should rest")
    deliver(store, "11111111")  # too late: whoever asks next must not get it
    assert await asked_when_time_has_passed(store, 600) == "12345678"
    first, second = requests(store)
    assert first.state is CodeRequestState.EXPIRED
    assert first.rest_until == first.deadline <= second.requested_at


@in_a_loop
async def test_a_failure_in_the_context_makes_the_receiver_rest(store):
    with pytest.raises(RuntimeError, match="portal"):
        async with ask(store):
            raise RuntimeError("portal away")
    (row,) = requests(store)
    assert (row.state, row.rest_until) == (CodeRequestState.EXPIRED, row.deadline)


@in_a_loop
async def test_an_unused_request_leaves_no_rest(store):
    async def sign_in() -> None:
        async with ask(store) as request:
            request.unused()
            raise RuntimeError("portal away")

    with pytest.raises(RuntimeError, match="portal"):
        await sign_in()
    async with ask(store, wait=0) as request:
        request.unused()
    assert {row.state for row in requests(store)} == {CodeRequestState.UNUSED}


@in_a_loop
async def test_a_cancelled_sign_in_ends_its_request(store):
    entered = asyncio.Event()

    async def sign_in() -> None:
        async with ask(store) as request:
            entered.set()
            await request.answer(60)

    task = asyncio.create_task(sign_in())
    await entered.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert requests(store)[0].state is CodeRequestState.EXPIRED


@in_a_loop
async def test_cancelling_while_it_opens_holds_nothing(store):
    async def sign_in() -> None:
        async with ask(store):
            await asyncio.Event().wait()

    for _ in range(20):
        task = asyncio.create_task(sign_in())
        await asyncio.sleep(random.uniform(0, 0.02))
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        with store.transaction() as session:
            assert not session.scalar(select(CodeRequest.id).where(CodeRequest.closed_at.is_(None)))
            session.execute(update(CodeRequest).values(rest_until=None))


@in_a_loop
async def test_a_dead_process_blocks_no_longer_than_the_life_of_its_code(store):
    script = (
        "import asyncio, os, sys; from database.access.codes import CodeBroker; from database.engine import database\n"
        "async def main():\n"
        "    async with CodeBroker(database()).open(login='bell_self_serve', portal='bell', username='u', receiver='+12015550100',\n"
        "            senders=['BELL'], pattern='x', life=600):\n"
        "        os.kill(os.getpid(), 9)\n"
        "asyncio.run(main())\n"
    )
    killed = await asyncio.create_subprocess_exec(sys.executable, "-c", script, cwd=ROOT)
    assert await killed.wait() == -9
    assert requests(store)[0].state is CodeRequestState.OPEN
    assert await asked_when_time_has_passed(store, 600) == "12345678"
    first, second = requests(store)
    assert first.state is CodeRequestState.EXPIRED, [
        (r.id, r.state, r.requested_at, r.deadline, r.closed_at, r.rest_until) for r in (first, second)
    ]
    assert second.requested_at >= first.deadline


@in_a_loop
async def test_a_request_past_its_life_takes_nothing_more(store):
    async with ask(store, life=0.2) as request:
        await asyncio.sleep(0.3)
        deliver(store)
        with pytest.raises(MessageNotReceived):
            await request.answer(60)


def test_reading_by_hand_looks_first_and_uses_once(store):
    with store.transaction() as session:
        assert peek(session, BELL, PHONE).status == "no code available"
    deliver(store, "11111111", received_at=moment(store, -20))
    deliver(store, "22222222", receiver="(201) 555-0100", received_at=moment(store, -10))
    deliver(store, "33333333", sender="ROGERS")
    with store.transaction() as session:
        looked = peek(session, BELL, PHONE)
        assert (looked.code, looked.status) == ("22222222", "available")
        assert "22222222" not in repr(looked)
        assert [consume(session, BELL, PHONE).code for _ in range(3)] == ["22222222", "11111111", None]
        assert consume(session, BELL, PHONE).status == "code already used"


def test_reading_by_hand_says_when_a_code_is_too_old(store):
    deliver(store, received_at=moment(store, -301))
    with store.transaction() as session:
        assert peek(session, BELL, PHONE).status == "code expired"
        assert peek(session, BELL, PHONE, life=600).status == "available"


@in_a_loop
async def test_reading_by_hand_does_not_take_from_a_sign_in_that_waits(store):
    deliver(store, "11111111")
    async with ask(store) as request:
        deliver(store, "22222222")
        with store.transaction() as session:
            assert consume(session, BELL, PHONE).code == "11111111"
            assert consume(session, BELL, PHONE).code is None
        assert await request.answer(60) == "22222222"


def test_a_summary_shows_no_code(store):
    deliver(store, "11111111", portal="bell")
    deliver(store, receiver=OTHER_PHONE, text="Your bill is ready.")
    with store.transaction() as session:
        first, second = summaries(session, [BELL])
        assert (first.receiver, first.portal, first.has_code, first.used) == (PHONE, "bell", True, False)
        assert (second.receiver, second.portal, second.has_code) == (OTHER_PHONE, None, False)
        assert "11111111" not in repr(first)
        consume(session, BELL, PHONE)
        assert [(each.has_code, each.used) for each in summaries(session, [BELL])] == [(False, True), (False, False)]


SIGN_IN = """
import asyncio, json, os, sys, time
from database.access.codes import CodeBroker
from database.engine import database
async def one(job):
    broker = CodeBroker(database(), poll=0.05)
    async with broker.open(login=job["login"], portal=job["login"].partition("_")[0], username=job["user"], receiver=job["receiver"], senders=job["senders"],
                           pattern=r"\\b([0-9]{8})\\b", life=60, wait=90) as request:
        print(json.dumps({"user": job["user"], "sent": time.time()}), flush=True)
        code = await request.answer(60)
        print(json.dumps({"user": job["user"], "code": code}), flush=True)
        while not os.path.exists(os.path.join(sys.argv[2], job["user"])):
            await asyncio.sleep(0.02)
async def main():
    await asyncio.gather(*(one(job) for job in json.loads(sys.argv[1])))
asyncio.run(main())
"""


def test_twenty_sign_ins_at_once_get_twenty_right_codes(store, tmp_path: Path):
    """
    Four processes, five sign-ins each; five of the twenty share one phone and one sender, in different processes.

    This process is portal and gateway: it sends when a sign-in says that it asks; late, doubled, out of order, and to
    every receiver something older first.
    """
    rng = random.Random(20261120)
    jobs = []
    for n in range(20):
        receiver = "+12015550150" if n < 5 else f"+120155501{60 + n}"
        jobs.append({"login": "bell", "user": f"user-{n}", "receiver": receiver, "senders": ["BELL"]})
    by_user = {job["user"]: job for job in jobs}
    for job in jobs:  # stale ones, before anybody asks
        deliver(store, str(rng.randrange(10**7, 10**8)), receiver=job["receiver"])
    script = tmp_path / "sign_in.py"
    script.write_text(SIGN_IN)
    processes = [
        subprocess.Popen(
            [sys.executable, str(script), json.dumps(jobs[k::4]), str(tmp_path)],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            text=True,
        )
        for k in range(4)
    ]
    sent: dict[str, str] = {}
    got: dict[str, str] = {}

    async def portal() -> None:
        async def send(user: str) -> None:
            receiver, code = by_user[user]["receiver"], sent[user]
            await asyncio.sleep(rng.uniform(0, 0.9))
            deliveries: list[dict[str, Any]] = [
                {"code": code, "gateway_id": f"id-{user}"},
                {"code": code, "gateway_id": rng.choice([None, f"id-{user}", f"other-{user}"])},
                {"code": str(rng.randrange(10**7, 10**8)), "sent_at": moment(store, -90)},
            ]
            rng.shuffle(deliveries)
            deliveries.append({"code": str(rng.randrange(10**7, 10**8))})  # out of order: made first, comes last
            for delivery in deliveries:
                await asyncio.to_thread(deliver, store, receiver=receiver, **delivery)
            (tmp_path / user).touch()  # the sign-in is over
            await asyncio.sleep(rng.uniform(0, 0.3))
            await asyncio.to_thread(deliver, store, code, receiver=receiver, gateway_id=f"again-{user}")

        async def listen(process: subprocess.Popen[str]) -> None:
            assert process.stdout
            while line := await asyncio.to_thread(process.stdout.readline):
                said = json.loads(line)
                user = said["user"]
                if "code" in said:
                    got[user] = said["code"]
                else:
                    sent[user] = str(rng.randrange(10**7, 10**8))
                    tasks.append(asyncio.create_task(send(user)))

        tasks: list[asyncio.Task[None]] = []
        async with asyncio.timeout(100):
            await asyncio.gather(*(listen(process) for process in processes))
            await asyncio.gather(*tasks)

    try:
        asyncio.run(portal())
    finally:
        for process in processes:
            process.kill()
            process.communicate()
    assert got == sent
    assert len(got) == 20
    rows = requests(store)
    assert [row.state for row in rows] == [CodeRequestState.ANSWERED] * 20
    claimed = [message.claimed_by for message in messages(store) if message.claimed_by]
    assert sorted(claimed) == sorted(row.id for row in rows)
    by_receiver: dict[str, list[CodeRequest]] = {}
    for row in rows:
        by_receiver.setdefault(row.receiver, []).append(row)
    assert max(len(group) for group in by_receiver.values()) == 5
    for group in by_receiver.values():
        group.sort(key=lambda row: row.requested_at)
        for earlier, later in itertools.pairwise(group):
            assert earlier.closed_at
            assert earlier.closed_at <= later.requested_at


TWO = "Enter code 12345678 or 87654321."


@in_a_loop
async def test_a_message_with_two_codes_is_refused_and_the_receiver_is_free(store):
    async with ask(store) as request:
        deliver(store, text=TWO)
        with pytest.raises(MessageUnclear, match="2 numbers") as told:
            await request.answer(60)
        assert "12345678" not in str(told.value)
    (row,) = requests(store)
    assert (row.state, row.rest_until) == (CodeRequestState.ANSWERED, None)
    assert [message.text for message in messages(store)] == [None]
    async with ask(store) as request:
        deliver(store, code="11223344")
        assert await request.answer(60) == "11223344"


@in_a_loop
async def test_where_any_sender_may_write_an_unclear_message_ends_nothing_before_its_time(store):
    async with ask(store, senders=()) as request:
        deliver(store, text=TWO, sender="stranger")
        deliver(store, code="11223344")
        assert await request.answer(60) == "11223344"
    async with ask(store, receiver=OTHER_PHONE, senders=()) as request:
        deliver(store, text=TWO, receiver=OTHER_PHONE, sender="stranger")
        with pytest.raises(MessageUnclear):
            await request.answer(0.1)


@in_a_loop
async def test_what_came_and_did_not_fit_is_counted_by_kind_of_sender_and_reason(store):
    deliver(store, code="99999999")  # before the request: not told
    async with ask(store) as request:
        for text in ("Hello.", "Your bill is ready."):
            deliver(store, text=text)
        deliver(store, sender="61234")
        deliver(store, sender="+15550100999", code="22222222")
        deliver(store, sender="someone@example.com", code="33333333")
        deliver(store, portal="rogers", code="44444444")
        deliver(store, sent_at=moment(store, -60), code="55555555")
        with pytest.raises(MessageNotReceived):
            await request.answer(0.1)
        deliver(store, code="66666666")
        stranger = "not one of the senders that the login knows"
        assert await request.unfit() == {
            "a name: it names no code": 2,
            "a name: it came too late": 1,
            "a name: delivered for another portal": 1,
            "a name: sent before the code was asked for": 1,
            f"a short number: {stranger}": 1,
            f"a telephone number: {stranger}": 1,
            f"a mail address: {stranger}": 1,
        }


def test_reading_by_hand_says_that_a_message_is_unclear(store):
    deliver(store, text=TWO)
    with store.transaction() as session:
        assert peek(session, BELL, PHONE).status == "code unclear"
        assert consume(session, BELL, PHONE).code is None
