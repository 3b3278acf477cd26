"""Reading many credentials from a CSV file."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from database.families.imports import BadLines, read_rows, spoilt

REQUIRED_COLUMNS = ("portal", "username", "password")
COLUMNS = (*REQUIRED_COLUMNS, "totp_secret", "receiver", "client", "nickname")


@dataclass(frozen=True, slots=True)
class NewCredential:
    """A credential as a person describes it. None: what is stored stays as it is."""

    portal: str  # the portal's one word, or the name of one of its logins
    username: str
    password: str = field(repr=False)
    totp_secret: str | None = field(default=None, repr=False)
    receiver: str | None = None
    client: str | None = None
    nickname: str | None = None


def is_private(path: Path) -> bool:
    """Tell whether only its owner may read or write a file; raise OSError when it cannot be looked at."""
    return os.name != "posix" or not path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO)


def read_credentials(lines: Iterable[str]) -> list[tuple[int, NewCredential]]:
    """
    Return the credentials of a CSV file with their line numbers; raise BadLines that names every bad line, without secrets.

    The first line names the columns: portal, username, password, and if wanted totp_secret, receiver, client, nickname. A
    password is taken as it stands, blanks around it included.
    """
    rows, problems = read_rows(lines, COLUMNS, REQUIRED_COLUMNS)
    found: list[tuple[int, NewCredential]] = []
    seen: dict[tuple[str, str], int] = {}
    for number, row in rows:
        fields = {name: value if name == "password" else value.strip() for name, value in row.items()}
        key = (fields["portal"].lower(), fields["username"])
        empty = [column for column in REQUIRED_COLUMNS if not fields[column]]
        if empty:
            problems.append(f"Line {number}: {empty[0]} is empty.")
        elif said := spoilt(fields["username"]):
            problems.append(f"Line {number}: username: {said}.")
        elif key in seen:
            problems.append(f"Line {number}: {key[0]} {key[1]} stands in line {seen[key]} already.")
        else:
            seen[key] = number
            optional = [fields.get(name) or None for name in ("totp_secret", "receiver", "client", "nickname")]
            found.append((number, NewCredential(*key, fields["password"], *optional)))
    if problems:
        raise BadLines(problems)
    return found
