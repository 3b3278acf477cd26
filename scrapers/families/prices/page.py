"""The page of a product, as its readers see it: how a price is tied to the product, and what the page says of all its prices."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

from scrapy.selector import Selector

from scrapers.families.prices.addresses import AddressRefused, Product, is_home, key_of, named
from scrapers.families.prices.amounts import Amount, read, vat_in
from scrapers.families.prices.readings import Availability, Tie
from scrapers.reading.values.locale import Locale
from scrapers.reading.visible import text, visible

SHORTEST_SKU = 4  # characters; shorter ones stand in too many addresses by chance
FEWEST_OTHERS = 3  # products that a home page links at least
CANONICAL = "link[rel=canonical]::attr(href), meta[property='og:url']::attr(content)"


@dataclass
class ProductPage:
    """
    A page that was fetched for a product.

    url: of the page, after redirects. country: the buyer's, where the shop was told. language: of the shop's pages, for one
    that says none. currency: the one in which the page shows its prices, once a reader knows it. availability: what the page says
    of the product apart from a price. notes: why something of the page was not taken for the price, for a person. doubts: those
    notes that are of a price of this product, which its owner can make certain.
    """

    body: str
    url: str
    product: Product
    country: str | None = None
    language: str | None = None
    currency: str | None = None
    availability: Availability | None = None
    notes: list[str] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)

    @cached_property
    def root(self) -> Selector:
        """The parsed page."""
        return Selector(text=self.body or "<html></html>", type="html")

    @cached_property
    def locale(self) -> Locale | None:
        """How the page writes numbers; None where it does not say its language."""
        from babel.core import Locale as Cldr
        from babel.core import UnknownLocaleError

        for tag in (self.root.xpath("/html/@lang").get(""), self.language or ""):
            try:
                found = Cldr.parse(tag.strip().replace("-", "_"))
            except (ValueError, TypeError, UnknownLocaleError):
                continue
            if found is not None:
                return Locale(str(found))
        return None

    @cached_property
    def headings(self) -> frozenset[str]:
        """The page's heading, to be compared; none where there are several."""
        found = {folded(text(heading)) for heading in visible(self.root.css("h1"))} - {""}
        return frozenset(found if len(found) == 1 else ())

    @cached_property
    def canonical(self) -> str:
        """The address that the page itself says it has; "" where it says none."""
        said = next((said.strip() for said in self.root.css(CANONICAL).getall() if said.strip()), "")
        return self.absolute(said) if said else ""

    @property
    def is_home(self) -> bool:
        """Whether the page is the shop's home page: by an address of it, or as it links other products and never names this one."""
        addresses = [each for each in (self.url, self.canonical) if self._identity(each) is not None]
        if any(map(is_home, addresses)):
            return True
        if not self.product.id or self.names_product:
            return False
        linked = filter(None, map(self.named, self.root.css("a::attr(href)").getall()))
        return len({each.id for each in linked if each.portal == self.product.portal}) >= FEWEST_OTHERS

    @cached_property
    def names_product(self) -> bool:
        """Whether the product's number is on the page, or its name, as the address has it, is the heading."""
        if self.product.id and re.search(rf"(?<!\d){self.product.id}(?!\d)", self.body):
            return True
        slug = unquote(urlsplit(self.product.url).path).rstrip("/").rpartition("/")[2].partition("-")[2]
        return folded(slug.replace("-", " ")) in self.headings

    @property
    def other_product(self) -> str:
        """The address of another product of the same shop, where the page says that it is that one's; else ""."""
        said = self.named(self.canonical) if self.product.id else None
        return (
            self.canonical
            if said is not None and said.id != self.product.id and said.portal == self.product.portal
            else ""
        )

    @cached_property
    def with_vat(self) -> bool | None:
        """Whether the page says that its prices include VAT; None where it says nothing, or both."""
        return vat_in(" ".join(map(text, visible(self.root.xpath("//body")))))

    def tie(self, *, ids: tuple[Any, ...] = (), url: Any = None, title: Any = None) -> Tie | None:
        """
        Return by what something on the page is the product that was asked for; None where nothing says so.

        ids: its number and article numbers. url: its address; that of another product decides against it. title: its name.
        """
        if isinstance(url, str) and url.strip():
            address = self.absolute(url)
            if (said := self._identity(address)) is not None:
                if any(said == known or _is_variant(said, known) for known in self._identities):
                    return Tie.ADDRESS
                if not is_home(address):
                    return None
        numbers = {str(given).strip().casefold() for given in ids if isinstance(given, str | int) and given != ""}
        if self.product.id and self.product.id in numbers:
            return Tie.ID
        if {number for number in numbers if len(number) >= SHORTEST_SKU} & self._words:
            return Tie.SKU
        return Tie.HEADING if isinstance(title, str) and folded(title) in self.headings else None

    def named(self, url: str) -> Product | None:
        """Return the product that an address on the page names; None where it names none."""
        try:
            return named(self.absolute(url)) if url else None
        except AddressRefused:
            return None

    def absolute(self, url: str) -> str:
        """Return an address of the page in full; "" for one that is none."""
        try:
            return urljoin(self.url, url.strip())
        except ValueError:
            return ""

    def is_exactly(self, url: str) -> bool:
        """Return whether an address is the one that was asked for, the variant that it names included."""
        return bool(url) and self._identity(self.absolute(url)) in self._asked

    def is_other_variant(self, url: str) -> bool:
        """Return whether an address names another variant than the one that was asked for."""
        said = self._identity(self.absolute(url)) or "" if url else ""
        return "?" in said and all("?" in asked and asked != said for asked in self._asked)

    def amount(self, said: str) -> Amount:
        """Return the price in a text of the page; raise ValueError."""
        return read(said, self.locale, self.country, self.currency)

    def note(self, said: str) -> None:
        """Say why something of the page is not the price."""
        if said not in self.notes:
            self.notes.append(said)

    def doubt(self, said: str) -> None:
        """Say why a price of this product is not certain: no developer has to act, its owner does."""
        self.note(said)
        if said not in self.doubts:
            self.doubts.append(said)

    @cached_property
    def _identities(self) -> frozenset[str]:
        said = (self.product.url, self.url, self.canonical)
        return frozenset(filter(None, (self._identity(each) for each in said if each)))

    @cached_property
    def _asked(self) -> frozenset[str]:
        return frozenset(filter(None, map(self._identity, (self.product.url, self.url))))

    @cached_property
    def _words(self) -> frozenset[str]:
        """What stands in the product's addresses where shops put article numbers."""
        found: set[str] = set()
        for address in (self.product.url, self.url):
            parts = urlsplit(address)
            for piece in (*parts.path.split("/"), *(pair.partition("=")[2] for pair in parts.query.split("&"))):
                word = re.sub(r"\.\w{1,5}$", "", unquote(piece)).casefold()
                found |= {word, word.partition("-")[0], word.rpartition("-")[2]}
        return frozenset(word for word in found if len(word) >= SHORTEST_SKU and re.search(r"\d", word))

    @staticmethod
    def _identity(url: str) -> str | None:
        try:
            return key_of(url) if urlsplit(url).scheme in ("http", "https") else None
        except (AddressRefused, ValueError):
            return None


def _is_variant(one: str, other: str) -> bool:
    """Return whether one of two identities is the other's with a query, which names a variant."""
    return one.partition("?")[0] == other.partition("?")[0] and ("?" in one) != ("?" in other)


def folded(name: str) -> str:
    """
    Return a name as names are compared.

    >>> folded(" Big  Hall\N{NO-BREAK SPACE}2 ")
    'big hall 2'
    """
    return " ".join(name.split()).casefold()
