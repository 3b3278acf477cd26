"""View Bills: a bill date, the list of accounts, and the viewer in a frame with a menu for the PDF."""

from __future__ import annotations

from typing import Any

from sandbox.globys.invoices import invoice_pdf, of_user
from sandbox.invented import Month
from sandbox.rogers.frames import alert, content, framed
from sandbox.rogers.pages import BILL, BILLS, SHELL, VIEWER, shown_number
from sandbox.rogers.state import billed_on
from sandbox.scripted.call import Call, Reply
from sandbox.scripted.downloads import offer
from sandbox.scripted.files import PDF_TYPE, File

ACCOUNTS = "accountsView"
VIEWS = (("summaryView", "Summary"), (ACCOUNTS, "Accounts"), ("usersView", "Users"))


def _state(call: Call) -> dict[str, Any]:
    kept: dict[str, Any] = call.data.get("bills", {})
    month = call.months[1] if len(call.months) > 1 else call.months[0]
    return {"month": month.short, "view": VIEWS[0][0], "account": "", "bill_month": ""} | kept


def _keep(call: Call, **changes: Any) -> None:
    call.keep(bills=_state(call) | changes)


def _month(call: Call, key: str = "month") -> Month:
    return next((each for each in call.months if each.short == _state(call)[key]), call.months[0])


def _value(call: Call, month: Month) -> str:
    """Return the value of a bill date."""
    return f"{billed_on(call.accounts[0], month):%d-%b-%Y}"


def _form(call: Call) -> dict[str, Any]:
    dates = [(_value(call, month), f"{billed_on(call.accounts[0], month):%B %d, %Y}") for month in call.months]
    return {"dates": dates, "date": _value(call, _month(call)), "views": VIEWS, "view": _state(call)["view"]}


def page(call: Call) -> Reply:
    """The page of bills."""
    _keep(call, view=VIEWS[0][0])
    return framed(call, "View Bills", "bills", **_form(call))


async def choose_date(call: Call) -> Reply:
    """Choose a bill date, which puts the view back; in the scenario `month-filter-fails` the date stays."""
    month = next((each for each in call.months if _value(call, each) == call.value("invoice_dates")), None)
    if month is not None and not call.user.says("month-filter-fails"):
        _keep(call, month=month.short)
    _keep(call, view=VIEWS[0][0])
    shown = {"[data-place=bill-form]": call.render("bill_form", **_form(call)), "[data-place=bills]": ""}
    return {"delay": call.delay, "show": shown}


async def choose_view(call: Call) -> Reply:
    """Choose what is listed."""
    chosen = call.value("invoiceShowTypeList")
    if chosen not in dict(VIEWS):
        return {"show": {"[data-place=bills]": ""}}
    _keep(call, view=chosen)
    again = {"act": "list-bills", "delay": call.setting("report_ms")}
    return {"show": {"[data-place=bills]": '<p aria-busy="true">Loading</p>'}, "again": again}


async def list_bills(call: Call) -> Reply:
    """List the bills of all accounts, or their sum."""
    month, user, people = _month(call), call.user, call.portal.people
    accounts = list(call.accounts)
    if user.says("namesake-first"):
        accounts.insert(0, f"{accounts[0]}0")
    if user.says("row-other-first", "rows-move"):
        accounts.insert(0, people.numbered(f"row {user.name}", 1)[0])
    rows = [_bill(call, account, month) for account in accounts]
    shown = call.render("bill_list", rows=rows, by_account=_state(call)["view"] == ACCOUNTS)
    return {"show": {"[data-place=bills]": shown}}


def _bill(call: Call, account: str, month: Month) -> dict[str, Any]:
    invoice = of_user(call.user, account, month, "CAD")
    about = {"number": invoice.number, "start": invoice.start, "end": month.last_day, "due": invoice.due}
    return about | {"account": account, "shown": shown_number(account), "total": f"${invoice.total:,.2f}"}


async def open_bill(call: Call) -> Reply:
    """Open the viewer with the bill of a row."""
    account, other = call.value("value"), call.portal.people.numbered(f"row {call.user.name}", 1)[0]
    if account not in {*call.accounts, other, f"{call.accounts[0]}0"}:
        return alert("bill-error", "This bill is not available.")
    if call.user.says("rows-move"):
        account = other
    if call.user.says("dialog-stays"):
        account = call.accounts[-1]
    account = call.portal.people.opened(call.user, account, call.accounts)
    _keep(call, account=account, bill_month=_state(call)["month"])
    return {"delay": call.delay, "go": call.at(BILL)}


def bill(call: Call) -> Reply:
    """The page around the viewer's frame."""
    if not _state(call)["account"]:
        return {"go": call.at(BILLS)}
    nested = call.user.says("viewer-nested", "layout-b") or call.perturbation.touches("wrappers", "viewer")
    return framed(call, "Bill", "bill", source=call.at(SHELL if nested else VIEWER))


def shell(call: Call) -> Reply:
    """A frame around the viewer's frame."""
    return content(call, "bill_shell", source=call.at(VIEWER))


def viewer(call: Call) -> Reply:
    """The viewer, first without the bill."""
    wait = call.setting("late_ms" if call.user.says("viewer-late") else "report_ms")
    return content(call, "viewer") | {"again": {"act": "show-bill", "delay": wait}}


async def show_bill(call: Call) -> Reply:
    """Show the bill, and the menu from which it is saved."""
    account = _state(call)["account"]
    if not account or call.user.says("viewer-fails"):
        return alert("bill", "We are unable to display this bill right now.")
    month, complete = _month(call, "bill_month"), not call.user.says("no-complete-bill")
    about = {"bill": _bill(call, account, month), "menu_ms": call.setting("menu_ms")}
    return {"show": {"[data-place=bill]": call.render("viewer_bill", complete=complete, **about)}}


async def download(call: Call) -> Reply:
    """Hand out the bill that the viewer shows."""
    account, month = _state(call)["account"], _month(call, "bill_month")
    if not account:
        return {}
    if call.user.says("wrong-account-file"):
        account = call.portal.people.numbered(f"wrong file {call.user.name}", 1)[0]
    if call.user.says("wrong-month"):
        month = month.before
    invoice = of_user(call.user, account, month, "CAD")
    name = f"Rogers-{billed_on(account, month):%Y-%m-%d}.pdf"
    return offer(call, File("invoice", name, PDF_TYPE, lambda: invoice_pdf(invoice)))
