"""
The undocumented parts of Scrapy, scrapy-playwright and Playwright that we use.

Each entry has a contract test in `tests/scrapers/core/test_compat.py`, which names the release it was seen in. Methods
that our subclasses override are listed there too. Importing this module imports neither aiohttp nor Playwright.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib import import_module
from importlib.metadata import entry_points
from importlib.util import find_spec
from types import ModuleType
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from scrapy.spiderloader import SpiderLoader
from scrapy.utils.misc import load_object, walk_modules_iter

if TYPE_CHECKING:
    import logging
    from collections import defaultdict

    from playwright._impl._errors import Error as PlaywrightError
    from playwright._impl._errors import TimeoutError as PlaywrightTimeout
    from playwright.async_api import BrowserContext, Page
    from playwright.async_api import Request as PlaywrightRequest
    from scrapy import Request, Spider
    from scrapy.commands import ScrapyCommand
    from scrapy.core.downloader.handlers._aiohttp import AiohttpDownloadHandler
    from scrapy.crawler import Crawler
    from scrapy.downloadermiddlewares.cookies import CookiesMiddleware
    from scrapy.http.cookies import CookieJar
    from scrapy_playwright.handler import ScrapyPlaywrightDownloadHandler

__all__ = [
    "SEEN",
    "AiohttpDownloadHandler",
    "Incompatible",
    "LateSpiderLoader",
    "OnCrawler",
    "PlaywrightError",
    "PlaywrightTimeout",
    "before_stop",
    "browser_gone",
    "context_of",
    "cookie_jars",
    "detached",
    "find_commands_late",
    "format_logs_by",
    "is_covered",
    "is_download",
    "launch",
    "libraries_missing",
    "navigated",
    "new_page",
    "not_launched",
    "playwright_handler",
    "program_missing",
    "scrapy_cookies",
    "scrapy_splash",
    "screen_missing",
    "was_left",
]

T = TypeVar("T")

SEEN = {
    "scrapy": "2.19.0",
    "scrapy-playwright": "0.0.48",
    "scrapy-splash": "0.11.1",
    "playwright": "1.65",
}  # releases this was written against

# Imported at first use. Playwright's errors not from playwright.async_api, which re-exports them but is slow to import,
# and every spider imports this module.
_LATE = {
    "AiohttpDownloadHandler": ("scrapy", "scrapy.core.downloader.handlers._aiohttp.AiohttpDownloadHandler"),
    "PlaywrightError": ("playwright", "playwright._impl._errors.Error"),
    "PlaywrightTimeout": ("playwright", "playwright._impl._errors.TimeoutError"),
}


class Incompatible(ImportError):
    """A library no longer has something undocumented that we need. The text names it and both releases."""

    def __init__(self, package: str, name: str) -> None:
        from importlib.metadata import version

        super().__init__(
            f"{package} {version(package)} has no {name}, which Latchkey needs and {package} {SEEN[package]} has: install "
            "the releases of requirements.txt."
        )


def _need(package: str, owner: Any, name: str) -> Any:
    """Return an attribute; raise Incompatible where it is gone."""
    try:
        return getattr(owner, name)
    except AttributeError:
        where = getattr(owner, "__name__", type(owner).__name__)
        raise Incompatible(package, f"{where}.{name}") from None


if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        if name not in _LATE:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        package, path = _LATE[name]
        try:
            found = globals()[name] = load_object(path)
        except (ImportError, NameError) as error:
            raise Incompatible(package, path) from error
        return found


# --- Scrapy -----------------------------------------------------------------------------------------------------------


class LateSpiderLoader(SpiderLoader):
    """Scrapy's loader without the import of all spiders at the start; see `load_all` and `load_module`."""

    def _load_all_spiders(self) -> None:
        """Load nothing: Scrapy calls this at every start."""

    def load_all(self) -> None:
        """Load the spiders of all modules."""
        self._found.clear()  # else spiders that are loaded already would be reported as duplicates
        for place in self.spider_modules:
            try:
                for module in self.modules(place):
                    self._load_spiders(module)
            except (ImportError, SyntaxError) as error:
                if not self.warn_only:
                    raise
                warnings.warn(f"Could not load spiders of {place}: {error}", RuntimeWarning, stacklevel=2)
        self._check_name_duplicates()

    def modules(self, place: str) -> Iterable[ModuleType]:
        """Import a package and its modules, and return them."""
        return walk_modules_iter(place)

    def load_module(self, module: ModuleType) -> None:
        """Load the spiders of one module."""
        self._load_spiders(module)

    def is_loaded(self, spider_name: str) -> bool:
        """Return whether a spider of this name is loaded."""
        return spider_name in self._spiders


class OnCrawler(Generic[T]):
    """A value of ours that is stored as an attribute of a crawler."""

    def __init__(self, name: str) -> None:
        self.name = f"latchkey_{name}"

    def get(self, crawler: Crawler) -> T | None:
        """Return the crawler's value; None when it has none."""
        value: T | None = getattr(crawler, self.name, None)
        return value

    def set(self, crawler: Crawler, value: T) -> None:
        """Set the crawler's value."""
        setattr(crawler, self.name, value)


def before_stop(crawler: Crawler, act: Callable[[], None]) -> None:
    """Call *act* when the crawl is asked to stop: Scrapy has no signal for that, and waits for running requests."""
    stop = _need("scrapy", crawler, "stop_async")

    async def stop_async() -> None:
        act()
        await stop()

    crawler.stop_async = stop_async  # type: ignore[method-assign]


class _LateCommands(Mapping[str, "ScrapyCommand"]):
    """The commands of Scrapy's command line: one that is asked for is found by its module's name, without the others."""

    def __init__(self, cmdline: Any, settings: Any, in_project: bool, every: Callable[[Any, bool], Any]) -> None:
        self._in_module = _need("scrapy", cmdline, "_get_commands_from_module")
        self._settings, self._in_project, self._every = settings, in_project, every
        self._one: dict[str, ScrapyCommand] = {}
        self._all: dict[str, ScrapyCommand] | None = None

    def _load(self) -> dict[str, ScrapyCommand]:
        if self._all is None:
            self._all = {**self._every(self._settings, self._in_project), **self._one}
        return self._all

    def __getitem__(self, name: str) -> ScrapyCommand:
        if self._all is None and name not in self._one:
            self._one |= self._named(name)
        return self._one[name] if name in self._one else self._load()[name]

    def _named(self, name: str) -> dict[str, ScrapyCommand]:
        """Return the command of the module of this name, ours before Scrapy's; empty for one that another package adds."""
        places = [self._settings["COMMANDS_MODULE"], "scrapy.commands"]
        for place in filter(None, places):
            if "." not in name and find_spec(module := f"{place}.{name}") is not None:
                if place == "scrapy.commands" and name in entry_points(group=place).names:
                    break
                if name in (found := self._in_module(module, self._in_project)):
                    return {name: found[name]}
        return {}

    def __iter__(self) -> Iterator[str]:
        return iter(self._load())

    def __len__(self) -> int:
        return len(self._load())


def find_commands_late() -> None:
    """Make Scrapy's command line import the module of the command that is typed, not those of all commands (0.2 s)."""
    cmdline = sys.modules.get("scrapy.cmdline")
    if cmdline is None:
        return  # another program reads the settings
    every = _need("scrapy", cmdline, "_get_commands_dict")
    if not getattr(every, "is_late", False):

        def late(settings: Any, inproject: bool) -> _LateCommands:
            return _LateCommands(cmdline, settings, inproject, every)

        late.is_late = True  # type: ignore[attr-defined]
        cmdline._get_commands_dict = late  # type: ignore[attr-defined]


def format_logs_by(made: logging.Formatter) -> None:
    """Let the handlers that Scrapy makes for its log use a formatter of ours: it has a setting for the text only."""
    log: Any = import_module("scrapy.utils.log")
    _need("scrapy", log, "_get_formatter")
    log._get_formatter = lambda handler, settings: made


class _LateExtract:
    """In the place of tldextract's TLDExtract: the public suffix list that is packaged with it, read at the first use."""

    def __init__(self, **given: Any) -> None:
        self._given = given
        self._extract: Any = None

    def __call__(self, domain: str) -> Any:
        if self._extract is None:
            from tldextract import TLDExtract

            # Scrapy would fetch the list from the internet, which blocks the event loop.
            self._extract = TLDExtract(**self._given, suffix_list_urls=())
        return self._extract(domain)


def scrapy_cookies() -> ModuleType:
    """Import Scrapy's cookies middleware without tldextract and requests (0.1 s), which a host's own cookies do not need."""
    name = "scrapy.downloadermiddlewares.cookies"
    if name in sys.modules or "tldextract" in sys.modules:
        module = import_module(name)
    else:
        stand_in = sys.modules["tldextract"] = ModuleType("tldextract")
        stand_in.TLDExtract = _LateExtract  # type: ignore[attr-defined]
        try:
            module = import_module(name)
        finally:
            del sys.modules["tldextract"]
    if not isinstance(_need("scrapy", module, "_split_domain"), _LateExtract):
        module._split_domain = _LateExtract(include_psl_private_domains=True)  # type: ignore[attr-defined]
    return module


def cookie_jars(middleware: CookiesMiddleware) -> defaultdict[Any, CookieJar]:
    """Return the jars of Scrapy's cookies middleware by the `cookiejar` of their requests."""
    jars: defaultdict[Any, CookieJar] = _need("scrapy", middleware, "jars")
    return jars


# --- scrapy-playwright ------------------------------------------------------------------------------------------------


class _WithSettings:
    """The crawler for scrapy-playwright: same signals, stats and spider, but its own settings."""

    def __init__(self, crawler: Crawler, settings: Any) -> None:
        self.settings = settings
        self._crawler = crawler

    def __getattr__(self, name: str) -> Any:
        return getattr(self._crawler, name)


def playwright_handler(crawler: Crawler, changed: Mapping[str, Any]) -> ScrapyPlaywrightDownloadHandler:
    """Return scrapy-playwright's handler, not started, with some settings that differ from the crawler's."""
    from scrapy_playwright.handler import ScrapyPlaywrightDownloadHandler

    settings = crawler.settings.copy()
    settings.frozen = False  # of the copy only
    for name, value in changed.items():
        settings.set(name, value)
    handler = ScrapyPlaywrightDownloadHandler(_WithSettings(crawler, settings))
    # scrapy-playwright must not repeat a flow after its tab or browser closed: it may have submitted a password.
    _need("scrapy-playwright", handler.config, "target_closed_max_retries")
    handler.config.target_closed_max_retries = 0
    return handler


async def launch(handler: ScrapyPlaywrightDownloadHandler) -> None:
    """Start Playwright's driver; the browser itself starts with the first page."""
    await _need("scrapy-playwright", handler, "_launch")()


async def new_page(
    handler: ScrapyPlaywrightDownloadHandler, request: Request, spider: Spider | None, context: str, options: Any
) -> Page:
    """Return a new page in the context of a key, which is made with the options when it is not open."""
    request.meta["playwright_context"] = context
    request.meta["playwright_context_kwargs"] = options
    page: Page = await _need("scrapy-playwright", handler, "_create_page")(request=request, spider=spider)
    return page


def context_of(handler: ScrapyPlaywrightDownloadHandler, context: str) -> BrowserContext | None:
    """Return the open context of a key; None when there is none."""
    wrapper = _need("scrapy-playwright", handler, "context_wrappers").get(context)
    return wrapper.context if wrapper else None


# --- scrapy-splash ----------------------------------------------------------------------------------------------------


def scrapy_splash() -> ModuleType:
    """Import scrapy-splash, which takes a name from Scrapy that is w3lib's since Scrapy 2.16."""
    from scrapy.utils import url
    from w3lib.url import canonicalize_url

    if not hasattr(url, "canonicalize_url"):
        url.canonicalize_url = canonicalize_url  # type: ignore[attr-defined]
    return import_module("scrapy_splash")


# --- Playwright: what its errors say ----------------------------------------------------------------------------------


GONE = ("Target page, context or browser has been closed", "Target crashed", "Page crashed")


def browser_gone(error: PlaywrightError) -> bool:
    """Return whether an error means that the tab or the browser was closed or crashed."""
    return any(text in str(error) for text in GONE)


def navigated(error: PlaywrightError) -> bool:
    """Return whether an error means that the page navigated while a script ran in it."""
    return "Execution context was destroyed" in str(error)


def is_covered(error: PlaywrightError) -> bool:
    """Return whether an error means that another element covers the one to click."""
    return "intercepts pointer events" in str(error)


def was_hidden(error: PlaywrightError) -> bool:
    """Return whether an error means that an element was hidden after it had been found, and that it was not acted upon."""
    return "element is not visible" in str(error) and "performing" not in str(error)


def detached(error: PlaywrightError) -> bool:
    """Return whether an error means that the element was taken out of the page, such as when a list is drawn anew."""
    return "not attached to the DOM" in str(error)


def was_left(request: PlaywrightRequest) -> bool:
    """Return whether a request has failed because its page was left, or gave it up itself."""
    return any(text in (request.failure or "").lower() for text in ("abort", "cancel"))


def program_missing(error: PlaywrightError) -> bool:
    """Return whether an error means that the browser program is missing."""
    missing = ("Executable doesn't exist", "executable doesn't exist", "Chromium distribution '")
    return any(text in str(error) for text in missing)


def not_launched(error: PlaywrightError) -> bool:
    """Return whether an error means that the browser program is there and did not start."""
    return "BrowserType.launch: " in str(error)


def libraries_missing(error: PlaywrightError) -> bool:
    """Return whether an error means that the system lacks libraries which the browser needs."""
    return "Host system is missing dependencies" in str(error)


def is_download(error: PlaywrightError) -> bool:
    """Return whether an error means that an address leads to a file, in place of a page."""
    return "Download is starting" in str(error)


def screen_missing(error: PlaywrightError) -> bool:
    """Return whether an error means that there is no display for a visible browser."""
    return "Missing X server" in str(error) or "DISPLAY" in str(error)
