"""Raw Data Download: a modal in which a month is chosen, and the ZIP of that month, which is about all accounts of the user."""

from __future__ import annotations

from sandbox.invented import Month
from sandbox.scripted.call import Call, Reply
from sandbox.scripted.downloads import offer
from sandbox.scripted.files import ZIP_TYPE, File
from sandbox.tables import changed
from sandbox.verizon.tables import Span, as_text, table_of
from sandbox.workbooks import archive

# Slug: the two spellings of its member's name.
MEMBERS = {
    "account_wireless": ("Account & Wireless Summary", "account_wireless_summary"),
    "wireless_charges_detail": ("Acct & Wireless Charges Detail", "wireless_charges_detail"),
    "wireless_usage_detail": ("Wireless Usage Detail", "wireless_usage_detail"),
}
OTHERS = (("Account Payments", "account_payments"), ("Device Summary", "device_summary"))
DELIMITERS = ("\t", "|", ";")  # in place of the comma


def modal(call: Call) -> str:
    """Return the modal."""
    return call.render("raw", months=[month.short for month in call.months])


async def open_in_place(call: Call) -> Reply:
    """Open the modal over the page where one is."""
    return {"overlay": {"html": modal(call), "delay": 0}}


async def download(call: Call) -> Reply:
    """Hand out the raw data of the chosen month."""
    user, months = call.user, call.months
    month = next((each for each in months if each.short == call.value("rawMonth")), None)
    if month is None:
        return {"show": {"[data-place=raw-error]": '<p role="alert">Select a bill cycle.</p>'}}
    if user.says("download-never"):
        return {}
    if user.says("month-filter-fails"):
        month = months[min(1, len(months) - 1)]
    if user.says("wrong-month"):
        month = month.before
    call.portal.counters.add_to("exports_of", "raw_data")
    members = [] if user.says("zip-empty") else _members(call, month)
    name = f"RawData_{month.year}{month.number:02}.zip"
    return offer(call, File("raw_data", name, ZIP_TYPE, lambda: archive(members)))


def _members(call: Call, month: Month) -> list[tuple[str, bytes]]:
    """Return names and bytes of the members."""
    user, people, count = call.user, call.portal.people, int(call.setting("report_rows"))
    accounts = people.numbered(f"wrong file {user.name}", 1) if user.says("wrong-account-file") else call.accounts
    span, perturbation = Span(month.name, month), call.perturbation
    spelled = user.says("raw-spelled") or perturbation.touches("file-names", "members")
    delimiter = ","
    if perturbation.touches("delimiters", "raw_data"):
        delimiter = perturbation.choose("delimiters", "raw_data", DELIMITERS)
    lacking = {"member-missing": "wireless_charges_detail", "no-usage-detail": "wireless_usage_detail"}
    left_out = {slug for word, slug in lacking.items() if user.says(word)}
    members = []
    for slug, names in [*MEMBERS.items(), *(("", names) for names in OTHERS)]:
        foreign = user.says("foreign-member") and slug == "wireless_charges_detail"
        about = people.numbered(f"member {user.name}", 1) if foreign else accounts
        rows = changed(perturbation, table_of(user, people, slug, about, span, count))
        name = f"{names[spelled]}{'_' if spelled else ' '}{month.year}{month.number:02}.txt"
        members += [] if slug in left_out else [(name, as_text(rows, delimiter))]
    if user.says("unknown-members"):
        members += [("promotions.pdf", b"%PDF-1.4\n%%EOF\n"), (".hidden", b"x"), ("readme.txt", b"Thank you.")]
    return members
