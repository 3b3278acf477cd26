"""What was exported from the workbooks, and the list of notifications by which it is collected."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.bell.data import numbered_accounts
from sandbox.bell.monthly import REPORTS, monthly_workbook
from sandbox.invented import Month, month_of
from sandbox.scripted.call import Call, Reply
from sandbox.scripted.downloads import offer
from sandbox.scripted.files import XLSX_TYPE, File
from sandbox.scripted.state import ScriptedState
from sandbox.users import User

ALL = "All"
HOUR = 3_600
DAY = 24 * HOUR


@dataclass(frozen=True, slots=True)
class Notification:
    """An entry of the list. accounts: numbers; at: Unix seconds when it came; failed: an export that came to nothing."""

    id: str
    slug: str
    accounts: tuple[str, ...]
    month: Month
    at: float
    account_text: str
    failed: bool = False


async def export(call: Call, slug: str, month: Month, shown: tuple[str, ...], accounts: tuple[str, ...]) -> Reply:
    """Have a workbook made as XLSX; shown: the accounts that the page speaks of, accounts: those that the file holds."""
    if call.user.says(f"export-fails-{hyphened(slug)}"):
        return _toast("The export failed. Please try again later.")
    slow = call.user.says("slow-report")
    seconds = call.user.number("report", call.setting("slow_report_seconds" if slow else "report_seconds"))
    entry = {
        "id": secrets.token_hex(8),
        "slug": slug,
        "accounts": list(accounts),
        "month": month.short,
        "at": call.portal.now() + seconds,
        "account_text": account_text(shown),
        "failed": call.user.says(f"report-fails-{hyphened(slug)}"),
    }
    call.portal.counters.add("exports_asked")
    call.portal.counters.add_to("exports_of", slug)
    kept = call.portal.state.table("exports").get(call.user.name, {"entries": []})
    call.portal.state.table("exports")[call.user.name] = {"entries": [*kept["entries"], entry]}  # the counts with it
    return _toast("Your export is being prepared. You will be notified when it is ready.")


async def show(call: Call) -> Reply:
    """Show the list, and look again in a moment."""
    entries = [_drawn(call, each) for each in _arrived(call)]
    html = call.render("notifications", entries=entries)
    again = {"act": "notifications", "delay": call.setting("status_ms")}
    return {"show": {"[data-place=notifications]": html}, "again": again}


async def dismiss(call: Call) -> Reply:
    """Take an entry off the list."""
    wanted = call.value("value")
    if any(each.id == wanted for each in _arrived(call)):
        kept = call.portal.state.table("dismissed").get(call.user.name, {"ids": []})
        call.portal.state.table("dismissed")[call.user.name] = {"ids": [*kept["ids"], wanted]}
        call.portal.counters.add("dismissals")
    return await show(call)


async def download(call: Call) -> Reply:
    """Hand out the file of an entry."""
    found = next((each for each in _arrived(call) if each.id == call.value("value") and not each.failed), None)
    if found is None:
        return _toast("This file is not available.")
    rows = int(call.setting("monthly_rows"))
    name = f"{REPORTS[found.slug].label}.xlsx"
    content = lambda: monthly_workbook(found.slug, found.accounts, found.month, rows)  # noqa: E731
    return offer(call, File(found.slug, name, XLSX_TYPE, content))


def check_planted(planted: Any) -> str:
    """Return what is wrong with the configuration's `notifications`, as one sentence; "" when nothing is."""
    if isinstance(planted, list) and all(isinstance(entry, dict) and _is_whole(entry) for entry in planted):
        return ""
    slugs = ", ".join(REPORTS)
    return f"Each of notifications needs a report ({slugs}), an account, a month like Oct 2026 and an age in seconds."


def _is_whole(entry: Mapping[str, Any]) -> bool:
    known = entry.get("report") in REPORTS and month_of(str(entry.get("month", ""))) is not None
    return known and "account" in entry and isinstance(entry.get("age"), int | float)


def account_text(accounts: tuple[str, ...]) -> str:
    """Return how the portal writes a choice of accounts."""
    return ALL if len(accounts) != 1 else accounts[0]


def hyphened(slug: str) -> str:
    """Return a report's slug as tags write it."""
    return slug.replace("_", "-")


def _arrived(call: Call) -> list[Notification]:
    """Return what the list holds now, newest first."""
    own = call.portal.state.table("exports").get(call.user.name, {"entries": []})["entries"]
    found = [_notification(entry) for entry in own] + _planted(call) + _former(call)
    dismissed = call.portal.state.table("dismissed").get(call.user.name, {"ids": []})["ids"]
    now = call.portal.now()
    return sorted(
        (each for each in found if each.id not in dismissed and each.at <= now), key=lambda each: each.at, reverse=True
    )


def _notification(entry: Mapping[str, Any]) -> Notification:
    month = month_of(entry["month"])
    assert month is not None
    accounts = tuple(entry["accounts"])
    return Notification(
        entry["id"], entry["slug"], accounts, month, entry["at"], entry["account_text"], entry["failed"]
    )


def _planted(call: Call) -> list[Notification]:
    """Return the entries that the configuration puts on the list, for all users or for one."""
    found = []
    for number, entry in enumerate(call.setting("notifications")):
        month, account = month_of(entry["month"]), str(entry["account"])
        if month is None or User.of(entry.get("user", call.user.name)).name != call.user.name:
            continue
        identity = f"planted-{number}-{entry['at']}"
        accounts = (account,) if account != ALL else tuple(call.accounts)
        found.append(
            Notification(identity, entry["report"], accounts, month, entry["at"], account, bool(entry.get("failed")))
        )
    return found


def _former(call: Call) -> list[Notification]:
    """Return what other runs left behind, in the scenario `stale-notifications`: right but old, or new but about others."""
    if not call.user.says("stale-notifications"):
        return []
    own, other = call.accounts[0], numbered_accounts(f"former {call.user.name}", 1)[0]
    newest, older, first = call.months[0], call.months[1], call.portal.passwords.row(call.user.name)["first_seen"]
    planted = [(own, newest, 3 * HOUR), (own, newest, 9 * DAY), (other, newest, 60), (own, older, 120)]
    return [
        Notification(f"former-{slug}-{number}", slug, (account,), month, first - age, account)
        for slug in REPORTS
        for number, (account, month, age) in enumerate(planted)
    ]


def stamp(portal: ScriptedState, planted: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return planted entries with the time at which each came."""
    return [{"at": portal.now() - float(entry["age"]), **entry} for entry in planted]


def age_text(seconds: float) -> str:
    """Return an age as the list writes it."""
    minutes, hours, days = round(seconds / 60), round(seconds / HOUR), round(seconds / DAY)
    if seconds < 45:
        return "a few seconds ago"
    if seconds < 90:
        return "a minute ago"
    if minutes < 45:
        return f"{minutes} minutes ago"
    if minutes < 90:
        return "an hour ago"
    if hours < 22:
        return f"{hours} hours ago"
    if hours < 36:
        return "a day ago"
    if days < 26:
        return f"{days} days ago"
    if days < 46:
        return "a month ago"
    return f"{round(days / 30)} months ago"


def _drawn(call: Call, each: Notification) -> dict[str, Any]:
    return {
        "id": each.id,
        "report": REPORTS[each.slug].label,
        "account": each.account_text,
        "month": each.month.short,
        "age": age_text(call.portal.now() - each.at),
        "failed": each.failed,
    }


def _toast(sentence: str) -> Reply:
    return {"show": {"[data-place=toast]": f'<p role="status">{sentence}</p>'}}
