"""P5: the work of P4, but all users sign in with the browser, which then fetches nothing."""

from __future__ import annotations

from benchmarks import truth
from benchmarks.bench import Bench, Visit, middle
from benchmarks.browsers import BrowserWatch
from benchmarks.figures import Figure, count
from benchmarks.p4 import ACCOUNTS, DOCUMENTS, LATENCY, SIZE

BY_BROWSER = "SELECT coalesce(sum(downloads), 0) FROM runs WHERE spider = 'plain_browser_files'"


def run(bench: Bench, accounts: int = ACCOUNTS) -> list[Figure]:
    """Sign in with the browser and by form in turns; what it takes longer is the browser's."""
    bench.admin.configure(documents=DOCUMENTS, file_bytes=SIZE, latency_ms=LATENCY)
    met: list[str] = []
    watches: list[BrowserWatch] = []

    def ours() -> Visit:
        people = bench.people(accounts)
        met.extend(people)
        watches.append(BrowserWatch())
        return bench.ours("plain_browser_files", people, look=watches[-1].look)

    browser, form, bare = bench.alternate(
        ours,
        lambda: bench.ours("plain_files", bench.people(accounts)),
        lambda: bench.bare("files", bench.people(accounts)),
    )
    whole, by_form, bare_whole = (middle([v.cost.seconds for v in each]) for each in (browser, form, bare))
    longer = (whole - by_form) / accounts
    most = max(v.sign_ins for v in browser)
    return [
        *truth.figures("p5", bench, met, DOCUMENTS, SIZE),
        count("p5", "sign-ins per account", 1, most / accounts, max(v.sign_ins for v in bare) / accounts),
        count("p5", "browsers", 1, max(len(watch.browsers) for watch in watches)),
        count("p5", "files that came through it", 0, bench.ask(BY_BROWSER)[0][0]),
        Figure("p5", "per account, beyond signing in by form", longer, 0.8, longer, None, "s"),
        Figure("p5", "whole process", whole, None, whole, bare_whole, "s"),
    ]
