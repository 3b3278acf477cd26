"""C1 to C3: fault codes in all notations, activity and severity in all words; nothing is guessed."""

from __future__ import annotations

import re

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from scrapers.families.fleet import j1939
from scrapers.reading.layouts import Row

FEW = settings(max_examples=40, deadline=None, derandomize=True, database=None)
MANY = settings(max_examples=10_000, deadline=None, database=None, suppress_health_check=list(HealthCheck))


@pytest.mark.parametrize(
    ("said", "active"),
    [
        *(
            (word, True)
            for word in ("Active", "ACTIVE", "Currently active", "Active (2 days)", "Active since 2025-10-04")
        ),
        *((word, True) for word in ("actif", "Active depuis 3 jours", "aktiv", "noch aktiv", "activo", "Vigente")),
        *((word, True) for word in (True, 1, "true", "yes", "1", "Oui", "Sí", 1.0)),
        *((word, False) for word in ("Not active", "PreviouslyActive", "Inactive (2 days)", "No longer active")),
        *((word, False) for word in ("previously_active", "not-active", "Formerly active", "Historical", "Cleared")),
        *((word, False) for word in ("Past", "Previous", "Formerly", "Past fault", "Ehemals", "Anteriormente")),
        *((word, False) for word in ("non actif", "N'est plus actif", "Inactif depuis le 4 oct. 2025", "Résolu")),
        *((word, False) for word in ("Nicht aktiv", "nicht mehr aktiv", "zuvor aktiv", "Inaktiv", "Behoben")),
        *((word, False) for word in ("No activo", "Ya no está activo", "Anteriormente activo", "Inactiva", "Resuelto")),
        *((word, False) for word in (False, 0, "false", "0", "no", "Nein", "non", "N", 0.0, "Inactif il y a 2 jours")),
        *(
            (word, None)
            for word in ("Dormant", "Pending", "Active?pending", "not cleared", "Active / inactive", "unknown")
        ),
        *((word, None) for word in ("possibly active", 7, "n/a", "En attente", "unbekannt", "not", "N/A")),
        *((word, True) for word in ("", "—", None)),  # nothing is said: as the list of current faults
    ],
)
def test_c1_activity_is_read_in_every_language_and_type(said, active):
    assert j1939.is_active(Row({"status": said})) is active
    assert j1939.is_active(Row({"active": said})) is active


@pytest.mark.parametrize(
    ("row", "active"),
    [
        (Row({}, frozenset({"previously-active"})), False),
        (Row({}, frozenset({"is-inactive"})), False),
        (Row({}, frozenset({"not-active"})), False),
        (Row({}, frozenset({"interactive", "off-canvas", "col-fixed", "active"})), True),
        (Row({}, group="table Previously active faults"), False),
        (Row({}, group="Défauts inactifs"), False),
        (Row({"status": "Inactive"}, frozenset({"active"})), False),
        (Row({"status": "Active"}, frozenset({"inactive"})), None),
        (Row({"active": True, "status": "Cleared"}), None),
        (Row({}, group="Active and historical faults"), None),
        (Row({"status": "Active"}, group="Active and historical faults"), True),
        (Row({}, text="SPN 100 FMI 3 Oil pressure low, Inactive"), None),
        (Row({}, text="SPN 100 FMI 3 Oil pressure low"), True),
        (Row({"description": "Heater inactive"}, text="SPN 100 FMI 3 Heater inactive"), True),
    ],
)
def test_c1_classes_and_captions_say_history_only(row, active):
    assert j1939.is_active(row) is active


@pytest.mark.parametrize(
    ("text", "pair"),
    [
        ("SPN: 0x64, FMI: 0x1", (100, 1)),
        ("SPN 0x0C9A (3226) FMI 3", (3226, 3)),
        ("SPN 3226 (0x0C9A) FMI 3 (0x3)", (3226, 3)),
        ("SPN C9Ah FMI 1", None),
        ("SPN 0C9Ah FMI 1", (3226, 1)),
        ("SPN 1,569 FMI 31", (1569, 31)),
        ("SPN 1\u202f569 FMI 31", (1569, 31)),
        ("SPN 1 569 FMI 31", (1569, 31)),
        ("SPN 1 569 hours FMI 31", None),
        ("Suspect Parameter Number 100, Failure Mode Identifier 3", (100, 3)),
        ("Suspect Parameter Number (SPN): 100; Failure Mode Identifier (FMI): 3", (100, 3)),
        ("SPN (Suspect Parameter Number) 100 FMI (Failure Mode Identifier) 3", (100, 3)),
        ("Numéro de paramètre suspect 100, identificateur du mode de défaillance 3", (100, 3)),
        ("FMI 3 SPN 100", (100, 3)),
        ("FMI: 3 / SPN: 100", (100, 3)),
        ("SPN/FMI 639/9", (639, 9)),
        ("SPN-FMI: 639-9", (639, 9)),
        ("SPN 639/9", (639, 9)),
        ("SPN 100 FMI 3, SPN 100 FMI 3", (100, 3)),
        ("S\u00adPN 5\u200b246 FMI 15", (5246, 15)),
        ("SPN 100 FMI 3 SPN 110 FMI 0", None),
        ("SPN 639, see SPN 100 FMI 3", None),
        ("SPN 0x64 (101) FMI 1", None),
        ("SPN 524288 FMI 1", None),
        ("SPN 1,569,000 FMI 1", None),
        ("SPN 100 FMI 32", None),
        ("SPN 0x80000 FMI 1", None),
        ("SPN -100 FMI 3", None),
        ("SPN: -100 FMI 3", None),
        ("SPN 100.5 FMI 3", None),
        ("SPN 100-110 FMI 3", None),
        ("SPN 100² FMI 3", None),
        ("SPN 100 FMI 3-5", None),
        ("SPN 12,34 FMI 3", None),
        ("MID 128 PID 110 FMI 0", None),
        ("MID 128 SID 21 FMI 12", None),
        ("P20EE", None),
        ("P20EE-00 FMI 3", None),
    ],
)
def test_c2_a_code_is_right_or_refused(text, pair):
    for row in (Row({"code": text}), Row({}, text=f"Engine {text}")):
        if pair is None:
            with pytest.raises(ValueError):
                j1939.code(row)
        else:
            assert j1939.code(row) == pair


@pytest.mark.parametrize(
    ("spn", "fmi", "pair"),
    [
        (100, 3, (100, 3)),
        (100.0, "3", (100, 3)),
        ("1,569", "31", (1569, 31)),
        ("1 569", "31", (1569, 31)),
        ("0x64", "0x1", (100, 1)),
        ("SPN 100", "FMI 3", (100, 3)),
        ("0x0C9A (3226)", "3 - Voltage above normal", (3226, 3)),
        ("1761 (Aftertreatment 1 DEF level)", "17: low", (1761, 17)),
        ("0x0C9A (3227)", "3", None),
        (100.5, 3, None),
        (True, 3, None),
        ("FMI 3", "SPN 100", None),
        ("100", "32", None),
        ("524288", "1", None),
        ("100 to 110", "1", None),
        ("100 - SPN 110", "1", None),
        ("−100", "1", None),
        ("100", "", None),
    ],
)
def test_c2_spn_and_fmi_in_columns_of_their_own(spn, fmi, pair):
    row = Row({"spn": spn, "fmi": fmi})
    if pair is None:
        with pytest.raises(ValueError):
            j1939.code(row)
    else:
        assert j1939.code(row) == pair


def test_c2_a_row_whose_columns_contradict_each_other_is_refused():
    with pytest.raises(ValueError):
        j1939.code(Row({"spn": 100, "fmi": 3, "code": "SPN 110 FMI 3"}))


def spellings(number: int) -> list[str]:
    """Return how an SPN may be written, by hand."""
    digits = str(number)
    grouped = [re.sub(r"(?<=\d)(?=(\d{3})+$)", sign, digits) for sign in (",", ".", "'", "’", "\u00a0", "\u202f")]
    based = [
        f"0x{number:x}",
        f"0X{number:04X}",
        f"0{number:X}h",
        f"0x{number:X} ({number})",
        f"{number} (0x{number:X})",
    ]
    return [digits, f"{number:06d}", *(grouped if number > 999 else ()), *based]


def pair_to_text_and_back(pair, spn_label, fmi_label, between, choice):
    spn, fmi = pair
    ones, twos = spellings(spn), (str(fmi), f"{fmi:02d}", f"0x{fmi:x}", f"{fmi} (0x{fmi:X})")
    one, two = ones[choice % len(ones)], twos[choice % len(twos)]
    for text in (f"{spn_label}{one}{between}{fmi_label}{two}", f"{fmi_label}{two}{between}{spn_label}{one}"):
        assert j1939.code(Row({"code": text})) == pair, text
        assert set(j1939.codes(f"Engine: {text}, low")) == {pair}, text
    assert j1939.code(Row({"spn": one, "fmi": two})) == pair, (one, two)


def text_is_right_or_refused(text):
    try:
        spn, fmi = j1939.code(Row({"code": text}))
    except ValueError:
        return
    assert 0 <= spn <= 524287
    assert 0 <= fmi <= 31
    # Worked out in another way: digits and hexadecimal numbers of the text that have this value.
    bare = re.sub("[\u00ad\u200b\u200e]", "", text)
    runs = re.findall(r"0x[0-9a-f]+|[0-9][0-9a-f]*h(?!\w)|[0-9]+(?:[,.'’\u00a0\u202f ][0-9]{3}(?![0-9]))*", bare, re.I)
    values = {
        int(run.strip("hH"), 16) if re.search("[xh]", run, re.I) else int(re.sub("[^0-9]", "", run)) for run in runs
    }
    assert {spn, fmi} <= values | {int(run) for run in re.findall("[0-9]+", bare)}, (text, spn, fmi)
    assert not re.search(r"[0-9][²٣]|[²٣][0-9]", bare) or "(" in bare, text


PAIRS = st.tuples(st.integers(0, 524287), st.integers(0, 31))
SPNS = st.sampled_from(("SPN ", "SPN: ", "spn=", "SPN#", "SPN-", "Suspect Parameter Number ", "Suspect parameter no. "))
FMIS = st.sampled_from(("FMI ", "FMI: ", "fmi=", "FMI#", "FMI-", "Failure Mode Identifier ", "Fehlerart "))
BETWEEN = st.sampled_from((" ", ", ", " / ", "; ", " - ", " oil pressure low ", "\n"))
GARBAGE = st.text("0123456789SPNFMIspnfmixXh ,.-/#:()\u00a0²٣\u00ad", max_size=24) | st.text(max_size=12)


@FEW
@given(PAIRS, SPNS, FMIS, BETWEEN, st.integers(0, 1000))
@example((1569, 31), "SPN ", "FMI ", " ", 2)
@example((0, 0), "SPN ", "FMI ", ", ", 0)
def test_c2_pair_to_text_and_back(pair, spn_label, fmi_label, between, choice):
    pair_to_text_and_back(pair, spn_label, fmi_label, between, choice)


@FEW
@given(GARBAGE)
@example("SPN 1 569 012 FMI 3")
@example("SPN 12345,678 FMI 3")
def test_c2_garbage_is_refused_or_right(text):
    text_is_right_or_refused(text)


@pytest.mark.matrix
@pytest.mark.timeout(900)
def test_c2_ten_thousand_pairs_to_text_and_back():
    MANY(given(PAIRS, SPNS, FMIS, BETWEEN, st.integers(0, 1000))(pair_to_text_and_back))()


@pytest.mark.matrix
@pytest.mark.timeout(900)
def test_c2_ten_thousand_times_garbage():
    MANY(given(GARBAGE)(text_is_right_or_refused))()


@pytest.mark.parametrize(
    ("said", "severity"),
    [
        *(
            (word, "critical")
            for word in ("Red stop lamp", "RSL", "Stop engine now", "Pull over", "Rouge", "STOP", "red")
        ),
        *((word, "major") for word in ("Amber warning lamp", "AWL", "amber", "MIL", "Malfunction indicator lamp")),
        *((word, "major") for word in ("Check engine", "Drive to a dealer", "jaune", "Warnung", "Yellow")),
        *((word, "minor") for word in ("Protect lamp", "PL", "Info", "BLUE", "Next service", "bleu", "Geringfügig")),
        *((word, "info") for word in ("Keep driving",)),
        *((word, "unknown") for word in ("Ask around", "not critical", "non-critical", "", "—", "5", "All lamps off")),
        ("RSL: off, AWL: on", "major"),
        ("Red stop lamp off; protect lamp on", "minor"),
        ("AWL, RSL", "critical"),
        ({"red_stop": False, "amber_warning": True}, "major"),
        (["MIL", "PL"], "major"),
        (0, "info"),
        (60, "major"),
        (101, "unknown"),
    ],
)
def test_c3_lamps_colours_and_actions_are_severities(said, severity):
    assert j1939.severity(Row({"severity": said})).value == severity


def test_c3_a_column_of_lamps_is_read_where_no_severity_is_said():
    assert j1939.severity(Row({"lamp": "RSL"})).value == "critical"
    assert j1939.severity(Row({"lamp": "—"}, frozenset({"yellow"}))).value == "major"
    assert j1939.severity(Row({"severity": "Minor", "lamp": "RSL"})).value == "minor"


@pytest.mark.parametrize("name", ["pl-3", "mil", "registered", "stop-propagation", "infobox", "not-critical"])
def test_c3_class_names_of_style_sheets_are_no_lamps(name):
    assert j1939.severity(Row({}, frozenset({name}))).value == "unknown"


@pytest.mark.parametrize(
    ("said", "address"),
    [
        *(
            (said, 0)
            for said in ("0", "0 (Engine)", "Engine (0)", "Engine #1 (0)", "SA 0", "Source address: 0", "0x00")
        ),
        *((said, 0) for said in ("0 (Engine #1)", "0 - Engine", "0 Engine", "Engine #1 (SA 0)", "Engine (0x0)")),
        *((said, 3) for said in ("3.0", "3-Transmission", "3 / Transmission")),
        *((said, 49) for said in ("49", "Cab (49)", "0x31", "31h", "Cab controller (0x31)", "SA: 49")),
        *((said, None) for said in ("", "—", "N/A")),
    ],
)
def test_a_source_address_is_read_beside_the_units_name(said, address):
    assert j1939.source_address(said) == address


@pytest.mark.parametrize(
    "said", ["Engine", "Engine 1", "Engine #1", "256", "0 / 3", "0, 3", "Engine (0, 3)", "-1", "1.5"]
)
def test_a_source_address_that_is_not_certain_is_refused(said):
    with pytest.raises(ValueError, match="source address"):
        j1939.source_address(said)


@pytest.mark.parametrize("said", ["SA 0 and SA 3", "source address 300"])
def test_a_text_with_two_addresses_or_none_that_exists_is_refused(said):
    with pytest.raises(ValueError, match="source address"):
        j1939.source_address_in(said)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("source address 3 (Transmission), seen twice", 3),
        ("Source address: Engine #1 (0)", 0),
        ("SA 49. SA 49", 49),
        ("SA 1234", None),
        ("USA 2", None),
        ("the source address is not known", None),
    ],
)
def test_a_text_that_labels_an_address_says_it(text, address):
    assert j1939.source_address_in(text) == address
