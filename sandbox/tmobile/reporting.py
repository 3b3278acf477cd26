"""The page of reports: two tabs with templates below their filters, and My reports."""

from __future__ import annotations

from typing import Any

from sandbox.scripted.call import Call, Reply
from sandbox.tmobile import history
from sandbox.tmobile.choice import BILLING, CATALOGUE, OTHER, Template, counting, keep, period_of, reset, state
from sandbox.tmobile.material import alert, dialog, fill, framed, menu, over, panel, shown_in
from sandbox.tmobile.tree import DEEPEST, node_at

TABS = ((BILLING, "Billing templates"), (OTHER, "Other templates"), (history.TAB, "My reports"))
DIALOGS = ("dialog-icon", "dialog-escape", "dialog-reload")


def page(call: Call) -> Reply:
    """The page of reports; it begins with the first tab and without filters."""
    for tab in (BILLING, OTHER):
        reset(call, tab)
    call.keep(tab=BILLING)
    reply = framed(call, "Reporting", "reporting", tabs=TABS, open_tab=BILLING, content=_templates(call, BILLING))
    lying = next((word for word in DIALOGS if call.user.says(word) and word not in call.data.get("met", [])), "")
    if lying:
        call.keep(met=[*call.data.get("met", []), lying])
        reply |= dialog(call, "announcement", call.setting("overlay_ms"), kind=lying)
    return reply


def _tab(call: Call) -> str:
    return str(call.data.get("tab", BILLING))


def _templates(call: Call, tab: str) -> str:
    """Return a tab with its filters and its accordions."""
    missing = {each.name for each in CATALOGUE if call.user.says(f"missing-{each.slug.replace('_', '-')}")}
    offered = [each for each in CATALOGUE if each.tab == tab and each.name not in missing]
    groups = {group: [each for each in offered if each.group == group] for group in dict.fromkeys(_groups(offered))}
    extra = call.perturbation.touches("further", f"filters {tab}")
    return call.render("templates", tab=tab, groups=groups, extra=extra, **_shown(call, tab))


def _groups(templates: list[Template]) -> list[str]:
    return [each.group for each in templates]


def _shown(call: Call, tab: str) -> dict[str, Any]:
    """Return what the filters of a tab say."""
    month, node = period_of(call), node_at(call, state(call, tab)["node"])
    return {"period": month.name if month and tab == BILLING else "", "node": node.text if node else ""}


def _filters(call: Call, tab: str) -> dict[str, str]:
    """Return the filters of a tab, drawn."""
    shown = _shown(call, tab)
    drawn = {f"[data-place=hierarchy-{tab}]": call.render("hierarchy", tab=tab, **shown)}
    return drawn | ({"[data-place=period]": call.render("period", **shown)} if tab == BILLING else {})


async def show_tab(call: Call) -> Reply:
    """Show a tab."""
    tab = call.value("value")
    if tab not in dict(TABS):
        return {}
    call.keep(tab=tab)
    heads = {"[data-place=tabs]": call.render("tabs", tabs=TABS, open_tab=tab, act="show-tab")}
    if tab == history.TAB:
        return history.opened(call, heads)
    return {"delay": call.delay, "show": heads | {"[data-place=tab]": _templates(call, tab)}}


# The billing period


def _periods(call: Call) -> list[tuple[str, str]]:
    if call.portal.now() < state(call, BILLING)["ready"]:
        return []
    return [(month.short, month.name) for month in call.months]


async def open_periods(call: Call) -> Reply:
    """Open the list of billing periods, which is empty at first and does not open then."""
    return panel(call, "choose-period", _periods(call))


async def fill_periods(call: Call) -> Reply:
    """Fill the list that was opened empty."""
    return fill(call, "choose-period", _periods(call))


async def choose_period(call: Call) -> Reply:
    """Choose a billing period; in the scenario `month-filter-fails` nothing changes."""
    chosen = call.value("value")
    if chosen in dict(_periods(call)) and not call.user.says("month-filter-fails"):
        keep(call, BILLING, period=chosen)
    if call.perturbation.touches("refilled", "filters"):
        keep(call, BILLING, node="", account="")
    return {"delay": shown_in(call), "show": _filters(call, BILLING)}


async def open_currencies(call: Call) -> Reply:
    """Open a list that says nothing of reports: some perturbations have it before the filters."""
    return panel(call, "choose-currency", [("USD", "USD")])


async def fill_currencies(call: Call) -> Reply:
    """Fill the list that was opened empty."""
    return fill(call, "choose-currency", [("USD", "USD")])


async def choose_currency(call: Call) -> Reply:
    """Choose the only currency."""
    return {}


# The hierarchy


async def open_tree(call: Call) -> Reply:
    """Open the tree, of which the root alone is there."""
    return over(call.render("tree", branch=_branch(call, "0")))


def _branch(call: Call, path: str, is_open: bool = False) -> str:
    """Return a node, and what is below it where it is open."""
    node = node_at(call, path)
    if node is None:
        return ""
    below = [_branch(call, f"{path}-{place}") for place in range(len(node.below))] if is_open else []
    return call.render("node", node=node, path=path, level=path.count("-") + 1, is_open=is_open, below=below)


async def expand(call: Call) -> Reply:
    """Show what is below a node."""
    path = call.value("value")
    if node_at(call, path) is None or path.count("-") > DEEPEST:
        return {}
    return {"delay": call.setting("tree_ms"), "show": {f"[data-place=node-{path}]": _branch(call, path, True)}}


async def choose_node(call: Call) -> Reply:
    """Choose a node; in the scenario `filter-fails` nothing changes."""
    path, tab = call.value("value"), _tab(call)
    node = node_at(call, path)
    if node is not None and not call.user.says("filter-fails"):
        account = node.account and call.portal.people.opened(call.user, node.account, call.accounts)
        if account != node.account:
            path = _leaves(call).get(account, path)
        call.portal.counters.add("account_changes", int(account != state(call, tab)["account"]))
        keep(call, tab, node=path, account=account or node.text)
    return {"delay": shown_in(call), "show": _filters(call, tab)}


def _leaves(call: Call, path: str = "0") -> dict[str, str]:
    """Return the path of each account at or below a node."""
    node = node_at(call, path)
    if node is None:
        return {}
    found = {node.account: path} if node.account else {}
    for place in range(len(node.below)):
        found |= _leaves(call, f"{path}-{place}")
    return found


# Templates


async def open_template_menu(call: Call) -> Reply:
    """Open the menu of a template."""
    entries = [("", "Customize"), ("run-template", "Run as is"), ("", "Schedule"), ("", "Add to favorites")]
    return menu(call, entries, call.value("value"))


async def run(call: Call) -> Reply:
    """Ask for a report of a template as it is, which resets the filters; a note says that it was asked for."""
    tab = _tab(call)
    template = next((each for each in CATALOGUE if (each.key, each.tab) == (call.value("value"), tab)), None)
    if template is None:
        return alert("template-error", "This template is not available.")
    if template.slug and call.user.says(f"fails-{template.slug.replace('_', '-')}"):
        return dialog(call, "note", call.setting("confirm_ms"), title="We can't run this template", text="Try later.")
    account, month = counting(call, tab)
    history.ask(call, template, account, month)
    if not call.user.says("filters-stay"):
        reset(call, tab)
    reply: Reply = {"delay": call.delay, "show": _filters(call, tab)}
    if call.user.says("confirmation-never"):
        return reply
    wait = call.setting("late_ms" if call.user.says("confirmation-late") else "confirm_ms")
    said = "Your report is being generated. You will find it in My reports."
    return reply | dialog(call, "note", wait, title="Report requested", text=said)
