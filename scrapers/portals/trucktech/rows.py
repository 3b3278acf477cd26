"""What a row says, as values: pure functions, each with its doctests. They raise ValueError for what they do not understand."""

import re
from datetime import UTC, datetime

from database.models import Severity
from scrapers.items.fleet import NO_ADDRESS
from scrapers.layouts import Row

TWO_WORD_MAKES = ("western star", "blue bird", "american lafrance", "international harvester")
UNKNOWN = ("", "-", "–", "—", "n/a", "null", "unknown")
WORDS = {  # of classes, columns and the vendor's interface; PACCAR's own four actions last
    Severity.CRITICAL: ("critical", "red", "pull over", "stop engine"),
    Severity.MAJOR: ("major", "warning", "yellow", "drive to dealer", "seek service immediately"),
    Severity.MINOR: ("minor", "next service"),
    Severity.INFO: ("info", "blue", "keep driving", "service advised"),
}
HISTORY = ("inactive", "historical", "history", "previously active", "cleared", "resolved", "inactif", "historique")
PAIR = re.compile(r"\bSPN\W{0,3}(\d+)\b(?:(?!SPN).){0,80}?\bFMI\W{0,3}(\d+)\b", re.I)
SHORT = re.compile(r"(\d{1,6})\s*[/-]\s*(\d{1,2})")


def known(text: str) -> str:
    """
    Return a text, or "" for one that says that nothing is known.

    >>> known("—"), known(" T-1001 ")
    ('', 'T-1001')
    """
    return "" if text.strip().casefold() in UNKNOWN else text.strip()


def number(text: str) -> int | None:
    """
    Return the number that a text begins with; None for an unknown one.

    >>> number("11 (Brakes)"), number("1,204"), number("—")
    (11, 1204, None)
    """
    if not known(text):
        return None
    if (found := re.match(r"\d[\d,]*", known(text))) is None:
        raise ValueError(f"no number: {text}")
    return int(found[0].replace(",", ""))


def instant(text: str) -> datetime | None:
    """
    Return an ISO 8601 time with its zone, in UTC; None for an unknown one.

    >>> instant("2025-11-25T22:48:43Z"), instant("—")
    (datetime.datetime(2025, 11, 25, 22, 48, 43, tzinfo=datetime.timezone.utc), None)
    """
    if not known(text):
        return None
    time = datetime.fromisoformat(known(text))
    if time.tzinfo is None:
        raise ValueError(f"a time without its zone: {text}")
    return time.astimezone(UTC)


def kind(text: str) -> tuple[int | None, str, str]:
    """
    Return year, make and model of a text that says them in this order; without a year it is all make.

    >>> kind("2021 Western Star 49X"), kind("Kenworth"), kind("2020 Kenworth T880 Next Gen")
    ((2021, 'Western Star', '49X'), (None, 'Kenworth', ''), (2020, 'Kenworth', 'T880 Next Gen'))
    """
    year, _, rest = known(text).partition(" ")
    if not re.fullmatch(r"(19|20)\d\d", year):
        return None, known(text), ""
    words = 2 if rest.casefold().startswith(TWO_WORD_MAKES) else 1
    parts = rest.split()
    return int(year), " ".join(parts[:words]), " ".join(parts[words:])


def codes(text: str) -> list[tuple[int, int]]:
    """
    Return the pairs of SPN and FMI that a text names in words.

    >>> codes("SPN 520953 FMI 14"), codes("spn:100 oil pressure 2025-10-04 (FMI 1)"), codes("SPN 639, 11/04")
    ([(520953, 14)], [(100, 1)], [])
    """
    return [(int(spn), int(fmi)) for spn, fmi in PAIR.findall(text)]


def code(row: Row) -> tuple[int, int]:
    """
    Return SPN and FMI of a row: from their own fields, from that of the code, or from its whole text if it names one pair.

    Digits with a stroke count in the field of the code only: elsewhere they may be a date or a part's number.

    >>> code(Row({"spn": "639", "fmi": 9})), code(Row({"code": "639/9"})), code(Row({}, text="SPN 27 low, FMI 4"))
    ((639, 9), (639, 9), (27, 4))
    """
    if row.get("spn") and row.get("fmi"):
        pair = int(row.get("spn")), int(row.get("fmi"))
    elif short := SHORT.fullmatch(row.get("code").strip()):
        pair = int(short[1]), int(short[2])
    else:
        found = set(codes(row.get("code") if "code" in row.values else row.text))
        if len(found) != 1:
            raise ValueError("no code" if not found else "more than one code")
        pair = found.pop()
    if pair[0] > 524287 or pair[1] > 31:
        raise ValueError("no J1939 code")
    return pair


def severity(row: Row) -> Severity:
    """
    Return how bad a row says that a fault is: in its own words, else by its classes, whole ones only.

    >>> severity(Row({}, frozenset({"yellow"}))).value, severity(Row({}, frozenset({"registered"}))).value
    ('major', 'unknown')
    >>> severity(Row({"severity": "Info"})).value, severity(Row({"severity": 95})).value
    ('info', 'critical')
    """
    said = known(row.get("severity")).casefold()
    if said.isdigit():  # 0 to 100 in the vendor's interface; where the steps are is a guess
        steps = ((75, Severity.CRITICAL), (50, Severity.MAJOR), (35, Severity.MINOR), (0, Severity.INFO))
        return next(level for least, level in steps if int(said) >= least)
    given = {said} if said else {part for name in row.classes for part in (name, *name.split("-"))}
    return next((level for level, words in WORDS.items() if given & set(words)), Severity.UNKNOWN)


def is_active(row: Row) -> bool:
    """
    Tell whether a fault is there now: it is, unless the row says that it is history.

    >>> is_active(Row({"active": False})), is_active(Row({"status": "Inactive"})), is_active(Row({"status": "Active"}))
    (False, False, True)
    """
    if isinstance(row.values.get("active"), bool):
        return bool(row.values["active"])
    return row.get("status").strip().casefold() not in HISTORY and not row.classes & set(HISTORY)


def vehicle_values(row: Row) -> dict[str, object]:
    """Return the fields of a Vehicle."""
    year, make, model = kind(row.get("kind"))
    return {
        "vin": row.get("vin"),
        "unit_number": known(row.get("unit_number")),
        "year": year or number(row.get("year")),
        "make": make or known(row.get("make")),
        "model": model or known(row.get("model")),
        "status": known(row.get("status")) or "unknown",
        **{name: known(row.get(name)) or None for name in ("engine_make", "engine_model", "odometer_unit")},
        **{name: number(row.get(name)) for name in ("odometer", "engine_hours")},
    }


def fault_values(row: Row) -> dict[str, object]:
    """Return the fields of a Fault, its vehicle apart."""
    spn, fmi = code(row)
    address = number(row.get("source_address"))
    count = number(row.get("occurrences"))
    return {
        "spn": spn,
        "fmi": fmi,
        "source_address": NO_ADDRESS if address is None else address,
        "description": (known(row.get("description")) or ("" if "code" in row.values else row.text))[:500],
        "severity": severity(row),
        "is_active": is_active(row),
        "occurrence_count": None if count == 127 else count,  # J1939's way to say that nobody has counted
        "first_seen": instant(row.get("first_seen")),
        "last_seen": instant(row.get("last_seen")),
        "raw_text": row.text,
    }
