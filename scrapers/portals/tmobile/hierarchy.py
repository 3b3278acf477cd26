"""The tree of accounts from which reports are narrowed to one: opened level by level, until it shows the account."""

from __future__ import annotations

import re
from dataclasses import dataclass

from scrapers.core.locators import containing, same
from scrapers.core.outcomes import PortalChanged, WrongAccount
from scrapers.core.page import PortalPage, Selectors, guess, run_script, until
from scrapers.core.panels import KEPT, OPTIONS, choose_in_panel, close_panel, open_panel, said_by
from scrapers.families.carriers.accounts import names_account, not_listed, numbers_like, saying

TREES = ("mat-tree", "[role=tree]")
NODES = ":is(mat-tree-node, mat-nested-tree-node, [role=treeitem], .mat-tree-node, li)"
HIERARCHY = ("xpath=//mat-select[@name='hierarchyLevel']",)
OTHER_HIERARCHY = (
    guess("xpath=//mat-select[@name='hierarchyLevel']"),
    guess("mat-select[name*=hierarchy i]"),
    guess("label=Hierarchy"),
    guess("mat-select:text-matches('hierarchy|account', 'i')"),
    guess("mat-select"),
    guess(":is([role=combobox], [aria-haspopup]):text-matches('hierarchy|account', 'i')"),
)
DROP_DOWN = guess("mat-select")
TAKE = (guess("says=Apply"), guess("says=Select"), guess("says=Done"), guess("says=OK"))
LEVELS = 5  # of the tree that are opened at most
BOX = "input:is([type=checkbox], [type=radio])"
TOGGLES = ":is([mattreenodetoggle], [aria-expanded], button, mat-icon)"
# Of each visible node of the tree, without those inside of it: its place, its text, whether it is open (null: it does not say),
# the place of what opens and closes it among all that may (-1: the node itself, null: nothing), and whether it has a box.
READ = r"""([nodes, toggles, box]) => {
  const seen = node => node.checkVisibility({checkOpacity: true, checkVisibilityCSS: true}) && node.getClientRects().length > 0;
  const shut = /^(chevron_right|arrow_right|arrow_forward_ios|keyboard_arrow_right|navigate_next|add|[+\u203a\u25b6\u25b8])$/;
  const open = /^(expand_more|arrow_drop_down|keyboard_arrow_down|remove|[\u2212\u25bc\u25be-])$/;
  const said = node => node.textContent.replace(/\s+/g, " ").trim();
  return [...document.querySelectorAll(`mat-tree ${nodes}, [role=tree] ${nodes}`)].map((node, place) => {
    const all = [...node.querySelectorAll(toggles)];
    const isOwn = each => each.closest(nodes) === node && seen(each) && !each.closest(":disabled, [aria-disabled=true]");
    const toggle = all.find(each => isOwn(each) && (each.matches("[mattreenodetoggle], [aria-expanded]") || shut.test(said(each))
      || open.test(said(each)) || /toggle|expand|collapse/i.test(each.getAttribute("aria-label") ?? "")));
    const states = [node, toggle].map(each => each?.getAttribute("aria-expanded")).filter(each => each);
    const isOpen = states.length ? states[0] === "true" : toggle && open.test(said(toggle)) ? true : toggle && shut.test(said(toggle)) ? false : null;
    const copy = node.cloneNode(true);
    copy.querySelectorAll(`${nodes}, mat-icon, script, style`).forEach(each => each.remove());
    return [place, said(copy), isOpen, toggle ? all.indexOf(toggle) : states.length ? -1 : null,
      [...node.querySelectorAll(box)].some(each => each.closest(nodes) === node), seen(node)];
  }).filter(([, , , , , seen]) => seen);
}"""


@dataclass(frozen=True, slots=True)
class Node:
    """A node that the tree shows. is_open: None where it does not say. toggle: see READ."""

    place: int
    text: str
    is_open: bool | None
    toggle: int | None
    has_box: bool
    is_seen: bool = True

    @property
    def selector(self) -> str:
        """Return its selector."""
        return f":is(mat-tree, [role=tree]) {NODES} >> nth={self.place}"

    @property
    def opener(self) -> str:
        """Return the selector of what opens it."""
        return self.selector if self.toggle == -1 else f"{self.selector} >> {TOGGLES} >> nth={self.toggle}"

    def is_of(self, account: str) -> bool:
        """Return whether it names an account and no other one."""
        return names_account(account, self.text) == 1 and numbers_like(account, self.text) <= {account}


async def read_tree(page: PortalPage) -> list[Node]:
    """Return the nodes that are shown."""
    return [Node(*facts) for facts in await run_script(page.raw, READ, [NODES, TOGGLES, BOX])]


async def find_account(page: PortalPage, account: str) -> Node:
    """
    Open the tree level by level until it shows an account; return its node.

    Raises WrongAccount where LEVELS levels do not hold it, PortalChanged where several nodes are named like it.
    """
    opened: set[str] = set()  # texts of the nodes that do not say whether they are open
    for level in range(LEVELS + 1):
        nodes: list[Node] = []

        async def is_there(nodes: list[Node] = nodes) -> bool:
            nodes[:] = await read_tree(page)
            return any(each.is_of(account) for each in nodes)

        await page.rests(is_there)
        own = [each for each in nodes if each.is_of(account)]
        if len(own) > 1:
            raise PortalChanged(f"The tree holds the account {len(own)} times.", step=page.trail.step)
        if own:
            return own[0]
        closed = [each for each in nodes if each.toggle is not None and not each.is_open and each.text not in opened]
        if level == LEVELS or not closed:
            break
        for each in reversed(closed):  # the places of those above stay
            opened |= {each.text} if each.is_open is None else set()
            await page.click((each.opener,))
    if not nodes:
        raise PortalChanged("The tree shows no nodes.", step=page.trail.step, selector=TREES[0])
    raise not_listed(page.trail.step)


async def other_hierarchy(page: PortalPage) -> Selectors:
    """
    Return the control of the accounts on a tab where nothing is known of it.

    Of several drop-downs it is the one that says so or shows an account, or else the one that opens a tree, which is left open.
    """
    count = await page.scope.locator(DROP_DOWN).filter(visible=True).count()
    if count < 2 or await page.shown(OTHER_HIERARCHY[:2]):
        return OTHER_HIERARCHY
    controls = [(f"{DROP_DOWN} >> visible=true >> nth={place}",) for place in range(count)]
    for control in controls:
        said = await said_by(page, control)
        if re.search("hierarchy|account", said, re.I) or numbers_like(page.job.target.account, said):
            return control
    for control in controls:
        await page.click(control)
        if await page.arrives(TREES):
            return control
        await close_panel(page)
    return OTHER_HIERARCHY


async def choose_account(page: PortalPage, control: Selectors) -> str:
    """
    Choose the job's account in the hierarchy behind a control, read it back there, and return the text of its node.

    Raises WrongAccount where it is not in the hierarchy or another one is shown, PortalChanged where none is.
    """
    account: str = page.job.target.account
    page.begin("choose the account")
    if not await page.shown(TREES):
        await open_panel(page, control, (*TREES, OPTIONS))
    if await page.arrives(TREES) is None:  # the accounts are a plain list
        await close_panel(page)
        label = await choose_in_panel(page, control, lambda offered: _place(offered, account))
    else:
        node = await find_account(page, account)
        label = node.text
        if node.has_box:
            await page.tick((f"{node.selector} >> {BOX}",))
        else:
            await page.click((f"{node.selector} >> {saying(account)}", node.selector))
        await _leave(page)
    await _confirm_account(page, control, account, label)
    return label


def _place(offered: list[str], account: str) -> int:
    own = [place for place, text in enumerate(offered) if numbers_like(account, text) == {account}]
    if not own:
        raise not_listed()
    if len(own) > 1:
        raise PortalChanged(f"The account is offered {len(own)} times.")
    return own[0]


async def _leave(page: PortalPage) -> None:
    """Close the panel of the tree, which may ask for a confirmation."""

    async def is_gone() -> bool:
        return await page.shown(TREES) is None

    if await until(is_gone, 1.0):
        return
    if await page.shown(TAKE):
        await page.click(TAKE)
    if not await until(is_gone, 1.0):
        await close_panel(page)
        await until(is_gone, KEPT)


async def shows_account(page: PortalPage, control: Selectors, label: str = "") -> bool:
    """Return whether a control shows the job's account and no other one: by its number, or else by the text of its node."""
    account, said = page.job.target.account, await said_by(page, control)
    if numbers := numbers_like(account, said):
        return numbers == {account}
    return bool(re.search(r"\w", label)) and (same(said, label) or containing(label).search(said) is not None)


async def _confirm_account(page: PortalPage, control: Selectors, account: str, label: str) -> None:
    if await until(lambda: shows_account(page, control, label), KEPT):
        return
    if numbers_like(account, await said_by(page, control)):
        raise WrongAccount("The portal shows another account than the chosen one.", step=page.trail.step)
    raise PortalChanged("The portal does not show the chosen account.", step=page.trail.step, selector=control[0])
