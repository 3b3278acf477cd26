"""The page of an account's bill: its period is chosen by days without a year, its PDF comes from a dialog."""

from __future__ import annotations

from datetime import date

from sandbox.globys.invoices import invoice_pdf
from sandbox.invented import Month, month_of
from sandbox.scripted.call import Call, Reply
from sandbox.scripted.downloads import offer
from sandbox.scripted.files import PDF_TYPE, File, document
from sandbox.tmobile.billing import cycle_of, invoice_of, keep, state
from sandbox.tmobile.material import alert, dialog, fill, framed, panel, shown_in
from sandbox.tmobile.pages import BILLING
from sandbox.tmobile.usage import asked, usage_tab

TABS = (("bill", "Bill"), ("usage", "Usage"))
CURRENT, HISTORICAL = "Current", "View historical"
PERIODS = 11  # a label is that of one year, also before the newest is there; but in the scenario `two-years`


def _day(day: date) -> str:
    return f"{day:%b} {day.day}"


def _periods(call: Call) -> list[tuple[str, str]]:
    """Return the options of the period: value and text."""
    dated = [
        (month.short, " - ".join(map(_day, cycle_of(call, month))))
        for month in call.months[: None if call.user.says("two-years") else PERIODS]
    ]
    return [(CURRENT, CURRENT), *dated, (HISTORICAL, HISTORICAL)]


def _month(call: Call) -> Month | None:
    """Return the month of the chosen period; None for the current one, which has no bill yet."""
    return month_of(state(call)["period"])


def page(call: Call) -> Reply:
    """The bill of an account, with its tabs; the page asks for its documents by itself."""
    account = state(call)["account"]
    if not account:
        return {"go": call.at(BILLING)}
    keep(call, period="", usage="")
    tab = _bill_tab(call)
    return framed(call, "Bill", "bill", tabs=TABS, open_tab="bill", content=tab, opened=account, **asked(call))


def _bill_tab(call: Call) -> str:
    month = _month(call)
    invoice = invoice_of(call, state(call)["account"], month) if month else None
    return call.render("bill_tab", period=_shown(call), invoice=invoice)


def _shown(call: Call) -> str:
    return dict(_periods(call)).get(state(call)["period"], CURRENT)


async def show_tab(call: Call) -> Reply:
    """Show a tab of the bill."""
    tab = call.value("value")
    if tab not in dict(TABS) or not state(call)["account"]:
        return {}
    heads = {"[data-place=tabs]": call.render("tabs", tabs=TABS, open_tab=tab, act="show-bill-tab")}
    drawn = _bill_tab(call) if tab == "bill" else usage_tab(call)
    return {"delay": call.delay, "show": heads | {"[data-place=tab]": drawn}}


async def open_periods(call: Call) -> Reply:
    """Open the list of periods."""
    return panel(call, "choose-cycle", _periods(call))


async def fill_periods(call: Call) -> Reply:
    """Fill the list that was opened empty."""
    return fill(call, "choose-cycle", _periods(call))


async def choose_period(call: Call) -> Reply:
    """Choose a period; in the scenario `month-filter-fails` nothing changes."""
    chosen = call.value("value")
    if chosen == HISTORICAL:
        return alert("bill-note", "Ask your account manager for older bills.")
    if chosen in dict(_periods(call)) and not call.user.says("month-filter-fails"):
        keep(call, period="" if chosen == CURRENT else chosen)
    return {"delay": shown_in(call), "show": {"[data-place=tab]": _bill_tab(call)}}


async def view_pdf(call: Call) -> Reply:
    """Open the dialog from which a bill is downloaded."""
    if _month(call) is None:
        return alert("bill-note", "The current bill is not ready yet.")
    return dialog(call, "pdf", call.delay, detailed=not call.user.says("no-detailed-bill"))


async def download(call: Call) -> Reply:
    """Hand out the bill that the page shows: all of it, or its first page."""
    account, month = state(call)["account"], _month(call)
    if not account or month is None:
        return {}
    if call.user.says("wrong-account-file"):
        account = call.portal.people.numbered(f"wrong file {call.user.name}", 1)[0]
    if call.user.says("wrong-month"):
        month = month.before
    invoice = invoice_of(call, account, month)
    whole = call.value("billType") == "detail" or call.user.says("no-detailed-bill")
    name = f"{'DetailedBill' if whole else 'SummaryBill'}_{invoice.end:%b%Y}.pdf"
    if whole:
        return offer(call, File("invoice", name, PDF_TYPE, lambda: invoice_pdf(invoice)))
    said = [f"Account number: {account}", f"Total amount due: {invoice.money(invoice.total)}"]
    return offer(call, File("invoice_summary", name, PDF_TYPE, lambda: document("Bill summary", said)))
