"""`scrapy demo`: watch Latchkey work on imitation portals, without an account or a network."""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from scrapy.commands import ScrapyCommand
from scrapy.exceptions import UsageError

from commands._demo_carriers import play_carriers, show_carriers
from commands._demo_room import show_room
from commands._demo_serving import latchkey, prepare, say, webhook
from commands._demo_shop import Shopping, show_prices, summary, watch_prices

if TYPE_CHECKING:
    from rich.console import Console

CLIENT, WORKSPACE = "Northwind Traders", "Head office"
USERNAME = "sms+multi-2+demo@example.com"  # two accounts; codes come as text messages, at the Enterprise Centre by mail
SPIDERS = ("bell_pdf_invoice", "bell_daily_usage", "bell_ereports", "bell_monthly_reports")
ORIGINS = {
    "": "Self Serve",
    "ereports": "e-reports",
    "enterprise_centre": "Enterprise Centre",
    "business_portal": "business portal",
}
CARRIERS, BELL = "demo-carriers", "demo"  # folders of the plays
PLAYS = ("", "bell")  # of the variable DEMO
FIGURES = ("files", "records", "sign_ins", "requests", "downloads")
ADVICE = """
With an account of your own:
  scrapy generate-key --save && scrapy db upgrade
  scrapy credentials add bell --username you@example.com --client 'Your company' --receiver +15550100123,codes@example.com
  scrapy accounts add --client 'Your company' --workspace Main --carrier bell --number 123456789 --username you@example.com
  scrapy test-login bell && scrapy crawl bell_pdf_invoice -a account=123456789"""


class Command(ScrapyCommand):
    """Run every spider against the sandbox and say what happened."""

    requires_project = True
    requires_crawler_process = False
    default_settings: ClassVar[dict[str, Any]] = {"LOG_ENABLED": False}

    def short_desc(self) -> str:
        """Say what it does."""
        return "Demo: an account of each carrier at imitation portals, with an invented client"

    def long_desc(self) -> str:
        """Say where everything is kept."""
        return (
            "Starts the sandbox and the webhook on loopback, fills a database of its own below .latchkey/demo-carriers with an "
            "invented client that has an account of each carrier, does all of their jobs side by side, and ends with a table. "
            "With DEMO=bell in the environment: every Bell spider, one after another, and a shop; its prices are watched until "
            "one falls and a mail comes, below .latchkey/demo. A second run finds everything stored. --room then serves the pages of "
            "the control room on loopback, and prints a link by which an operator signs in."
        )

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        """Add ours to Scrapy's."""
        super().add_options(parser)
        parser.add_argument("--room", action="store_true", help="serve the control room on what the demo has stored")
        parser.add_argument("--picture", type=Path, metavar="FILE", help="also draw the end of the demo as an SVG")

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        """Run the demo."""
        if args:
            raise UsageError("demo takes no arguments")
        which = os.environ.get("DEMO", "")
        if which not in PLAYS:
            raise UsageError(f"DEMO={which}: there is no such demo; leave it out, or say DEMO=bell", print_help=False)
        from database.settings import SettingsError, database_settings

        root = database_settings().data_dir.resolve()
        try:
            if opts.room:
                is_good = show_room(root / (BELL if which else CARRIERS))
            else:
                is_good = (of_bell if which else of_carriers)(root, opts.picture)
        except (SettingsError, subprocess.CalledProcessError, TimeoutError) as error:
            sys.stderr.write(f"The demo could not be run: {error}\n")
            is_good = False
        self.exitcode = 0 if is_good else 1


def of_carriers(root: Path, picture: Path | None) -> bool:
    """Play an account of each carrier, and show what came; return whether everything has."""
    folder, began = root / CARRIERS, time.monotonic()
    environment = prepare(folder)
    with webhook(folder, environment, folder / "webhook.log") as codes:
        played = play_carriers(folder, environment, codes)
    (root / "demo-carriers.json").write_text(json.dumps([asdict(each) for each in played], indent=2) + "\n")
    with console_for(picture) as console:
        show_carriers(console, played, time.monotonic() - began)
        show_places(console, folder, root / "demo-carriers.json")
    return all(each.outcome in ("success", "stored already") for each in played)


def of_bell(root: Path, picture: Path | None) -> bool:
    """Play every Bell spider and the shop, and show what came; return whether everything has."""
    folder = root / BELL
    rows, shopping = play(folder, prepare(folder))
    (root / "demo-summary.json").write_text(json.dumps(rows, indent=2) + "\n")
    (root / "demo-prices.json").write_text(json.dumps(summary(shopping), indent=2) + "\n")
    with console_for(picture) as console:
        show(console, rows)
        show_places(console, folder, root / "demo-summary.json")
        console.print()
        show_prices(console, shopping, os.path.relpath(root))
    return shopping.succeeded and all(row["outcome"] == "success" for row in rows)


def play(folder: Path, environment: dict[str, str]) -> tuple[list[dict[str, Any]], Shopping]:
    """Start webhook and sandbox, fill the database, run the spiders; return one row of figures for each, and the shop's."""
    import sandbox
    from sandbox.bell import accounts

    with (
        webhook(folder, environment) as codes,
        sandbox.running(folder / "sandbox", ["bell", "pluginboutique"], **codes) as running,
    ):
        for origin, url in running.origins["bell"].items():
            say(f"  sandbox  {url}  (Bell {ORIGINS[origin]})")
        say(f"  sandbox  {running.origins['pluginboutique']['']}  (Plugin Boutique)")
        receivers = f"{sandbox.phone(USERNAME)},{sandbox.mailbox(USERNAME)}"
        fill(environment, accounts(USERNAME), receivers, sandbox.PASSWORD)
        rows = [crawl(spider, {**environment, **running.environment}) for spider in SPIDERS]
        say("Watching the prices of five products")
        return rows, watch_prices(folder, environment, running)


def fill(environment: dict[str, str], numbers: list[str], receiver: str, password: str) -> None:
    """Add the invented client with its credential and accounts, by the ordinary commands."""
    say(f"Adding {CLIENT} with {len(numbers)} accounts")
    credential = ("credentials", "add", "bell", "--username", USERNAME, "--client", CLIENT, "--receiver", receiver)
    latchkey(environment, *credential, "--stdin", given=f"{password}\n\n")
    for number in numbers:
        account = ("--client", CLIENT, "--workspace", WORKSPACE, "--carrier", "bell", "--number", number)
        latchkey(environment, "accounts", "add", *account, "--username", USERNAME, "--billing-day", "31")


def crawl(spider: str, environment: dict[str, str]) -> dict[str, Any]:
    """Run a spider with its progress on the screen; return its figures."""
    say(f"scrapy crawl {spider}")
    before = newest_run(environment)
    began = time.monotonic()
    subprocess.run([sys.executable, "-m", "scrapy", "crawl", spider], env=environment, check=False)
    seconds = round(time.monotonic() - began, 1)
    return {"spider": spider, **figures(environment, before), "seconds": seconds}


def newest_run(environment: dict[str, str]) -> int:
    """Return the number of the newest run in the demo's database."""
    from sqlalchemy import func, select

    from database.engine import Database
    from database.models import Run

    db = Database(f"sqlite:///{environment['LATCHKEY_DATA_DIR']}/latchkey.db")
    with db.transaction() as session:
        return session.scalar(select(func.max(Run.id))) or 0


def figures(environment: dict[str, str], after: int) -> dict[str, Any]:
    """Return outcome and sums of the runs that came after a number; the outcome is the first that is no success."""
    from sqlalchemy import select

    from database.engine import Database
    from database.models import Run

    db = Database(f"sqlite:///{environment['LATCHKEY_DATA_DIR']}/latchkey.db")
    with db.transaction() as session:
        runs = session.scalars(select(Run).where(Run.id > after).order_by(Run.id)).all()
        outcomes = [run.outcome or "unexpected_error" for run in runs] or ["unexpected_error"]
        outcome = next((each for each in outcomes if each != "success"), "success")
        return {"outcome": outcome} | {name: sum(getattr(run, name) for run in runs) for name in FIGURES}


@contextmanager
def console_for(picture: Path | None) -> Iterator[Console]:
    """Yield a console wide enough for a table; then print what to try next, and draw a picture of all that if one is asked for."""
    from rich.console import Console

    console = Console(width=max(Console().width, 110), record=picture is not None)
    yield console
    console.print(ADVICE, highlight=False)
    if picture is not None:
        # Without the fonts that the picture would fetch from elsewhere.
        picture.write_text(re.sub(r"@font-face \{.*?\}", "", console.export_svg(title="make demo"), flags=re.S))


def show_places(console: Console, folder: Path, figures: Path) -> None:
    """Print where everything is."""
    place = os.path.relpath(folder)
    console.print(f"Files      {place}/files", highlight=False)
    console.print(f"Database   {place}/latchkey.db   (LATCHKEY_DATA_DIR={place} scrapy runs)", highlight=False)
    console.print(f"Figures    {os.path.relpath(figures)}", highlight=False)
    console.print(f"Pages      {'DEMO=bell ' if folder.name == BELL else ''}make room", highlight=False)


def show(console: Console, rows: list[dict[str, Any]]) -> None:
    """Print what each Bell spider brought."""
    from rich.table import Table

    table = Table(title="What the demo brought home")
    for name in rows[0]:
        table.add_column(name.replace("_", "-"), justify="left" if name in ("spider", "outcome") else "right")
    for row in rows:
        table.add_row(*(str(value) for value in row.values()))
    console.print(table)
