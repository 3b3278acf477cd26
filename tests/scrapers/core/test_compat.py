"""What Latchkey needs of its libraries and they do not document: seen in the releases named here, tested with those installed."""

from __future__ import annotations

import inspect
import json
import socket
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from scrapy.statscollectors import StatsCollector

from scrapers.core import compat
from tests.project import ROOT, clean_environment

SCRAPY, HANDLER, PLAYWRIGHT = "Scrapy 2.19.0", "scrapy-playwright 0.0.48", "Playwright 1.65"


def observe(act: str, folder: Any) -> dict[str, Any]:
    """Run `contracts.py` in a process of its own and return what it saw."""
    process = subprocess.run(
        [sys.executable, "-m", "tests.scrapers.core.contracts", act, str(folder)],
        cwd=ROOT,
        env=clean_environment() | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert process.returncode == 0, f"the {act} contract cannot be tested: {process.stdout}{process.stderr}"
    seen: dict[str, Any] = json.loads(process.stdout)
    return seen


@pytest.fixture(scope="module")
def crawled(tmp_path_factory):
    return observe("crawl", tmp_path_factory.mktemp("crawl"))


@pytest.fixture(scope="module")
def browsed(tmp_path_factory):
    return observe("browser", tmp_path_factory.mktemp("browser"))


def test_the_contracts_name_the_releases_of_the_requirements():
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    required = {line.split("#")[0].strip() for line in lines}
    assert f"scrapy=={compat.SEEN['scrapy']}" in required
    assert f"scrapy-playwright=={compat.SEEN['scrapy-playwright']}" in required
    assert f"playwright>={compat.SEEN['playwright']},<2" in required
    named = [f"Scrapy {compat.SEEN['scrapy']}", f"scrapy-playwright {compat.SEEN['scrapy-playwright']}"]
    assert [*named, f"Playwright {compat.SEEN['playwright']}"] == [SCRAPY, HANDLER, PLAYWRIGHT]


@pytest.mark.parametrize("name", sorted(compat._LATE))
def test_what_is_imported_late_is_there(name):
    package, path = compat._LATE[name]
    found = getattr(compat, name)
    assert f"{found.__module__}.{found.__qualname__}" == path, (
        f"{path} of {package} {compat.SEEN[package]} is another class"
    )


def test_what_is_gone_is_named_with_both_releases(monkeypatch):
    monkeypatch.setitem(compat._LATE, "Moved", ("scrapy", "scrapy.core.engine.NoSuchClass"))
    with pytest.raises(compat.Incompatible) as told:
        _ = compat.Moved  # type: ignore[attr-defined]
    for word in (f"scrapy {version('scrapy')} ", f"scrapy {compat.SEEN['scrapy']} ", "scrapy.core.engine.NoSuchClass"):
        assert word in str(told.value)
    monkeypatch.setitem(compat._LATE, "Moved", ("scrapy", "scrapy.no_such_module.Class"))
    with pytest.raises(compat.Incompatible):
        _ = compat.Moved  # type: ignore[attr-defined]
    with pytest.raises(AttributeError, match="nothing"):
        _ = compat.nothing  # type: ignore[attr-defined]


def test_an_attribute_that_is_gone_is_named(monkeypatch):
    module = compat.scrapy_cookies()
    monkeypatch.delattr(module, "_split_domain")
    with pytest.raises(compat.Incompatible, match=r"cookies\._split_domain"):
        compat.scrapy_cookies()
    assert not hasattr(module, "_split_domain")
    with pytest.raises(compat.Incompatible, match="stop_async"):
        compat.before_stop(object(), list)


def test_importing_it_imports_neither_aiohttp_nor_playwright():
    code = "import sys, scrapers.core.compat; print(*{name.split('.')[0] for name in sys.modules})"
    process = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert not {"aiohttp", "playwright", "scrapy_playwright", "tldextract"} & set(process.stdout.split())


def test_scrapy_splash_can_be_imported_and_speaks_splashs_api():
    """Its middleware makes a request of `meta["splash"]`; seen in scrapy-splash 0.11.1."""
    from scrapy import Request, Spider
    from scrapy.crawler import Crawler

    assert version("scrapy-splash") == compat.SEEN["scrapy-splash"]
    crawler = Crawler(Spider)
    library = compat.scrapy_splash()
    made = library.SplashMiddleware(crawler, "http://127.0.0.1:8050/", "scrapy_default", False, b"Basic x")
    spider = Spider("one")
    made.spider_opened(spider)
    crawler.stats = StatsCollector(crawler)
    meta = {"splash": {"endpoint": "execute", "args": {"url": "http://shop.example/", "cookies": []}}}
    asked = made.process_request(Request("http://shop.example/", headers={"User-Agent": "x"}, meta=meta), spider)
    assert (asked.url, asked.method) == ("http://127.0.0.1:8050/execute", "POST")
    assert asked.headers["Authorization"] == b"Basic x"
    assert "User-Agent" not in asked.headers
    said = json.loads(asked.body)
    assert said == {"url": "http://shop.example/", "cookies": [], "headers": {"User-Agent": "x"}}


# --- Scrapy -----------------------------------------------------------------------------------------------------------


def test_the_loader_loads_through_methods_that_can_be_put_off():
    """The constructor calls `_load_all_spiders`; `_load_spiders` fills `_spiders` and `_found`, of which `_check_name_duplicates` tells. Seen in 2.19.0."""
    from scrapy.settings import Settings
    from scrapy.spiderloader import SpiderLoader

    from tests.scrapers.core import contracts

    module = contracts.__name__
    settings = Settings({"SPIDER_MODULES": [module]})
    late = compat.LateSpiderLoader.from_settings(settings)
    assert late.list() == [], f"{SCRAPY} asks for all spiders through _load_all_spiders"
    assert not late.is_loaded("contract")
    late.load_module(contracts)
    assert late.is_loaded("contract")
    assert late.load("contract") is contracts.Spider
    late.load_all()
    assert late.list() == SpiderLoader.from_settings(settings).list() == ["contract"]
    assert {name: len(places) for name, places in late._found.items()} == {"contract": 1}, f"{SCRAPY} keeps _found"


def test_a_crawler_keeps_a_value_of_ours(crawled):
    """`Crawler` takes attributes of any name, and the spider gets that same crawler. Seen in Scrapy 2.19.0."""
    assert crawled["note"] == "kept"


def test_a_crawl_that_ends_calls_the_crawlers_stop_async(crawled):
    """The engine looks `stop_async` up at the crawler when it is needed, not before. Seen in Scrapy 2.19.0."""
    assert crawled["called"].count("stop") == 1
    assert crawled["finish_reason"] == "finished"


@pytest.mark.parametrize("runner", ["CrawlerRunner", "AsyncCrawlerRunner"])
def test_a_process_that_is_asked_to_stop_calls_the_crawlers_stop_async(runner):
    """Both runners, from which the processes are derived, call `stop_async` of every crawler. Seen in Scrapy 2.19.0."""
    import asyncio

    import scrapy.crawler
    from scrapy.utils.defer import ensure_awaitable

    called: list[str] = []

    async def stop() -> None:
        running = getattr(scrapy.crawler, runner)()
        crawler = scrapy.crawler.Crawler(scrapy.Spider)
        compat.before_stop(crawler, lambda: called.append("ours"))
        running.crawlers.add(crawler)
        await ensure_awaitable(running.stop())

    asyncio.run(stop())
    assert called == ["ours"], f"{SCRAPY} stops a crawl through Crawler.stop_async"


def test_scrapys_cookies_ask_the_packaged_suffix_list(monkeypatch):
    """`_is_public_domain` calls the module's `_split_domain`. Seen in Scrapy 2.19.0."""
    module: Any = compat.scrapy_cookies()
    packaged = module._split_domain
    asked: list[str] = []

    def split(domain: str) -> Any:
        asked.append(domain)
        return packaged(domain)

    monkeypatch.setattr(module, "_split_domain", split)
    assert module._is_public_domain("co.uk")
    assert not module._is_public_domain("acme.co.uk")
    assert asked == ["co.uk", "acme.co.uk"], f"{SCRAPY} asks _split_domain"
    assert packaged._extract.suffix_list_urls == ()


def test_scrapys_cookies_are_imported_without_the_suffix_list(tmp_path):
    """Its module only makes a TLDExtract when it is imported. Seen in Scrapy 2.19.0."""
    code = (
        "import sys; from scrapers.core import compat; module = compat.scrapy_cookies()\n"
        "print(*{'tldextract', 'requests'} & sys.modules.keys(), module._is_public_domain('co.uk'), sys.modules['tldextract'].__file__)"
    )
    process = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    public, real = process.stdout.split()
    assert (public, Path(real).parent.name) == ("True", "tldextract")


def test_scrapys_command_line_finds_commands_through_one_function(tmp_path):
    """`execute` asks `_get_commands_dict` for a command by its name and `_get_commands_from_module`. Seen in Scrapy 2.19.0."""
    code = (
        "import sys; from scrapy import cmdline; from scrapers.core import compat; compat.find_commands_late()\n"
        "from scrapy.utils.project import get_project_settings; settings = get_project_settings()\n"
        "found = cmdline._get_commands_dict(settings, True)\n"
        "print(type(found['portals']).__module__, 'nonsense' in {'portals': found['portals']})\n"
        "print(sorted(name for name in sys.modules if name.startswith(('commands.', 'scrapy.commands.'))))\n"
        "print(type(found['list']).__module__, type(found['iec']).__module__, 'nonsense' in found, 'crawl' in found)"
    )
    process = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert process.stdout.splitlines() == [
        "commands.portals False",
        "['commands._terminal', 'commands.portals']",
        "scrapy.commands.list commands.iec False True",
    ]


def test_scrapys_cookies_are_kept_in_a_jar_for_each_key(crawled):
    """`CookiesMiddleware.jars` has a jar for each `cookiejar` of a request's meta. Seen in Scrapy 2.19.0."""
    assert crawled["jars"] == {"one": ["session"]}


def test_the_http_handler_makes_and_reads_through_methods_that_can_be_overridden(crawled):
    """
    `download_request` enters `_make_request`, which sends what `_request_headers` returns, and awaits `_read_response`.

    `_extract_headers` gives Scrapy's Headers. The response is aiohttp's: `status`, `raw_headers`, `content.iter_any()`.
    Seen in Scrapy 2.19.0.
    """
    assert [name for name in crawled["called"] if name != "stop"] == [
        "_make_request",
        "_request_headers",
        "_read_response",
    ]
    assert crawled["timeout"] == 77, "the time limit of a request is the second argument of _make_request"
    assert crawled["length"] == 12
    assert crawled["streams"]


def test_the_http_handlers_methods_have_the_same_arguments():
    """Seen in Scrapy 2.19.0."""
    from middlewares.download.streaming import StreamingDownloadHandler

    for name in ("_make_request", "_read_response", "_extract_headers", "_request_headers"):
        theirs = inspect.signature(getattr(compat.AiohttpDownloadHandler, name))
        ours = inspect.signature(getattr(StreamingDownloadHandler, name))
        assert list(theirs.parameters) == list(ours.parameters), f"{name} of {SCRAPY} has other arguments"


def test_scrapys_exporter_waits_for_an_item_scraped_that_is_a_coroutine(crawled):
    """`FeedExporter.from_crawler` connects `item_scraped`, the engine awaits it, the parent's writes one record. Scrapy 2.19.0."""
    assert crawled["feed"] == [{"text": "hello", "number": 1}, {"text": "hello", "number": 2}]
    assert crawled["stats"] == ["feedexport/success_count/FileFeedStorage"], "`scrapy crawl` looks for these counts"


# --- scrapy-playwright and Playwright ---------------------------------------------------------------------------------


def test_playwrights_errors_are_those_it_gives_out():
    """Seen in Playwright 1.65."""
    from playwright import async_api, sync_api

    assert compat.PlaywrightError is async_api.Error is sync_api.Error
    assert compat.PlaywrightTimeout is async_api.TimeoutError


def test_scrapy_playwrights_methods_are_there():
    """Seen in scrapy-playwright 0.0.48."""
    from scrapy_playwright.handler import Config, ScrapyPlaywrightDownloadHandler

    for name, arguments in {"_launch": ["self"], "_create_page": ["self", "request", "spider"]}.items():
        method = getattr(ScrapyPlaywrightDownloadHandler, name, None)
        assert inspect.iscoroutinefunction(method), f"{name} of {HANDLER} is gone"
        assert list(inspect.signature(method).parameters) == arguments, f"{name} of {HANDLER} has other arguments"
    assert Config.target_closed_max_retries == 3, f"{HANDLER} repeats a request whose tab closed three times"
    source = inspect.getsource(ScrapyPlaywrightDownloadHandler._download_request)
    assert "> self.config.target_closed_max_retries" in source, f"{HANDLER} looks at the number when it repeats"


@pytest.mark.browser
def test_the_handler_has_settings_of_its_own_and_repeats_nothing(browsed):
    """Seen in scrapy-playwright 0.0.48."""
    assert browsed["retries"] == 0
    assert browsed["headless"] == [True, {"headless": False}], "the crawler's own settings stay as they were"


@pytest.mark.browser
def test_pages_of_one_key_share_a_context_that_is_made_with_the_first_ones_options(browsed):
    """`playwright_context`, `playwright_context_kwargs`, `context_wrappers`: seen in scrapy-playwright 0.0.48."""
    assert browsed["before"], "no context is open before the first page"
    assert browsed["same"]
    assert browsed["other"]
    assert browsed["locales"] == ["fr-CA", "fr-CA", "en-CA"]
    assert browsed["after"], "a context that was closed is no longer named"


@pytest.mark.browser
@pytest.mark.parametrize(
    "what", ["channel", "closed", "covered", "detached", "launched", "left", "navigated", "program", "timeout"]
)
def test_playwrights_errors_say_what_happened(browsed, what):
    """Seen in Playwright 1.65."""
    assert browsed[what], f"{PLAYWRIGHT} words the error '{what}' in another way"


@pytest.mark.parametrize(
    "text",
    ["Page.goto: Page crashed", "Page.evaluate: Target crashed", "Target page, context or browser has been closed"],
)
def test_a_tab_that_crashed_or_closed_is_a_browser_that_is_gone(text):
    assert compat.browser_gone(compat.PlaywrightError(text))


@pytest.mark.parametrize("word", ["Missing X server", "Target crashed", "Page crashed"])
def test_playwrights_words_for_what_is_not_provoked_here(word):
    """A browser without a screen, and a tab that crashed, whose closing may never end. Seen in Playwright 1.65's driver."""
    import playwright

    library = Path(playwright.__file__).parent / "driver" / "package" / "lib"
    found = [path.name for path in library.rglob("*.js") if word.encode() in path.read_bytes()]
    assert found, f"{PLAYWRIGHT} has other words for '{word}'"


# --- What the floors keep out of compat.py ----------------------------------------------------------------------------


def test_sqlalchemys_json_knows_its_types_by_dialect():
    """`database/migrations/env.py` reads `_variant_mapping`. Seen in SQLAlchemy 2.1."""
    import sqlalchemy as sa
    from sqlalchemy.dialects import postgresql

    assert "postgresql" in sa.JSON().with_variant(postgresql.JSONB(), "postgresql")._variant_mapping
    assert "postgresql" not in sa.JSON()._variant_mapping


def test_a_shares_connection_has_its_socket_in_one_place():
    """`pipelines/stores/smb.py` ends a connection that hangs by shutting down `transport._sock`. Seen in smbprotocol 1.17."""
    import smbprotocol.connection

    with socket.create_server(("127.0.0.1", 0)) as listener:
        transport = smbprotocol.connection.Tcp("127.0.0.1", listener.getsockname()[1], timeout=5)
        transport.connect()
        far_side, _ = listener.accept()
        with far_side:
            transport._sock.shutdown(socket.SHUT_RDWR)
            assert far_side.recv(1) == b""


def test_scrapy_makes_its_formatter_in_one_function(tmp_path):
    """`_get_handler` asks `_get_formatter` for the formatter of each handler. Seen in Scrapy 2.19.0."""
    code = (
        "import logging; from scrapy.settings import Settings; from scrapers.core import compat\n"
        "mine = logging.Formatter('mine %(message)s'); compat.format_logs_by(mine)\n"
        "from scrapy.crawler import CrawlerProcess; CrawlerProcess(Settings())\n"
        "from scrapy.utils.log import get_scrapy_root_handler\n"
        "print(get_scrapy_root_handler().formatter is mine)"
    )
    process = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert process.stdout == "True\n"
    assert {line.partition(" ")[0] for line in process.stderr.splitlines()} >= {"mine"}
