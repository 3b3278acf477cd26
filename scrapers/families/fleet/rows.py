"""Converts rows of any portal to fields of vehicles and faults. ValueError: a row is not understood."""

from __future__ import annotations

import re
from typing import Any

from scrapers.families.fleet import j1939
from scrapers.families.fleet.items import NO_ADDRESS
from scrapers.reading.layouts import Row
from scrapers.reading.values.days import instant
from scrapers.reading.values.locale import Locale
from scrapers.reading.values.numbers import number
from scrapers.reading.values.texts import known

TWO_WORD_MAKES = ("western star", "blue bird", "american lafrance", "international harvester")


def kind(text: str) -> tuple[int | None, str, str]:
    """
    Return year, make and model of a text in this order; without a year the whole text is the make.

    >>> kind("2021 Western Star 49X"), kind("Kenworth"), kind("2020 Kenworth T880 Next Gen")
    ((2021, 'Western Star', '49X'), (None, 'Kenworth', ''), (2020, 'Kenworth', 'T880 Next Gen'))
    """
    year, _, rest = known(text).partition(" ")
    if not re.fullmatch(r"(19|20)\d\d", year):
        return None, known(text), ""
    words = 2 if rest.casefold().startswith(TWO_WORD_MAKES) else 1
    parts = rest.split()
    return int(year), " ".join(parts[:words]), " ".join(parts[words:])


def vehicle_fields(row: Row, locale: Locale) -> dict[str, Any]:
    """Return the fields of a Vehicle."""
    year, make, model = kind(row.get("kind"))
    return {
        "vin": row.get("vin"),
        "unit_number": known(row.get("unit_number")),
        "year": year or number(row.get("year"), locale),
        "make": make or known(row.get("make")),
        "model": model or known(row.get("model")),
        "status": known(row.get("status")) or "unknown",
        **{name: known(row.get(name)) or None for name in ("engine_make", "engine_model", "odometer_unit")},
        **{name: number(row.get(name), locale) for name in ("odometer", "engine_hours")},
    }


def fault_fields(row: Row, locale: Locale) -> dict[str, Any] | None:
    """Return the fields of a Fault, its vehicle apart; None for SPN 0, FMI 0 and no occurrence, which is no fault."""
    counted = row.get("occurrences")
    count = number(counted, locale) if counted or row.values else j1939.occurrences_in(row.text)
    spn, fmi = j1939.code(row)
    if (spn, fmi, count) == (0, 0, 0):
        return None
    address = j1939.source_address(row.get("source_address"))
    if address is None and not row.values:
        address = j1939.source_address_in(row.text)
    doubts: list[str] = []
    times: dict[str, Any] = {}
    for name in ("first_seen", "last_seen"):
        try:
            times[name] = instant(row.values.get(name), locale)
        except ValueError as refused:
            times[name] = None
            doubts.append(f"{name} {refused}: {row.get(name)[:40]}")
    return {
        "spn": spn,
        "fmi": fmi,
        "source_address": NO_ADDRESS if address is None else address,
        "description": (known(row.get("description")) or (row.rest if row.values else row.text))[:500],
        "severity": j1939.severity(row),
        "is_active": j1939.is_active(row),
        "occurrence_count": None if count == 127 else count,  # 127 means "not available" in J1939
        **times,
        "raw_text": row.text,
        "doubts": tuple(doubts),
        "state": row.get("status") or row.get("active") or row.text[:80],
    }
