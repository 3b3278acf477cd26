"""Crawls of perturbed portals: which spiders, which scenarios, and how each run must end."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import select

from database.engine import Database
from database.families.accounts import NewAccount, add_account
from database.families.fleet import tenant_named
from database.models import Account, CarrierPortalCredential, ScraperJob, StoredCredential
from jobs.warm import WarmParent
from sandbox import PASSWORD, Admin, mailbox, phone, running, totp_secret
from sandbox.att import accounts as att_accounts
from sandbox.bell import accounts as bell_accounts
from sandbox.iec import id_number
from sandbox.perturb import DIMENSIONS
from sandbox.rogers import accounts as rogers_accounts
from sandbox.telus import accounts as telus_accounts
from sandbox.tmobile import accounts as tmobile_accounts
from sandbox.tmobile.state import MID_MONTH
from sandbox.users import User
from sandbox.verizon import accounts as verizon_accounts
from tests.project import CARRIERS, Project, wait_for

GATEWAY_TOKEN = "gateway-token-for-tests"
UNPERTURBED = "+perturb-off"  # whatever the portal's own seed is
HASTE = {
    "BELL_HEADER_WAIT": "6",
    "BELL_SELF_SERVE_CODE_SENDERS": "*",  # the senders of text messages are not known
    "LATCHKEY_BROWSER_PAGES": "3",
    "LATCHKEY_CODE_WAIT": "12",
    "LATCHKEY_PAGE_WAIT": "10",
    "LATCHKEY_REPORT_WAIT": "10",
    "LATCHKEY_WALL_WAIT": "6",
    "LATCHKEY_SIGN_IN_WAIT": "240",  # many sign in at once, and the wait for a place counts
}
# How long the imitations take. What each of them waits for is still late, but a crawl has not to wait long for it.
QUICK: dict[str, Any] = {"load_ms": 20, "render_ms": [5, 20], "overlay_ms": 100, "status_ms": 60}
# Not asked for by a spider: the browser looks for the icon by itself.
NOT_OURS = ("/favicon.ico",)


@dataclass(frozen=True)
class Row:
    """
    A spider, and how its runs end without a perturbation: an outcome by scenario, a name's first word with its tags.

    give: stores a user's credential, and returns what its run's target begins with. argument: names the targets in a crawl.
    """

    portal: str
    spider: str
    give: Callable[[Perturbed, str], str]
    argument: Callable[[Perturbed, Row, Iterable[str]], str]
    good: tuple[str, ...]
    refused: Mapping[str, str]
    refused_perturbed: Mapping[str, str] = field(default_factory=dict)  # what ends otherwise at a perturbed portal
    refused_at: Mapping[tuple[str, int], str] = field(default_factory=dict)  # the same under one seed: scenario, seed
    configuration: Mapping[str, Any] = field(default_factory=dict)
    spider_modules: str = ""
    arguments: tuple[str, ...] = ()
    same_rows: bool = False  # rows are the same under every seed
    shared_rows: bool = False  # some are for all customers, and rows of the first run alone
    pages_before: bool = True  # the seed holds for the pages before the user is known, too
    visitors: bool = True  # the portal draws the first pages of each visit by a seed of the visit
    # How much is tried; less where each crawl visits a portal in a browser.
    sample: tuple[int, ...] = (3, 11, 27)
    seeds: int = 4  # in the matrix; the others are figures
    at_once: int = 8  # seeds in one crawl
    dimensions: tuple[str, ...] = tuple(DIMENSIONS)  # those that change what the spider meets
    dimensions_at_once: int = 6
    refusing_seeds: int = 2
    alone: int = 2  # scenarios for each dimension


def user_of(row: Row, scenario: str, tag: str, test: str, *, is_shared: bool = False) -> str:
    """Return a user name for a scenario and what is perturbed: one that the spiders of a portal share, or the row's own."""
    whose = row.portal if is_shared and scenario in row.good else row.spider.replace("_", "-")
    return f"{scenario}{tag}+{test}@{whose}.example"


def give_carrier(
    perturbed: Perturbed, portal: str, user: str, number: str, receiver: str, billing_day: int = 31
) -> str:
    """Store a carrier's user with an account."""
    perturbed.give(CarrierPortalCredential, portal, user)
    with perturbed.db.transaction() as session:
        if session.scalars(select(Account).filter_by(number=number)).first() is None:
            new = NewAccount("Example Ltd", "Head office", portal, number, user, billing_day=billing_day)
            add_account(session, new, CARRIERS)
        session.scalars(select(CarrierPortalCredential).filter_by(username=user)).one().receiver = receiver
    return number


def give_bell(perturbed: Perturbed, user: str) -> str:
    """Store a user of Bell with its first account."""
    return give_carrier(perturbed, "bell", user, bell_accounts(user)[0], phone(user))


def give_bell_by_mail(perturbed: Perturbed, user: str) -> str:
    """Store a user of Bell whose codes come by mail."""
    return give_carrier(perturbed, "bell", user, bell_accounts(user)[0], mailbox(user))


def give_att(perturbed: Perturbed, user: str) -> str:
    """Store a user of AT&T, whose codes come by mail, with its first account."""
    return give_carrier(perturbed, "att", user, att_accounts(user)[0], mailbox(user))


def give_telus(perturbed: Perturbed, user: str) -> str:
    """Store a user of Telus with its first account."""
    return give_carrier(perturbed, "telus", user, telus_accounts(user)[0], phone(user))


def give_rogers(perturbed: Perturbed, user: str) -> str:
    """Store a user of Rogers, whose codes come by mail, with its first account."""
    return give_carrier(perturbed, "rogers", user, rogers_accounts(user)[0], mailbox(user))


def give_tmobile(perturbed: Perturbed, user: str) -> str:
    """Store a user of T-Mobile, whose codes come by mail, with its first account."""
    day = MID_MONTH if User.of(user).says("mid-month") else 31
    return give_carrier(perturbed, "tmobile", user, tmobile_accounts(user)[0], mailbox(user), day)


def give_verizon(perturbed: Perturbed, user: str) -> str:
    """Store a user of Verizon, whose links come by mail, with all its accounts, which the raw data hold; return the first."""
    numbers = verizon_accounts(user)
    for number in numbers:
        give_carrier(perturbed, "verizon", user, number, mailbox(user))
    return numbers[0]


def give_plain(perturbed: Perturbed, user: str) -> str:
    """Store a user of the plain portal."""
    perturbed.give(StoredCredential, "plain", user)
    return user


def give_trucktech(perturbed: Perturbed, user: str) -> str:
    """Store a user of TruckTech+, with a tenant of the same name."""
    perturbed.give(StoredCredential, "trucktech", user)
    with perturbed.db.transaction() as session:
        tenant_named(session, "trucktech", user).username = user
    return user


def give_iec(perturbed: Perturbed, user: str) -> str:
    """Store a household under the user's name, with an ID number that has the tags of the name."""
    scenario, *tags = user.partition("@")[0].split("+")
    number = id_number(scenario, perturbed.people.setdefault(user, len(perturbed.people)))
    perturbed.admin.configure(users=perturbed.admin.configuration()["users"] | {number: tags})
    with perturbed.db.transaction() as session:
        if session.scalars(select(StoredCredential).filter_by(portal="iec", username=user)).first() is None:
            session.add(
                StoredCredential(kind="portal", portal="iec", username=user, password=number, receiver=phone(number))
            )
    return user


def of_accounts(perturbed: Perturbed, row: Row, targets: Iterable[str]) -> str:
    """Return the argument that names the targets of a carrier's spider."""
    return f"account={','.join(targets)}"


def of_tenants(perturbed: Perturbed, row: Row, targets: Iterable[str]) -> str:
    """Return the argument that names the targets of a fleet's spider."""
    return f"tenant={','.join(targets)}"


def of_jobs(perturbed: Perturbed, row: Row, targets: Iterable[str]) -> str:
    """Store a job for each person, and return the argument that names the jobs."""
    kind = row.spider.removeprefix(f"{row.portal}_")
    jobs = [ScraperJob(portal=row.portal, report_type=kind, target={"person": person}) for person in targets]
    with perturbed.db.transaction() as session:
        session.add_all(jobs)
        session.flush()
        return f"job={','.join(str(job.id) for job in jobs)}"


def of_credentials(perturbed: Perturbed, row: Row, targets: Iterable[str]) -> str:
    """Return the argument that names the targets of the plain portal's spiders."""
    return f"credential={','.join(targets)}"


GOOD = ("ok", "sms", "totp", "multi", "ok+multi-12")
REFUSED_BY_BELL = {
    "wrong-account+multi": "wrong_account",
    "account-missing+multi": "wrong_account",
    "other-customer": "identity_mismatch",
    "truncated-file": "bad_file",
    "empty-file": "bad_file",
    "captcha": "captcha_shown",
    "signed-out-midway": "success",
}
NOT_THERE = {"not-published": "not_yet_published"}
BELL = {
    "portal": "bell",
    "give": give_bell,
    "argument": of_accounts,
    "good": GOOD,
    "configuration": QUICK
    | dict.fromkeys(("pools_ms", "filter_ms", "report_preview_ms", "workbook_ms", "search_ms"), 20)
    | {"pdf_seconds": 0.1, "report_seconds": 0.3},
    "visitors": False,
    "seeds": 1,
    "at_once": 1,
    "dimensions_at_once": 1,
    "refusing_seeds": 1,
    "alone": 1,
}
TELUS = {
    "portal": "telus",
    "give": give_telus,
    "argument": of_accounts,
    "good": ("ok", "multi"),
    "configuration": QUICK
    | {"form_ms": 60, "interstitial_ms": 200, "usage_ms": 30, "bans_ms": 30, "report_seconds": 0.3},
    "visitors": False,
    "seeds": 1,
    "at_once": 2,
    "dimensions_at_once": 2,
    "refusing_seeds": 1,
    "alone": 1,
}
REFUSED_BY_TELUS = {
    "wrong-account+multi": "wrong_account",
    "account-missing+multi": "wrong_account",
    "wrong-account-file": "wrong_account",
    "other-customer": "identity_mismatch",
    "truncated-file": "bad_file",
    "captcha": "blocked",
    "signed-out-midway": "success",
}
ATT = {
    "portal": "att",
    "give": give_att,
    "argument": of_accounts,
    "good": ("ok", "no-code", "older-labels", "ok+multi-12"),
    "configuration": QUICK,
    "visitors": False,
    "seeds": 1,
    "at_once": 2,
    "dimensions_at_once": 2,
    "refusing_seeds": 1,
    "alone": 1,
}
REFUSED_BY_ATT = {
    "user-refused": "bad_credentials",
    "wrong-account+multi": "wrong_account",
    "account-missing+multi": "wrong_account",
    "filter-fails+multi": "wrong_account",
    "wrong-account-file": "wrong_account",
    "other-customer": "identity_mismatch",
    "truncated-file": "bad_file",
    "captcha": "captcha_shown",
    "signed-out-midway": "success",
}
ROGERS = {
    "portal": "rogers",
    "give": give_rogers,
    "argument": of_accounts,
    "good": ("ok", "no-code", "code-direct", "ok+multi-12"),
    "configuration": QUICK
    | dict.fromkeys(("bundle_ms", "search_ms", "report_ms", "usage_ms"), 30)
    | {"report_seconds": 0.3},
    "visitors": False,
    "seeds": 1,
    "at_once": 2,
    "dimensions_at_once": 2,
    "refusing_seeds": 1,
    "alone": 1,
}
REFUSED_BY_ROGERS = {
    "wrong-account+multi": "wrong_account",
    "account-missing+multi": "wrong_account",
    "filter-fails+multi": "wrong_account",
    "wrong-account-file": "wrong_account",
    "other-customer": "identity_mismatch",
    "truncated-file": "bad_file",
    "captcha": "captcha_shown",
    "signed-out-midway": "success",
}
TMOBILE = {
    "portal": "tmobile",
    "give": give_tmobile,
    "argument": of_accounts,
    "good": ("ok", "no-code", "mid-month", "ok+multi-12"),
    "configuration": QUICK
    | dict.fromkeys(("frame_ms", "language_ms", "period_ms", "tree_ms", "confirm_ms", "list_ms"), 30)
    | {"late_ms": 600, "report_seconds": 0.3},
    "visitors": False,
    "seeds": 1,
    "at_once": 2,
    "dimensions_at_once": 2,
    "refusing_seeds": 1,
    "alone": 1,
    # Where the user's name stands is not known: there another customer is told by the accounts.
    "refused_perturbed": {"other-customer": "wrong_account"},
}
REFUSED_BY_TMOBILE = {
    "wrong-account+multi": "wrong_account",
    "account-missing+multi": "wrong_account",
    "wrong-account-file": "wrong_account",
    "other-customer": "identity_mismatch",
    "truncated-file": "bad_file",
    "captcha": "captcha_shown",
    "signed-out-midway": "success",
}
VERIZON = {
    "portal": "verizon",
    "give": give_verizon,
    "argument": of_accounts,
    "good": ("ok", "no-code", "code-direct", "ok+multi-12"),
    "configuration": QUICK | dict.fromkeys(("form_ms", "notice_ms", "report_ms", "check_ms"), 30) | {"late_ms": 600},
    "visitors": False,
    "seeds": 1,
    "at_once": 2,
    "dimensions_at_once": 2,
    "refusing_seeds": 1,
    "alone": 1,
}
REFUSED_BY_VERIZON = {
    "wrong-account+multi": "wrong_account",
    "account-missing+multi": "wrong_account",
    "filter-fails+multi": "wrong_account",
    "wrong-account-file": "wrong_account",
    "other-customer": "identity_mismatch",
    "truncated-file": "bad_file",
    "captcha": "captcha_shown",
    "signed-out-midway": "success",
}
PLAIN = {
    "portal": "plain",
    "give": give_plain,
    "argument": of_credentials,
    "good": ("ok", "sms", "totp"),
    "configuration": {"documents": 3, "midway_requests": 2},
    "spider_modules": "tests.portals.plain",
}
TRUCKTECH = {
    "portal": "trucktech",
    "give": give_trucktech,
    "argument": of_tenants,
    "good": ("ok", "layout-json", "lang-fr", "policy-page", "totp", "sms", "sms+ask-code"),
    "refused": {
        "wrong-password": "bad_credentials",
        "other-customer": "identity_mismatch",
        "policy-required": "terms_pending",
        "signed-out-midway": "success",
        "maintenance": "portal_down",
    },
    # The page behind the sign-in has an address that says nothing, and is away: no sign-in is proved.
    "refused_at": {("maintenance", 0): "sign_in_timed_out"},
    "configuration": {"vehicles": 6, "per_page": 4, "fleet_faults": 20, "midway_requests": 2},
}
IEC = {
    "portal": "iec",
    "give": give_iec,
    "argument": of_jobs,
    "good": ("ok", "prosumer", "mail-first", "shared"),
    "same_rows": True,
    "refused": {"other-customer": "identity_mismatch", "locked": "account_locked", "signed-out-midway": "success"},
}
# What is asked for behind the sign-in, which all spiders share, is JSON.
IN_JSON = ("words", "order", "session-over", "notations", "json", "headers")
# A portal that comes later adds its rows here.
ROWS: dict[str, Row] = {
    row.spider: row
    for row in (
        Row(spider="bell_daily_usage", refused=REFUSED_BY_BELL, **BELL),
        Row(spider="bell_pdf_invoice", refused=REFUSED_BY_BELL | NOT_THERE | {"global-search": "success"}, **BELL),
        Row(
            spider="bell_ereports",
            refused=REFUSED_BY_BELL
            | NOT_THERE
            | {"cache-error": "success", "cache-error-always": "cache_error", "account-missing+multi": "not_listed"},
            sample=(27,),
            **BELL,
        ),
        Row(
            spider="bell_monthly_reports",
            refused=REFUSED_BY_BELL | NOT_THERE,
            sample=(11,),
            pages_before=False,  # a code page whose address the password page has renamed is not the unperturbed user's
            **BELL | {"give": give_bell_by_mail, "good": ("ok", "multi", "ok+multi-12")},
        ),
        Row(
            spider="telus_daily_usage",
            refused=REFUSED_BY_TELUS | {"filter-fails": "wrong_account"},
            sample=(3,),
            **TELUS,
        ),
        Row(
            spider="telus_pdf_invoice",
            refused=REFUSED_BY_TELUS
            | NOT_THERE
            | {"filter-fails+multi": "wrong_account", "document-missing": "not_yet_published"},
            sample=(11,),
            **TELUS,
        ),
        Row(spider="telus_monthly_reports", refused=REFUSED_BY_TELUS | NOT_THERE, sample=(27,), **TELUS),
        Row(spider="att_daily_usage", refused=REFUSED_BY_ATT, sample=(3,), **ATT),
        Row(spider="att_pdf_invoice", refused=REFUSED_BY_ATT | NOT_THERE, sample=(11,), **ATT),
        Row(spider="att_monthly_reports", refused=REFUSED_BY_ATT | NOT_THERE, sample=(27,), **ATT),
        Row(
            spider="rogers_daily_usage",  # it fetches no file
            refused={name: ends for name, ends in REFUSED_BY_ROGERS.items() if not name.endswith("-file")},
            sample=(3,),
            **ROGERS,
        ),
        Row(spider="rogers_pdf_invoice", refused=REFUSED_BY_ROGERS | NOT_THERE, sample=(11,), **ROGERS),
        Row(spider="rogers_monthly_reports", refused=REFUSED_BY_ROGERS | NOT_THERE, sample=(3,), **ROGERS),
        Row(
            spider="tmobile_daily_usage",
            refused=REFUSED_BY_TMOBILE | {"usage-filter-fails": "portal_changed"},
            sample=(3,),
            **TMOBILE,
        ),
        Row(
            spider="tmobile_pdf_invoice",
            refused=REFUSED_BY_TMOBILE
            | NOT_THERE
            | {"month-filter-fails": "portal_changed", "rows-move": "wrong_account"},
            sample=(11,),
            **TMOBILE,
        ),
        Row(
            spider="tmobile_monthly_reports",
            refused=REFUSED_BY_TMOBILE | NOT_THERE | {"filter-fails+multi": "portal_changed"},
            sample=(27,),
            **TMOBILE,
        ),
        Row(spider="verizon_daily_usage", refused=REFUSED_BY_VERIZON, sample=(3,), **VERIZON),
        Row(spider="verizon_pdf_invoice", refused=REFUSED_BY_VERIZON | NOT_THERE, sample=(11,), **VERIZON),
        Row(spider="verizon_monthly_reports", refused=REFUSED_BY_VERIZON | NOT_THERE, sample=(27,), **VERIZON),
        Row(
            spider="plain_documents",
            refused={"other-customer": "identity_mismatch", "captcha": "captcha_shown", "signed-out-midway": "success"},
            **PLAIN,
        ),
        Row(
            spider="plain_files",
            refused={"truncated-file": "bad_file", "empty-file": "bad_file", "other-customer": "identity_mismatch"},
            **PLAIN,
        ),
        Row(spider="trucktech_faults", **TRUCKTECH),
        Row(spider="trucktech_vehicles", **TRUCKTECH),
        # It asks often enough to lose its session, refresh token and all; a new code is the owner's to order.
        Row(
            spider="iec_account",
            **IEC | {"refused": IEC["refused"] | {"signed-out-midway": "reauthentication_required"}},
        ),
        *(Row(spider=f"iec_{name}", dimensions=IN_JSON, **IEC) for name in ("invoices", "outages")),
        Row(spider="iec_masa", dimensions=IN_JSON, shared_rows=True, **(IEC | {"same_rows": False})),
        Row(spider="iec_meter_readings", dimensions=IN_JSON, arguments=("from=2026-11-26",), **IEC),
        Row(
            spider="plain_browser_files",  # its login takes no codes by message
            refused={"truncated-file": "bad_file", "captcha": "captcha_shown"},
            **PLAIN | {"good": ("ok", "totp")},
        ),
    )
}


@dataclass(frozen=True)
class Ended:
    """How a run ended: outcome, step and selector where it stood, message, number of files and of records."""

    outcome: str
    files: int
    records: int
    where: str


class Perturbed:
    """Crawls of one portal into one data folder, with one run for each user; later spiders go on in a user's session."""

    def __init__(self, project: Project, db: Database, admin: Admin) -> None:
        self.project, self.db, self.admin = project, db, admin
        self.people: dict[str, int] = {}  # users: numbers, none of which two of them have
        # The runs of users for whom nothing is perturbed, by scenario: of each spider, for users that spiders share or not.
        self.plain: dict[tuple[str, bool], dict[str, Ended]] = {}
        self.unserved: list[str] = []  # requests of the last crawl to addresses that are not served

    def give(self, kind: type[Any], portal: str, user: str) -> None:
        """Store a credential whose codes come to the webhook."""
        secret = totp_secret(user) if "totp" in user.partition("@")[0].split("+") else None
        with self.db.transaction() as session:
            if session.scalars(select(kind).filter_by(portal=portal, username=user)).first() is None:
                session.add(
                    kind(portal=portal, username=user, password=PASSWORD, totp_secret=secret, receiver=phone(user))
                )

    def crawl(self, row: Row, users: Iterable[str], timeout: float = 600) -> dict[str, Ended]:
        """Crawl for all users in one crawl, one browser; return how the run of each ended."""
        since = max((entry["number"] for entry in self.admin.journal()), default=0)
        before = self.rows("SELECT coalesce(max(id), 0) AS id FROM runs")[0]["id"]
        targets = {row.give(self, user): user for user in users}
        words = ["crawl", row.spider, "-a", row.argument(self, row, targets)]
        words += [word for argument in row.arguments for word in ("-a", argument)]
        if row.spider_modules:
            words += ["-s", f"SPIDER_MODULES={row.spider_modules}"]
        done = self.project.scrapy(*words, env=HASTE, timeout=timeout)
        assert "Traceback" not in done.stderr, done.stderr
        ended = {}
        for run in self.rows("SELECT * FROM runs WHERE id > ?", before):
            user = targets.get(run["target"].split()[0])
            if user is not None:
                files = self.rows("SELECT * FROM files WHERE run_id = ?", run["id"])
                where = f"{run['step'] or ''} {run['selector'] or ''} {run['message'] or ''}".strip()
                ended[user] = Ended(run["outcome"], len(files), run["records"], where)
        assert set(ended) == set(targets.values()), done.stderr
        self.unserved = [
            f"{entry['user']} {entry['path']}"
            for entry in self.admin.journal(since)
            if entry["status"] == 404 and entry["path"] not in NOT_OURS
        ]
        return ended

    def rows(self, query: str, *values: Any) -> list[sqlite3.Row]:
        """Ask the database."""
        with closing(sqlite3.connect(self.project.data / "latchkey.db", timeout=30)) as connection:
            connection.row_factory = sqlite3.Row
            return connection.execute(query, values).fetchall()


@contextmanager
def crawls_at(portal: str, folder: Path, warm: WarmParent, tables: Path) -> Iterator[Perturbed]:
    """Serve a portal and a webhook for its codes, and give crawls of it. tables: a database to begin with."""
    configuration = next(dict(row.configuration) for row in ROWS.values() if row.portal == portal)
    with ExitStack() as stack:
        sandbox = stack.enter_context(running(folder / "sandbox", (portal,), sms_token=GATEWAY_TOKEN, **configuration))
        project = Project(folder, warm, **sandbox.environment)
        stack.callback(project.close)
        project.data.mkdir(mode=0o700)
        shutil.copy(tables, project.data / "latchkey.db")
        db = Database(f"sqlite:///{project.data / 'latchkey.db'}")
        stack.callback(db.engine.dispose)
        ready = folder / "webhook.json"
        project.start("serve", "--port", "0", "--ready-file", str(ready), env={"LATCHKEY_WEBHOOK_TOKEN": GATEWAY_TOKEN})
        url = wait_for(lambda: ready.exists() and json.loads(ready.read_text()), seconds=40)["url"]
        admin = sandbox.admin[portal]
        admin.configure(sms_url=f"{url}/sms", mail_url=f"{url}/mail")
        yield Perturbed(project, db, admin)
