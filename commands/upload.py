"""`scrapy upload`: send stored files to the customer's own server, without visiting a portal."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from scrapy.commands import ScrapyCommand

from commands._terminal import Everyday, Refused, instant, show, size

if TYPE_CHECKING:
    from database.uploads import Due
    from pipelines.settings import UploadSettings
    from scrapers.core.outcomes import Failure


class Command(Everyday, ScrapyCommand):
    """Send what the server does not have yet."""

    word = "upload"

    def short_desc(self) -> str:
        """Return the line of the command list."""
        return "Send stored files that the customer's server does not have yet (no portal is visited)"

    def long_desc(self) -> str:
        """Return the page of the command."""
        return (
            "Sends the files of billing cycles to the server that LATCHKEY_UPLOAD_URL names, one at a time; crawls do the same for "
            "their own jobs. What the server refused for good stays refused until --again. "
            "Exit codes: 0 the server has everything; 3 nobody has to act, try later; 4 the operator, 5 the owner has to act."
        )

    def arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the filters."""
        parser.add_argument("--account", metavar="NUMBER", help="only files of this account")
        parser.add_argument("--spider", metavar="NAME", help="only files that this spider brought")
        parser.add_argument("--since", type=instant, metavar="DATE", help="only files stored since then")
        parser.add_argument("--again", action="store_true", help="also what the server refused before")
        parser.add_argument("--list", action="store_true", help="only show what would be sent")
        parser.add_argument("--json", action="store_true", help="with --list: as JSON")

    def do(self, opts: argparse.Namespace) -> None:
        """Send or list."""
        import asyncio

        from database.engine import database
        from database.uploads import due
        from pipelines.sender import addresses
        from pipelines.settings import upload_settings
        from scrapers.core.redaction import install

        settings = upload_settings()
        if settings is None:
            raise Refused("LATCHKEY_UPLOAD_URL and LATCHKEY_UPLOAD_KEY are not set: there is no server to send to.")
        install()
        with database().transaction() as session:
            files = due(session, settings.upload_url, addresses(), *_which(opts))
        if opts.list:
            rows = [(file.label, size(file.size), file.state or "never sent", file.message) for file in files]
            show(("file", "size", "state", "seen"), rows, empty="The server has everything.", as_json=opts.json)
            return
        sent, failures = asyncio.run(_send(files, settings, opts.again))
        for failure in failures:
            print(f"{failure.outcome.code}: {failure}")
        print(f"{sent} of {len(files)} files are at the server." if files else "The server has everything.")
        self.exitcode = max((failure.outcome.exit_code for failure in failures), default=0)


async def _send(files: list[Due], settings: UploadSettings, again: bool) -> tuple[int, list[Failure]]:
    """Send files in their order; return how many the server has now, and why it lacks the others."""
    from database.engine import database
    from pipelines.sender import Sender
    from scrapers.core.outcomes import Failure

    sender, failures, sent = Sender(database(), settings), [], 0
    try:
        for file in files:
            failure = await sender.send(file, again=again)
            if failure is not None:
                failures.append(failure)
            else:
                sent += 1
    except Failure as failure:
        failures.append(failure)
    finally:
        await sender.close()
    return sent, failures


def _which(opts: argparse.Namespace) -> list[Any]:
    from database.models import Account, StoredFile

    which: list[Any] = []
    if opts.account:
        which.append(Account.number == opts.account)
    if opts.spider:
        which.append(StoredFile.spider == opts.spider)
    if opts.since:
        which.append(StoredFile.stored_at >= opts.since)
    return which
