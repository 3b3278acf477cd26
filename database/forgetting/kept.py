"""The tables of which no row belongs to a client, credential or user, and those of which rows stay without a name."""

from __future__ import annotations

from database.forgetting.links import owned_by
from database.forgetting.owners import Owner, SignIn
from database.models import all_tables

# Table: why no row of it goes with a client, a credential or a user. A test compares both with the models.
KEPT = {
    "carriers": "carriers are companies that everybody has accounts at",
    "carrier_reports": "reports that a carrier offers to all of its customers",
    "electricity_appliances": "a public list",
    "electricity_power_sizes": "a public list",
    "electricity_tariffs": "public prices",
    "fingerprint_keys": "the key of all fingerprints",
    "masa_entries": "public lists of towns and levels",
    "otp_attempts": "counters under an HMAC of an address; `scrapy serve` deletes them after a day",
    "passkey_challenges": "random bytes under hashes, of no user; `scrapy serve` deletes them after five minutes",
    "portal_pace": "when a portal may be asked again, whoever asks",
    "workers": "processes of this installation",
}

# Table: what stays of its rows, and why.
NAMELESS = {
    "attempts": "the attempt ledger keeps when and how sign-ins ended, by which portals are treated fairly; user name, "
    "fingerprint, process and machine are emptied",
    "audit": "who did what and when stays known, by which misuse is found; what names the erased is emptied, and an erased user "
    "is only told apart from others",
    "portal_breakers": "the user name is taken out of what has met a portal's trouble",
}


def reached() -> dict[str, set[str]]:
    """Return the tables that can hold rows of an owner, by kind of owner."""
    signs = tuple(SignIn("x", "x", ("x",), family) for family in ("electricity", "fleet"))
    owners = (
        Owner("client", "x", client_id=0, names=("x",), sign_ins=signs, receivers=("x",)),
        Owner("credential", "x", credential_id=0, telegram_session="x", sign_ins=signs, receivers=("x",)),
        Owner("user", "x", user_id=0, addresses=("x",)),
    )
    return {owner.kind: {table.name for table in owned_by(owner).order()} for owner in owners}


def without_rule() -> list[str]:
    """Return the tables of which is not known whose rows they hold: those of a family that has models of its own."""
    return sorted(set(all_tables().tables) - set().union(*reached().values()) - set(KEPT) - set(NAMELESS))
