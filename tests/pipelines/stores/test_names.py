"""Names that a folder, a Windows share and S3 all take."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.stores.names import MOST_BYTES_OF_ALL, MOST_OF_ALL, path_below, safe

DEFAULT = "{portal}/{account}/{period}/{name}"


@pytest.mark.parametrize(
    ("name", "made"),
    [
        ("../../etc/passwd", "_.._etc_passwd"),
        ("a/b\\c", "a_b_c"),
        (" . ", "_"),
        ("", "_"),
        ("report. ", "report"),
        ("a\x00b\x1fc\x7f.pdf", "a_b_c_.pdf"),
        ('what? "this" <is> a|star*.pdf', "what_ _this_ _is_ a_star_.pdf"),
        # Devices of Windows, whatever stands behind the dot.
        ("CON:", "CON_"),
        ("con", "con_"),
        ("NUL.pdf", "NUL_.pdf"),
        ("aux.tar.gz", "aux_.tar.gz"),
        ("COM1", "COM1_"),
        ("lpt9.txt", "lpt9_.txt"),
        ("console.pdf", "console.pdf"),
        ("COM10", "COM10"),
        ("con .pdf", "con_ .pdf"),  # D2: Windows drops the blank
        ("NUL \t.pdf", "NUL _.pdf"),
        ("com¹  .tar.gz", "com¹_  .tar.gz"),
        # D2: halves of characters, and what breaks lines.
        ("bill\ud83d.pdf", "bill_.pdf"),
        ("\udce9t\udce9.pdf", "_t_.pdf"),
        ("a\u2028b\x85c.pdf", "a_b_c.pdf"),
        (".incoming", "incoming"),
    ],
)
def test_a_name_is_safe(name, made):
    assert safe(name) == made
    assert safe(made) == made


@settings(max_examples=100, deadline=None, derandomize=True, database=None)
@given(
    st.text(st.characters(exclude_categories=()), max_size=30)
    | st.from_regex(r"(con|nul|lpt1)[ .]*\.pdf", fullmatch=True)
)
def test_d2_any_name_is_safe(name):
    made = safe(name)
    assert made.encode()
    assert safe(made) == made
    assert made.partition(".")[0].rstrip().lower() not in ("con", "nul", "lpt1")


def test_an_accent_is_one_character_whoever_typed_it():
    apart = unicodedata.normalize("NFD", "Café Müller")
    assert safe(apart) == "Café Müller" != apart


@pytest.mark.parametrize("letter", ["x", "é", "ח", "請", "🧾"])
def test_a_long_name_keeps_its_extension(letter):
    made = safe(letter * 400 + ".pdf")
    assert made.endswith(".pdf")
    assert len(made) <= 150
    assert len(made.encode()) <= 200
    assert safe(made) == made


def test_a_path_has_the_parts_that_the_template_names():
    fields = {"portal": "bell", "account": "53/31", "period": "2026-10", "report": "r", "name": "x.pdf", "client": "N."}
    assert path_below(DEFAULT, fields) == "bell/53_31/2026-10/x.pdf"
    assert path_below("{client}/{report}_{name}", fields) == "N/r_x.pdf"


@pytest.mark.parametrize("letter", ["x", "請"])
def test_a_path_is_never_too_long(letter):
    """A row of ours takes 300 characters of it, with a mark for other content; S3 takes 1024 bytes with its prefix."""
    fields = dict.fromkeys(("portal", "account", "period", "report", "client"), letter * 300)
    made = path_below(
        "{client}/{portal}/{account}/{period}/{report}/{name}", {**fields, "name": letter * 300 + ".xlsx"}
    )
    assert len(made) <= MOST_OF_ALL
    assert len(made.encode()) <= MOST_BYTES_OF_ALL
    assert made.endswith(f"{letter}.xlsx")
    assert made.count("/") == 5


def test_a_part_made_of_several_fields_is_safe_as_a_whole():
    assert path_below("{portal}{account}/{name}", {"portal": "CO", "account": "N", "name": "x"}) == "CON_/x"
