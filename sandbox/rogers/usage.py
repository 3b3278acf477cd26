"""Manage Data Notifications: an account found by its digits, its shared data, its users page by page, and their usage."""

from __future__ import annotations

from typing import Any

from sandbox.invented import number, person
from sandbox.rogers.frames import alert, framed
from sandbox.rogers.pages import GROUP, NOTIFICATIONS, USAGE, shown_number
from sandbox.rogers.reports import matches
from sandbox.scripted.call import Call, Reply

AREAS = ("416", "647", "437", "905")
UNKNOWN_ROW = 1  # of the number whose usage is not available in the scenario `usage-unknown`


def _state(call: Call) -> dict[str, Any]:
    kept: dict[str, Any] = call.data.get("usage", {})
    return {"found": [], "listed": "", "account": "", "page": 0, "selected": []} | kept


def _keep(call: Call, **changes: Any) -> None:
    call.keep(usage=_state(call) | changes)


def page(call: Call) -> Reply:
    """The page on which an account is searched."""
    return framed(call, "Manage Data Notifications", "notifications", search_ms=call.setting("search_ms"))


async def find(call: Call) -> Reply:
    """Suggest the accounts with the digits that were typed by key events."""
    wanted = call.value("searchField").strip()
    if call.value("searchField_keyed") != call.value("searchField"):
        call.portal.counters.add("searches_not_typed")
        return {"show": {"[data-place=suggestions]": ""}}
    found = matches(call, wanted) if wanted else []
    _keep(call, found=found)
    shown = call.render("suggestions", found=found, shown_number=shown_number)
    return {"show": {"[data-place=suggestions]": shown}}


async def choose(call: Call) -> Reply:
    """List an account that was suggested; in the scenario `filter-fails` it is the user's last one."""
    chosen = call.value("value")
    if chosen not in _state(call)["found"]:
        return {}
    listed = call.accounts[-1] if call.user.says("filter-fails") else chosen
    _keep(call, listed=listed)
    table = call.render("bans", listed=listed, count=int(call.setting("users")), shown_number=shown_number)
    return {"delay": call.delay, "show": {"[data-place=suggestions]": "", "[data-place=bans]": table}}


async def open_account(call: Call) -> Reply:
    """Open the account of the list."""
    chosen = call.value("value")
    if not chosen or chosen != _state(call)["listed"]:
        return alert("ban-error", "This account is not available.")
    opened = call.portal.people.opened(call.user, chosen, call.accounts)
    if opened != _state(call)["account"]:
        call.portal.counters.add("account_changes")
    _keep(call, account=opened, page=0, selected=[])
    return {"delay": call.delay, "go": call.at(GROUP)}


def account(call: Call) -> Reply:
    """An account, with its tabs."""
    if not _state(call)["account"]:
        return {"go": call.at(NOTIFICATIONS)}
    return framed(call, "Data usage", "group", opened=_state(call)["account"])


async def show_tab(call: Call) -> Reply:
    """Show the tab of data usage, first without figures."""
    again = {"act": "pool-figures", "delay": call.setting("usage_ms")}
    return {"delay": call.delay, "show": {"[data-place=group]": '<p aria-busy="true">Loading</p>'}, "again": again}


async def pool(call: Call) -> Reply:
    """Show the shared data of the account, and the way to its users."""
    opened = _state(call)["account"]
    size = 200 + number("pool", opened, below=1_800)
    used = number("pool used", opened, call.today, below=size * 100) / 100
    figures = None if call.user.says("no-pools") else (_size(call, used), _size(call, float(size)))
    return {"show": {"[data-place=group]": call.render("pool", figures=figures)}}


def _size(call: Call, gigabytes: float) -> str:
    """Return an amount of data as pages write it: below one gigabyte in MB."""
    value, unit = (gigabytes, "GB") if gigabytes >= 1 else (gigabytes * 1024, "MB")
    return f"{value:,.2f}{'' if call.perturbation.touches('notations', 'usage') else ' '}{unit}"


# Users


def _users(call: Call) -> list[tuple[str, str]]:
    """Return name and number of the account's users."""
    whose = _state(call)["account"]
    rows = range(int(call.setting("users")))
    first = number("users", whose, below=40)
    return [(person(whose, row), f"{AREAS[row // 60 % 4]}-555-01{first + row % 60:02}") for row in rows]


def _pages(call: Call) -> list[list[tuple[str, str]]]:
    users, size = _users(call), int(call.setting("users_per_page"))
    return [users[start : start + size] for start in range(0, len(users), size)]


def _drawn(call: Call) -> Reply:
    pages, at = _pages(call), _state(call)["page"]
    values = {"rows": pages[at], "count": len(_users(call)), "last": at + 1 == len(pages), "page": at}
    shown = call.render("users", selected=at in _state(call)["selected"], **values)
    return {"delay": call.delay, "show": {"[data-place=users]": shown}}


async def list_users(call: Call) -> Reply:
    """Show the first page of the account's users, with none selected."""
    _keep(call, page=0, selected=[])
    if call.user.says("account-switched"):
        _keep(call, account=call.accounts[-1])
    return _drawn(call)


async def select_page(call: Call) -> Reply:
    """Select the users of the page that is shown."""
    state = _state(call)
    _keep(call, selected=sorted({*state["selected"], state["page"]}))
    return _drawn(call)


async def next_page(call: Call) -> Reply:
    """Show the next page of users; what was selected stays so, but for the scenario `selection-lost`."""
    state = _state(call)
    if call.user.says("selection-lost"):
        _keep(call, selected=[])
    _keep(call, page=min(state["page"] + 1, len(_pages(call)) - 1))
    return _drawn(call)


async def view(call: Call) -> Reply:
    """Open the usage of the selected users."""
    if not _state(call)["selected"]:
        return alert("users-error", "Select at least one user.")
    return {"delay": call.delay, "go": call.at(USAGE)}


def _chosen(call: Call) -> list[tuple[str, str]]:
    pages = _pages(call)
    return [user for page in _state(call)["selected"] for user in pages[page]]


def table(call: Call) -> Reply:
    """The table of the selected users, first without their usage."""
    if not _state(call)["selected"]:
        return {"go": call.at(GROUP)}
    again = {"act": "usage-figures", "delay": call.setting("usage_ms")}
    reply = framed(call, "Data usage", "usage", rows=_chosen(call), opened=_state(call)["account"])
    return reply | {"again": again}


async def figures(call: Call) -> Reply:
    """Show each selected user's usage."""
    unknown = _users(call)[UNKNOWN_ROW][1] if call.user.says("usage-unknown") else ""
    shown = {}
    for _, line in _chosen(call):
        used = number("line used", line, _state(call)["account"], call.today, below=4_000) / 400
        said = "Not available" if line == unknown else _size(call, used)
        shown[f"#spanUsage_{line.replace('-', '')}"] = said
    return {"show": shown}
