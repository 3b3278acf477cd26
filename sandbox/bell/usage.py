"""Usage details: pools, filter, and the daily usage file."""

from __future__ import annotations

from sandbox.bell.data import FILTERS, numbered_accounts, pools, usage_rows
from sandbox.bell.landing import accounts_page, framed
from sandbox.scripted.call import Call, Reply
from sandbox.scripted.downloads import offer
from sandbox.scripted.files import CSV_TYPE, XLSX_TYPE, File
from sandbox.tables import as_csv, changed
from sandbox.workbooks import Cell, workbook

# Tags that leave the list of filters with less than all of it.
NARROWED = {"filter-medium": 1, "filter-corp": 2, "filter-na": 3, "filter-unlimited": 4}


def filters(call: Call) -> list[tuple[str, str]]:
    """Return (value, label) of the filters that the user has."""
    every = [(str(index + 10), label) for index, label in enumerate(FILTERS)]
    if call.user.says("no-filter"):
        return []
    named = [index for tag, index in NARROWED.items() if call.user.says(tag)]
    return [every[index] for index in named] or every


def details(call: Call) -> Reply:
    """The page, first without its figures, which come a moment later."""
    choose = accounts_page(call, "Usage details", selection=False)
    if choose is not None:
        return choose
    call.keep(filter=None)
    reply = framed(call, "Usage details", call.render("usage", filters=filters(call)))
    return reply | {"again": {"act": "pools", "delay": call.setting("pools_ms")}}


async def show_pools(call: Call) -> Reply:
    """Show the shared data of the account."""
    count = 0 if call.user.says("no-pools") else int(call.user.number("pools", 2))
    html = call.render("pools", pools=pools(call.account or "", call.today, count))
    return {"show": {"[data-place=pools]": html}}


async def choose_filter(call: Call) -> Reply:
    """Narrow the view; the file will hold what the view shows."""
    label = dict(filters(call)).get(call.value("filter"))
    call.keep(filter=label)
    html = call.render("usage_table", shown=label) if label else ""
    return {"delay": call.setting("filter_ms"), "show": {"[data-place=table]": html, "[data-place=usage-error]": ""}}


async def download(call: Call) -> Reply:
    """Hand out the file of the account, the day and the view."""
    account, chosen = call.account, call.data.get("filter")
    if account is None or not chosen:
        return {"show": {"[data-place=usage-error]": "Choose a view first."}}
    perturbation = call.perturbation
    rows = changed(perturbation, _rows(call, account, chosen))
    if perturbation.touches("csv", "usage"):
        return offer(call, File("usage", "report_usage_details.csv", CSV_TYPE, lambda: as_csv(rows)))
    content = lambda: workbook("Usage details", rows)  # noqa: E731
    return offer(call, File("usage", "report_usage_details.xlsx", XLSX_TYPE, content))


def _rows(call: Call, account: str, chosen: str) -> list[list[Cell]]:
    """Return the file's table: with rows of another account in `mixed-file`, without accounts in `unnamed-file`."""
    rows = usage_rows(account, call.today, chosen)
    if call.user.says("mixed-file"):
        rows += usage_rows(numbered_accounts(f"mixed file {call.user.name}", 1)[0], call.today, chosen)[1:]
    return [row[1:] for row in rows] if call.user.says("unnamed-file") else rows
