"""The hierarchy of accounts: a tree of which each branch comes when its node is expanded; accounts are its leaves."""

from __future__ import annotations

from dataclasses import dataclass, field

from sandbox.invented import number
from sandbox.scripted.call import Call

DEEPEST = 5
NAMES = ("Company", "Region", "Division", "Department", "Cost center")  # of the levels above accounts
BRANCHES = 2  # of each node that leads to accounts


@dataclass(slots=True)
class Node:
    """A node: its text; account: the number, for a leaf that is one; below: nodes by place."""

    text: str
    account: str = ""
    below: list[Node] = field(default_factory=list)

    def child(self, text: str) -> Node:
        """Return the node below with a text, made where there is none."""
        found = next((node for node in self.below if node.text == text), None)
        if found is None:
            found = Node(text)
            self.below.append(found)
        return found


def levels(call: Call) -> int:
    """Return how many levels there are above accounts."""
    usual = DEEPEST if call.user.says("tree-deep") else call.setting("levels")
    return max(1, min(int(call.user.number("levels", usual)), DEEPEST))


def tree(call: Call) -> Node:
    """Return the whole tree; each node above accounts has a branch without any before the others."""
    root = Node(f"{NAMES[0]} {number('company', call.user.name, below=900) + 100}")
    depth = levels(call)
    for account in call.accounts:
        node = root
        for level in range(1, depth):
            node.child(f"{NAMES[level]} 0")
            node = node.child(f"{NAMES[level]} {1 + number('branch', account, level, below=BRANCHES)}")
        if call.user.says("namesake-first"):
            node.below.append(Node(f"{account}0 Wireless", f"{account}0"))
        node.below.append(Node(f"{account} Wireless", account))
    return root


def node_at(call: Call, path: str) -> Node | None:
    """Return the node at a path: places from the root on, joined by hyphens (`0-1-0`); None where there is none."""
    node = Node("", below=[tree(call)])
    for place in path.split("-"):
        if not place.isdecimal() or int(place) >= len(node.below):
            return None
        node = node.below[int(place)]
    return node
