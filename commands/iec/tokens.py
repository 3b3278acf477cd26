"""`scrapy iec tokens`: the tokens of a customer's session, out to a file of other clients' making, and in from one."""

from __future__ import annotations

import argparse
from pathlib import Path


def options(parser: argparse.ArgumentParser) -> None:
    """Add what it can be told."""
    parser.add_argument("way", choices=("export", "import"), help="write the session's tokens to a file, or read them")
    parser.add_argument("file", type=Path, help="JSON with the six fields of OKTA's answer, mode 600")
    parser.add_argument("--username", help="whose, where several credentials are stored")


def run(opts: argparse.Namespace) -> int:
    """Export or import; raise WrongArgument with what is wrong."""
    from commands._terminal import WrongArgument
    from database.access.sessions import Sessions
    from database.engine import database
    from database.settings import SettingsError
    from scrapers.logins.conversation import Tokens
    from scrapers.logins.credentials import find_credential
    from scrapers.portals.iec import token_file

    with database().transaction() as session:
        credential = find_credential(session, "iec", "iec", opts.username)
    if credential is None:
        raise WrongArgument("No credential of iec is known: add one with `scrapy credentials add iec`.")
    sessions = Sessions(database())
    if opts.way == "import":
        try:
            tokens = token_file.read(opts.file)
        except SettingsError as error:
            raise WrongArgument(f"file: {error}") from None
        sessions.save("iec", credential.username, tokens.state(), "", "")
        print(f"Imported for {credential.username}: the first crawl renews the tokens and looks whose they are.")
        return 0
    saved = sessions.load("iec", credential.username)
    if saved is None:
        raise WrongArgument(f"{credential.username} has no session: `scrapy test-login iec` signs in.")
    try:
        token_file.write(opts.file, Tokens.of(saved.state))
    except SettingsError as error:
        raise WrongArgument(f"file: {error}") from None
    print(f"Exported to {opts.file}. Whoever has this file is {credential.username}: keep it like a key.")
    return 0
