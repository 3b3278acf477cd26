"""Reports that are made on request: asked for, listed under My Requests until they expire, collected as ZIP."""

from __future__ import annotations

import secrets
from datetime import date, datetime, timedelta
from typing import Any

from sandbox.globys.tables import file_rows
from sandbox.invented import published_months
from sandbox.rogers.extracts import extract_zip
from sandbox.rogers.frames import alert
from sandbox.rogers.pages import shown_number
from sandbox.scripted.call import Call, Reply
from sandbox.scripted.downloads import offer
from sandbox.scripted.files import ZIP_TYPE, File
from sandbox.tables import changed

NAME, DAY = "Hardware Upgrade Eligibility Report", 86_400
COMPLETED, PENDING, FAILED = "Completed", "Pending", "Failed"


def ask(call: Call, name: str, account: str) -> None:
    """Take a request."""
    slow = call.user.says("slow-report")
    seconds = call.user.number("report", call.setting("slow_report_seconds" if slow else "report_seconds"))
    days = int(call.setting("expiry_days"))
    kept = _kept(call)
    if call.user.says("report-expired") and not kept:
        days = -1
    entry = {"id": secrets.token_hex(8), "name": name, "account": account, "at": call.portal.now(), "days": days}
    call.portal.state.table("requests")[call.user.name] = {"entries": [entry | {"seconds": seconds}, *kept]}
    call.portal.counters.add("reports_asked")


def _kept(call: Call) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = call.portal.state.table("requests").get(call.user.name, {"entries": []})["entries"]
    return list(entries)


def _entries(call: Call) -> list[dict[str, Any]]:
    """Return the requests, newest first, with what else the list holds in the scenario `former-reports`."""
    if not call.user.says("former-reports"):
        return _kept(call)
    own, now, days = call.accounts[0], call.portal.now(), int(call.setting("expiry_days"))
    other = call.portal.people.numbered(f"former {call.user.name}", 1)[0]
    above = [(NAME, other, 60.0), (f"{NAME} by Cost Centre", own, 90.0), (NAME, f"{own}0", 120.0)]
    below = [(NAME, own, DAY * (days + 2.0))]

    def former(place: int, name: str, account: str, age: float) -> dict[str, Any]:
        when = {"at": now - age, "days": days, "seconds": 0}
        return {"id": f"former-{place}", "name": name, "account": account} | when

    listed = [former(place, *said) for place, said in enumerate((*above, *below))]
    return [*listed[: len(above)], *_kept(call), *listed[len(above) :]]


def _status(call: Call, entry: dict[str, Any]) -> str:
    if entry["id"].startswith("former-"):
        return COMPLETED
    if call.user.says("report-never") or call.portal.now() - entry["at"] < entry["seconds"]:
        return PENDING
    return FAILED if call.user.says("report-fails") else COMPLETED


def _expiry(call: Call, entry: dict[str, Any]) -> date:
    return datetime.fromtimestamp(entry["at"], call.portal.zone).date() + timedelta(days=entry["days"])


def _drawn(call: Call) -> str:
    rows = [
        {
            "id": entry["id"],
            "name": entry["name"],
            "account": shown_number(entry["account"]),
            "status": _status(call, entry),
            "expiry": f"{_expiry(call, entry):%m/%d/%Y}",
            "ready": _status(call, entry) == COMPLETED,
        }
        for entry in _entries(call)
    ]
    return call.render("requests", rows=rows)


async def show(call: Call) -> Reply:
    """Show the list of requests in the place of the form; it is drawn anew again and again."""
    tab = call.render("requests_tab", listed=_drawn(call))
    return {"delay": call.delay, "show": {"[data-place=tab]": tab}, "again": _soon(call)}


async def show_again(call: Call) -> Reply:
    """Show the list of requests as it is now."""
    return {"show": {"[data-place=requests]": _drawn(call)}, "again": _soon(call)}


def _soon(call: Call) -> dict[str, Any]:
    return {"act": "requests-status", "delay": call.setting("status_ms")}


async def download(call: Call) -> Reply:
    """Hand out an extract that is completed and not past its expiry date."""
    entry = next((each for each in _entries(call) if each["id"] == call.value("value")), None)
    if entry is None or _status(call, entry) != COMPLETED or _expiry(call, entry) < call.today:
        return alert("request-error", "This file is no longer available.")
    user, people, account = call.user, call.portal.people, entry["account"]
    if user.says("wrong-account-file", "foreign-extract"):
        account = people.numbered(f"wrong file {user.name}", 1)[0]
    asked = datetime.fromtimestamp(entry["at"], call.portal.zone).date()
    month = published_months(asked, 1)[0]
    month = month.before if user.says("wrong-month") else month
    rows = changed(call.perturbation, file_rows(user, people, "bcr", account, month, int(call.setting("report_rows"))))
    columns = len(rows[0]) - 1 if user.says("header-differs") else None
    with_header = not user.says("header-missing")
    call.portal.counters.add_to("exports_of", "bcr")
    name = f"HardwareUpgradeEligibility_{asked:%Y%m%d}"
    return offer(
        call, File("bcr", f"{name}.zip", ZIP_TYPE, lambda: extract_zip(name, month, rows, with_header, columns))
    )
