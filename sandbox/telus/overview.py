"""My Telus: the overview, the text bills by account and month, and the usage page."""

from __future__ import annotations

from sandbox.globys.tables import COMMON, file_rows
from sandbox.invented import Month, number
from sandbox.scripted.call import Call, Reply
from sandbox.scripted.downloads import offer
from sandbox.scripted.files import ZIP_TYPE, File
from sandbox.scripted.overlays import banner
from sandbox.tables import as_csv
from sandbox.telus.pages import BASE, INTENT, IQ, TEXT_BILL, USAGE
from sandbox.workbooks import archive

SKIP = '<div class="backdrop" data-backdrop role="dialog" aria-modal="true" aria-label="Welcome"><div><p>Take a tour.</p><button type="button" id="skip-button" data-close="[data-backdrop]" data-act="close-tour">Skip</button></div></div>'
LINES = 12  # subscribers of an account


def framed(call: Call, title: str, content: str) -> Reply:
    """Return a signed-in page of My Telus."""
    return {"title": title, "body": call.render("page", content=content)}


def start(call: Call) -> Reply:
    """The public start page."""
    return {"title": "TELUS", "body": call.render("start")} | banner(call)


def home(call: Call) -> Reply:
    """The overview of the account; in the scenario `default-switched` it is another one's again."""
    if call.user.says("default-switched"):
        call.keep(account=None, bills={})
    address = f"{call.portal.urls[IQ]}{BASE[IQ]}"
    content = call.render("overview", iq=address, intent=INTENT, stays=call.setting("menu_ms"), opened=_account(call))
    reply = framed(call, "Account overview", content)
    if call.user.says("skip-popup") and "tour" not in call.data.get("closed", []):
        reply["overlay"] = {"html": SKIP, "delay": 0}
    return reply


def _account(call: Call) -> str:
    """Return the account that pages are about: the chosen one, else the last of the list."""
    return call.account or call.accounts[-1]


def _find_account(call: Call, title: str) -> Reply | None:
    """Return the page on which the account is chosen: at the first visit of a session, and when a change is asked for."""
    several = len(call.accounts) > 1
    asked = call.page.endswith("change=1")
    if not several or (call.data.get("found") and not asked):
        return None
    return framed(call, title, call.render("find_account"))


async def choose_account(call: Call) -> Reply:
    """Open an account, and go on with the page that asked for it."""
    chosen = call.value("value")
    if chosen in call.accounts:
        opened = call.portal.people.opened(call.user, chosen, call.accounts)
        if opened != call.data.get("account"):
            call.portal.counters.add("account_changes")
        call.keep(account=opened, found=True, bills={})
    intent = {"intcmp": INTENT} if call.place == TEXT_BILL else {}
    return {"delay": call.delay, "go": call.at(call.place, **intent)}


def text_bills(call: Call) -> Reply:
    """The months of which there is a bundle."""
    page = _find_account(call, "Text bills")
    if page is not None:
        return page
    years: dict[int, list[Month]] = {}
    for month in call.months:
        years.setdefault(month.year, []).append(month)
    change = call.at(TEXT_BILL, intcmp=INTENT, change="1") if len(call.accounts) > 1 else ""
    content = call.render("text_bills", years=years, opened=_account(call), change=change)
    return framed(call, "Text bills", content)


async def download_bundle(call: Call) -> Reply:
    """Hand out the bundle of a month."""
    month = next((each for each in call.months if each.short == call.value("value")), None)
    if month is None:
        return {"show": {"[data-place=bill-error]": '<p role="alert">This bill is not available.</p>'}}
    if call.user.says("wrong-month"):
        month = month.before
    account, name = _account(call), f"text_bill_{month.year}{month.number:02}.zip"
    if call.user.says("wrong-account-file"):
        account = call.portal.people.numbered(f"wrong file {call.user.name}", 1)[0]
    members = _members(call, account, month)
    return offer(call, File("bundle", name, ZIP_TYPE, lambda: archive(members)))


def _members(call: Call, account: str, month: Month) -> list[tuple[str, bytes]]:
    """Return names and bytes of a bundle's members; those of an account with an odd number have blanks in one name."""
    user, day, count = call.user, f"{month.last_day:%Y%m%d}", int(call.setting("report_rows"))
    foreign = call.portal.people.numbered(f"member {user.name}", 1)[0]
    airtime = "airtime detail" if int(account[-1]) % 2 else "airtime_detail"
    names = {"group_summary": f"group_summary_{day}.csv", "individual_detail": f"individual_detail_{day}.csv"}
    names |= {} if user.says("no-airtime") else {"airtime_detail": f"{airtime}_{day}.csv"}
    if user.says("member-missing"):
        del names["individual_detail"]
    members = []
    for slug, name in names.items():
        whose = foreign if user.says("foreign-member") and slug == "individual_detail" else account
        table = file_rows(user, call.portal.people, slug, whose, month, count)
        members.append((f"bill/{name}", as_csv(table)))
    members.append((f"bill/account_detail_{day}.csv", as_csv([[*COMMON[:2], "Total"], [account, month.name, "0.00"]])))
    if user.says("unknown-members"):
        members += [
            ("bill/promotions.pdf", b"%PDF-1.4\n%%EOF\n"),
            ("bill/.hidden", b"x"),
            ("readme.txt", b"Thank you."),
        ]
    return members


def usage(call: Call) -> Reply:
    """The usage page, first without its figures."""
    page = _find_account(call, "Usage")
    if page is not None:
        return page
    change = call.at(USAGE, change="1") if len(call.accounts) > 1 else ""
    content = call.render("usage", opened=_account(call), change=change)
    return framed(call, "Usage", content) | {"again": {"act": "usage-figures", "delay": call.setting("usage_ms")}}


async def figures(call: Call) -> Reply:
    """Show the total and each subscriber's usage, in GB."""
    account = _account(call)
    allowance = 500 + number("allowance", account, below=1_500)
    used = number("used", account, call.today, below=allowance * 100) / 100
    lines = [f"{number('line', account, line, call.today, below=4_000) / 100:,.2f} GB" for line in range(LINES)]
    total = None if call.user.says("no-pools") else (f"{used:,.2f} GB", f"{allowance:,} GB")
    return {"show": {"[data-place=figures]": call.render("figures", total=total, lines=lines)}}
