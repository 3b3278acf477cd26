"""
Invoices of carriers as PDF: account, number, dates, period, amounts, as far as they are certain.

A value is what stands behind one of its labels: in the same text, right of it, or below it. Values that differ, and those
that cannot be read, are None with the reason.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Any

from scrapers.reading.invoice_words import (
    AMOUNT,
    BEFORE,
    BEHIND,
    BY_DAY,
    CODE,
    CODES,
    CREDIT,
    FILLING,
    HAS_AMOUNT,
    IN_CANADIAN,
    IN_DOLLARS,
    INVOICE_NUMBER,
    LABELS,
    MONTH_NAME,
    NO_LINE,
    NUMERIC_DAY,
    ONE_DAY,
    ONE_MONTH,
    PERIOD,
    Label,
)
from scrapers.reading.pdf import Text
from scrapers.reading.values.days import day, month
from scrapers.reading.values.locale import Locale
from scrapers.reading.values.numbers import decimal
from scrapers.reading.values.texts import digits

SIGNS = r"[\s\u00a0\u2010-\u2015.-]?"  # between the digits of an account number
LONGEST_PERIOD = timedelta(days=100)
LARGEST = Decimal(10) ** 12  # from which an amount is no amount of an invoice
LONG = 30  # characters from which a text may be a line of a paragraph, which goes on in the next
LEAST_LINES = 2  # of a sum
LONGEST_LINE = 200  # characters
LANGUAGES = ("en", "fr")
ONE_TEXT = re.compile(rf"([^\d$]*?[^\W\d_]{{2}}[^\d$]*?)[\s:.…]+({AMOUNT.pattern})", re.I)  # a line drawn as one text


@dataclass(frozen=True, slots=True)
class Invoice:
    """
    What an invoice says. None: not said, or not certain; `unclear` has the reason by the value's name.

    accounts: digits of the numbers that are labelled as an account, billing accounts before others. is_named: the account
    that was asked for is named anywhere, other than as another one's parent. charged: what this invoice asks for alone; due:
    with earlier balances. summed: the sum of the lines and the total that is printed below or above them.
    """

    accounts: tuple[frozenset[str], ...] = ()
    is_named: bool = False
    number: str | None = None
    issued: date | None = None
    start: date | None = None
    end: date | None = None
    month: str | None = None  # YYYY-MM, where the billing period is a month by name
    due: Decimal | None = None
    charged: Decimal | None = None
    currency: str | None = None
    due_date: date | None = None
    summed: tuple[Decimal, Decimal] | None = None
    unclear: dict[str, str] = field(default_factory=dict)

    @property
    def account(self) -> str | None:
        """The one number of the first kind of label."""
        return next(iter(self.accounts[0])) if self.accounts and len(self.accounts[0]) == 1 else None

    @property
    def total(self) -> Decimal | None:
        """What is to be paid; the invoice's own total where nothing else is said of it."""
        return self.charged if self.due is None and "due" not in self.unclear else self.due


@dataclass(frozen=True, slots=True)
class Found:
    """A value behind a label; values: its readings, none if it cannot be read. behind: the text that it stands in."""

    label: Label
    values: frozenset[Any]
    behind: Text


Read = Callable[[str, Sequence[Locale]], set[Any]]


def read_invoice(texts: Sequence[Text], locale: Locale, account: str, is_all: bool = True) -> Invoice:
    """
    Return what the texts of an invoice say.

    locale: the portal's; amounts and days are read by the language of their label first. account: the number that is asked
    for, by whose digits others are recognised. is_all: the texts are the whole document.
    """
    return _Reader(texts, locale, account, is_all).invoice()


class _Reader:
    def __init__(self, texts: Sequence[Text], locale: Locale, account: str, is_all: bool) -> None:
        self.texts = [replace(text, text=text.text.replace("’", "'")) for text in texts]
        self.account, self.is_all = account, is_all
        order = _day_first([text.text for text in self.texts], locale.puts_day_first)
        territory = locale.tag.partition("_")[2] or "CA"
        self.locales = {
            language: Locale(f"{language}_{territory if language == locale.language else 'CA'}", day_first=order)
            for language in LANGUAGES
        }
        self.unclear: dict[str, str] = {}
        self.pages: dict[int, list[Text]] = {}
        for text in self.texts:
            self.pages.setdefault(text.page, []).append(text)
        self._below: dict[Text, Text | None] = {}

    def invoice(self) -> Invoice:
        accounts = self.found("account", self.account_number)
        start, end = self.one("period", period) or (None, None)
        named = self.one("month", billing_month) if start is None else None
        if named:
            self.unclear.pop("period", None)
        self.unclear.pop("month", None)
        due, charged = self.one("due", amount), self.one("charged", amount)
        return Invoice(
            accounts=self.labelled(accounts),
            is_named=self.names_account(),
            number=self.one("number", invoice_number),
            issued=self.one("issued", one_day),
            start=start,
            end=end,
            month=named,
            due=due,
            charged=charged,
            currency=self.currency(),
            due_date=self.one("due_date", one_day),
            summed=self.summed({"due": due, "charged": charged}),
            unclear=self.unclear,
        )

    # Labels

    def found(self, name: str, read: Read, is_qualified: bool = False) -> list[Found]:
        """Return what stands behind the labels of a value: behind those that name it, or behind those that name another one's."""
        found: list[Found] = []
        for text in self.texts:
            said = self.with_next(text)
            for label in LABELS[name]:
                for match in label.words.finditer(said):
                    if match.start() >= len(text.text):
                        break
                    is_broken = match.end() > len(text.text)
                    before, rest = said[: match.start()], (said if is_broken else text.text)[match.end() :]
                    is_another = BEFORE.search(before) is not None or BEHIND.match(rest) is not None
                    if is_another == is_qualified:
                        found += self.behind(label, self.wrapped(text) or text if is_broken else text, rest, read)
        return found

    def behind(self, label: Label, text: Text, rest: str, read: Read) -> Iterator[Found]:
        """Yield what stands behind a label: in its text, else right of it and below it."""
        locales = [self.locales[label.language], *(self.locales[each] for each in LANGUAGES if each != label.language)]
        if value := _without_filling(rest):
            readings = read(value, locales)
            if not readings and (wrapped := self.wrapped(text)) is not None:
                readings = read(f"{value} {wrapped.text}", locales)
            if readings or re.match(r"[-−–($]*\d", value):
                yield Found(label, frozenset(readings), text)
            return
        places = [self.right(text), self.below(text)]
        said = [(place, read(_without_filling(place.text), locales)) for place in places if place is not None]
        if any(readings for _, readings in said):
            yield from (Found(label, frozenset(readings), place) for place, readings in said if readings)
        elif said and re.match(r"[-−–($]*\d", said[0][0].text):
            yield Found(label, frozenset(), said[0][0])

    def one(self, name: str, read: Read) -> Any:
        """Return the one value that the first kind of labels names; None with the reason in `unclear`."""
        found = self.found(name, read)
        first = min((each.label.rank for each in found), default=0)
        values = {value for each in found if each.label.rank == first for value in each.values}
        if len(values) == 1:
            return values.pop()
        if found:
            self.unclear[name] = f"{len(values)} different ones" if values else "cannot be read"
        return None

    def labelled(self, found: list[Found]) -> tuple[frozenset[str], ...]:
        ranks = sorted({each.label.rank for each in found})
        sets = (frozenset(v for each in found if each.label.rank == rank for v in each.values) for rank in ranks)
        numbers = tuple(each for each in sets if each)
        if found and (not numbers or len(numbers[0]) > 1):
            self.unclear["account"] = f"{len(numbers[0])} different ones" if numbers else "cannot be read"
        return numbers

    def names_account(self) -> bool:
        """Return whether the account that is asked for is named, other than behind labels of another account's parent."""
        pattern = re.compile(rf"(?<!\d)0{{0,2}}{SIGNS.join(self.account.lstrip('0') or '0')}(?!\d)")
        passed = [each.behind for each in self.found("account", self.account_number, is_qualified=True) if each.values]
        found = ((text, pattern.search(self.with_next(text))) for text in self.texts if text not in passed)
        return any(match is not None and match.start() < len(text.text) for text, match in found)

    def account_number(self, said: str, locales: Sequence[Locale]) -> set[str]:
        """Return the digits of an account number at the beginning of a text."""
        alike = re.match(rf"\d(?:{SIGNS}\d){{{len(self.account) - 1}}}(?!\d)", said)
        found = alike or re.match(r"\d(?:-?\d){4,24}(?![\w.,/])", said)
        return {digits(found[0])} if found and not ONE_DAY.match(said) else set()

    # Places

    def right(self, text: Text) -> Text | None:
        """Return the next text right of another one; a currency sign that stands apart belongs to the next."""
        beside = [
            each
            for each in self.on_page(text)
            if abs(each.middle - text.middle) < min(each.height, text.height) / 2 and each.left > text.right - 1
        ]
        beside = [each for each in sorted(beside, key=lambda each: each.left) if _without_filling(each.text)]
        if len(beside) > 1 and re.fullmatch(r"(?:CAD|USD|(?:CA|US|C)?\$)", beside[0].text):
            return replace(beside[0], text=f"{beside[0].text} {beside[1].text}", right=beside[1].right)
        return beside[0] if beside else None

    def below(self, text: Text) -> Text | None:
        """Return the next text below another one, not far, and aligned with it: left, right or in the middle."""
        if text in self._below:
            return self._below[text]
        under = [
            each
            for each in self.on_page(text)
            if each.middle < text.middle - text.height / 2
            and text.bottom - each.top < 1.5 * text.height
            and min(
                abs(each.left - text.left),
                abs(each.right - text.right),
                abs(each.left + each.right - text.left - text.right) / 2,
            )
            < 1.5 * text.height
        ]
        nearest = max(under, key=lambda each: (each.middle, -abs(each.left - text.left)), default=None)
        self._below[text] = nearest
        return nearest

    def wrapped(self, text: Text) -> Text | None:
        """Return the next line of a paragraph."""
        under = self.below(text)
        return under if under is not None and abs(under.left - text.left) < text.height / 2 else None

    def with_next(self, text: Text) -> str:
        """Return a text, with the next line where it may be one of a paragraph."""
        after = self.wrapped(text) if len(text.text) >= LONG else None
        return text.text if after is None else f"{text.text} {after.text}"

    def on_page(self, text: Text) -> Iterator[Text]:
        return (each for each in self.pages[text.page] if each is not text)

    # Currency

    def currency(self) -> str | None:
        """Return the ISO code that a label, the totals or a sentence names."""
        named: set[str] = {value for each in self.found("currency", currency_code) for value in each.values}
        for name in ("due", "charged"):
            named |= {value for each in self.found(name, currency_of_amount) for value in each.values}
        for text in self.texts:
            for match in IN_DOLLARS.finditer(text.text):
                named.add("CAD" if (match[1] or match[2]).casefold() in IN_CANADIAN else "USD")
        if len(named) == 1:
            return named.pop()
        if named:
            self.unclear["currency"] = f"{len(named)} different ones"
        return None

    # Lines

    @cached_property
    def rows(self) -> list[list[Text]]:
        """The texts of each line of a page, from left to right; from the first line to the last."""
        rows: list[list[Text]] = []
        for text in sorted(self.texts, key=lambda each: (each.page, -each.middle, each.left)):
            last = rows[-1][0] if rows else None
            if last is None or last.page != text.page:
                rows.append([text])
            elif abs(last.middle - text.middle) < min(last.height, text.height) / 2:
                rows[-1].append(text)
            else:
                rows.append([text])
        return [sorted(row, key=lambda each: each.left) for row in rows]

    def summed(self, totals: dict[str, Decimal | None]) -> tuple[Decimal, Decimal] | None:
        """
        Return the sum of an invoice's lines, and the total; None unless it is certain what the lines are.

        They are all amounts in front of the total, on its page; where there are none, all amounts behind it. Each has a
        label, and they are drawn alike. Any other amount there but the total itself makes it uncertain: a subtotal, an
        earlier balance, a payment, a list with further columns.
        """
        sums: set[tuple[Decimal, Decimal]] = set()
        for name, total in totals.items():
            if total is None:
                continue
            places = [each.behind for each in self.found(name, amount) if total in each.values]
            for place in places:
                at = next(number for number, row in enumerate(self.rows) if any(_is_in(place, each) for each in row))
                lines = self.lines(self.rows[:at], place.page, total)
                if lines == [] and self.is_all:
                    lines = self.lines(self.rows[at + 1 :], place.page, total)
                if lines is not None and len(lines) >= LEAST_LINES:
                    sums.add((sum(lines, Decimal(0)), total))
        return sums.pop() if len(sums) == 1 else None

    def lines(self, rows: Sequence[list[Text]], page: int, total: Decimal) -> list[Decimal] | None:
        """Return the amounts of all lines in rows; None where one of them is not certain, or is on another page."""
        amounts: list[Decimal] = []
        first: Text | None = None
        for row in rows:
            if not HAS_AMOUNT.search(_joined(row)) or self.amounts(row) == {total}:
                continue
            first = first or row[0]
            line = self.line(row)
            is_alike = abs(row[0].left - first.left) < 2 and abs(row[0].height - first.height) < first.height / 10
            if line is None or not is_alike or row[0].page != page:
                return None
            amounts.append(line)
        return amounts

    def amounts(self, row: list[Text]) -> set[Decimal]:
        """Return all amounts of a row."""
        found = (
            match[0].strip() for text in row for match in AMOUNT.finditer(text.text) if HAS_AMOUNT.search(match[0])
        )
        return {value for each in found for value in amount(each, list(self.locales.values()))}

    def line(self, row: list[Text]) -> Decimal | None:
        """Return the amount of a line: its label is in the first text, and the amount behind it is all of the rest."""
        said = _joined(row)
        if NO_LINE.search(said) or len(said) > LONGEST_LINE:
            return None
        if len(row) == 1:
            split = ONE_TEXT.fullmatch(said)
            label, rest = (split[1], split[2]) if split else ("", "")
        else:
            label, rest = row[0].text, " ".join(each.text for each in row[1:])
        match = AMOUNT.fullmatch(rest) if re.search(r"[^\W\d_]{2}", label) else None
        readings = amount(rest, list(self.locales.values())) if match and HAS_AMOUNT.search(rest) else set()
        if len(readings) != 1 or (CREDIT.search(said) and min(readings) > 0):
            return None
        return readings.pop()


# Values: each returns its readings at the beginning of a text, none if it cannot be read


def amount(said: str, locales: Sequence[Locale]) -> set[Decimal]:
    """Return an amount of money by every locale that can read it: with a currency sign or with cents."""
    match = _amount(said)
    if match is None:
        return set()
    before, behind = (re.sub(r"[\sA-Z$]", "", match[part], flags=re.I) for part in ("before", "behind"))
    found = _by_each(locales, lambda locale: decimal(f"{before}{match['body']}{behind}", locale))
    return {each for each in found if abs(each) < LARGEST}


def currency_of_amount(said: str, locales: Sequence[Locale]) -> set[str]:
    """Return the ISO code beside an amount; none beside "$" alone."""
    match = _amount(said)
    signs = re.findall(r"CAD|USD|CA|US|C(?=\$)", f"{match['before']} {match['behind']}", re.I) if match else []
    return {CODES[sign.upper()] for sign in signs}


def _amount(said: str) -> re.Match[str] | None:
    """Return an amount with a currency sign or cents at the beginning of a text, where the day that it is due may stand first."""
    by = BY_DAY.match(said)
    match = AMOUNT.match(said[by.end() :] if by else said)
    is_money = match is not None and (HAS_AMOUNT.search(match[0]) or CODE.search(match[0])) is not None
    return match if is_money else None


def currency_code(said: str, locales: Sequence[Locale]) -> set[str]:
    """Return an ISO code."""
    match = CODE.match(said)
    return {match[1]} if match else set()


def one_day(said: str, locales: Sequence[Locale]) -> set[date]:
    """Return a day."""
    match = ONE_DAY.match(said)
    return _days(match[0], locales) if match else set()


def period(said: str, locales: Sequence[Locale]) -> set[tuple[date, date]]:
    """Return the first and the last day of a period; the first may leave out its year or month."""
    match = PERIOD.match(said)
    if match is None:
        return set()
    first, last = match["first"], match["last"]
    if re.fullmatch(r"\d{1,2}\D*\d{4}", last) and (name := re.match(MONTH_NAME, first)) is not None:
        last = f"{name[0]} {last}"
    found = set()
    for end in _days(last, locales):
        for start in _starts(first, end, locales):
            if start <= end <= start + LONGEST_PERIOD:
                found.add((start, end))
    return found


def _starts(first: str, end: date, locales: Sequence[Locale]) -> set[date]:
    if ONE_DAY.fullmatch(first):
        return _days(first, locales)
    number = re.search(r"\d+", first)
    assert number is not None  # by the pattern of periods
    if re.fullmatch(r"\d{1,2}(?:er|st|nd|rd|th)?", first, re.I):
        return {end.replace(day=int(number[0]))} if 1 <= int(number[0]) <= end.day else set()
    starts = _days(f"{first} {end.year}", locales)
    return {each if each <= end else _year_before(each) for each in starts}


def _year_before(day: date) -> date:
    return day - timedelta(days=366 if (day - timedelta(days=365)).day != day.day else 365)


def billing_month(said: str, locales: Sequence[Locale]) -> set[str]:
    """Return a month by its name, YYYY-MM."""
    match = ONE_MONTH.match(said)
    return _by_each(locales, lambda locale: month(match[0], locale)) if match else set()


def invoice_number(said: str, locales: Sequence[Locale]) -> set[str]:
    """Return an invoice number, without blanks."""
    match = INVOICE_NUMBER.match(said)
    is_number = match is not None and len(match[0]) <= 40 and not ONE_DAY.match(said)
    return {re.sub(r"\s", "", match[0])} if match and is_number else set()


def _days(said: str, locales: Sequence[Locale]) -> set[date]:
    named = re.fullmatch(rf"({MONTH_NAME})[\s-]+(\d{{1,2}})(?:st|nd|rd|th)?,?\s+(\d{{4}})", said, re.I)
    text = f"{named[1]} {named[2]}, {named[3]}" if named else re.sub(r",|\bof\b", " ", said)
    return {date.fromisoformat(each) for each in _by_each(locales, lambda locale: day(" ".join(text.split()), locale))}


def _by_each(locales: Sequence[Locale], read: Callable[[Locale], Any]) -> set[Any]:
    """Return the readings of a value by each locale, without those that cannot read it."""
    readings = set()
    for locale in locales:
        try:
            readings.add(read(locale))
        except ValueError:
            continue
    return readings - {None}


def _without_filling(said: str) -> str:
    match = FILLING.match(said)
    return said[match.end() :] if match else said


def _joined(row: list[Text]) -> str:
    return "  ".join(each.text for each in row)


def _is_in(inner: Text, outer: Text) -> bool:
    """Return whether a text is another one, or was joined with the next one."""
    return inner.page == outer.page and inner.left == outer.left and inner.middle == outer.middle


def _day_first(said: Sequence[str], by_locale: bool | None) -> bool | None:
    """Return the order of numeric days: the locale's, or that of all of them by those above 12; None where they disagree."""
    found = [(int(match[1]), int(match[3])) for text in said for match in NUMERIC_DAY.finditer(text)]
    orders = {first > 12 for first, second in found if (first > 12) != (second > 12)}
    if by_locale is not None:
        orders.add(by_locale)
    return orders.pop() if len(orders) == 1 else None
