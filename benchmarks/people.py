"""
People at the pages and sign-ins that wait for codes, on a service that runs: `python -m benchmarks.people fill|act`, told by JSON.

They act by the clock, not by the answers: what is late delays nothing after it, and is counted from when it should have been.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from random import Random
from time import perf_counter
from typing import Any

import aiohttp

from database.access.codes import CodeBroker, MessageNotReceived, ReceiverBusy
from database.engine import Database, database

PAGES = ("/room/missing", "/room/runs", "/room/files", "/room/inbox", "/room/runs/live", "/room/missing?state=failed")
PATTERN, SENDER = r"\b([0-9]{8})\b", "BELL"
RECEIVERS = 400  # telephones, each of which gets its next code after its last one was used
PATIENCE = 30.0  # seconds that a code may take; one that takes longer is an error


@dataclass
class Told:
    """
    What is to be done, for so many seconds.

    tokens: of the people, one each. think: seconds from one page of a person to the next. rate: codes a second. token: of the
    gateway.
    """

    url: str
    tokens: list[str]
    think: float
    rate: float
    seconds: float
    token: str


@dataclass
class Seen:
    """Seconds from when each page, delivery or code was due until it was there, and what went wrong."""

    pages: list[float] = field(default_factory=list)
    deliveries: list[float] = field(default_factory=list)
    codes: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


def fill(accounts: int, people: int) -> list[str]:
    """Fill the database as years of work would have, and return the token of each of so many operators."""
    from benchmarks.crowded import crowd
    from database.access.guesses import Limits
    from database.access.roles import grant
    from database.access.users import open_session
    from database.models.operators import Role

    crowd(database(), accounts)
    with database().transaction() as session:
        users = [grant(session, f"person-{number}@example.com", Role.OPERATOR) for number in range(people)]
        return [open_session(session, user, "Browser", Limits()) for user in users]


async def act(told: Told) -> Seen:
    """Let everybody act until the time is over, and what has begun come to its end."""
    seen, db = Seen(), database()
    # No cookies are kept: each person shows a token of their own.
    async with aiohttp.ClientSession(
        told.url, cookie_jar=aiohttp.DummyCookieJar(), connector=aiohttp.TCPConnector(limit=0)
    ) as http:
        begin = asyncio.get_running_loop().time()
        people = (person(http, number, told, seen, begin) for number in range(len(told.tokens)))
        codes = (code(http, db, number, told, seen, begin) for number in range(int(told.rate * told.seconds)))
        await asyncio.gather(*people, *codes)
    return seen


async def person(http: aiohttp.ClientSession, number: int, told: Told, seen: Seen, begin: float) -> None:
    """Open a page each *think* seconds, beginning at a time of one's own."""
    chosen = Random(number)
    due = begin + chosen.uniform(0, told.think)
    while due < begin + told.seconds:
        await until(due)
        page, began = chosen.choice(PAGES), perf_counter()
        headers = {"Authorization": f"Bearer {told.tokens[number]}"}
        try:
            async with http.get(page, headers=headers, allow_redirects=False) as answer:
                text = await answer.text()
                if (answer.status, "<" in text) not in ((200, True), (204, False)):
                    seen.errors.append(f"{page}: {answer.status}")
        except aiohttp.ClientError as error:
            seen.errors.append(f"{page}: {type(error).__name__}")
        seen.pages.append(perf_counter() - began)
        due += told.think


async def code(http: aiohttp.ClientSession, db: Database, number: int, told: Told, seen: Seen, begin: float) -> None:
    """Let a sign-in ask for a code, and a gateway deliver it; note when the sign-in has it."""
    due = begin + number / told.rate
    await until(due)
    loop, phone = asyncio.get_running_loop(), f"+1201{5_550_000 + number % RECEIVERS}"
    wanted = f"{10_000_000 + number}"
    party = {"from": {"phone_number": SENDER}, "to": [{"phone_number": phone}]}
    body = {"data": {"payload": {"id": f"load-{begin}-{number}", "text": f"Your code is {wanted}.", **party}}}
    asked = CodeBroker(db, poll=0.1).open(
        login="bell_self_serve",
        portal="bell",
        username=f"user-{number}",
        receiver=phone,
        senders=[SENDER],
        pattern=PATTERN,
    )
    try:
        async with asked as request:
            sent = loop.time()
            async with http.post("/bell/sms", json=body, headers={"X-Token": told.token}) as answer:
                if answer.status != 200:
                    seen.errors.append(f"a code was answered with {answer.status}")
            seen.deliveries.append(loop.time() - sent)
            if await request.answer(PATIENCE) != wanted:
                seen.errors.append("a sign-in got the code of another one")
    except (aiohttp.ClientError, MessageNotReceived, ReceiverBusy) as error:
        seen.errors.append(f"a code: {type(error).__name__}")
    seen.codes.append(loop.time() - due)


async def until(due: float) -> None:
    """Wait until a time of the loop's clock."""
    await asyncio.sleep(max(0.0, due - asyncio.get_running_loop().time()))


def main(words: Sequence[str], told: dict[str, Any]) -> Any:
    """Do what the command line says, and return what is printed."""
    if list(words) == ["fill"]:
        return fill(**told)
    return asdict(asyncio.run(act(Told(**told))))


if __name__ == "__main__":
    json.dump(main(sys.argv[1:], json.load(sys.stdin)), sys.stdout)
