"""Bills: the details of the newest one, and the previous ones as cards in a tab that resets when an account is chosen."""

from __future__ import annotations

from typing import Any

from sandbox.globys.invoices import invoice_pdf, of_user
from sandbox.invented import Month
from sandbox.scripted.call import Call, Reply
from sandbox.scripted.downloads import offer
from sandbox.scripted.files import PDF_TYPE, File
from sandbox.verizon.filters import listed
from sandbox.verizon.landing import framed

TABS = ("Statement history", "Recent bills")
RECENT = TABS[1]


def _state(call: Call) -> dict[str, str]:
    kept: dict[str, str] = call.data.get("bills", {})
    return {"account": call.accounts[-1], "tab": TABS[0]} | kept


def _keep(call: Call, **changes: str) -> None:
    call.keep(bills=_state(call) | changes)


def details(call: Call) -> Reply:
    """The details of the newest bill, with the way to the previous ones."""
    account = _state(call)["account"]
    return framed(call, "Bill details", "bill", bill=_bill(call, account, call.months[0]))


def page(call: Call) -> Reply:
    """The previous bills."""
    _keep(call, tab=TABS[0])
    return framed(call, "Bills", "bills", **_form(call))


def _form(call: Call) -> dict[str, Any]:
    state = _state(call)
    return {"tabs": TABS, "tab": state["tab"], "chosen": state["account"], "listed": listed(call)}


def _bill(call: Call, account: str, month: Month) -> dict[str, Any]:
    invoice = of_user(call.user, account, month, "USD")
    return {
        "month": month.short,
        "account": account,
        "due": f"{invoice.due:%m/%d/%Y}",
        "total": f"${invoice.total:,.2f}",
    }


async def choose_account(call: Call) -> Reply:
    """Choose the account, which resets the tab: at once, or a moment later."""
    chosen, later = call.value("billAccount"), call.user.says("tab-resets-late")
    if chosen in listed(call) and not call.user.says("filter-fails"):
        opened = call.portal.people.opened(call.user, chosen, call.accounts)
        if opened != _state(call)["account"]:
            call.portal.counters.add("account_changes")
        _keep(call, account=opened)
    if not later:
        _keep(call, tab=TABS[0])
    shown = {"[data-place=bills]": call.render("bills_part", **_form(call))}
    again = {"act": "reset-bill-tab", "delay": call.setting("late_ms")} if later else None
    return {"delay": call.delay, "show": shown} | ({"again": again} if again else {})


async def reset_tab(call: Call) -> Reply:
    """Put the tab back."""
    _keep(call, tab=TABS[0])
    return {"show": {"[data-place=bills]": call.render("bills_part", **_form(call))}}


async def show_tab(call: Call) -> Reply:
    """Show a tab; its cards come later."""
    if call.value("value") in TABS:
        _keep(call, tab=call.value("value"))
    shown = {"[data-place=bills]": call.render("bills_part", **_form(call))}
    return {"delay": call.delay, "show": shown, "again": {"act": "list-bills", "delay": call.setting("report_ms")}}


async def list_bills(call: Call) -> Reply:
    """List the bills of the account as cards; the other tab has none."""
    state = _state(call)
    cards = [_bill(call, state["account"], month) for month in call.months] if state["tab"] == RECENT else []
    return {"show": {"[data-place=cards]": call.render("cards", cards=cards, chosen=state["account"])}}


async def download(call: Call) -> Reply:
    """Hand out the bill of a card."""
    month = next((each for each in call.months if each.short == call.value("value")), None)
    account, user = _state(call)["account"], call.user
    if month is None or _state(call)["tab"] != RECENT:
        return {"show": {"[data-place=bill-error]": '<p role="alert">This bill is not available.</p>'}}
    if user.says("download-never"):
        return {}
    if user.says("wrong-account-file"):
        account = call.portal.people.numbered(f"wrong file {user.name}", 1)[0]
    if user.says("wrong-month", "rows-move"):
        month = month.before
    invoice = of_user(user, account, month, "USD")
    name = f"MyBill_{month.number:02}{month.year}.pdf"
    return offer(call, File("invoice", name, PDF_TYPE, lambda: invoice_pdf(invoice)))
