"""What the tests of a portal begin with: its sandbox, and the project with a database of its own, pointed at it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import MetaData, Table, func, select

from database.engine import Database
from database.families.accounts import NewAccount, add_account
from database.models import Account, FileStatus, Run, StoredFile
from jobs.warm import WarmParent
from sandbox import Running, default_password, running
from sandbox.simple import accounts
from scrapers.core.stated import with_accounts
from tests.portals.perturbed import Perturbed, crawls_at
from tests.portals.prices import PriceWatch, watching
from tests.project import Project


class AtPortal:
    """Crawls of one portal against its sandbox, whose user names pick the scenario; all into one data folder."""

    def __init__(self, word: str, project: Project, db: Database, sandbox: Running) -> None:
        self.word, self.project, self.db = word, project, db
        self.admin = sandbox.admin[word]
        project.environment.update(sandbox.environment)

    def account(self, username: str) -> str:
        """Add the first account that the sandbox's user has, if need be; return its number."""
        number = accounts(username)[0]
        new = NewAccount("Example Ltd", "Head office", self.word, number, billing_day=31)
        with self.db.transaction() as session:
            add_account(session, new, with_accounts())
        return number

    def crawl(
        self, report_type: str, *arguments: str, account: str = "", username: str = "ok", password: str | None = None
    ) -> str:
        """Crawl, and return the outcome of the run. account: the user whose account it is, in the place of `username`."""
        username = account or username
        given = [*arguments, *([f"account={self.account(account)}"] if account else [])]
        prefix = self.word.upper()
        secrets = {f"{prefix}_USERNAME": username, f"{prefix}_PASSWORD": password or default_password(username)}
        words = [word for argument in given for word in ("-a", argument)]
        done = self.project.scrapy("crawl", f"{self.word}_{report_type}", *words, env=secrets, timeout=110)
        assert "Traceback" not in done.stderr, done.stderr
        with self.db.transaction() as session:
            return str(session.scalars(select(Run.outcome).order_by(Run.id.desc())).first() or done.stderr)

    def files(self, report_type: str, account: str = "") -> list[bytes]:
        """Return the contents of the stored files of a report type; account: only those of this user's account."""
        of_type = (StoredFile.portal == self.word, StoredFile.report_type == report_type)
        query = select(StoredFile.path).where(*of_type, StoredFile.status == FileStatus.READY)
        if account:
            query = query.join(Account).where(Account.number == accounts(account)[0])
        with self.db.transaction() as session:
            return [(self.project.data / "files" / path).read_bytes() for path in session.scalars(query)]

    def count(self, table: str, **values: Any) -> int:
        """Return how many rows of a table have these values."""
        known = Table(table, MetaData(), autoload_with=self.db.engine)
        query = select(func.count()).select_from(known)
        for name, value in values.items():
            query = query.where(known.c[name] == value)
        with self.db.transaction() as session:
            return int(session.scalar(query) or 0)


@pytest.fixture(scope="module")
def at_portal(
    warm: WarmParent, sqlite_with_tables: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[str], AtPortal]]:
    """Give a function that starts the sandbox of a portal and points a project at it: `at_portal("acme")`."""
    with ExitStack() as stack:

        def make(word: str) -> AtPortal:
            folder = tmp_path_factory.mktemp(word)
            sandbox = stack.enter_context(running(folder / "sandbox", (word,)))
            project = Project(folder, warm)
            stack.callback(project.close)
            project.data.mkdir(mode=0o700)
            shutil.copy(sqlite_with_tables, project.data / "latchkey.db")
            db = Database(f"sqlite:///{project.data / 'latchkey.db'}")
            stack.callback(db.engine.dispose)
            return AtPortal(word, project, db, sandbox)

        yield make


@pytest.fixture(scope="module")
def served(
    warm: WarmParent, sqlite_with_tables: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[str], Perturbed]]:
    """Give a function that serves a portal, once for all tests of a module."""
    with ExitStack() as stack:
        made: dict[str, Perturbed] = {}

        def crawls_of(portal: str) -> Perturbed:
            if portal not in made:
                folder = tmp_path_factory.mktemp(portal)
                made[portal] = stack.enter_context(crawls_at(portal, folder, warm, sqlite_with_tables))
            return made[portal]

        yield crawls_of


@pytest.fixture
def crawls_of(served: Callable[[str], Perturbed], encryption_key: str) -> Callable[[str], Perturbed]:
    """Give the same, for tests that store credentials."""
    return served


@pytest.fixture(scope="module")
def shops(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The imitations of shops, in a process of their own."""
    with running(tmp_path_factory.mktemp("shops"), ("pluginboutique", "shop")) as sandbox:
        yield sandbox


@pytest.fixture
def price_watch(shops: Running, warm: WarmParent, sqlite_with_tables: Path, tmp_path: Path) -> Iterator[PriceWatch]:
    """Items that are watched at the imitations of shops, which begin anew."""
    for admin in shops.admin.values():
        admin.reset()
        admin.configure(histories={})
    with watching(PriceWatch, tmp_path, warm, sqlite_with_tables, shops.urls) as watch:
        watch.project.environment.update(shops.environment)
        yield watch
