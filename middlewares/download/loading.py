"""Loads the page of a request in the browser, and waits until its scripts have brought what is wanted of it."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from scrapy.http import HtmlResponse

from middlewares.download.rendering import answered, cookies_of
from scrapers.core.compat import PlaywrightError, is_download
from scrapers.core.looking import run_script
from scrapers.core.outcomes import AddressNotAsked, PortalDown
from scrapers.core.redaction import bare_url

if TYPE_CHECKING:
    from playwright.async_api import Request as BrowserRequest
    from playwright.async_api import Route
    from scrapy import Request
    from scrapy.http import Response

    from middlewares.download.fence import Fenced
    from scrapers.core.page import PortalPage
    from scrapers.core.spider import PortalSpider

NEEDLESS = ("image", "media", "font")  # what no reader looks at
# A page could reach machines of the own network past any proxy with it.
NO_PEERS = "delete window.RTCPeerConnection; delete window.webkitRTCPeerConnection;"
SOURCE = "() => document.documentElement?.outerHTML ?? ''"


def context_options(request: Request, fence: Fenced | None) -> dict[str, Any]:
    """Return the options of the browser context of one page: it asks as plain HTTP does, and reaches what the fence lets through."""
    said = {name: (request.headers.get(name) or b"").decode("latin-1") for name in ("User-Agent", "Accept-Language")}
    options: dict[str, Any] = {"service_workers": "block", "accept_downloads": False}
    if said["User-Agent"]:
        options["user_agent"] = said["User-Agent"]
    if said["Accept-Language"]:
        options["extra_http_headers"] = {"Accept-Language": said["Accept-Language"]}
    if fence is not None:
        options["proxy"] = {"server": fence.url}
    return options


async def load(view: PortalPage, request: Request, spider: PortalSpider, fence: Fenced | None) -> Response:
    """
    Return the page of a request, with the status and the headers of the answer that brought it.

    Raises AddressNotAsked where it leads to a machine that the fence refuses, PortalDown where no page comes.
    """
    page, way = view.raw, list[str]()

    def note(asked: BrowserRequest) -> None:
        if asked.is_navigation_request() and asked.frame == page.main_frame:
            way.append(asked.url)

    if cookies := cookies_of(request):
        await page.context.add_cookies(cookies)  # type: ignore[arg-type]
    if fence is not None:
        await page.context.add_init_script(NO_PEERS)
    await page.route("**/*", _without_pictures)
    page.on("request", note)
    view.begin(f"load {bare_url(request.url)}")
    html = ""
    try:
        await view.open(request.url)
    except PlaywrightError as error:
        _check(fence, way)
        if not is_download(error):
            raise
    else:
        _check(fence, way)
        is_page = view.answer is not None and view.answer.status == 200
        html = await (_complete(view, request, spider) if is_page else run_script(page, SOURCE))
        _check(fence, way)
    if (answer := view.answer) is None:
        raise PortalDown("The browser got no answer.", step=view.trail.step)
    headers = [(each["name"], each["value"]) for each in await answer.headers_array()]
    cookies = [dict(each) for each in await page.context.cookies(answer.url)]
    return answered(request, answer.url, answer.status, headers, html, cookies=cookies, way=way[:-1])


async def _complete(view: PortalPage, request: Request, spider: PortalSpider) -> str:
    """Return the page's HTML once it is ready for the spider, or the page at rest."""
    seen = ""

    async def is_enough() -> bool:
        nonlocal seen
        if (now := await run_script(view.raw, SOURCE)) == seen:
            return False  # it was looked at
        seen = now
        body = now.encode("utf-8", "replace")
        return await spider.is_ready(HtmlResponse(view.raw.url, body=body, encoding="utf-8", request=request))

    await view.rests(is_enough)
    return seen


async def _without_pictures(route: Route) -> None:
    with suppress(PlaywrightError):  # the page was closed meanwhile
        if route.request.resource_type in NEEDLESS:
            await route.abort()
        else:
            await route.continue_()


def _check(fence: Fenced | None, way: list[str]) -> None:
    """Raise AddressNotAsked where an address on the way was refused by the fence."""
    if fence is not None and any(fence.has_refused(url) for url in way):
        raise AddressNotAsked("It leads to a machine of this or of a private network.", step="check the address")
