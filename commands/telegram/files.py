"""`scrapy telegram files`: the files of a source, and what has become of them."""

from __future__ import annotations

import argparse

STATES = ("wanted", "stored", "skipped", "failed")


def options(parser: argparse.ArgumentParser) -> None:
    """Add what it can be told."""
    parser.add_argument("source", help="id or name of a source")
    parser.add_argument("--state", choices=STATES, help="only files of this state")
    parser.add_argument(
        "--limit", type=int, default=100, metavar="N", help="files of the newest messages (default: 100)"
    )
    parser.add_argument("--json", action="store_true", help="as JSON")


def run(opts: argparse.Namespace) -> int:
    """Print them."""
    from commands._terminal import WrongArgument, print_json, show, size
    from commands.telegram._sources import acts, id_of, refusing
    from database.models.messaging import FileState

    if not 1 <= opts.limit <= 100_000:
        raise WrongArgument("--limit: it is from 1 to 100000.")
    source_id = id_of(opts.source)
    with refusing():
        state = FileState(opts.state) if opts.state else None
        found, total = acts().files(source_id, None, 0, opts.limit, state)
    if opts.json:
        print_json([each.model_dump(mode="json") for each in found])
        return 0
    rows = [
        (
            *(each.message_id, each.sent_at, each.file_name, each.kind.value, size(each.size_bytes)),
            *(each.state.value, each.reason or each.message, each.storage_path),
        )
        for each in found
    ]
    columns = ("message", "sent", "name", "kind", "size", "state", "why", "path")
    show(columns, rows, empty="There is no file.")
    if total > len(found):
        print(f"{total - len(found)} more: --limit {total}.")
    return 0
