"""Who a user name stands for: the accounts that it owns, and what a portal shows of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sandbox.invented import numbered
from sandbox.users import User, mailbox, phone

MULTI_DEFAULT = 3  # accounts of a user tagged `multi` without a number
SOMEBODY_ELSE = "somebody.else@example.com"


@dataclass(frozen=True, slots=True)
class People:
    """The customers of a portal, whose account numbers are from lowest to lowest + below - 1."""

    lowest: int
    below: int

    def numbered(self, owner: str, count: int) -> list[str]:
        """Return account numbers of an owner, all different."""
        return numbered(owner, count, self.lowest, self.below)

    def accounts(self, username: str) -> list[str]:
        """
        Return the account numbers of a user.

        One, three with the scenario or tag `multi`, as many as `multi-<n>` says. An account set through the portal's
        configuration (`accounts`) is not known here.
        """
        user = User.of(username)
        count = int(user.number("multi", MULTI_DEFAULT if user.says("multi") else 1))
        return self.numbered(user.name, max(count, 1))

    def listed(self, user: User, configured: Mapping[str, Sequence[str]]) -> list[str]:
        """Return the accounts that the portal lists for a user, right or wrong as the scenario wants."""
        if user.says("other-customer"):
            return self.numbered(f"other {user.name}", len(self.accounts(user.name)))
        own = list(configured.get(user.name) or self.accounts(user.name))
        if user.says("account-missing"):
            return [*own[1:], *self.numbered(f"more {user.name}", 2)]
        return own

    def opened(self, user: User, chosen: str, listed: Sequence[str]) -> str:
        """Return the account that the portal opens when one is chosen: another one in the scenario `wrong-account`."""
        if not user.says("wrong-account"):
            return chosen
        others = [account for account in listed if account != chosen]
        return others[0] if others else self.numbered(f"wrong {chosen}", 1)[0]


def shown_name(user: User) -> str:
    """Return what the user button says."""
    return SOMEBODY_ELSE if user.says("other-customer") else user.name


def masked_phone(user: User) -> str:
    """Return the telephone as the verification page shows it."""
    return f"(***) ***-{phone(user.name)[-4:]}"


def masked_mail(user: User) -> str:
    """Return the mail address that gets the user's codes as the verification page shows it."""
    name, _, domain = mailbox(user.name).partition("@")
    return f"{name[:1]}***@{domain}"
