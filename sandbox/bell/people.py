"""Who a user name stands for at Bell: the accounts that it owns, and what the portal shows of it."""

from collections.abc import Mapping, Sequence

from sandbox.bell.data import MULTI_DEFAULT, numbered_accounts
from sandbox.users import User, phone

SOMEBODY_ELSE = "somebody.else@example.com"


def accounts(username: str) -> list[str]:
    """
    Return the billing account numbers (nine digits) of a user.

    One, three with the scenario or tag `multi`, as many as `multi-<n>` says. An account set through the portal's
    configuration (`accounts`) is not known here.
    """
    user = User.of(username)
    count = int(user.number("multi", MULTI_DEFAULT if user.says("multi") else 1))
    return numbered_accounts(user.name, max(count, 1))


def listed_accounts(user: User, configured: Mapping[str, Sequence[str]]) -> list[str]:
    """Return the accounts that the portal lists for a user, right or wrong as the scenario wants."""
    if user.says("other-customer"):
        return numbered_accounts(f"other {user.name}", len(accounts(user.name)))
    own = list(configured.get(user.name) or accounts(user.name))
    if user.says("account-missing"):
        return [*own[1:], *numbered_accounts(f"more {user.name}", 2)]
    return own


def opened_account(user: User, chosen: str, listed: Sequence[str]) -> str:
    """Return the account that the portal opens when one is chosen: another one in the scenario `wrong-account`."""
    if not user.says("wrong-account"):
        return chosen
    others = [account for account in listed if account != chosen]
    return others[0] if others else numbered_accounts(f"wrong {chosen}", 1)[0]


def shown_name(user: User) -> str:
    """Return what the user button says."""
    return SOMEBODY_ELSE if user.says("other-customer") else user.name


def masked_phone(user: User) -> str:
    """Return the telephone as the verification page shows it."""
    return f"(***) ***-{phone(user.name)[-4:]}"


def masked_mail(user: User) -> str:
    """Return the mail address as the verification page shows it."""
    return f"{user.name[:1]}***@example.com"
