"""Rows of a list with one key: which one is kept, and what is said about the other."""

from __future__ import annotations

from datetime import UTC, datetime

from scrapers.families.fleet.items import Fault, Vehicle

LONG_AGO = datetime.min.replace(tzinfo=UTC)


def fold_faults(one: Fault, other: Fault) -> tuple[Fault, str, bool]:
    """
    Return which of two rows for one fault is kept, how they differ ("": not at all), and whether they may be two faults.

    The active one is kept, then the one that was seen last, then *one*. Two descriptions may be of two control units.
    """
    if one.row() == other.row():
        return one, "", False
    kept = max((one, other), key=lambda fault: (_rank(fault.is_active), fault.last_seen or LONG_AGO))
    differ = _differing(one, other)
    said = [" ".join(fault.description.split()).casefold() for fault in (one, other)]
    if all(said) and said[0] != said[1]:
        return kept, f"two rows for {one.code}: {one.description[:60]!r} and {other.description[:60]!r}", True
    return kept, f"of two rows for {one.code} that differ in {differ} one is kept", False


def fold_vehicles(one: Vehicle, other: Vehicle) -> str:
    """Return how two rows for one vehicle differ; "" when they do not."""
    differ = _differing(one, other)
    return f"{one.vin}: of two rows that differ in {differ} the first is kept" if differ else ""


def _rank(is_active: bool | None) -> int:
    return {True: 2, None: 1, False: 0}[is_active]


def _differing(one: Fault | Vehicle, other: Fault | Vehicle) -> str:
    before, behind = one.row(), other.row()
    return ", ".join(name for name in before if before[name] != behind[name])
