"""The landing page, and choosing an account."""

from __future__ import annotations

from sandbox.scripted.call import YEAR, Call, Reply


def framed(call: Call, title: str, content: str) -> Reply:
    """Return a signed-in page of Self Serve: header and content."""
    return {"title": title, "body": call.render("page", header=call.render("header"), content=content)}


def home(call: Call) -> Reply:
    """The landing page; it leaves the marks of a stale release in browsers that have one."""
    reply = framed(call, "Overview", call.render("home"))
    if call.data["stale"]:
        call.set_cookie("layout", "stale", YEAR)
        reply["local_storage"] = {"portalLayout": "stale"}
    return reply


def accounts_page(call: Call, title: str, selection: bool) -> Reply | None:
    """Return the page on which one of several accounts is chosen; None when there is nothing to choose."""
    if call.page.endswith("chosen=1") and call.account is not None:
        return None
    if selection and call.user.says("global-search"):
        return framed(call, title, call.render("search_account", at_once=not call.perturbation))
    if len(call.accounts) == 1:
        return None
    return framed(call, title, call.render("choose_account", selection=selection))


async def find_account(call: Call) -> Reply:
    """List the accounts with the digits asked for in their number."""
    wanted = call.value("wanted").strip()
    found = [account for account in call.accounts if wanted and wanted in account][:10]
    billing = call.place.startswith("Billing/")
    template = "account_labels" if billing and call.user.says("global-search") else "account_rows"
    html = call.render(template, accounts=found, selection=billing, at_once=not call.perturbation)
    return {"delay": call.delay, "show": {"[data-place=accounts]": html}}


async def choose_account(call: Call) -> Reply:
    """Put the session into an account, and go on with the page that asked for it."""
    chosen = call.value("value") or call.value("account")
    if chosen not in call.accounts:
        return {"show": {"[data-place=account-error]": "Select an account first."}}
    opened = call.portal.people.opened(call.user, chosen, call.accounts)
    if opened != call.data.get("account"):
        call.portal.counters.add("account_changes")
    call.keep(account=opened, filter=None, months=[], part="")
    return {"delay": call.delay, "go": call.at(call.place, chosen="1")}
