"""`scrapy portals`: what this installation can fetch, and whether it may sign in there."""

from __future__ import annotations

import argparse
from typing import Any

from scrapy.commands import ScrapyCommand

from commands._terminal import Everyday, portals, print_json, show


class Command(Everyday, ScrapyCommand):
    """List portals with their spiders, logins and addresses."""

    word = "portals"

    def short_desc(self) -> str:
        """Return the line of the command list."""
        return "List portals: spiders, logins, addresses, credentials"

    def arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the option for machines."""
        parser.add_argument("--json", action="store_true", help="as JSON")

    def do(self, opts: argparse.Namespace) -> None:
        """Show every spider and every login."""
        from database.engine import DatabaseAway
        from database.settings import DEFAULT

        problem = ""
        found = []
        for portal, facts in portals(self.settings).items():
            try:
                kept = {login.name: _kept(portal, login.name) for login in facts["logins"]}
            except DatabaseAway as error:
                kept, problem = {}, str(error)
            found.append(
                {
                    "portal": portal,
                    "spiders": [
                        {
                            "spider": spider.name,
                            "report_type": spider.report_type,
                            "logins": [login.name for login in spider.logins],
                        }
                        for spider in facts["spiders"]
                    ],
                    "logins": [
                        {
                            "login": login.name,
                            "address": login.address(),
                            "set_by": login.variable(),
                            "is_set": login.settings.given("url").source != DEFAULT,
                            "credential": kept.get(login.name, "unknown"),
                        }
                        for login in facts["logins"]
                    ],
                }
            )
        if opts.json:
            print_json(found)
        else:
            _draw(found)
        if problem:
            self.fail(problem)


def _draw(found: list[dict[str, Any]]) -> None:
    show(
        ("portal", "spider", "report type", "logins"),
        (
            (each["portal"], spider["spider"], spider["report_type"], ", ".join(spider["logins"]))
            for each in found
            for spider in each["spiders"]
        ),
        empty="This project has no spider.",
    )
    print()
    show(
        ("portal", "login", "address", "address is set by", "credential"),
        (
            (
                each["portal"],
                login["login"],
                login["address"],
                login["set_by"] if login["is_set"] else f"({login['set_by']})",
                login["credential"],
            )
            for each in found
            for login in each["logins"]
        ),
        empty="This project has no login.",
    )


def _kept(portal: str, login: str) -> str:
    """Say where the credential of a login is known from; "none" when it is not."""
    from sqlalchemy import func, select

    from database.engine import database
    from database.models import StoredCredential
    from scrapers.logins.credentials import find_credential

    with database().transaction() as session:
        stored = session.scalar(
            select(func.count()).select_from(StoredCredential).where(StoredCredential.portal == portal)
        )
        if stored:
            return f"{stored} stored"
        return "environment or file" if find_credential(session, portal, login) else "none"
