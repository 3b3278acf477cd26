"""Which user a session belongs to, in the situations that portals and people bring about."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from database.access.sessions import KnownIdentity
from middlewares.access.identity import BY_SIGN_IN, judge_identity, proof_of, proved_by
from scrapers.core.outcomes import IdentityMismatch, IdentityUnproved
from scrapers.logins.base import ShownIdentity
from scrapers.logins.words import names_a_user, without_greeting

USER = "ann@example.com"
ID_NUMBER = "123456782"
MINE, ALSO_MINE, NEW, FOREIGN = "100000001", "100000002", "100000003", "999999999"
SUBJECT, OTHER_SUBJECT = "fingerprint-of-my-subject", "fingerprint-of-another-subject"


def shows(username: str = "", name: str = "", accounts: tuple[str, ...] = (), subject: str = "") -> ShownIdentity:
    return ShownIdentity(username, name, frozenset(accounts), subject)


def knows(name: str | None = None, *accounts: str) -> KnownIdentity:
    return KnownIdentity(name, frozenset(accounts))


@dataclass(frozen=True)
class Case:
    """A situation; `stored` is a session read from the database, `fresh` one that was just signed in to."""

    name: str
    shown: ShownIdentity
    verdict: type[Exception] | None
    fresh: bool = False
    known: KnownIdentity = field(default_factory=KnownIdentity)
    account: str | None = None
    user: str = USER


OK, OTHER, UNPROVED = None, IdentityMismatch, IdentityUnproved
FRESH = True

CASES = (
    # The portal shows the user name.
    Case("first sign-in, the user name is the credential's", shows(USER), OK, FRESH),
    Case("stored session, the user name is the credential's", shows(USER), OK),
    Case("user name in other case", shows("Ann@Example.COM"), OK),
    Case("credential stored in capitals", shows(USER), OK, user="ANN@EXAMPLE.COM"),
    Case("user name with a German sharp s in capitals", shows("STRASSE@example.com"), OK, user="straße@example.com"),
    Case("sessions mixed up in the database", shows("bob@example.com"), OTHER),
    Case("portal signs in the user of a remembered device", shows("bob@example.com"), OTHER, FRESH),
    Case("same user at another mail domain", shows("ann@example.org"), OTHER, FRESH),
    Case("user name that begins with the credential's", shows("ann@example.com.au"), OTHER),
    Case("user name with a plus tag that the credential lacks", shows("ann+billing@example.com"), OTHER),
    Case("page shows the user's e-mail, the credential is a customer number", shows(USER), OTHER, user="C-20311"),
    Case(
        "right user name, and the name was changed at the portal",
        shows(USER, "Ann Alder"),
        OK,
        known=knows("Ann Birch"),
    ),
    Case("right user name, and all accounts are new", shows(USER, accounts=(NEW,)), OK, known=knows(None, MINE)),
    Case(
        "right user name, and the job's account is not on the landing page",
        shows(USER, accounts=(MINE,)),
        OK,
        account=NEW,
    ),
    Case(
        "other user name, and the name is a namesake's",
        shows("bob@example.com", "Ann Birch"),
        OTHER,
        known=knows("Ann Birch"),
    ),
    Case(
        "other user of the company, who sees the same accounts",
        shows("bob@example.com", accounts=(MINE,)),
        OTHER,
        known=knows(None, MINE),
        account=MINE,
    ),
    Case(
        "other user name, and the subject was proved",
        shows("bob@example.com", subject=SUBJECT),
        OTHER,
        known=knows(SUBJECT),
    ),
    # The portal shows a name only.
    Case("first sign-in shows a name", shows(name="Ann Birch"), OK, FRESH),
    Case("same name as before", shows(name="Ann Birch"), OK, known=knows("Ann Birch")),
    Case("same name after a new sign-in", shows(name="Ann Birch"), OK, FRESH, knows("Ann Birch")),
    Case("name shown after it was never proved", shows(name="Ann Birch"), UNPROVED),
    Case(
        "name shown for the first time, the accounts were proved",
        shows(name="Ann Birch", accounts=(MINE,)),
        UNPROVED,
        known=knows(None, MINE),
    ),
    Case(
        "another user of the company under a stored session", shows(name="Bob Cedar"), OTHER, known=knows("Ann Birch")
    ),
    Case(
        "two users of one company: the other's name, the same accounts",
        shows(name="Bob Cedar", accounts=(MINE, ALSO_MINE)),
        OTHER,
        known=knows("Ann Birch", MINE),
        account=MINE,
    ),
    Case("fresh sign-in lands in another person's area", shows(name="Bob Cedar"), OTHER, FRESH, knows("Ann Birch")),
    Case("name in other case: names are not addresses", shows(name="ANN BIRCH"), OTHER, known=knows("Ann Birch")),
    Case("name cut by a narrower header", shows(name="Ann Bi…"), OTHER, known=knows("Ann Birch")),
    Case(
        "page in another language greets before the name",
        shows(name="Bonjour Ann Birch"),
        OTHER,
        known=knows("Ann Birch"),
    ),
    Case(
        "same name, and the job's account is not listed",
        shows(name="Ann Birch", accounts=(MINE,)),
        OK,
        known=knows("Ann Birch"),
        account=NEW,
    ),
    # The portal shows account numbers only.
    Case("first sign-in lists accounts", shows(accounts=(MINE,)), OK, FRESH),
    Case(
        "first sign-in lists the job's account among others", shows(accounts=(MINE, ALSO_MINE)), OK, FRESH, account=MINE
    ),
    Case("first sign-in lists accounts without the job's", shows(accounts=(MINE,)), OTHER, FRESH, account=NEW),
    Case(
        "same accounts as before",
        shows(accounts=(MINE, ALSO_MINE)),
        OK,
        known=knows(None, MINE, ALSO_MINE),
        account=MINE,
    ),
    Case("an account was closed since", shows(accounts=(MINE,)), OK, known=knows(None, MINE, ALSO_MINE), account=MINE),
    Case("an account was added since", shows(accounts=(MINE, NEW)), OK, known=knows(None, MINE), account=MINE),
    Case(
        "the job is about the account that was added since",
        shows(accounts=(MINE, NEW)),
        OK,
        known=knows(None, MINE),
        account=NEW,
    ),
    Case(
        "portal switched the default account, and lists that one alone",
        shows(accounts=(ALSO_MINE,)),
        OTHER,
        known=knows(None, MINE, ALSO_MINE),
        account=MINE,
    ),
    Case(
        "portal switched the default account to one that was proved, no account asked for",
        shows(accounts=(ALSO_MINE,)),
        OK,
        known=knows(None, MINE, ALSO_MINE),
    ),
    Case("all accounts were renumbered", shows(accounts=(NEW,)), OTHER, known=knows(None, MINE), account=NEW),
    Case("fresh sign-in lists none of the accounts known", shows(accounts=(FOREIGN,)), OTHER, FRESH, knows(None, MINE)),
    Case("another customer's accounts", shows(accounts=(FOREIGN,)), OTHER, known=knows(None, MINE), account=MINE),
    Case(
        "one account shared with another customer, not the job's",
        shows(accounts=(FOREIGN, ALSO_MINE)),
        OTHER,
        known=knows(None, MINE, ALSO_MINE),
        account=MINE,
    ),
    Case("stored session lists accounts, and none was proved before", shows(accounts=(MINE,)), UNPROVED, account=MINE),
    Case(
        "stored session lists accounts, and only a name was proved before",
        shows(accounts=(MINE,)),
        UNPROVED,
        known=knows("Ann Birch"),
        account=MINE,
    ),
    Case("account number that begins with the job's", shows(accounts=(MINE + "0",)), OTHER, FRESH, account=MINE),
    # Tokens: an API shows nothing on most of its answers.
    Case("tokens of a subject that was proved", shows(subject=SUBJECT), OK, known=knows(SUBJECT)),
    Case(
        "tokens of a subject that was proved, an answer lists accounts",
        shows(accounts=(NEW,), subject=SUBJECT),
        OK,
        known=knows(SUBJECT, MINE),
    ),
    Case("tokens that were imported and never proved", shows(subject=SUBJECT), UNPROVED),
    Case("tokens just received, not proved by the customer page", shows(subject=SUBJECT), UNPROVED, FRESH),
    Case(
        "token subject of another ID number under the same label",
        shows(subject=OTHER_SUBJECT),
        UNPROVED,
        known=knows(SUBJECT),
    ),
    Case("customer page shows the ID number", shows(ID_NUMBER, subject=SUBJECT), OK, user=ID_NUMBER),
    Case(
        "customer page shows another ID number",
        shows("000000018", subject=SUBJECT),
        OTHER,
        known=knows(SUBJECT),
        user=ID_NUMBER,
    ),
    Case(
        "customer page shows a new subject's right ID number",
        shows(ID_NUMBER, subject=OTHER_SUBJECT),
        OK,
        known=knows(SUBJECT),
        user=ID_NUMBER,
    ),
    Case(
        "unknown subject, the answer lists accounts that were proved",
        shows(accounts=(MINE,), subject=OTHER_SUBJECT),
        OK,
        known=knows(SUBJECT, MINE),
        account=MINE,
    ),
    # Nothing is shown.
    Case("portal never shows anything, fresh sign-in", shows(), OK, FRESH),
    Case("portal never shows anything, fresh sign-in for an account", shows(), OK, FRESH, account=MINE),
    Case("portal never shows anything, stored session", shows(), UNPROVED),
    Case("layout changed: no name any more, fresh sign-in", shows(), UNPROVED, FRESH, knows("Ann Birch")),
    Case("layout changed: no accounts any more, fresh sign-in", shows(), UNPROVED, FRESH, knows(None, MINE)),
    Case("layout changed: no name any more, stored session", shows(), UNPROVED, known=knows("Ann Birch")),
    Case("stored session answers with a file", shows(), UNPROVED, known=knows(None, MINE), account=MINE),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_whose_session_it_is(case):
    verdict = judge_identity(case.shown, case.known, case.user, case.account, fresh=case.fresh)
    assert type(verdict) is (case.verdict or type(None))


def test_the_situations_are_many_and_differ():
    assert len(CASES) >= 40
    assert len({case.name for case in CASES}) == len(CASES)
    assert len({(c.shown, c.known, c.user, c.account, c.fresh) for c in CASES}) == len(CASES)


@pytest.mark.parametrize("case", [case for case in CASES if case.verdict], ids=lambda case: case.name)
def test_a_refusal_names_no_user_and_no_account(case):
    told = str(judge_identity(case.shown, case.known, case.user, case.account, fresh=case.fresh))
    for secret in (case.user, case.shown.username, case.shown.name, case.shown.subject, *case.shown.accounts):
        assert not secret or secret not in told


@pytest.mark.parametrize(
    "case", [case for case in CASES if not case.verdict and case.fresh], ids=lambda case: case.name
)
def test_what_is_kept_with_a_fresh_session_says_how_it_was_proved(case):
    proof = proof_of(case.shown)
    assert proof
    assert (proof == BY_SIGN_IN) == (case.shown == shows())


def test_the_proof_by_sign_in_is_no_users_name():
    verdict = judge_identity(shows(BY_SIGN_IN), knows(), USER, None, fresh=False)
    assert isinstance(verdict, IdentityMismatch)


def test_a_session_that_was_read_from_the_database_is_never_trusted_more_than_a_fresh_one():
    for case in CASES:
        stored, fresh = (
            judge_identity(case.shown, case.known, case.user, case.account, fresh=fresh) for fresh in (False, True)
        )
        assert stored or fresh is None, case.name


@pytest.mark.parametrize(
    ("shown", "known", "by"),
    [
        (shows(USER, "Ann Birch"), knows("Ann Birch", MINE), "username"),
        (shows(name="Ann Birch"), knows("Ann Birch"), "name"),
        (shows(name="Ann Birch"), knows(), "sign-in"),  # nothing to compare it with
        (shows(accounts=(MINE, NEW)), knows(None, MINE), "accounts"),
        (shows(accounts=(MINE,)), knows(), "sign-in"),
        (shows(subject=SUBJECT), knows(SUBJECT), "subject"),
        (shows(), knows(), "sign-in"),
    ],
)
def test_the_record_says_by_what_a_session_was_proved(shown, known, by):
    assert judge_identity(shown, known, USER, None, fresh=True) is None
    assert proved_by(shown, known) == by


@pytest.mark.parametrize(
    ("text", "name"),
    [("Hello, Ann", "Ann"), ("Good evening Ann", "Ann"), ("Bonjour Ann", "Ann"), ("Hilda Birch", "Hilda Birch")],
)
def test_a_greeting_is_no_part_of_a_name(text, name):
    assert without_greeting(text) == name


@pytest.mark.parametrize(
    ("text", "names"),
    [
        *[(text, True) for text in ("Ann Birch", "Hello, Ann", "A. Birch", "Northwind Traders", "ישראל ישראלי")],
        *[(text, False) for text in ("", "My account", "Log out", "Bonjour", "Mon compte", "Se déconnecter", "Menu ▾")],
        *[(text, False) for text in ("Sign out", "התנתקות", "Signed in", "Welcome!", "Profile (3)")],
    ],
)
def test_what_a_button_says_to_everybody_is_no_name(text, names):
    assert names_a_user(text) is names
