"""`scrapy notify list`: the addresses that are told."""

from __future__ import annotations

import argparse

from commands._terminal import print_json, show


def options(parser: argparse.ArgumentParser) -> None:
    """Add the option for machines."""
    parser.add_argument("--json", action="store_true", help="as JSON")


def run(opts: argparse.Namespace) -> int:
    """Print them; of an address only what tells it from others."""
    from sqlalchemy import func, select

    from database.engine import database
    from database.jobs.recipients import listed
    from database.models.notices import NoticeDelivery, NoticeResult
    from jobs.notices import shown

    rows = []
    with database().transaction() as session:
        for row, client in listed(session):
            mine = NoticeDelivery.address_id == row.id
            waiting = select(func.count()).where(mine, NoticeDelivery.result == NoticeResult.PENDING)
            last = select(NoticeDelivery).where(mine, NoticeDelivery.attempts > 0)
            found = session.scalars(last.order_by(NoticeDelivery.updated_at.desc()).limit(1)).one_or_none()
            rows.append(
                {
                    "number": row.id,
                    "address": shown(row.service, row.address),
                    "client": client,
                    "for": ", ".join(row.actors),
                    "digest": row.digest,
                    "waiting": session.scalar(waiting),
                    "last": found and found.updated_at,
                    "error": found and found.error,
                }
            )
    if opts.json:
        print_json(rows)
        return 0
    columns = tuple(rows[0]) if rows else ()
    show(columns, [tuple(row.values()) for row in rows], empty="No address is set: `scrapy notify add ADDRESS`.")
    return 0
