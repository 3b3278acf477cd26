"""Download PDF: what, which month, and the wait until the portal has the file."""

from __future__ import annotations

from decimal import Decimal

from sandbox.bell.data import invoice_pdf, numbered_accounts
from sandbox.bell.landing import accounts_page, framed
from sandbox.invented import Month
from sandbox.scripted.call import Call, Reply
from sandbox.scripted.downloads import offer
from sandbox.scripted.files import PDF_TYPE, ZIP_TYPE, File
from sandbox.users import User
from sandbox.workbooks import archive

PARTS = {"Y": "Complete invoice", "N": "Invoice summary"}


def choose(call: Call) -> Reply:
    """The page on which part and months are chosen."""
    accounts = accounts_page(call, "Download PDF", selection=True)
    if accounts is not None:
        return accounts
    call.keep(part="", months=[])
    return framed(call, "Download PDF", call.render("invoice"))


async def choose_part(call: Call) -> Reply:
    """Show the months of the part chosen."""
    call.keep(part=call.value("invoiceSelect"), months=[])
    return {"delay": call.delay, "show": {"[data-place=months]": call.render("months", months=call.months)}}


async def choose_months(call: Call) -> Reply:
    """Keep the months that are ticked."""
    _keep_months(call)
    return {}


async def prepare(call: Call) -> Reply:
    """Have the file made."""
    _keep_months(call)
    if call.data.get("part") not in PARTS or not call.data["months"]:
        return {"show": {"[data-place=invoice-error]": "Select what to download, and at least one month."}}
    call.keep(prepared=call.portal.now())
    return {"delay": call.delay, "go": call.at("Billing/Prepare")}


def prepared(call: Call) -> Reply:
    """The page on which the file is waited for."""
    if not call.data.get("months") or call.account is None:
        return {"go": call.at("Billing/DownloadPDF")}
    reply = framed(call, "Download PDF", call.render("prepare", month=", ".join(call.data["months"])))
    return reply | {"again": {"act": "invoice-ready", "delay": 0}}


async def ready(call: Call) -> Reply:
    """Show the button as soon as the file is made."""
    if call.portal.now() - call.data["prepared"] < call.user.number("pdf", call.setting("pdf_seconds")):
        return {"again": {"act": "invoice-ready", "delay": 200}}
    button = '<button type="button" id="downloadPDFNOWBtn" data-act="download-invoice">Download PDF now</button>'
    return {"show": {"[data-place=ready]": button}}


async def download(call: Call) -> Reply:
    """Hand out the invoice, or a ZIP where there are several files."""
    account, part = call.account, PARTS.get(call.data.get("part", ""))
    months = [month for month in call.months if month.name in call.data.get("months", [])]
    if account is None or part is None or not months:
        return {"go": call.at("Billing/DownloadPDF")}
    if len(months) > 1 or call.user.says("zip"):
        return offer(
            call, File("invoice", f"{account}_invoices.zip", ZIP_TYPE, lambda: _several(call.user, account, months))
        )
    name = f"{account}_{months[0].short.replace(' ', '_')}.pdf"
    return offer(call, File("invoice", name, PDF_TYPE, lambda: _one(call.user, account, months[0], part)))


def _one(user: User, account: str, month: Month, part: str) -> bytes:
    """The invoice, as it is or as a tag of its user wants it."""
    if user.says("invoice-other-account"):
        account = numbered_accounts(f"invoice of another than {account}", 1)[0]
    if user.says("invoice-other-month"):
        month = month.before
    return invoice_pdf(account, month, part, Decimal(10) if user.says("total-differs") else Decimal(0))


def _several(user: User, account: str, months: list[Month]) -> bytes:
    members = []
    summarized = numbered_accounts(f"member {user.name}", 1)[0] if user.says("foreign-member") else account
    for month in months:
        short = month.short.replace(" ", "_")
        members.append((f"invoices/{account}_{short}.pdf", invoice_pdf(account, month)))
        members.append((f"invoices/{account}_{short}_summary.pdf", invoice_pdf(summarized, month, "Invoice summary")))
    return archive(members)


def _keep_months(call: Call) -> None:
    ticked = call.values.get("month", [])
    offered = [month.name for month in call.months]
    call.keep(months=[name for name in offered if isinstance(ticked, list) and name in ticked])
