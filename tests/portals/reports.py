"""Monthly reports that are stored before a crawl, which then fetches the others alone."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from zoneinfo import ZoneInfo

from database.engine import Database
from database.families.cycles import latest_closed
from database.models import FileStatus, StoredFile
from database.models.base import utc_now

EAST = ZoneInfo("America/Toronto")  # the clock of all carriers' portals
# Where each report takes long: all but one of each way to it.
STORED = {
    "rogers_monthly_reports": ("ccd_monthly", "data", "ccc_credits"),
    "tmobile_monthly_reports": ("charges_and_usage", "statement_detail", "inventory_report", "equipment_installment"),
    "verizon_monthly_reports": ("wireless_charges_detail", "activation_and_deactivation", "suspended_wireless_numbers"),
}


def store_reports(db: Database, spider: str, accounts: Iterable[str], reports: Iterable[str]) -> None:
    """Let reports of the newest month be stored already."""
    year, month = latest_closed(31, datetime.now(EAST).date())
    facts = {"spider": spider, "portal": spider.partition("_")[0], "report_type": "monthly_reports"}
    content = {"path": "x", "store": "x", "sha256": "0" * 64, "size": 1, "media_type": "x", "source": ""}
    state = {"status": FileStatus.READY, "stored_at": utc_now()}
    slugs = tuple(reports)
    with db.transaction() as session:
        for number in accounts:
            key = f"{number}/{year}-{month:02}"
            session.add_all(StoredFile(key=slug, target_key=key, **facts, **content, **state) for slug in slugs)
