"""`scrapy doctor`: whether everything a crawl needs is there, and the cure for what is not."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from scrapy.commands import ScrapyCommand

from commands._terminal import Everyday, Refused, portals, print_json, show, size

if TYPE_CHECKING:
    from database.settings import RoomSettings

LEAST_SPACE = 500 * 1024 * 1024  # bytes; below that a month's files may not fit
MOST_SKEW = 20  # seconds; beyond it an authenticator's code of 30 s and a lease's deadline go wrong
FIRST_YEAR = 2026  # no installation is older than this program


class Problem(Exception):
    """Something is missing or wrong. The text is one sentence with the cure."""


class Command(Everyday, ScrapyCommand):
    """Look at key, database, browser, webhook, mailboxes, notices, clock, store and settings."""

    word = "doctor"

    def short_desc(self) -> str:
        """Return the line of the command list."""
        return "Check key, database, browser, webhook, mailboxes, clock, store and settings"

    def long_desc(self) -> str:
        """Return the page of the command."""
        return "Checks everything that a crawl needs, each with its cure. Ends with 1 when something is wrong."

    def arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the options."""
        parser.add_argument(
            "--settings", action="store_true", help="only list every setting: value, default, where it is set, meaning"
        )
        parser.add_argument("--json", action="store_true", help="as JSON")
        parser.add_argument(
            "--markdown", action="store_true", help="with --settings: as the table of the README, without values"
        )

    def do(self, opts: argparse.Namespace) -> None:
        """Run every check, whatever the others say."""
        if opts.settings and opts.markdown:
            print(markdown(settings_rows(of_portals(self.settings))))
            return
        if opts.settings:
            show(COLUMNS, settings_rows(of_portals(self.settings)), as_json=opts.json)
            return
        found = [diagnose(name, check) for name, check in {**CHECKS, "portals": self.check_portals}.items()]
        if opts.json:
            print_json(found)
        else:
            for one in found:
                print(f"{'ok' if one['ok'] else 'PROBLEM':<8} {one['check']:<9} {one['says']}")
        if not all(one["ok"] for one in found):
            self.exitcode = 1

    def check_portals(self) -> str:
        """Read every portal's settings and look for names that are misspelt."""
        from scrapers.core.settings import check_portal

        found = portals(self.settings)
        for portal in found:
            check_portal(portal)
        return f"The settings of {len(found)} portals are in order."


def diagnose(name: str, check: Callable[[], str]) -> dict[str, Any]:
    """Run one check; return its name, whether all is well, and its sentence."""
    from database.access.encryption import UnreadableSecret
    from database.engine import DatabaseAway
    from database.migrate import SchemaDiffers
    from database.settings import SettingsError

    try:
        return {"check": name, "ok": True, "says": check()}
    except (Problem, Refused, DatabaseAway, SchemaDiffers, SettingsError, UnreadableSecret) as error:
        return {"check": name, "ok": False, "says": str(error)}


COLUMNS = ("variable", "value", "default", "source", "meaning")


def settings_rows(portals_settings: Iterable[type[RoomSettings]]) -> Iterator[tuple[str, str, str, str, str]]:
    """
    Yield COLUMNS of every setting, the rooms' first; a secret is hidden.

    `source` says where the value comes from: -s, environment (with the alias that is set, where it is one), default.
    """
    for room in (*rooms(), *portals_settings):
        for name, field in room.model_fields.items():
            given, names = room.given(name), room.names(name)
            source = given.source if given.variable == names[0] else f"{given.source}: {given.variable}"
            yield " or ".join(names), given.value, given.default, source, field.description or ""


def markdown(rows: Iterable[tuple[str, str, str, str, str]]) -> str:
    """Return the settings as a table of Markdown: variables, default, meaning."""
    lines = ["| variable | default | meaning |", "|---|---|---|"]
    for variables, _, default, _, meaning in rows:
        names = ", or ".join(f"`{name}`" for name in variables.split(" or "))
        lines.append(f"| {names} | {f'`{default}`' if default else ''} | {meaning} |")
    return "\n".join(lines)


def rooms() -> list[type[RoomSettings]]:
    """Return the settings classes of all rooms, in the order of ROOMS."""
    from importlib import import_module

    from database.settings import RoomSettings
    from scrapers.settings import ROOMS

    for module in ROOMS:
        import_module(module)
    # Not in that of their imports, which is another one in each command.
    known = (room for room in RoomSettings.rooms if room.__module__ in ROOMS)
    return sorted(known, key=lambda room: ROOMS.index(room.__module__))


def of_portals(settings: Any) -> list[type[RoomSettings]]:
    """Return the settings classes of all portals that the project has, also of those without a spider; loads them."""
    from importlib import import_module
    from importlib.util import find_spec

    from scrapers.core.settings import portal_settings
    from scrapers.core.stated import PORTALS
    from scrapers.core.stated import portals as stated

    found = portals(settings)
    without = [word for word in stated() if word not in found]
    for word in without:
        if find_spec(f"{PORTALS}.{word}.settings") is not None:
            import_module(f"{PORTALS}.{word}.settings")
    return [kind for portal in sorted([*found, *without]) for kind in portal_settings(portal)]


def check_settings() -> str:
    """Read every room's settings and look for names that no room knows."""
    from database.settings import check_names
    from scrapers.settings import ROOMS

    check_names(ROOMS)
    count = 0
    for room in rooms():
        room.load()
        count += len(room.variables())
    return f"{count} names are known, and all that are set are among them (scrapy doctor --settings lists them)."


def check_aliases() -> str:
    """Name the settings that are given under another program's name."""
    used = [f"{alias} as {name}" for room in rooms() for alias, name in room.aliases()]
    return (
        f"Read under other names: {', '.join(used)}." if used else "No setting is given under another program's name."
    )


def check_key() -> str:
    """Encrypt, decrypt, and decrypt what is stored."""
    from sqlalchemy import select
    from sqlalchemy.exc import SQLAlchemyError

    from database.access.encryption import KEYS, key_ring
    from database.engine import DatabaseAway, database
    from database.models import StoredCredential
    from database.settings import database_settings

    ring = key_ring()
    if ring.decrypt(ring.encrypt("latchkey")) != "latchkey":
        raise Problem(f"{KEYS}: what it encrypts cannot be decrypted.")
    where = KEYS if database_settings().encryption_keys else str(database_settings().key_file)
    try:
        with database().transaction() as session:
            read = len(session.scalars(select(StoredCredential.password)).all())
    except (DatabaseAway, SQLAlchemyError):
        return f"The key in {where} works."  # what is wrong with the database is its own check's to say
    return f"The key in {where} works, and {read} stored credentials can be read with it."


def check_database() -> str:
    """Connect, and compare the schema with the models."""
    from database.engine import database
    from database.migrate import check

    db = database()
    check(db)
    return f"{db.engine.url.render_as_string(hide_password=True)} answers and has our tables."


def check_browser() -> str:
    """Start the browser that crawls start, and end it."""
    from pathlib import Path
    from tempfile import TemporaryDirectory

    from playwright.sync_api import Error, sync_playwright

    from middlewares.download.browser import ENGINES, cure, find_browser, launch_options
    from scrapers.core.settings import crawl_settings

    program = find_browser()
    try:
        with TemporaryDirectory(prefix="latchkey-doctor-") as temp, sync_playwright() as playwright:
            options = launch_options(Path(temp)) | {"headless": True, "timeout": 30_000}
            browser = getattr(playwright, ENGINES[crawl_settings().browser]).launch(**options)
            version = browser.version
            browser.close()
    except Error as error:
        raise Problem(f"LATCHKEY_BROWSER={crawl_settings().browser}: {cure(error)}") from None
    return f"{program or 'Playwright’s own build'} starts, version {version}."


def check_webhook() -> str:
    """Ask the webhook whether it is well; it is needed only where codes come by message."""
    import json
    import urllib.error
    import urllib.request

    from database.engine import DatabaseAway
    from webhook.settings import webhook_settings

    settings = webhook_settings()
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(settings.webhook_host, settings.webhook_host)
    url = f"http://{host}:{settings.webhook_port}/health"
    try:
        # Past any proxy: the webhook is on this machine.
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=3) as answer:
            status = json.load(answer).get("status")
    except (urllib.error.HTTPError, ValueError, AttributeError):
        raise Problem(
            f"Something else than our webhook answers at {url}: set LATCHKEY_WEBHOOK_PORT to a free port."
        ) from None
    except OSError:
        try:
            waiting = served_by_webhook()
        except DatabaseAway:
            waiting = 0
        if waiting:
            raise Problem(
                f"The webhook does not answer at {url}, and {waiting} credentials get codes through it: run `scrapy serve`."
            ) from None
        return f"Does not run at {url}; no stored credential gets codes through it (`scrapy serve` starts it)."
    return f"Answers at {url}: {status}."


def served_by_webhook() -> int:
    """Return how many stored credentials have a receiver that is no mailbox which we read ourselves."""
    from sqlalchemy import select

    from database.access.addresses import receivers
    from database.engine import database
    from database.models import StoredCredential
    from middlewares.settings import mailbox_settings

    with database().transaction() as session:
        given = session.scalars(select(StoredCredential.receiver).where(StoredCredential.receiver.is_not(None))).all()
    count = 0
    for text in given:
        try:
            found = tuple(receivers(text or "").values())
        except ValueError:
            found = (text or "",)
        count += any(mailbox_settings().of(each) is None for each in found)
    return count


def check_mailbox() -> str:
    """Sign in to every mailbox that we read for codes, and look at its folder as sign-ins do."""
    from middlewares.access.mailbox import MailboxProblem, MailboxReader
    from middlewares.settings import mailbox_settings

    settings = mailbox_settings()
    if not settings.every():
        return "None is set (LATCHKEY_MAILBOX_ADDRESS); codes by mail may also come through the webhook."
    found = []
    for mailbox in settings.every():
        reader = MailboxReader(mailbox, settings.mailbox_wait)
        try:
            count = reader.begin()
        except MailboxProblem as problem:
            raise Problem(str(problem)) from None
        finally:
            reader.close()
        found.append(f"{mailbox.folder} of {', '.join(mailbox.address)} at {mailbox.at} can be read ({count} mails)")
    return "; ".join(found) + "."


def check_notify() -> str:
    """Report for which actors (owner, operator, developer) no notification address is set; never a problem."""
    from sqlalchemy import select

    from commands.notify.add import ACTORS
    from database.engine import DatabaseAway, database
    from database.models.notices import NoticeAddress

    try:
        with database().transaction() as session:
            told = {actor for actors in session.scalars(select(NoticeAddress.actors)) for actor in actors}
    except DatabaseAway:
        return "The database was not asked."
    missing = [actor for actor in ACTORS if actor not in told]
    if not told:
        return "No notification address is set (scrapy notify add ADDRESS)."
    if missing:
        return (
            f"No notification address is set for {' or '.join(missing)} (scrapy notify add ADDRESS --for {missing[0]})."
        )
    return f"{', '.join(ACTORS)} are told when they must act."


def check_clock() -> str:
    """Compare our clock with the calendar, with the database's, and with what was written last."""
    from datetime import UTC, datetime

    from sqlalchemy import func, select

    from database.engine import DatabaseAway, database, now
    from database.models import Run

    cure = "set the clock (timedatectl set-ntp true): authenticator codes and deadlines depend on it."
    time = datetime.now(UTC)
    if not FIRST_YEAR <= time.year < FIRST_YEAR + 50:
        raise Problem(f"This machine believes it is {time:%Y-%m-%d}: {cure}")
    try:
        with database().transaction() as session:
            skew = (now(session) - datetime.now(UTC)).total_seconds()
            newest = session.scalar(select(func.max(Run.started_at)))
    except DatabaseAway:
        return f"{time:%Y-%m-%d %H:%M:%S} UTC; the database was not asked."
    if abs(skew) > MOST_SKEW:
        raise Problem(f"This clock and the database's are {abs(skew):.0f} s apart: {cure}")
    if newest is not None and (newest - time).total_seconds() > MOST_SKEW:
        raise Problem(f"A run of {newest:%Y-%m-%d %H:%M} UTC lies in the future of this clock: {cure}")
    return f"{time:%Y-%m-%d %H:%M:%S} UTC, {abs(skew):.1f} s from the database's."


def check_store() -> str:
    """Write to the data folder and the file store, and look at the space that is left there."""
    from tempfile import TemporaryFile

    from database.settings import database_settings
    from pipelines.settings import pipeline_settings
    from pipelines.stores import store_of
    from scrapers.core.outcomes import StoreAway

    folder = database_settings().data_dir
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=folder) as file:
            file.write(b"latchkey")
    except OSError as error:
        raise Problem(
            f"{folder} cannot be written to ({error.strerror}): mend its rights, or set LATCHKEY_DATA_DIR to another folder."
        ) from None
    try:
        store = store_of(pipeline_settings())
        store.check()
        free = store.free()
    except StoreAway as error:
        raise Problem(error.detail) from None
    if free is None:
        return f"{store.address} can be written to."
    if free < LEAST_SPACE:
        raise Problem(f"{store.address} has {size(free)} left: make room, or set LATCHKEY_FILES to another store.")
    return f"{store.address} can be written to, {size(free)} are free."


def check_python() -> str:
    """Look whether Python may keep its compiled modules: without them each start compiles everything anew."""
    import sys

    version = ".".join(map(str, sys.version_info[:3]))
    if sys.dont_write_bytecode:
        return (
            f"Python {version}; PYTHONDONTWRITEBYTECODE is set (or -B): unless the modules are compiled already, every start "
            "compiles them anew, which takes about 2 s. Unset it, or run `python -m compileall` once."
        )
    return f"Python {version} keeps its compiled modules."


CHECKS: dict[str, Callable[[], str]] = {
    "settings": check_settings,
    "aliases": check_aliases,
    "python": check_python,
    "key": check_key,
    "database": check_database,
    "store": check_store,
    "clock": check_clock,
    "browser": check_browser,
    "webhook": check_webhook,
    "mailbox": check_mailbox,
    "notify": check_notify,
}
