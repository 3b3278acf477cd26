"""The tree of accounts from which reports are narrowed to one: opened level by level, until it shows the account."""

from __future__ import annotations

import re
from dataclasses import dataclass

from scrapers.core.locators import containing, same
from scrapers.core.outcomes import PortalChanged, WrongAccount
from scrapers.core.page import PortalPage, Selectors, guess, until
from scrapers.core.panels import KEPT, OPTIONS, choose_in_panel, close_panel, open_panel, said_by
from scrapers.families.carriers.accounts import names_account, not_listed, numbers_like, saying

TREE = "mat-tree"
NODES = ":is(mat-tree-node, mat-nested-tree-node, [role=treeitem], .mat-tree-node)"
HIERARCHY = ("xpath=//mat-select[@name='hierarchyLevel']",)
OTHER_HIERARCHY = (
    guess("xpath=//mat-select[@name='hierarchyLevel']"),
    guess("mat-select[name*=hierarchy i]"),
    guess("label=Hierarchy"),
    guess("mat-select:text-matches('hierarchy|account', 'i')"),
    guess("mat-select"),
    guess(":is([role=combobox], [aria-haspopup]):text-matches('hierarchy|account', 'i')"),
)
TAKE = (guess("says=Apply"), guess("says=Select"), guess("says=Done"), guess("says=OK"))
LEVELS = 5  # of the tree that are opened at most
OPENED = 10.0  # seconds in which what was opened is drawn
BOX = "input:is([type=checkbox], [type=radio])"
# Of each visible node of the tree, without those inside of it: its place, its text, whether it is open (null: it does not say)
# and can be opened, and whether it has a box.
READ = r"""([nodes, box]) => {
  const seen = node => node.checkVisibility({checkOpacity: true, checkVisibilityCSS: true}) && node.getClientRects().length > 0;
  const all = [...document.querySelectorAll(`mat-tree ${nodes}, [role=tree] ${nodes}`)];
  const own = (node, inner) => inner.closest(nodes) === node;
  return all.map((node, place) => {
    const toggles = [...node.querySelectorAll("[mattreenodetoggle], [aria-expanded], button")].filter(each => own(node, each));
    const copy = node.cloneNode(true);
    copy.querySelectorAll(`${nodes}, mat-icon, script, style`).forEach(each => each.remove());
    const said = [node, ...toggles].map(each => each.getAttribute("aria-expanded")).find(each => each !== null) ?? null;
    return [place, copy.textContent.replace(/\s+/g, " ").trim(), said === null ? null : said === "true", toggles.length > 0,
      [...node.querySelectorAll(box)].some(each => own(node, each)), seen(node)];
  }).filter(([, , , , , seen]) => seen);
}"""


@dataclass(frozen=True, slots=True)
class Node:
    """A node that the tree shows. is_open: None where it does not say."""

    place: int
    text: str
    is_open: bool | None
    opens: bool
    has_box: bool
    is_seen: bool = True

    @property
    def selector(self) -> str:
        """Return its selector."""
        return f":is(mat-tree, [role=tree]) {NODES} >> nth={self.place}"

    def is_of(self, account: str) -> bool:
        """Return whether it names an account and no other one."""
        return names_account(account, self.text) == 1 and numbers_like(account, self.text) <= {account}


async def read_tree(page: PortalPage) -> list[Node]:
    """Return the nodes that are shown."""
    return [Node(*facts) for facts in await page.raw.evaluate(READ, [NODES, BOX])]


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
        closed = [each for each in nodes if each.opens and not each.is_open and each.text not in opened]
        if level == LEVELS or not closed:
            break
        for each in reversed(closed):  # the places of those above stay
            opened |= {each.text} if each.is_open is None else set()
            toggle = ":is([mattreenodetoggle], [aria-expanded], button)"
            await page.click((f"{each.selector} >> {toggle}", each.selector))
    if not nodes:
        raise PortalChanged("The tree shows no nodes.", step=page.trail.step, selector=TREE)
    raise not_listed(page.trail.step)


async def choose_account(page: PortalPage, control: Selectors) -> None:
    """
    Choose the job's account in the hierarchy behind a control, and read it back there.

    Raises WrongAccount where it is not in the hierarchy or another one is shown, PortalChanged where none is.
    """
    account: str = page.job.target.account
    page.begin("choose the account")
    if not await page.shown((TREE,)):
        await open_panel(page, control, (TREE, "[role=tree]", OPTIONS))
    if not await page.shown((TREE, "[role=tree]")):
        await close_panel(page)
        await choose_in_panel(page, control, lambda offered: _place(offered, account))
        await confirm_account(page, control, account)
        return
    node = await find_account(page, account)
    if node.has_box:
        await page.tick((f"{node.selector} >> {BOX}",))
    else:
        await page.click((f"{node.selector} >> {saying(account)}", node.selector))
    await _leave(page)
    await confirm_account(page, control, account, node.text)


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
        return await page.shown((TREE, "[role=tree]")) is None

    if await until(is_gone, 1.0):
        return
    if await page.shown(TAKE):
        await page.click(TAKE)
    if not await until(is_gone, 1.0):
        await close_panel(page)
        await until(is_gone, KEPT)


async def confirm_account(page: PortalPage, control: Selectors, account: str, label: str = "") -> None:
    """Raise WrongAccount if the control shows another account, PortalChanged if it shows neither the account nor its node."""
    said = ""

    async def is_shown() -> bool:
        nonlocal said
        said = await said_by(page, control)
        if numbers := numbers_like(account, said):
            return numbers == {account}
        return bool(re.search(r"\w", said)) and (same(said, label) or containing(label).search(said) is not None)

    if await until(is_shown, KEPT):
        return
    if numbers_like(account, said):
        raise WrongAccount("The portal shows another account than the chosen one.", step=page.trail.step)
    raise PortalChanged("The portal does not show the chosen account.", step=page.trail.step, selector=control[0])
