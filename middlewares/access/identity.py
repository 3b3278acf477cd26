"""Which user a session belongs to: what a page shows, compared with the credential and with what was proved before."""

from __future__ import annotations

from database.access.sessions import KnownIdentity
from scrapers.core.outcomes import IdentityMismatch, IdentityUnproved, LoginFailed
from scrapers.logins.base import ShownIdentity

# The proof that is kept with a session at a portal that shows nothing of its user: it was signed in to with the credential, in an empty
# context. It equals no user name, so a later process does not take the session for proved.
BY_SIGN_IN = "(signed in with the credential)"


def judge_identity(
    shown: ShownIdentity, known: KnownIdentity, user: str, account: str | None, *, fresh: bool
) -> LoginFailed | None:
    """
    Return None when the session is the credential's, else the failure that says why it is not, or not known to be.

    shown: what the session shows of its user. The strongest thing it shows decides alone: user name, name, token subject,
    account numbers.
    known: what sessions of this credential at this login have proved before.
    user: what the portal calls the credential's user; compared without regard to case.
    account: the account number of the job; None where jobs are about something else.
    fresh: the session was just signed in to with the credential, in an empty context, and not read from the database.
    """
    if shown.username:
        if shown.username.casefold() != user.casefold():
            return IdentityMismatch("The page shows another user name.")
        return None
    if shown.name:
        if known.name is None:
            return None if fresh else IdentityUnproved("The name that the page shows was never proved before.")
        return None if shown.name == known.name else IdentityMismatch("The page shows another name than before.")
    if shown.subject and shown.subject == known.name:
        return None
    if shown.accounts:
        return _judge_accounts(shown.accounts, known.accounts, account, fresh=fresh)
    if shown.subject:
        return IdentityUnproved("The subject of the tokens was never proved to be this user.")
    if fresh and known.name is None and not known.accounts:
        return None  # the portal has never shown anything: the sign-in itself is the proof
    return IdentityUnproved()


def _judge_accounts(
    shown: frozenset[str], known: frozenset[str], account: str | None, *, fresh: bool
) -> LoginFailed | None:
    if account is not None and account not in shown:
        return IdentityMismatch("The page does not list the job's account.")
    if known:
        return (
            None if known & shown else IdentityMismatch("The page lists none of the accounts that were proved before.")
        )
    return None if fresh else IdentityUnproved("None of the accounts that the page lists was proved before.")


def proved_by(shown: ShownIdentity, known: KnownIdentity) -> str:
    """
    Return by what a session that was judged to be the credential's is proved.

    username, name, subject, accounts: it shows what was proved before. sign-in: only by the sign-in with the credential.
    """
    if shown.username:
        return "username"
    if shown.name:
        return "name" if known.name else "sign-in"
    if shown.subject and shown.subject == known.name:
        return "subject"
    return "accounts" if shown.accounts and known.accounts else "sign-in"


def proof_of(shown: ShownIdentity) -> str:
    """Return what is kept with a session as its proof of identity."""
    return shown.username or shown.name or shown.subject or ",".join(sorted(shown.accounts)) or BY_SIGN_IN
