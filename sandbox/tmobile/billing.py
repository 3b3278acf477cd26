"""The list of bills, searched by account, and what the page of an account's bill holds: which account, which period, which tab."""

from __future__ import annotations

from datetime import date
from typing import Any

from sandbox.globys.invoices import Invoice, of_user
from sandbox.invented import Month
from sandbox.scripted.call import Call, Reply
from sandbox.tmobile.material import alert, framed, ordered
from sandbox.tmobile.pages import BILL
from sandbox.tmobile.state import closing

ROWS = "[data-place=bills]"
LOADING = '<p aria-busy="true">Loading</p>'


def state(call: Call) -> dict[str, Any]:
    """
    Return what the session holds of bills.

    account: the one with the open bill, or "". period: short name of a month, or "" for the current one. usage: the kind that is shown.
    """
    kept: dict[str, Any] = call.data.get("bills", {})
    return {"listed": [], "account": "", "period": "", "usage": ""} | kept


def keep(call: Call, **changes: Any) -> None:
    """Change what the session holds of bills."""
    call.keep(bills=state(call) | changes)


def page(call: Call) -> Reply:
    """The page with the list of bills: of all accounts, the user's last one first, until one is searched for."""
    keep(call, listed=_with_others(call, list(reversed(call.accounts))))
    return framed(call, "Billing", "billing") | _soon(call)


def _soon(call: Call) -> Reply:
    return {"again": {"act": "list-bills", "delay": call.setting("list_ms")}}


async def search(call: Call) -> Reply:
    """
    Search for an account; in the scenario `filter-fails` the list stays as it is.

    Some perturbations show the former rows until the new ones are there.
    """
    wanted = call.value("account").strip()
    if not call.user.says("filter-fails"):
        keep(call, listed=_with_others(call, [account for account in call.accounts if wanted in account], wanted))
    shown = {} if call.perturbation.touches("former-rows", "bills") else {ROWS: LOADING}
    return {"delay": call.delay, "show": shown} | _soon(call)


def _with_others(call: Call, found: list[str], wanted: str = "") -> list[str]:
    """Return accounts with those that a scenario wants before them."""
    if call.user.says("namesake-first") and wanted:
        found = [f"{wanted}0", *found]
    if call.user.says("row-other-first", "rows-move"):
        found = [call.portal.people.numbered(f"row {call.user.name}", 1)[0], *found]
    return found


def invoice_of(call: Call, account: str, month: Month) -> Invoice:
    """Return the invoice of an account for a month."""
    return of_user(call.user, account, month, "USD", closing(call.user))


async def list_bills(call: Call) -> Reply:
    """Show the rows of the list."""
    listed = [account for account, _ in ordered(call, "bills", [(each, "") for each in state(call)["listed"]])]
    if call.user.says("row-other-first", "rows-move", "namesake-first"):
        listed = state(call)["listed"]
    rows = [{"account": account, "invoice": invoice_of(call, account, call.months[0])} for account in listed]
    return {"show": {ROWS: call.render("bill_rows", rows=rows)}}


async def open_bill(call: Call) -> Reply:
    """Open the bill of a row; in the scenario `rows-move` that of the first one."""
    chosen, listed = call.value("value"), state(call)["listed"]
    if chosen not in listed:
        return alert("bill-error", "This bill is not available.")
    account = listed[0] if call.user.says("rows-move") else chosen
    account = call.portal.people.opened(call.user, account, call.accounts)
    call.portal.counters.add("account_changes", int(account != state(call)["account"]))
    keep(call, account=account, period="", usage="")
    return {"delay": call.delay, "go": call.at(BILL)}


def cycle_of(call: Call, month: Month) -> tuple[date, date]:
    """Return first and last day of a month's cycle."""
    invoice = Invoice("", month, "", closing=closing(call.user))
    return invoice.start, invoice.end
