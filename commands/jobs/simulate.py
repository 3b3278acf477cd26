"""`scrapy jobs simulate`: a simulated time of schedules, workers and faults; what must be zero is counted."""

from __future__ import annotations

import argparse
from collections import Counter
from typing import TYPE_CHECKING

from commands._terminal import print_json, show

if TYPE_CHECKING:
    from scrapy.commands import ScrapyCommand

MUST_BE_ZERO = ("without_job_or_reason", "doubled", "overlaps", "wrong_attempts", "left")


def options(parser: argparse.ArgumentParser) -> None:
    """Add what it can be told."""
    parser.add_argument("--days", type=int, default=365, metavar="N", help="how long (default: 365)")
    parser.add_argument("--schedules", type=int, default=40, metavar="N", help="how many (default: 40)")
    parser.add_argument("--outages", type=int, default=100, metavar="N", help="faults in that time (default: 100)")
    parser.add_argument("--kills", type=int, default=50, metavar="N", help="workers killed in that time (default: 50)")
    parser.add_argument("--workers", type=int, default=3, metavar="N", help="how many (default: 3)")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="another one plays another time (default: 1)")
    parser.add_argument("--json", action="store_true", help="as JSON")


def run(command: ScrapyCommand, opts: argparse.Namespace) -> int:
    """Play it on a database of its own, in memory; 1 when something is not zero that must be."""
    from database.engine import Database
    from database.models import all_tables
    from jobs.scenarios import Scenario
    from jobs.simulation import Simulation

    names = ("days", "schedules", "outages", "kills", "workers", "seed")
    db = Database("sqlite:///:memory:")
    all_tables().create_all(db.engine)
    counts = Simulation(db, Scenario(**{name: getattr(opts, name) for name in names})).run()
    db.engine.dispose()
    # Not `asdict`, which counts the items of a Counter anew.
    told = {name: dict(value) if isinstance(value, Counter) else value for name, value in vars(counts).items()}
    if opts.json:
        print_json(told)
    else:
        rows = [(name.replace("_", " "), value) for name, value in told.items() if isinstance(value, int)]
        rows += [(f"ended as {code}", number) for code, number in counts.outcomes.most_common()]
        rows += [(f"fault: {kind}", number) for kind, number in counts.faults.most_common()]
        show(("what", "times"), rows)
        print("All that must be zero is zero." if counts.is_sound else "NOT SOUND: " + ", ".join(n for n in MUST_BE_ZERO if told[n]))  # fmt: skip
    return 0 if counts.is_sound else 1
