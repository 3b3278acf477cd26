"""Account numbers as pages write them, and which account a page says is open."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Sequence
from datetime import date

from scrapers.core.outcomes import NotListed, PortalChanged, WrongAccount
from scrapers.core.page import PortalPage, until
from scrapers.core.periods import DAYS, month_missing, months_in, names_month
from scrapers.core.spool import CSV, TEXT, XLSX, PartFile
from scrapers.families.carriers.columns import ACCOUNT
from scrapers.reading.values.texts import plain
from scrapers.reading.workbooks import lines_of

SIGNS = r"[\s\u00a0\u2010-\u2015.-]?"  # between the digits of a number
TELEPHONE = (10, 11)  # digits
LEADING_ZEROS = 2  # that account numbers begin with at most
HEAD = 60  # lines of a file in which its month is looked for
LABEL = r"(?:billing |customer )?account|ban\b|compte"
PERIOD_LABEL = r"\b(?:invoice|billing|bill|statement) (?:month|period)|p[ée]riode de facturation|mois de (?:la )?factur"


def without_signs(account: str) -> str:
    """
    Return an account number without blanks, hyphens and dots.

    >>> without_signs("242000001-00001")
    '24200000100001'
    """
    return re.sub(SIGNS.removesuffix("?"), "", account)


def names_account(wanted: str, text: str) -> int:
    """
    Return 1 if a text names an account number, with or without signs between its digits; 0 if not.

    >>> names_account("533122906", "Account 533-122 906"), names_account("533122906", "5331229061")
    (1, 0)
    >>> names_account("242000001-00001", "24200000100001"), names_account("24200000100001", "242000001-00001 (main)")
    (1, 1)
    """
    return int(re.search(rf"(?<!\d){SIGNS.join(without_signs(wanted))}(?!\d)", text) is not None)


def numbers_like(account: str, text: str) -> set[str]:
    """
    Return the digits of all numbers of a text that have as many as an account's, with or without signs between them.

    Days are none.

    >>> sorted(numbers_like("533122906", "533 122 906, 533-122-907 and 4165550100"))
    ['533122906', '533122907']
    >>> numbers_like("38319713", "Ordered 2026-11-20 by 38319713")
    {'38319713'}
    """
    length = len(without_signs(account))
    found = re.findall(rf"(?<!\d)\d(?:{SIGNS}\d){{{length - 1}}}(?!\d)", DAYS.sub("|", text))
    return {re.sub(r"\D", "", each) for each in found}


def saying(account: str, alone: bool = False) -> str:
    """Return the end of a selector: of what names an account number. alone: beside no other words than those of a label."""
    number = rf"(?<!\d){SIGNS.join(without_signs(account))}(?!\d)"
    pattern = rf"^(\W|billing|customer|account|number|no|ban|compte)*{number}\W*$" if alone else number
    return f":text-matches({json.dumps(pattern)}, 'i')"


def may_be(wanted: str, text: str) -> int:
    """
    Return 2 if a text names an account number, 1 if it is one with masked digits that ends like it, 0 if not.

    >>> may_be("533122906", "533 122 906"), may_be("533122906", "\u2022\u2022\u2022 2906"), may_be("533122906", "*****2907")
    (2, 1, 0)
    """
    masked = re.search(rf"[*x\u2022\u00b7\u25cf#\u2026]{{2,}}{SIGNS}(\d{{3,}})(?!\d)", text, re.I)
    return 2 if names_account(wanted, text) else int(masked is not None and without_signs(wanted).endswith(masked[1]))


def accounts_named(text: str, like: str) -> set[str]:
    """
    Return the numbers of as many digits as *like* that follow the word account; of billing accounts alone if there are any.

    >>> accounts_named("Billing account number: 533122907. Parent account 533122906", "533122906")
    {'533122907'}
    >>> accounts_named("Account | Used on: 2026-11-20, 4.5 GB", "38319713")
    set()
    """
    number = rf"(?<!\d)\d(?:{SIGNS}\d){{{len(without_signs(like)) - 1}}}(?!\d)"
    found = re.findall(rf"(billing )?({LABEL})[^\d]{{0,30}}?({number})", DAYS.sub("|", text), re.I)
    billing = [each for each in found if (each[0] + each[1]).casefold().startswith("billing")]
    return {re.sub(r"\D", "", each[2]) for each in billing or found}


def of_account(entries: Sequence[tuple[int, str]], account: str) -> list[tuple[int, str]]:
    """
    Return the entries of a list that name an account, or else those that name no number like it: the portal filtered them.

    entries: places with texts. Raises WrongAccount where all are other accounts'.

    >>> of_account([(0, "533122907"), (1, "533-122-906")], "533122906"), of_account([(0, "Open")], "533122906")
    ([(1, '533-122-906')], [(0, 'Open')])
    """
    # An entry may have a number of its own that is as long.
    own = [each for each in entries if names_account(account, each[1])]
    own = own or [each for each in entries if not numbers_like(account, each[1])]
    if entries and not own:
        raise WrongAccount("The list holds entries of other accounts alone.")
    return own


def the_one(
    entries: Sequence[tuple[int, str]],
    account: str,
    month: date,
    today: date,
    said: str = "",
    *,
    is_of_month: bool = False,
) -> int:
    """
    Return the place of the one entry of a list that is of an account and a billing month, or names neither of them.

    entries: places with texts, in which days are no billing months. said: the text of the list, which may say that it is
    empty. is_of_month: the list is that of the month alone, which was chosen before. Raises WrongAccount where all are other
    accounts', NotYetPublished or NoLongerAvailable where all are other months' (PortalChanged if is_of_month), PortalChanged
    where several fit, or there is none and the list does not say so.

    >>> the_one([(3, "533122907 Oct 2026"), (4, "533122906 Oct 2026")], "533122906", date(2026, 10, 31), date(2026, 11, 20))
    4
    """
    own = [(place, DAYS.sub("", text)) for place, text in of_account(entries, account)]
    fitting = [place for place, text in own if not months_in(text) or names_month(text, month)]
    if own and not fitting and is_of_month:
        raise PortalChanged("The list is of another month than the chosen one.")
    if not fitting:
        raise month_missing(month, [text for _, text in own] or [said], today)
    if len(fitting) > 1:
        raise PortalChanged(f"The list holds {len(fitting)} entries of the account and month.")
    return fitting[0]


def not_listed(step: str = "") -> WrongAccount:
    """Return the failure for an account that the portal does not offer."""
    return WrongAccount("The portal does not list the account.", step=step)


async def confirm_account(
    page: PortalPage, account: str, *, is_chosen: bool, is_masked: bool = False, has_rested: bool = False
) -> None:
    """
    Raise WrongAccount if the page says that another account is open; wait until what it says has come to rest.

    is_chosen: it was chosen in this visit, by its number. Where it was not and the page names no account at all, the job
    gets a warning: what it fetches must prove it. is_masked: it was chosen by its last digits, so that the page must name it.
    has_rested: the page is at rest, and nothing was done in it since.
    """
    named, account = set[str](), without_signs(account)

    async def is_open() -> bool:
        text = await page.text(("main", "body"))
        named.clear()
        named.update(accounts_named(text, account) or ({account} if names_account(account, text) else ()))
        return named == {account}

    if await until(is_open, 0 if has_rested else 1):
        return
    if not has_rested and await page.is_at_rest(10) and await is_open():
        return
    if named:
        raise WrongAccount("The portal has opened another account.", step=page.trail.step)
    if is_masked:
        raise PortalChanged("The portal names the account by its last digits alone.", step=page.trail.step)
    if not is_chosen:
        page.job.warn("The page does not say which account is open.")


def check_file(
    part: PartFile,
    account: str,
    months: Collection[tuple[int, int]] = (),
    users: Collection[str] | None = None,
    known: Collection[str] = (),
) -> str:
    """
    Check by its cells whose a file is of which no columns are known; return a warning where they name no account.

    months: those it may be about; () if it is not checked. users: the same user's other accounts as far as they are known,
    for a file that holds every account of its user; else None. known: accounts of the user that a file may hold, too.

    Raises WrongAccount for a workbook or CSV that names other accounts and not this one: numbers of as many digits, below
    a heading that says account where telephone numbers have as many; and for one whose column of accounts holds others, too.
    NotListed in its place if several of a user's accounts,
    or a known one, are named, and PortalChanged if what is headed as the month is another one. Files of other types are
    not looked into.
    """
    if part.media_type not in (XLSX, CSV, TEXT):
        return ""
    account = without_signs(account)
    others: set[str] = set()
    named: set[tuple[int, int]] = set()
    headed: set[int] = set()
    dated: set[int] = set()
    own: set[int] = set()
    is_named = is_mixed = False
    for lineno, line in enumerate(lines_of(part)):
        beside = -1
        for place, cell in enumerate(line):
            text = str(plain(cell))
            # A number has lost its leading zeros; an amount or a count never had so many digits.
            is_short = isinstance(cell, float) and len(account) - LEADING_ZEROS <= len(text) < len(account)
            number = text.zfill(len(account)) if is_short else text
            is_named = is_named or names_account(account, number) > 0
            if re.search(rf"\b(?:{LABEL})", text, re.I):
                headed.add(place)
                if ACCOUNT.is_headed(text):
                    own.add(place)
            if re.search(PERIOD_LABEL, text, re.I):
                dated.add(place)
                beside = place + 1
            if lineno < HEAD and (place in dated or place == beside):
                named.update(months_in(text))
            is_alike = re.fullmatch(rf"\d(?:{SIGNS}\d){{{len(account) - 1}}}", number) is not None
            is_known = any(names_account(each, number) for each in known)
            if is_alike and (place in headed or len(account) not in TELEPHONE):
                others.add(re.sub(r"\D", "", number))
                is_mixed = is_mixed or (place in own and not is_known and not names_account(account, number))
    if months and named and not named & set(months):
        raise PortalChanged("The file is of another month.", step="read the file")
    if users is None and is_mixed:
        raise WrongAccount("The file holds other accounts, too.", step="read the file")
    if is_named:
        return ""
    is_shared = (users is not None and (len(others) > 1 or others & set(users))) or (
        others and others <= {without_signs(each) for each in known}
    )
    if is_shared:
        raise NotListed(
            "The report holds other accounts of the user and no line of -a account: it has none in the month, or is another user's.",
            step="read the file",
        )
    if others:
        raise WrongAccount("The file holds other accounts and not this one.", step="read the file")
    return "The file names no account: its account was not checked."
