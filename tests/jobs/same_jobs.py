"""Twenty jobs that bring the same rows and files by whatever engine they are done: five households, five fleets, two spiders each."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from database.engine import Database
from database.families.fleet import tenant_named
from database.models import StoredCredential
from sandbox import PASSWORD, Running, phone, running
from sandbox.iec import id_number
from tests.project import Project, wait_for

COUNT = 20
SPIDERS = ("iec_account", "iec_invoices", "trucktech_faults", "trucktech_vehicles")
TYPES = (
    "electricity_accounts",
    "electricity_bills",
    "electricity_contracts",
    "electricity_invoices",
    "faults",
    "vehicles",
)
TOKEN = "gateway-token-for-tests"


@contextmanager
def portals_for(folder: Path) -> Iterator[Running]:
    """Serve the portals of the jobs."""
    with running(folder, ("iec", "trucktech"), sms_token=TOKEN) as sandbox:
        yield sandbox


def store_customers(here: Project, sandbox: Running, folder: Path) -> None:
    """Store the credentials in the project's database, and serve the webhook to which the portals send their codes."""
    db = Database(here.environment.get("LATCHKEY_DATABASE_URL") or f"sqlite:///{here.data / 'latchkey.db'}")
    with db.transaction() as session:
        for number in range(5):
            identity, user = id_number("ok", 700 + number), f"ok+{number}@example.com"
            session.add(
                StoredCredential(
                    kind="portal", portal="iec", username=f"home{number}", password=identity, receiver=phone(identity)
                )
            )
            session.add(StoredCredential(kind="portal", portal="trucktech", username=user, password=PASSWORD))
            tenant_named(session, "trucktech", user).username = user
    db.engine.dispose()
    ready = folder / "webhook.json"
    here.start("serve", "--port", "0", "--ready-file", str(ready), env={"LATCHKEY_WEBHOOK_TOKEN": TOKEN})
    url = wait_for(lambda: ready.exists() and json.loads(ready.read_text()), 60)["url"]
    for admin in sandbox.admin.values():
        admin.configure(sms_url=f"{url}/sms")


def create(here: Project) -> None:
    """Create the jobs."""
    made = here.scrapy("jobs", "create", *SPIDERS, "--json", timeout=120)
    assert len(json.loads(made.stdout)["jobs"]) == COUNT, made.stderr


def stored(here: Project) -> dict[str, list[Any]]:
    """Return the records and files, without what tells one run from another: ids, times of storing, the store's folder."""
    found = {}
    for kind in (*TYPES, "files"):
        words = ("files",) if kind == "files" else ("records", "--type", kind)
        written = here.scrapy("export", *words, "--format", "json")
        assert written.returncode == 0, written.stderr
        rows = [
            {
                name: value
                for name, value in row.items()
                if name not in ("id", "run", "store") and not name.endswith("_at")
            }
            for row in json.loads(written.stdout)
        ]
        assert rows, kind
        found[kind] = sorted(rows, key=json.dumps)
    return found


def by_the_embedded_worker(project: Callable[[Path], Project], folder: Path) -> dict[str, list[Any]]:
    """Return what the embedded worker brings into a database of its own; folder: one that does not exist yet."""
    folder.mkdir()
    here = project(folder)
    with portals_for(folder / "sandbox") as sandbox:
        here.environment.update(sandbox.environment)
        assert here.scrapy("db", "upgrade").returncode == 0
        store_customers(here, sandbox, folder)
        create(here)
        worked = here.scrapy("worker", "--once", "--slots", "2", timeout=300)
        assert worked.returncode == 0, worked.stderr
        return stored(here)
