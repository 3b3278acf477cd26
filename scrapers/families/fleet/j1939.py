"""Reads SAE J1939 fault codes, severity and state from the rows of any portal. ValueError: not understood."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from database.models.fleet import Severity
from scrapers.families.fleet.labels import NO_GROUP_OF_FAULTS
from scrapers.families.fleet.words import CLASSES, activity, folded, level, says_history
from scrapers.reading.layouts import Row
from scrapers.reading.values.marks import without_marks
from scrapers.reading.values.texts import known

MOST = {"spn": 524287, "fmi": 31}  # 19 and 5 bits
SPN = (
    r"(?:S\.P\.N\.|SPN|suspect\s+parameter\s+(?:number|no\.?)|num[ée]ro\s+de\s+param[èe]tre\s+suspect"
    r"|n[úu]mero\s+de\s+par[áa]metro\s+sospechoso|verd[äa]chtige\s+parameternummer)"
)
FMI = (
    r"(?:F\.M\.I\.|FMI|failure\s+mode\s+(?:identifier|indicator|id)\b"
    r"|(?:identificateur|identifiant|indicateur)\s+d[ue]\s+mode\s+de\s+d[ée]faillance"
    r"|identificador\s+del?\s+modo\s+de\s+fall[oa]|fehlerart(?:kennung)?)"
)
SEPARATOR = r"(?:\s*[:=]\s*\#?\s*|\s*\#\s*|[-–—_.]|\s+[-–—]\s+|\s*)"
SIGNS = ",.'’\u00a0\u2007\u2009\u202f"  # of groups
PLAIN = re.compile(r"[0-9]+")
GROUPS = re.compile(rf"[1-9][0-9]{{0,2}}(?:([{SIGNS} ])[0-9]{{3}})(?:\1[0-9]{{3}})*")
HEX = re.compile(r"0x([0-9a-f]+)|([0-9][0-9a-f]*)h", re.I)


def _digits(name: str) -> str:
    """Return the pattern of a number, in a group of this name; FMIs have no group signs."""
    based = r"0x[0-9a-f]+|[0-9][0-9a-f]*h(?!\w)"
    if name == "fmi":
        return rf"(?P<fmi>{based}|[0-9]+)"
    grouped = rf"[1-9][0-9]{{0,2}}(?P<sign>[{SIGNS}])[0-9]{{3}}(?:(?P=sign)[0-9]{{3}})*"
    # A blank between digits is a group sign only where nothing follows that could be counted, and else ambiguous.
    blank = rf"[1-9][0-9]{{0,2}}(?: [0-9]{{3}})+(?=\s*(?:$|[^\w\s]|{SPN}|{FMI}))"
    return rf"(?P<spn>{based}|{grouped}|{blank}|[0-9]{{4,}}|[0-9]{{1,3}}(?![0-9]| [0-9]{{3}}(?![0-9])))"


def _labelled(label: str, other: str, name: str) -> str:
    beside = rf"(?:\s*\(\s*{label}\s*\))?(?:\s*(?:number|code|no\.|nr\.|n[°º]))?"
    bracket = rf"(?:\s*\(\s*(?P<{name}_too>0x[0-9a-f]+|[0-9][0-9a-f]*h|[0-9]+)\s*\))?"
    end = rf"(?!(?!{label}|{other})\w|[.,'’][0-9]|[-–—][0-9]|\s*/\s*[0-9])"
    return rf"(?<![^\W\d_]){label}{beside}{SEPARATOR}{_digits(name)}{end}{bracket}"


TOKEN = re.compile(f"{_labelled(SPN, FMI, 'spn')}|{_labelled(FMI, SPN, 'fmi')}", re.I)
LABEL = re.compile(rf"(?<![^\W\d_])(?:{SPN}|{FMI})", re.I)
# SPN/FMI 639/9 and SPN 639/9: labelled once.
BOTH = re.compile(
    rf"(?<![^\W\d_]){SPN}(?:\s*[-/]\s*{FMI})?{SEPARATOR}([0-9]{{1,6}})\s*[-/]\s*([0-9]{{1,2}})(?![\w/-])", re.I
)
SHORT = re.compile(r"([0-9]{1,6})(?:\s*[/:-]\s*|\s+)([0-9]{1,2})")  # in the field of the code only
NAMED = re.compile(r"(.+?)(?:\s*[-–—:(,]\s*(?=[^\W\d_]).*)?", re.S)  # a number and what it means
ADDRESS = r"(0x[0-9a-f]{1,2}|[0-9][0-9a-f]?h|[0-9]{1,3})"
ADDRESS_LABEL = r"(?:source\s+address|SA|ECU\s+address|adresse\s+source|direcci[óo]n\s+de\s+origen|quelladresse)"
NULL = 255  # J1939's global address, the highest
ADDRESS_FIRST = re.compile(
    rf"(?:{ADDRESS_LABEL}\W*)?{ADDRESS}(?:\.0+)?(?:\s*\(.*\)|\s*[-–—:,/]\s*[^\W\d].*|\s+[^\W\d].*)?", re.I
)
ADDRESS_LAST = re.compile(rf"[^()]*?[^\W\d][^()]*\(\s*(?:{ADDRESS_LABEL}\W*)?{ADDRESS}\s*\)", re.I)
ADDRESS_LABELLED = re.compile(
    rf"(?<!\w){ADDRESS_LABEL}\W{{0,3}}(?:[^\W\d][\w #]{{0,40}}\(\s*)?{ADDRESS}(?!\w|[./-]\w)", re.I
)
COUNTED = re.compile(
    r"\b(?:seen|occurred|counted|vu|aufgetreten|visto)\s+([0-9]{1,3})\s+(?:times?|fois|mal|veces)\b"
    r"|\b(?:occurrences?|occurrence\s+count|OC)\s*[:=]\s*([0-9]{1,3})\b",
    re.I,
)
NEAR = 80  # characters between the two numbers of a pair


def _value(text: str) -> int:
    """Return the number of a notation: decimal, with group signs, or hexadecimal as 0x64 or 64h."""
    if found := HEX.fullmatch(text):
        return int(found[1] or found[2], 16)
    if PLAIN.fullmatch(text) or GROUPS.fullmatch(text):
        return int(re.sub(r"[^0-9]", "", text))
    raise ValueError("is no number")


def _token(found: re.Match[str]) -> tuple[str, int | None]:
    """Return which number is meant, and its value; None when it is out of range or is said to be two numbers."""
    name = "spn" if found["spn"] else "fmi"
    value, too = _value(found[name]), found[f"{name}_too"]
    if too and bool(HEX.fullmatch(found[name])) != bool(HEX.fullmatch(too)) and _value(too) != value:
        return name, None
    return name, value if value <= MOST[name] else None


def _pairs(text: str) -> tuple[list[tuple[int, int]], bool]:
    """Return the pairs of a text, and whether all labels in it belong to one of them."""
    said = without_marks(text)
    pairs = [(int(found[1]), int(found[2])) for found in BOTH.finditer(said)]
    whole = all(spn <= MOST["spn"] and fmi <= MOST["fmi"] for spn, fmi in pairs)
    rest = BOTH.sub(lambda found: " " * len(found[0]), said)
    tokens = [(found, *_token(found)) for found in TOKEN.finditer(rest)]
    whole = whole and not LABEL.search(TOKEN.sub(" ", rest))
    while tokens:
        (one, kind, first), *tokens = tokens
        if not tokens or tokens[0][1] == kind or tokens[0][0].start() - one.end() > NEAR:
            whole = False
            continue
        (_, _, second), *tokens = tokens
        if first is None or second is None:
            whole = False
        else:
            pairs.append((first, second) if kind == "spn" else (second, first))
    return pairs, whole


def codes(text: str) -> list[tuple[int, int]]:
    """
    Return the pairs of SPN and FMI in a text that labels them, in any notation.

    >>> codes("SPN 520953 FMI 14"), codes("spn:100 oil pressure 2025-10-04 (FMI 1)"), codes("SPN 639, 11/04")
    ([(520953, 14)], [(100, 1)], [])
    >>> codes("FMI: 0x1, SPN: 0x64"), codes("Suspect Parameter Number (SPN) 1,569; Failure Mode Identifier 31")
    ([(100, 1)], [(1569, 31)])
    """
    return _pairs(text)[0]


def code(row: Row) -> tuple[int, int]:
    """
    Return SPN and FMI of a row: from their own fields, from that of the code, or from its whole text if it names one pair.

    A pair like 639/9 is accepted in the field of the code only: elsewhere it may be a date or a part number.

    >>> code(Row({"spn": "639", "fmi": 9})), code(Row({"code": "639/9"})), code(Row({}, text="SPN 27 low, FMI 4"))
    ((639, 9), (639, 9), (27, 4))
    """
    said = known(row.get("code"))
    if known(row.get("spn")) and known(row.get("fmi")):
        pair = _number(row, "spn"), _number(row, "fmi")
        if (also := codes(said)) and set(also) != {pair}:
            raise ValueError("more than one code")
        return pair
    if short := SHORT.fullmatch(said):
        pair = int(short[1]), int(short[2])
        if pair[0] > MOST["spn"] or pair[1] > MOST["fmi"]:
            raise ValueError("no J1939 code")
        return pair
    found, whole = _pairs(said if "code" in row.values else row.text)
    if len(set(found)) != 1 or not whole:
        raise ValueError("no code" if not found else "more than one code")
    return found[0]


def _number(row: Row, name: str) -> int:
    """Return SPN or FMI of its own field, which may repeat the label or say what the number means."""
    value = row.values[name]
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    said = without_marks(known(str(value)))
    if (token := TOKEN.fullmatch(said)) or (token := TOKEN.fullmatch(f"{name} {said}")):
        kind, number = _token(token)
        if kind != name or number is None:
            raise ValueError(f"no {name.upper()}")
        return number
    named = NAMED.fullmatch(said)
    if named is None or named[1] == said or LABEL.search(said):
        raise ValueError(f"no {name.upper()}")
    number = _value(named[1].strip())
    if number > MOST[name]:
        raise ValueError(f"no {name.upper()}")
    return number


def source_address(said: str) -> int | None:
    """
    Return the address of a control unit, alone or beside the unit's name; None for an unknown one.

    Raises ValueError where the number may be part of the name.

    >>> source_address("0"), source_address("11 (Brakes)"), source_address("Engine #1 (0)"), source_address("SA 0x31")
    (0, 11, 0, 49)
    >>> source_address("—") is None
    True
    >>> source_address("Engine 1")
    Traceback (most recent call last):
    ValueError: no source address
    """
    text = without_marks(known(said)).strip()
    if not text:
        return None
    found = ADDRESS_FIRST.fullmatch(text) or ADDRESS_LAST.fullmatch(text)
    if found is None or (value := _value(found[1])) > NULL:
        raise ValueError("no source address")
    return value


def source_address_in(text: str) -> int | None:
    """
    Return the only address of a control unit that a text labels as one; None without one.

    >>> source_address_in("SPN 639 FMI 9, source address 3 (Transmission), seen 4 times")
    3
    """
    found = {_value(match[1]) for match in ADDRESS_LABELLED.finditer(without_marks(text))}
    if len(found) > 1 or any(value > NULL for value in found):
        raise ValueError("no source address, or more than one")
    return found.pop() if found else None


def occurrences_in(text: str) -> int | None:
    """
    Return how often a text says that the fault occurred; None where it does not say, or says two numbers.

    >>> occurrences_in("SPN 100 FMI 3, seen 4 times, last 29 Nov 2026"), occurrences_in("SPN 100 FMI 3, occurrences: 12")
    (4, 12)
    """
    found = {int(match[1] or match[2]) for match in COUNTED.finditer(without_marks(text))}
    return found.pop() if len(found) == 1 else None


def severity(row: Row) -> Severity:
    """
    Return the severity of a fault: by the first that names one of the row's field, its lamps and the words of its classes.

    >>> severity(Row({}, frozenset({"yellow"}))).value, severity(Row({}, frozenset({"registered"}))).value
    ('major', 'unknown')
    >>> severity(Row({"severity": "Info"})).value, severity(Row({"severity": 95})).value
    ('minor', 'critical')
    """
    value = row.values.get("severity")
    if isinstance(value, int | float) and not isinstance(value, bool):
        if not 0 <= value <= 100:
            return Severity.UNKNOWN
        # 0 to 100 in the vendor's interface; the thresholds are a guess
        steps = ((75, Severity.CRITICAL), (50, Severity.MAJOR), (35, Severity.MINOR), (0, Severity.INFO))
        return next(named for least, named in steps if value >= least)
    if (said := level(known(_spelled(value)))) is not Severity.UNKNOWN:
        return said
    if (lamps := level(_spelled(row.values.get("lamp")))) is not Severity.UNKNOWN:
        return lamps
    given = words_of(" ".join(row.classes))
    return next((named for named, words in CLASSES.items() if given & words), Severity.UNKNOWN)


def _spelled(value: Any) -> str:
    """Return a JSON value as text: of lamps with their states those states, too."""
    if isinstance(value, Mapping):
        return "; ".join(f"{name} {_spelled(state)}" for name, state in value.items())
    if isinstance(value, list):
        return "; ".join(map(_spelled, value))
    return "" if value is None else "on" if value is True else "off" if value is False else str(value)


def words_of(text: str) -> set[str]:
    """
    Return the words of class names and captions, without negated ones (`non-critical`).

    >>> sorted(words_of("dtc-row is-inactive non-critical")), words_of("registered")
    (['dtc', 'inactive', 'is', 'row'], {'registered'})
    """
    names = (re.split(r"[\W_]+", name) for name in text.casefold().split())
    return {word for name in names if name[0] not in ("non", "not", "no") for word in name if word}


def is_active(row: Row) -> bool | None:
    """
    Return whether a fault is active; None when the row says it in words that are not known, or contradicts itself.

    A row that says nothing is active, as those of the list of current faults are.

    >>> is_active(Row({"active": False})), is_active(Row({"status": "Inactive"})), is_active(Row({"status": "Active"}))
    (False, False, True)
    >>> is_active(Row({"status": "Dormant"})), is_active(Row({}, frozenset({"historical"}))), is_active(Row({}))
    (None, False, True)
    """
    claims = {activity(_stated(value)) for name in ("active", "status") if _says(value := row.values.get(name))}
    around = {says_history(text) for text in (*row.classes, row.group)}
    if True in around or (not claims and _is_over_history(row.over)):
        claims.add(False)
    elif not claims and (None in around or (not row.values and says_history(row.text) is not False)):
        claims.add(None)  # in a row without columns the word may be the state, or of the description
    return claims.pop() if len(claims) == 1 else None if claims else True


def _is_over_history(heading: str) -> bool:
    """Return whether a heading says nothing but that the faults below are not active."""
    return not re.search(NO_GROUP_OF_FAULTS, heading, re.I) and says_history(heading) is True


def _says(value: Any) -> bool:
    return value is not None and bool(folded(str(value)))


def _stated(value: Any) -> str:
    """Return a JSON value as the word that it stands for."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value)
