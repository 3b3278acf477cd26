"""Usage of the cycle that runs: a kind is chosen and downloaded as CSV; the account's history comes as JSON that the page asks for."""

from __future__ import annotations

from typing import Any

from sandbox.globys.tables import file_rows
from sandbox.invented import Month, number
from sandbox.jsons import Shape
from sandbox.known import known_of
from sandbox.scripted.call import Call, Reply
from sandbox.scripted.downloads import offer
from sandbox.scripted.files import CSV_TYPE, File
from sandbox.tables import as_csv, changed
from sandbox.tmobile.billing import cycle_of, state
from sandbox.tmobile.material import fill, panel, shown_in
from sandbox.tmobile.pages import QUERIES

ALL = "All usage"
KINDS = ("Data usage", "Voice usage", "Messages", ALL)
HISTORY = 6  # months of the history, with the one that runs
UNKNOWN = "Not available"


def usage_tab(call: Call) -> str:
    """Return the tab of usage."""
    return call.render("usage_tab", kind=state(call)["usage"] or KINDS[0])


async def open_kinds(call: Call) -> Reply:
    """Open the list of kinds of usage."""
    return panel(call, "choose-usage", [(kind, kind) for kind in KINDS])


async def fill_kinds(call: Call) -> Reply:
    """Fill the list that was opened empty."""
    return fill(call, "choose-usage", [(kind, kind) for kind in KINDS])


async def choose_kind(call: Call) -> Reply:
    """Choose a kind of usage; in the scenario `usage-filter-fails` nothing changes."""
    if call.value("value") in KINDS and not call.user.says("usage-filter-fails"):
        call.keep(bills=state(call) | {"usage": call.value("value")})
    return {"delay": shown_in(call), "show": {"[data-place=tab]": usage_tab(call)}}


def running(call: Call) -> Month:
    """Return the month in which the cycle ends that runs today."""
    this = Month(call.today.year, call.today.month)
    return this if cycle_of(call, this)[1] >= call.today else this.after


async def download(call: Call) -> Reply:
    """Hand out the usage of the kind that is shown."""
    account, user, people = state(call)["account"], call.user, call.portal.people
    if not account:
        return {}
    if user.says("wrong-account-file"):
        account = people.numbered(f"wrong file {user.name}", 1)[0]
    rows = file_rows(user, people, "daily_usage", account, running(call), int(call.setting("report_rows")))
    whole = state(call)["usage"] == ALL
    table = changed(call.perturbation, rows if whole else rows[: len(rows) // 3])
    call.portal.counters.add_to("exports_of", "usage" if whole else "usage_part")
    name = f"Usage_{call.today:%Y%m%d}.csv"
    return offer(call, File("usage" if whole else "usage_part", name, CSV_TYPE, lambda: as_csv(table)))


def asked(call: Call) -> dict[str, Any]:
    """Return the requests that the page of a bill makes by itself: address, whether the history is wanted, and their token."""
    address = QUERIES[0]
    if call.perturbation.touches("addresses", "query"):
        address = call.perturbation.choose("addresses", "query", QUERIES)
    whole = [{"address": address, "hints": "1"}]
    twice = [{"address": address, "hints": ""}, *whole]
    return {"queries": twice if call.user.says("query-twice") else whole, "token": call.token()}


def documents(call: Call) -> dict[str, Any]:
    """Return the answer to a request for documents: the bills and, if it is wanted, the months' usage in GB."""
    account = state(call)["account"]
    bills = [{"documentId": f"{number('document', account, each.short, below=10**9)}"} for each in call.months[:3]]
    told: dict[str, Any] = {"documents": bills, "total": len(bills)}
    if call.value("hints"):
        told["presentationHints"] = {"currency": "USD", "recentUsageHistory": _history(call, account)}
    shape = Shape(call.perturbation, known_of(call.portal.word))
    changed_ones: dict[str, Any] = shape.changed(told)
    return changed_ones


def _history(call: Call, account: str) -> list[dict[str, str]]:
    month, entries = running(call), []
    for place in range(HISTORY):
        used = number("pool", account, month.short, below=200_000)
        said = f"{used / 100:.2f}"
        if place or not call.user.says("usage-missing"):
            unknown = not place and call.user.says("usage-unknown")
            entry = {"date": f"{cycle_of(call, month)[1]:%Y-%m-%d}", "data": UNKNOWN if unknown else said}
            entries.append(entry | {"voice": str(used % 977), "messages": str(used % 613)})
        month = month.before
    return entries
