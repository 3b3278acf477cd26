"""`scrapy notify add`: an address that is told."""

from __future__ import annotations

import argparse

from commands._terminal import WrongArgument

ACTORS = ("owner", "operator", "developer")


def options(parser: argparse.ArgumentParser) -> None:
    """Add what it can be told."""
    parser.add_argument(
        "address",
        metavar="ADDRESS",
        help="a mail address, or one as Apprise has them (ntfy://topic); - reads it from standard input",
    )
    parser.add_argument(
        "--for",
        dest="actors",
        action="append",
        choices=ACTORS,
        help="who reads it; may be repeated (default: all three)",
    )
    parser.add_argument("--client", metavar="NAME", help="only for this client, in place of the addresses of all")
    parser.add_argument("--no-digest", action="store_true", help="without the digest")


def run(opts: argparse.Namespace) -> int:
    """Add it, or change the one that is there."""
    import sys

    from commands.notify._addresses import client_id
    from database.engine import database, now
    from database.jobs.recipients import put
    from database.models.audit import record
    from jobs.channels import ChannelRefused
    from jobs.notices import service_of, shown

    address = (sys.stdin.readline() if opts.address == "-" else opts.address).strip()
    try:
        service = service_of(address)
    except ChannelRefused as error:
        raise WrongArgument(f"ADDRESS: it is no mail address. {error}") from None
    actors = tuple(dict.fromkeys(opts.actors or ACTORS))
    with database().transaction() as session:
        client = client_id(session, opts.client)
        row, is_new = put(
            session, address, service, now(session), actors=actors, digest=not opts.no_digest, client_id=client
        )
        told = {"for": row.actors, "digest": row.digest, **({"client": opts.client} if opts.client else {})}
        record(session, f"address.{'added' if is_new else 'changed'}", f"{row.id} {shown(service, address)}", told)
    digest = " and gets the digest" if row.digest else ""
    whom = f" of {opts.client}" if opts.client else ""
    print(
        f"{'Added' if is_new else 'Changed'}: address {row.id}, {shown(service, address)}, "
        f"is told what concerns {', '.join(actors)}{whom}{digest}. Try it: scrapy notify test"
    )
    return 0
