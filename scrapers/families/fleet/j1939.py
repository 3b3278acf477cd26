"""Reads SAE J1939 fault codes, severity and state from the rows of any portal. ValueError: not understood."""

from __future__ import annotations

import re

from database.models.fleet import Severity
from scrapers.reading.layouts import Row
from scrapers.reading.values.texts import known

WORDS = {  # of classes, columns and the vendor's interface; PACCAR's own four actions last
    Severity.CRITICAL: ("critical", "red", "pull over", "stop engine"),
    Severity.MAJOR: ("major", "warning", "yellow", "drive to dealer", "seek service immediately"),
    Severity.MINOR: ("minor", "next service"),
    Severity.INFO: ("info", "blue", "keep driving", "service advised"),
}
HISTORY = ("inactive", "historical", "history", "previously active", "cleared", "resolved", "inactif", "historique")
PAIR = re.compile(r"\bSPN\W{0,3}(\d+)(?!\d)(?:(?!SPN).){0,80}?FMI\W{0,3}(\d+)(?!\d)", re.I)
SHORT = re.compile(r"(\d{1,6})\s*[/-]\s*(\d{1,2})")


def codes(text: str) -> list[tuple[int, int]]:
    """
    Return the pairs of SPN and FMI in a text that labels them.

    >>> codes("SPN 520953 FMI 14"), codes("spn:100 oil pressure 2025-10-04 (FMI 1)"), codes("SPN 639, 11/04")
    ([(520953, 14)], [(100, 1)], [])
    """
    return [(int(spn), int(fmi)) for spn, fmi in PAIR.findall(text)]


def code(row: Row) -> tuple[int, int]:
    """
    Return SPN and FMI of a row: from their own fields, from that of the code, or from its whole text if it names one pair.

    A pair like 639/9 is accepted in the field of the code only: elsewhere it may be a date or a part number.

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


def words_of(text: str) -> set[str]:
    """
    Return the words of class names and captions, without negated ones (`non-critical`).

    >>> sorted(words_of("dtc-row is-inactive non-critical")), words_of("registered")
    (['dtc', 'inactive', 'is', 'row'], {'registered'})
    """
    names = (re.split(r"[\W_]+", name) for name in text.casefold().split())
    return {word for name in names if name[0] not in ("non", "not", "no") for word in name if word}


def severity(row: Row) -> Severity:
    """
    Return the severity of a fault: from the row's field, else from whole words of its classes.

    >>> severity(Row({}, frozenset({"yellow"}))).value, severity(Row({}, frozenset({"registered"}))).value
    ('major', 'unknown')
    >>> severity(Row({"severity": "Info"})).value, severity(Row({"severity": 95})).value
    ('info', 'critical')
    """
    said = known(row.get("severity")).casefold()
    if said.isdigit():  # 0 to 100 in the vendor's interface; the thresholds are a guess
        steps = ((75, Severity.CRITICAL), (50, Severity.MAJOR), (35, Severity.MINOR), (0, Severity.INFO))
        return next(level for least, level in steps if int(said) >= least)
    given = {said} if said else words_of(" ".join(row.classes))
    return next((level for level, words in WORDS.items() if given & set(words)), Severity.UNKNOWN)


def is_active(row: Row) -> bool:
    """
    Return whether a fault is active; True unless the row says otherwise.

    >>> is_active(Row({"active": False})), is_active(Row({"status": "Inactive"})), is_active(Row({"status": "Active"}))
    (False, False, True)
    """
    if isinstance(row.values.get("active"), bool):
        return bool(row.values["active"])
    said = {row.get("status").strip().casefold(), *words_of(" ".join(row.classes)), *words_of(row.group)}
    return said.isdisjoint(HISTORY)
