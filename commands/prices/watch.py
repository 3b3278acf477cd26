"""`scrapy prices watch`: the products of a JSON or CSV file on users' watchlists."""

from __future__ import annotations

import argparse
import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from commands.prices.items import user_option

NAMES = {"url": "product_url", "currency": "threshold_currency"}  # as a file calls what items call otherwise
WRONG = 2  # exit code when a line was wrong


def options(parser: argparse.ArgumentParser) -> None:
    """Add what it can be told."""
    parser.add_argument(
        "file",
        type=Path,
        help="JSON array of objects, or CSV whose first line names the columns: url, threshold and, if wanted, to (mail "
        "address), currency, country, label, selector, rendering",
    )
    user_option(parser, "`to` of the line, else the only one; one that is not known is added")


def run(opts: argparse.Namespace) -> int:
    """Put each line on the watchlist, in a transaction of its own; 2 when one was wrong."""
    import sys

    from commands._terminal import Refused
    from commands.prices.items import put, user_named
    from database.engine import database

    counts = dict.fromkeys(("added", "changed", "same", "wrong"), 0)
    for place, row in rows(opts.file):
        try:
            if not isinstance(row, dict):
                raise ValueError("it is no object with url and threshold")
            given: dict[str, Any] = {
                str(NAMES.get(name, name)): value for name, value in row.items() if value not in (None, "")
            }
            to = given.pop("to", None)
            if unknown := sorted(
                set(given) - {*NAMES.values(), "threshold", "country", "label", "selector", "rendering"}
            ):
                raise ValueError(f"{unknown[0]} is no column")
            with database().transaction() as session:
                _, said = put(session, user_named(session, to or opts.user, make=True), given)
        except (ValueError, Refused) as error:
            print(f"{place}: {error}", file=sys.stderr)
            said = "wrong"
        counts[said] += 1
    print(f"{counts['added']} added, {counts['changed']} changed, {counts['same']} as they were.")
    return WRONG if counts["wrong"] else 0


def rows(path: Path) -> Iterator[tuple[str, Any]]:
    """Yield the entries of a file, each with the name of its place; raise WrongArgument for a file that has none."""
    from commands._terminal import WrongArgument, read_lines

    lines = read_lines(path)
    text = "".join(lines).lstrip("\ufeff").lstrip()
    if path.suffix.lower() == ".json" or text.startswith(("[", "{")):
        try:
            found = json.loads(text)
        except ValueError as error:
            raise WrongArgument(f"{path} is not JSON: {error}.") from None
        if not isinstance(found, list) or not found:
            raise WrongArgument(f"{path} is no JSON array with entries.")
        yield from ((f"entry {number}", row) for number, row in enumerate(found, 1))
        return
    reader = csv.DictReader(line.removeprefix("\ufeff") for line in lines)
    if not {"url", "threshold"} <= set(reader.fieldnames or ()):
        raise WrongArgument(f"{path}: its first line names the columns, url and threshold among them.")
    for row in reader:
        if None in row:
            yield f"line {reader.line_num}", "more fields than columns"
        else:
            yield f"line {reader.line_num}", row
