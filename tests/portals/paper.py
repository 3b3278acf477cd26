"""A portal's page without a browser: it offers texts, and keeps what is chosen; the steps around a choice do nothing."""
# It takes fewer arguments than a page, and holds stand-ins where that has a browser's objects.
# mypy: disable-error-code="override, assignment"

from __future__ import annotations

import asyncio
import re
import selectors
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

from scrapy import Selector

from scrapers.core.choices import Offer, fitting
from scrapers.core.locators import same
from scrapers.core.outcomes import PortalChanged
from scrapers.core.page import PortalPage
from scrapers.core.trail import Trail
from tests.portals.moments import Cycle

ACCOUNT = "500100200"


class Paper:
    """
    A page that offers some texts wherever something is chosen by another rule than its own name.

    listed: what scripts read from lists. It shows the account, and what was chosen last. A download is kept as its selector.
    """

    begin, month = PortalPage.begin, PortalPage.month

    def __init__(self, cycle: Cycle, offered: Sequence[str] = (), listed: Sequence[Any] = ()) -> None:
        self.offered, self.taken, self.typed, self.files = offered, list[str](), list[str](), list[str]()
        self.target = SimpleNamespace(account=ACCOUNT, start=cycle.start, end=cycle.end, others=())
        self.job = SimpleNamespace(target=self.target, warn=lambda said: None)
        self.trail, self.signed_out, self.tabs, self._choices = Trail(), (), [], []
        self.scope = Listing(listed)
        self.element: Any = Anything()
        self.raw = SimpleNamespace(
            url="https://portal.example/", locator=self.scope.locator, keyboard=Anything(), main_frame=None
        )

    @property
    def place(self) -> int:
        """The place in a list that the selector of the only download names."""
        (selector,) = self.files
        return int(re.findall(r"nth=(\d+)", selector)[0])

    async def find(self, names: Any, **_: Any) -> Any:
        return self.element

    async def click(self, names: Any, **_: Any) -> None:
        """Click nothing."""

    double_click = hover = tick = click

    async def open(self, url: str) -> None:
        """Open nothing."""

    async def choose_entry(self, menu: Any, entry: Any, **_: Any) -> None:
        """Choose nothing."""

    async def type(self, names: Any, text: str, **_: Any) -> None:
        self.typed.append(text)

    async def arrives(self, names: Any) -> str | None:
        return names[0]

    async def shown(self, names: Any, within: float = 0) -> str | None:
        return None

    async def is_ticked(self, names: Any, **_: Any) -> bool:
        return True

    async def is_at_rest(self, within: float = 0) -> bool:
        return True

    async def rests(self, is_enough: Callable[[], Any]) -> bool:
        return bool(await is_enough())

    async def texts(self, names: Any) -> list[str]:
        return [f"Account {ACCOUNT} {self.taken[-1]}" if self.taken else f"Account {ACCOUNT}"]

    async def text(self, names: Any, **_: Any) -> str:
        return (await self.texts(names))[0]

    async def download(self, names: Any, *_: Any, **__: Any) -> Any:
        self.files.append(names[0])

    async def pick(self, names: Any, wanted: Any, *, match: Any = same, missing: Any = None, **_: Any) -> str:
        """Choose among the offered texts as a page does; what is chosen by its own name is there."""
        if match is same:
            return wanted
        offers = [
            Offer(None, False, "option", 0, at, text, text, False, False, False) for at, text in enumerate(self.offered)
        ]
        fits = fitting(offers, wanted, match)
        if not fits:
            raise missing(list(self.offered)) if missing else PortalChanged(f"{wanted} is not offered.")
        assert len(fits) == 1, fits
        self.taken.append(fits[0].text)
        return fits[0].text

    pick_in = pick

    async def _read_offers(self, *_: Any, **__: Any) -> list[Offer]:
        return []

    @asynccontextmanager
    async def follow(self, *_: Any, **__: Any) -> AsyncIterator[Paper]:
        yield self

    async def frame_with(self, names: Any, **_: Any) -> Paper:
        return self


class Anything:
    """An element of which any method may be awaited."""

    def __getattr__(self, name: str) -> Callable[..., Coroutine[Any, Any, None]]:
        async def done(*_: Any, **__: Any) -> None: ...

        return done


class Listing:
    """Elements of which scripts read the same, whatever they are."""

    def __init__(self, listed: Sequence[Any]) -> None:
        self.listed = listed
        self.first = self

    def locator(self, selector: str) -> Listing:
        return self

    async def evaluate_all(self, script: str, *_: Any) -> list[Any]:
        return list(self.listed)

    async def evaluate(self, script: str, *_: Any) -> Any:
        """Return a table's only row, that of the account, and what the table says."""
        return [[0, f"Account {ACCOUNT}", []]], f"Account {ACCOUNT}"

    async def count(self) -> int:
        return len(self.listed)

    async def all_inner_texts(self) -> list[Any]:
        return list(self.listed)


class DropDown:
    """A real drop-down of some options (value, text), which are found by selectors."""

    def __init__(self, page: Paper, options: Sequence[tuple[str, str]], among: str = "option") -> None:
        self.page, self.options = page, options
        made = "".join(f'<option value="{value}">{text}</option>' for value, text in options)
        self.found = Selector(text=f"<select>{made}</select>").css(among)

    def locator(self, selector: str) -> DropDown:
        return DropDown(self.page, self.options, selector)

    async def count(self) -> int:
        return len(self.found)

    async def get_attribute(self, name: str) -> str:
        (one,) = self.found
        return one.attrib[name]

    async def all_text_contents(self) -> list[str]:
        return self.found.css("::text").getall()

    async def select_option(self, value: str) -> None:
        """Choose an option; the page shows its text then."""
        self.page.taken += [text for each, text in self.options if each == value]


class Hasty(asyncio.SelectorEventLoop):
    """An event loop that turns its clock on instead of waiting."""

    def __init__(self) -> None:
        self.skipped = 0.0
        super().__init__(Patient(self))

    def time(self) -> float:
        return super().time() + self.skipped


class Patient(selectors.DefaultSelector):
    """Looks once at what can be read, and turns the clock on by the time that it would have waited."""

    def __init__(self, loop: Hasty) -> None:
        super().__init__()
        self.loop = loop

    def select(self, timeout: float | None = None) -> Any:
        self.loop.skipped += timeout or 0.0
        return super().select(0)


def run(step: Coroutine[Any, Any, Any]) -> Any:
    """Run a step of a spider to its end without waiting."""
    loop = Hasty()
    try:
        return loop.run_until_complete(step)
    finally:
        loop.close()
