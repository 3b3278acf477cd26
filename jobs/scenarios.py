"""What a simulation plays: schedules, outages and kills, drawn from a seed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from database.models.jobs import MissedRuns

ZONES = ("America/Toronto", "Europe/Zurich", "Asia/Jerusalem", "Australia/Lord_Howe", "America/St_Johns", "UTC")
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
STOPS = ("worker away", "all workers away", "worker suspended", "database away")
FAULTS = (*STOPS, "portal away", "portal slow", "clock ahead", "clock behind")


@dataclass(frozen=True, slots=True)
class Scenario:
    """What is simulated."""

    days: int = 365
    schedules: int = 40
    outages: int = 100
    kills: int = 50
    workers: int = 3
    slots: int = 3
    seed: int = 1
    begins: datetime = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that goes wrong from an instant to another."""

    kind: str
    begins: datetime
    ends: datetime
    target: int  # which worker or portal
    by: timedelta = timedelta(0)  # of a clock


def faults(scenario: Scenario, random: Random) -> list[Fault]:
    """Return the outages of a scenario, each kind about as often; those that stop the same thing may overlap."""
    found = []
    for number in range(scenario.outages):
        kind = FAULTS[number % len(FAULTS)]
        begins = scenario.begins + random.random() * (scenario.days - 1) * DAY
        lasts = random.choice((20 * MINUTE, 2 * HOUR, 9 * HOUR, 30 * HOUR))
        by = random.choice((4 * MINUTE, 45 * MINUTE, 3 * HOUR, 26 * HOUR))
        target = random.randrange(scenario.workers if kind in STOPS else len(ZONES))
        found.append(Fault(kind, begins, begins + lasts, target, -by if kind == "clock behind" else by))
    return found


def schedule(number: int, random: Random) -> dict[str, Any]:
    """Return the fields of a schedule for one or two of a portal's credentials."""
    minute, hour = random.randrange(60), random.randrange(24)
    kinds = [f"{minute} {hour} * * *"] * 4 + [f"{minute} {hour} * * 1-5"] * 2 + [f"{minute} {hour} * * 0"] * 3
    kinds += [f"{minute} {hour} 1 * *", f"{minute} 2 * * *", "*/30 1-3 * * 0"]
    portal = "shared" if number % 10 == 9 else f"portal{number % len(ZONES)}"
    users = [f"user{random.randrange(8)}" for _ in range(random.choice((1, 1, 1, 2)))]
    return {
        "spiders": [f"{portal}_kind{number}"],
        "accounts": sorted(set(users)),
        "cron": random.choice(kinds),
        "time_zone": ZONES[number % len(ZONES)],
        "hours": random.choice((None, None, None, "06:00-22:00", "22:00-05:00")),
        "jitter": random.choice((0, 0, 300, 1800)),
        "missed": random.choice(list(MissedRuns)),
    }
