"""The reports' own application, in a tab: workspace, folder, workbooks with their filters, and the export."""

from __future__ import annotations

from typing import Any

from sandbox.bell import exports
from sandbox.bell.data import numbered_accounts
from sandbox.bell.exports import account_text, hyphened
from sandbox.bell.monthly import REPORTS, begins
from sandbox.invented import Line, Month, month_of
from sandbox.scripted.call import Call, Reply

NEAR = 10  # entries that a list shows before a search
PREVIEW_ROWS = 5


def start(call: Call) -> Reply:
    """The first page of the tab."""
    body = call.render("analytics", content=call.render("analytics_home"))
    return {"title": "Enhanced Mobility Reports", "body": body}


async def workspace(call: Call) -> Reply:
    """Show the tree."""
    return _content(call, call.render("analytics_workspace", shared=False))


async def shared(call: Call) -> Reply:
    """Show what others share: one folder."""
    return _content(call, call.render("analytics_workspace", shared=True))


async def open_folder(call: Call) -> Reply:
    """Show the cards of the workbooks."""
    cards = [
        (slug, report.label) for slug, report in REPORTS.items() if not call.user.says(f"card-missing-{hyphened(slug)}")
    ]
    return _content(call, call.render("analytics_folder", cards=[*cards, ("", "Data Pooling Report")]))


async def open_workbook(call: Call) -> Reply:
    """Begin to open a workbook, which takes a moment."""
    slug = call.value("value")
    if slug not in REPORTS or call.user.says(f"fails-{hyphened(slug)}"):
        return _content(call, '<p role="alert">The workbook could not be opened. Please try again later.</p>')
    wait = {"act": "show-workbook", "delay": call.setting("workbook_ms"), "values": {"workbook": slug}}
    return _content(call, '<p class="loading" aria-busy="true">Loading the workbook</p>') | {"again": wait}


async def show_workbook(call: Call) -> Reply:
    """Show a workbook with the filters that the session left there."""
    slug = call.value("workbook")
    if slug not in REPORTS:
        return _content(call, '<p role="alert">The workbook could not be opened. Please try again later.</p>')
    _keep(call, slug, pending=None)
    return _content(call, call.render("workbook", **_values(call, slug)))


async def choose_month(call: Call) -> Reply:
    """Choose an invoice month: it counts when the filters are applied, at once where they apply by themselves."""
    slug, month = call.value("workbook"), month_of(call.value("value"))
    if slug not in REPORTS or month is None or month not in call.months:
        return {}
    _keep(call, slug, pending=month.short)
    if _automatic(call):
        return await apply_filters(call)
    return {"show": {"[data-place=filters]": call.render("workbook_filters", **_values(call, slug))}}


async def apply_filters(call: Call) -> Reply:
    """Have the chosen filters count."""
    slug = call.value("workbook")
    if slug not in REPORTS:
        return {}
    pending = _state(call, slug)["pending"]
    if pending:
        _keep(call, slug, month=_applied(call, pending), pending=None)
    return _redrawn(call, slug)


async def choose_accounts(call: Call) -> Reply:
    """Narrow the table to the ticked accounts."""
    slug, ticked = call.value("workbook"), call.values.get("account")
    chosen = [account for account in call.accounts if isinstance(ticked, list) and account in ticked]
    if slug not in REPORTS:
        return {}
    if not chosen:
        return {"show": {"[data-place=toast]": '<p role="alert">Tick an entry first.</p>'}}
    _keep(call, slug, accounts=[call.portal.people.opened(call.user, account, call.accounts) for account in chosen])
    return _redrawn(call, slug)


async def toggle_automatic(call: Call) -> Reply:
    """Remember whether filters apply by themselves."""
    call.keep(automatic=bool(call.values.get("auto")))
    slug = call.value("workbook")
    return {"show": {"[data-place=filters]": call.render("workbook_filters", **_values(call, slug))}}


async def export(call: Call) -> Reply:
    """Export what the filters that count let through."""
    slug = call.value("workbook")
    if slug not in REPORTS:
        return {}
    shown = accounts = _accounts(call, slug)
    if call.user.says("wrong-account-file"):
        accounts = tuple(numbered_accounts(f"wrong file {call.user.name}", 1))
    return await exports.export(call, slug, _month(call, slug), shown, accounts)


def _content(call: Call, html: str) -> Reply:
    return {"delay": call.delay, "show": {"[data-place=content]": html, "[data-place=toast]": ""}}


def _redrawn(call: Call, slug: str) -> Reply:
    values = _values(call, slug)
    drawn = {
        "[data-place=filters]": call.render("workbook_filters", **values),
        "[data-place=table]": call.render("workbook_table", **values),
        "[data-place=toast]": "",
    }
    return {"delay": call.setting("filter_ms"), "show": drawn}


def _state(call: Call, slug: str) -> dict[str, Any]:
    """Return what the session keeps of a workbook: `month` and `pending` like `Oct 2026`, `accounts` (None: never chosen)."""
    state: dict[str, Any] = call.data["workbooks"].get(slug, {"month": None, "pending": None, "accounts": None})
    return state


def _keep(call: Call, slug: str, **changes: Any) -> None:
    call.keep(workbooks={**call.data["workbooks"], slug: {**_state(call, slug), **changes}})


def _automatic(call: Call) -> bool:
    return bool(call.data.get("automatic", call.user.says("auto-apply")))


def _applied(call: Call, chosen: str) -> str:
    """Return the month that counts when one is chosen: the one before it in the scenario `wrong-month`."""
    month = month_of(chosen)
    return month.before.short if month is not None and call.user.says("wrong-month") else chosen


def _month(call: Call, slug: str) -> Month:
    """Return the month in force: the second newest until one is chosen."""
    return month_of(_state(call, slug)["month"] or "") or call.months[1]


def _accounts(call: Call, slug: str) -> tuple[str, ...]:
    """Return the accounts in force: all of them until some are chosen."""
    chosen = _state(call, slug)["accounts"]
    if chosen is not None:
        return tuple(chosen)
    return tuple(call.accounts) if call.account is None else (call.account,)


def _values(call: Call, slug: str) -> dict[str, Any]:
    accounts, month = _accounts(call, slug), _month(call, slug)
    report = REPORTS[slug]
    lines = [Line(accounts[row % len(accounts)], month, row) for row in range(PREVIEW_ROWS)]
    return {
        "slug": slug,
        "label": report.label,
        "columns": report.columns,
        "rows": [["" if cell is None else str(cell) for cell in begins(line) + report.cells(line)] for line in lines],
        "month": month.short,
        "shown_month": _state(call, slug)["pending"] or month.short,
        "months": [each.short for each in call.months],
        "shown_account": account_text(accounts),
        "chosen": accounts,
        "automatic": _automatic(call),
        "near": NEAR,
        "search_ms": call.setting("search_ms"),
    }
