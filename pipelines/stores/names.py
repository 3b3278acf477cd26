"""Names and paths that a folder, a Windows share and S3 all take, the same on each of them."""

from __future__ import annotations

import re
import unicodedata
from pathlib import PurePosixPath

MOST = 150  # characters of a name
MOST_BYTES = 200  # of a name: file systems take 255, and other content under the same name gets a mark
MOST_OF_ALL = 280  # characters of a path below the store: our columns take 300
MOST_BYTES_OF_ALL = 800  # of a path below the store: S3 takes 1024, with the prefix
# Control characters, separators of lines, halves of characters (no encoding has them), and what Windows does not take.
FORBIDDEN = re.compile('[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff<>:"/\\\\|?*]+')
EXTENSION = re.compile(r"\.[A-Za-z0-9]{1,10}$")
# Windows keeps them for devices, also with blanks before the dot.
RESERVED = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³])(?=\s*(\.|$))", re.I)


def safe(name: str, most: int = MOST) -> str:
    """
    Return a name that every file system takes and that stays inside its folder; a long one keeps its extension.

    >>> safe("../a:b")
    '_a_b'
    >>> safe("nul.pdf"), safe("con .pdf")
    ('nul_.pdf', 'con_ .pdf')
    """
    # Macs take accents apart and others do not: it is one name.
    cleaned = FORBIDDEN.sub("_", unicodedata.normalize("NFC", name)).strip(" .")
    cleaned = RESERVED.sub(r"\1_", cleaned, count=1) if RESERVED.match(cleaned) else cleaned
    return cut(cleaned, most) or "_"


def cut(name: str, most: int) -> str:
    """Return a name of at most *most* characters, and of as many bytes as a file system takes."""
    if len(name) <= most and len(name.encode()) <= MOST_BYTES:
        return name
    found = EXTENSION.search(name)
    suffix = found[0] if found else ""
    stem = name.removesuffix(suffix)[: max(1, most - len(suffix))]
    while len((stem + suffix).encode()) > MOST_BYTES:
        stem = stem[:-1]
    return (stem.rstrip(" .") or "_") + suffix


def path_below(template: str, fields: dict[str, str]) -> str:
    """Return the path that a template makes of *fields*, each of them safe, the whole not too long."""
    filled = template.format(**{name: safe(value) for name, value in fields.items()})
    parts = [safe(part) for part in filled.split("/")]
    while len("/".join(parts)) > MOST_OF_ALL or len("/".join(parts).encode()) > MOST_BYTES_OF_ALL:
        longest = max(range(len(parts)), key=lambda number: len(parts[number].encode()))
        parts[longest] = safe(parts[longest], len(parts[longest]) - 1)
    return "/".join(parts)


def beside(path: str, mark: str) -> str:
    """
    Return the path for other content than that at *path*.

    >>> beside("bell/1/x.pdf", "0a1b2c3d")
    'bell/1/x~0a1b2c3d.pdf'
    """
    place = PurePosixPath(path)
    return str(place.with_stem(f"{place.stem}~{mark}"))
