"""P10: memory of the browser: with few accounts and with many, one after the other, and with their sessions held."""

from __future__ import annotations

from benchmarks.bench import Bench
from benchmarks.browsers import BrowserWatch
from benchmarks.figures import Figure, count

FEW, MANY = 2, 12  # accounts; two sign in side by side in both


def run(bench: Bench, many: int = MANY) -> list[Figure]:
    """Measure the highest memory of the browser in crawls of different sizes."""
    bench.admin.configure(documents=2, file_bytes=20_000, latency_ms=0)
    browsers: list[int] = []

    def memory(spider: str, accounts: int) -> float:
        watch = BrowserWatch()
        bench.ours(spider, bench.people(accounts), look=watch.look)
        browsers.append(len(watch.browsers))
        return watch.memory

    # Once, whatever the rounds: other processes do not change memory, and each of these takes long.
    few, in_turn = memory("plain_browser_files", FEW), memory("plain_browser_files", many)
    held_few, held = memory("plain_held", FEW), memory("plain_held", many)
    further = many - FEW
    return [
        count("p10", "browsers in a run", 1, max(browsers)),
        count("p10", "runs without a browser", 0, browsers.count(0)),
        megabytes(f"{FEW} accounts", 400, few),
        megabytes("per further account, in turn", 12, (in_turn - few) / further),
        megabytes("per further session, held", 35, (held - held_few) / further),
    ]


def megabytes(name: str, target: float, value: float) -> Figure:
    """Return a figure of the browser's memory; the bare client has none."""
    return Figure("p10", name, value, target, value, None, "MB")
