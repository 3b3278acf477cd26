"""My reports: what was asked for, with account, month, day and status; completed ones are downloaded through a menu and a dialog."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Any

from sandbox.globys.tables import file_rows
from sandbox.invented import Month, month_of, published_months
from sandbox.scripted.call import Call, Reply
from sandbox.scripted.downloads import offer
from sandbox.scripted.files import CSV_TYPE, XLSX_TYPE, File
from sandbox.tables import as_csv, changed
from sandbox.tmobile.choice import BILLING, CATALOGUE, Template
from sandbox.tmobile.material import alert, dialog, menu, ordered
from sandbox.workbooks import workbook

TAB, DAY = "history", 86_400
COMPLETED, PENDING, FAILED = "Completed", "In progress", "Failed"
ROWS = "[data-place=history]"
LOADING = '<p aria-busy="true">Loading</p>'


def ask(call: Call, template: Template, account: str, month: Month) -> None:
    """Take a request for a report."""
    slow = call.user.says("slow-report")
    seconds = call.user.number("report", call.setting("slow_report_seconds" if slow else "report_seconds"))
    entry = {"id": secrets.token_hex(8), "key": template.key, "account": account, "at": call.portal.now()}
    entry |= {"seconds": seconds, "month": month.short if template.tab == BILLING else ""}
    entry["fails"] = call.portal.troubled(call.user, "report-fails", template.key)
    call.portal.state.table("reports")[call.user.name] = {"entries": [entry, *_kept(call)]}
    call.portal.counters.add("reports_asked")


def _kept(call: Call) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = call.portal.state.table("reports").get(call.user.name, {"entries": []})["entries"]
    return list(entries)


def _entries(call: Call) -> list[dict[str, Any]]:
    """Return the reports, newest first, with what else the list holds in the scenario `former-reports`."""
    if not call.user.says("former-reports"):
        return _kept(call)
    own, now, newest = call.accounts[0], call.portal.now(), call.months[0]
    other = call.portal.people.numbered(f"former {call.user.name}", 1)[0]
    made = []
    for template in (each for each in CATALOGUE if each.slug):
        month = newest.short if template.tab == BILLING else ""
        alike = next(each for each in CATALOGUE if not each.slug and each.tab == template.tab)
        above = [(template, other, month, 60.0), (template, f"{own}0", month, 90.0), (alike, own, month, 120.0)]
        if month:
            above.append((template, own, newest.before.short, 150.0))
        made += [*above, (template, own, month, 2.0 * DAY)]
    listed = [
        {"id": f"former-{place}", "key": each.key, "account": account, "month": month, "at": now - age, "seconds": 0}
        for place, (each, account, month, age) in enumerate(made)
    ]
    return sorted([*listed, *_kept(call)], key=lambda entry: entry["at"], reverse=True)


def _status(call: Call, entry: dict[str, Any]) -> str:
    if entry["id"].startswith("former-"):
        return COMPLETED
    if call.user.says("report-never") or call.portal.now() - entry["at"] < entry["seconds"]:
        return PENDING
    return FAILED if entry.get("fails") else COMPLETED


def _template(entry: dict[str, Any]) -> Template:
    return next(each for each in CATALOGUE if each.key == entry["key"])


def _row(call: Call, entry: dict[str, Any]) -> dict[str, str]:
    ran = datetime.fromtimestamp(entry["at"], call.portal.zone).date()
    said = f"{ran:%b} {ran.day}, {ran.year}"
    return {
        "id": entry["id"],
        "name": _template(entry).listed,
        "detail": " | ".join(filter(None, (entry["month"], entry["account"]))),
        "ran": said if call.user.says("run-date-plain") else said.replace(" ", "\N{NO-BREAK SPACE}"),
        "status": _status(call, entry),
    }


def opened(call: Call, heads: dict[str, str]) -> Reply:
    """Show the tab; its rows come a moment later, and anew each time that the tab is shown."""
    return {"delay": call.delay, "show": heads | {"[data-place=tab]": call.render("history")}} | _soon(call)


def _soon(call: Call, **values: str) -> Reply:
    return {"again": {"act": "list-reports", "delay": call.setting("list_ms"), "values": values}}


async def reload(call: Call) -> Reply:
    """Load the list again."""
    return {"show": {ROWS: LOADING}} | _soon(call)


async def list_reports(call: Call) -> Reply:
    """Show the rows, or a dialog in their place; some perturbations show the first of them first."""
    if call.user.says("went-wrong-always") or call.portal.troubled(call.user, "went-wrong", most=1):
        return {"show": {ROWS: ""}} | dialog(call, "went_wrong")
    rows = [_row(call, entry) for entry in _entries(call)]
    by_id = {row["id"]: row for row in rows}
    rows = [by_id[own] for own, _ in ordered(call, "history", [(row["id"], "") for row in rows])]
    if call.perturbation.touches("two-steps", "history") and not call.value("whole"):
        return {"show": {ROWS: call.render("history_rows", rows=rows[: len(rows) // 2])}} | _soon(call, whole="1")
    return {"show": {ROWS: call.render("history_rows", rows=rows)}}


async def open_menu(call: Call) -> Reply:
    """Open the menu of a report."""
    return menu(call, [("", "Run again"), ("open-download", "Download"), ("", "Delete")], call.value("value"))


def _ready(call: Call) -> dict[str, Any] | None:
    entry = next((each for each in _entries(call) if each["id"] == call.value("value")), None)
    return entry if entry is not None and _status(call, entry) == COMPLETED else None


async def open_download(call: Call) -> Reply:
    """Open the dialog from which a report is downloaded."""
    entry = _ready(call)
    if entry is None:
        return alert("history-error", "This report is not ready yet.")
    return dialog(call, "download", row=_row(call, entry))


async def download(call: Call) -> Reply:
    """Hand out a completed report."""
    entry = _ready(call)
    if entry is None:
        return alert("history-error", "This report is no longer available.")
    user, people, account, template = call.user, call.portal.people, entry["account"], _template(entry)
    if user.says("wrong-account-file"):
        account = people.numbered(f"wrong file {user.name}", 1)[0]
    asked = datetime.fromtimestamp(entry["at"], call.portal.zone).date()
    month = month_of(entry["month"]) or published_months(asked, 1)[0]
    month = month.before if user.says("wrong-month") else month
    rows = file_rows(user, people, template.slug, account, month, int(call.setting("report_rows")))
    table = changed(call.perturbation, rows)
    name = f"{template.listed.replace(' ', '_')}_{asked:%Y%m%d}"
    call.portal.counters.add_to("exports_of", template.slug or template.key)
    kind = template.slug or "report"
    if call.perturbation.touches("csv", kind):
        return offer(call, File(kind, f"{name}.csv", CSV_TYPE, lambda: as_csv(table)))
    return offer(call, File(kind, f"{name}.xlsx", XLSX_TYPE, lambda: workbook("Report", table)))
