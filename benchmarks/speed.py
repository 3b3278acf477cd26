"""Issue 12's table: the same work by us, by bare Scrapy, by typical Scrapy and by the bare client, in turns."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from typing import Any

from benchmarks import truth
from benchmarks.bench import Bench, Visit, middle
from benchmarks.figures import Figure, count
from benchmarks.p12 import FAULTS, SESSION
from sandbox import files
from sandbox.plain import data

OURS, TYPICAL, SCRAPY, BARE = "ours", "typical_scrapy", "bare_scrapy", "floor"
SIZE = 100_000  # bytes of a document
LIMIT = 16  # requests in flight
TYPICAL_ROWS = 5_000  # of 100,000: each is an item and a commit
# A commit for a batch of documents, three for a sign-in (20 of each in all).
TRANSACTIONS = 60 + 3 * 20

Work = Callable[[], Visit]


def run(
    bench: Bench, documents: int = 200, accounts: int = 20, rows: int = 100_000, big: int = 300_000_000
) -> list[Figure]:
    """Do each line of the table by all of them in turns; a ratio is the median of those of the rounds."""
    few = max(documents // 10, 1)
    return [
        *transactions(bench, accounts, few),
        *many(bench, f"{documents} documents, 0 ms", 1, documents, 0, {"wall": 1.6, "CPU": 1.6}),
        *many(bench, f"{documents} documents, 50 ms", 1, documents, 50, {"wall": 1.4, "window": 1.4}),
        *many(bench, f"{accounts} accounts x {few}, 50 ms", accounts, few, 50, {"wall": 1.5, "window": 1.5}),
        *again(bench, accounts, few),
        *further(bench, documents),
        *start(bench),
        *usage(bench, rows),
        *one_file(bench, big),
        *trouble(bench, documents),
    ]


def many(
    bench: Bench, line: str, accounts: int, documents: int, latency: int, goals: Mapping[str, float]
) -> list[Figure]:
    """Fetch all documents of new users."""
    bench.admin.configure(documents=documents, file_bytes=SIZE, latency_ms=latency)
    met: list[str] = []
    found = in_turn(bench, lambda who: fetch(bench, who, met, accounts), accounts * documents)
    return [
        *truth.figures("speed", bench, met, documents, SIZE, line),
        *limits(line, found[OURS]),
        *(ratio(line, what, goal, found) for what, goal in goals.items()),
    ]


def again(bench: Bench, accounts: int, documents: int) -> list[Figure]:
    """Fetch everything once, then measure doing it again."""
    line = f"again, nothing new, {accounts} accounts"
    bench.admin.configure(documents=documents, file_bytes=SIZE, latency_ms=50)
    people = bench.people(accounts)
    for who in (OURS, TYPICAL, SCRAPY, BARE):
        play(bench, who, "files", people)
    found = in_turn(bench, lambda who: play(bench, who, "files", people), 0)
    return [
        count("speed", f"{line}: sign-ins", 0, max(visit.sign_ins for visit in found[OURS])),
        count("speed", f"{line}: files fetched", 0, max(visit.downloads for visit in found[OURS])),
        *limits(line, found[OURS]),
        ratio(line, "wall", 1.4, found),
        ratio(line, "window", 1.4, found),
    ]


def further(bench: Bench, documents: int) -> list[Figure]:
    """Fetch many documents and one in turns: what the many take beyond the one is no start-up."""

    def fetched(who: str, number: int) -> Visit:
        bench.admin.configure(documents=number, file_bytes=SIZE, latency_ms=0)
        return fetch(bench, who, [], 1)

    peers = (OURS, SCRAPY, BARE)
    works: list[Work] = [lambda who=who, n=n: fetched(who, n) for who in peers for n in (documents, 1)]  # type: ignore[misc]
    cpus = [[visit.cost.cpu for visit in visits] for visits in bench.alternate(*works)]
    each = {
        who: (middle(cpus[2 * n]) - middle(cpus[2 * n + 1])) * 1000 / (documents - 1) for n, who in enumerate(peers)
    }
    return [
        Figure(
            "speed",
            "CPU per further document, 0 ms",
            each[OURS] / each[SCRAPY],
            2.5,
            each[OURS],
            each[BARE],
            "CPU ms",
            peers={SCRAPY: each[SCRAPY]},
            over=SCRAPY,
        )
    ]


def start(bench: Bench) -> list[Figure]:
    """Send one request in a session that is kept, and run `scrapy status`: CPU."""
    bench.admin.configure(documents=1, file_bytes=SIZE, latency_ms=0)
    people = bench.people(1)
    for who in (OURS, SCRAPY, BARE):
        play(bench, who, "files", people)
    bench.command("status")  # the first time compiles
    once, status, scrapy, bare = bench.alternate(
        lambda: play(bench, OURS, "files", people).cost,
        lambda: bench.command("status"),
        lambda: play(bench, SCRAPY, "files", people).cost,
        lambda: play(bench, BARE, "files", people).cost,
    )
    return [
        Figure(
            "speed",
            name,
            pairs([cost.cpu for cost in costs], [cost.cpu for cost in scrapy]),
            1.4,
            middle([cost.cpu for cost in costs]),
            middle([cost.cpu for cost in bare]),
            "CPU s",
            peers={SCRAPY: middle([cost.cpu for cost in scrapy])},
            over=SCRAPY,
        )
        for name, costs in (("a run with one request: CPU", once), ("scrapy status: CPU", status))
    ]


def usage(bench: Bench, rows: int) -> list[Figure]:
    """Store the rows of a CSV; typical Scrapy those of a shorter one."""
    line = f"{rows:,} rows"
    bench.admin.configure(latency_ms=0)

    def stored(who: str) -> Visit:
        number = min(TYPICAL_ROWS, rows) if who == TYPICAL else rows
        if who == OURS:
            return bench.ours("plain_usage", bench.people(1), "-a", f"rows={number}")
        return bench.bare("usage", bench.people(1), program=who, path=f"/usage.csv?rows={number}")

    found = in_turn(bench, stored, 1)
    figure = ratio(line, "wall", 2.0, found, over=BARE)
    return [replace(figure, name=f"{figure.name} (typical Scrapy: {min(TYPICAL_ROWS, rows):,})")]


def one_file(bench: Bench, size: int) -> list[Figure]:
    """Store one big file."""
    line = f"a file of {size // 1_000_000} MB"
    path = f"/big?bytes={size}"

    def stored(who: str) -> Visit:
        if who == OURS:
            return bench.ours("plain_big", bench.people(1), "-a", f"path={path}")
        return bench.bare("one", bench.people(1), program=who, path=path)

    found = in_turn(bench, stored, 1)
    hashes = {json.loads(visit.cost.output)[0] for visit in found[BARE]}
    rows = bench.ask("SELECT sha256 FROM files WHERE status = 'ready' AND size = ?", size)
    right = sum(row[0] in hashes for row in rows)
    return [
        count("speed", f"{line}: not stored right", 0, bench.rounds - right),
        ratio(line, "wall", 2.2, found, over=BARE),
        ratio(line, "CPU", None, found, over=BARE),
    ]


def trouble(bench: Bench, documents: int) -> list[Figure]:
    """Fetch from a portal in trouble, once: how many files are right. A process that does not end with 0 is an error."""
    line = f"{documents} documents with faults"
    told = {"documents": documents, "file_bytes": SIZE, "latency_ms": 50}
    bench.admin.configure(**told, session_requests=SESSION, faults=FAULTS)
    people = bench.store(["ok+trouble-speed@example.com"])
    wanted = expected(people[0], documents)
    right = {}
    for who in (OURS, TYPICAL, SCRAPY):
        bench.admin.reset()  # the faults begin again, and no session is left
        visit = play(bench, who, "files", people)
        if who == OURS:
            right[who] = truth.stored(bench, people[0], documents, SIZE)[0]
        else:
            right[who] = len(wanted & set(json.loads(visit.cost.output.splitlines()[-1])))
    bench.admin.configure(session_requests=0, faults={}, latency_ms=0)
    missing = documents - right[OURS]
    return [
        count("speed", f"{line}: missing, exit code 0", 0, missing),
        Figure("speed", f"{line}: right", right[OURS], None, right[OURS], None, "files", peers=right),
    ]


def transactions(bench: Bench, accounts: int, documents: int) -> list[Figure]:
    """Count the transactions of a run for new users, their sign-ins included."""
    bench.admin.configure(documents=documents, file_bytes=SIZE, latency_ms=50)
    begun = bench.transactions("plain_files", bench.people(accounts))
    name = f"transactions, {accounts} sign-ins and {accounts * documents} documents"
    return [count("speed", name, TRANSACTIONS, begun)]


def expected(person: str, documents: int) -> set[str]:
    """Return the hashes of a user's documents."""
    account = data.accounts(person)[0]
    titles = (data.document(account, number).title for number in range(1, documents + 1))
    return {sha256(files.pdf(f"{title} of account {account}", SIZE)).hexdigest() for title in titles}


def play(bench: Bench, who: str, work: str, people: Sequence[str]) -> Visit:
    """Have the documents of these users fetched."""
    return bench.ours("plain_files", people) if who == OURS else bench.bare(work, people, program=who)


def fetch(bench: Bench, who: str, met: list[str], accounts: int) -> Visit:
    """Have the documents of new users fetched; *met* are those of ours."""
    people = bench.people(accounts)
    if who == OURS:
        met += people
    return play(bench, who, "files", people)


def in_turn(bench: Bench, work: Callable[[str], Visit], files: int) -> dict[str, list[Visit]]:
    """Do a work by all in turns; ValueError when a peer does not fetch as many files as it must."""
    who = (OURS, TYPICAL, SCRAPY, BARE)

    def checked(each: str) -> Visit:
        visit = work(each)
        if each != OURS and visit.downloads != files:
            raise ValueError(f"{each} has fetched {visit.downloads} of {files} files.")
        return visit

    works: list[Work] = [lambda each=each: checked(each) for each in who]  # type: ignore[misc]
    return dict(zip(who, bench.alternate(*works), strict=True))


def limits(line: str, visits: Sequence[Visit]) -> list[Figure]:
    """Return the counts of requests in flight and connections."""
    return [
        count("speed", f"{line}: requests in flight", LIMIT, max(visit.in_flight for visit in visits)),
        count("speed", f"{line}: connections", LIMIT + 1, max(visit.connections for visit in visits)),
    ]


def ratio(line: str, what: str, goal: float | None, found: Mapping[str, list[Visit]], over: str = SCRAPY) -> Figure:
    """Return the ratio of ours to another one's wall time, CPU seconds or window."""
    measures: dict[str, Callable[[Visit], float]] = {
        "wall": lambda visit: visit.cost.seconds,
        "CPU": lambda visit: visit.cost.cpu,
        "window": lambda visit: visit.window,
    }
    values = {who: [measures[what](visit) for visit in visits] for who, visits in found.items()}
    middles: dict[str, Any] = {who: middle(each) for who, each in values.items()}
    return Figure(
        "speed",
        f"{line}: {what}",
        pairs(values[OURS], values[over]),
        goal,
        middles.pop(OURS),
        middles.pop(BARE),
        "CPU s" if what == "CPU" else "s",
        peers=middles,
        over=over,
    )


def pairs(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """Return the median of the rounds' ratios."""
    return middle([one / other for one, other in zip(ours, theirs, strict=True)])
