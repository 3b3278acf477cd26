"""Crawls and commands as children of a warm parent, beside fresh processes: CPU seconds with those of all descendants."""

from __future__ import annotations

import subprocess
import sys
from functools import partial

import psutil

from benchmarks.bench import SPIDERS, Bench, middle
from benchmarks.figures import Figure, ratio
from benchmarks.processes import LONGEST, ROOT, ProcessFailed, measure
from jobs.warm import WarmParent
from sandbox import running

AGAIN = ("-a", "again=yes")
# What is run, and the part of a fresh process's CPU that it may take.
WORKS: dict[str, float] = {"status": 0.2, "nothing to do": 0.3, "iec_tariffs": 0.3, "plain_files": 0.6}


def run(bench: Bench) -> list[Figure]:
    """Measure each work fresh and warm, in turns; a round before them compiles and stores what is then known."""
    bench.admin.configure(documents=20, file_bytes=20_000, latency_ms=0)
    with running(bench.folder / "company", ("iec",)) as company:
        environment = {**bench.environment, **company.environment}
        parent = WarmParent.start(bench.folder / "warm", environment)

        def words(work: str) -> list[str]:
            match work:
                case "nothing to do":
                    return ["crawl", "iec_tariffs"]
                case "iec_tariffs":
                    return ["crawl", "iec_tariffs", *AGAIN]
                case "plain_files":  # a new person each time: signs in and fetches 20 files
                    given = bench.people(1)[0]
                    return ["crawl", "plain_files", "-s", f"SPIDER_MODULES={SPIDERS}", "-a", f"credential={given}"]
            return [work]

        def fresh(work: str) -> float:
            return measure([sys.executable, "-m", "scrapy", *words(work)], environment).cpu

        def warm(work: str) -> float:
            return child(parent, words(work), environment)

        ways = [partial(way, work) for work in WORKS for way in (fresh, warm)]
        try:
            for way in ways:
                way()
            found = iter([middle(seconds) for seconds in bench.alternate(*ways)])
        finally:
            parent.close()
    return [
        ratio("warm", f"{work}: warm / fresh", target, floor=next(found), ours=next(found), unit="CPU s")
        for work, target in WORKS.items()
    ]


def child(parent: WarmParent, words: list[str], environment: dict[str, str]) -> float:
    """Run a child to its end and return its CPU seconds, its descendants' and its parent's for it; in steps of 0.01."""
    own = psutil.Process(parent.pid)
    before = sum(own.cpu_times()[:4])
    done = parent.run(
        words,
        env=environment,
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=LONGEST,
    )
    if done.returncode:
        raise ProcessFailed(f"{' '.join(words[:2])} ended with {done.returncode}: {done.stdout[-500:]}")
    return sum(own.cpu_times()[:4]) - before
