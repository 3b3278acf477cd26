"""
Renders pages by a Splash server, through scrapy-splash: imported by the first request that is to be rendered by it.

Its middleware makes the request to Splash and reads the answer; it is called from the download handler, so that limits, retries,
cookies and evidence see an ordinary answer of the portal. What Scrapy has changed under it is cured in `scrapers/core/compat.py`.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from scrapy import Request
from scrapy.exceptions import CannotResolveHostError, DownloadConnectionRefusedError, DownloadFailedError
from scrapy.http import Response
from w3lib.http import basic_auth_header

from middlewares.download.rendering import answered, cookies_of
from scrapers.core.compat import scrapy_splash
from scrapers.core.outcomes import AddressNotAsked, PortalDown, SplashAway
from scrapers.core.redaction import bare_url
from scrapers.core.settings import crawl_settings
from scrapers.core.trail import REST

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

    from middlewares.download.fence import Fenced

RENDERED_FOR = "rendered_for"  # in meta: the address that Splash is asked for, whose host the limits count
LOOPBACK = ("127.0.0.1", "localhost", "::1")
# Splash's own, and what it decides itself; cookies have an argument of their own.
NOT_SENT = ("Accept-Encoding", "Cookie", "Authorization", "Host")
MOST_SECONDS = 90.0  # that a page may take: Splash refuses more, unless it is started with --max-timeout
# Without pictures; a page with scripts is waited for until nothing was asked for and nothing has changed for `rest` seconds.
SCRIPT = """
function main(splash, args)
  splash.images_enabled = false
  splash.plugins_enabled = false
  splash.html5_media_enabled = false
  splash:init_cookies(args.cookies)
  local under_way = 0
  splash:on_request(function(request) under_way = under_way + 1 end)
  splash:on_response(function(response) under_way = under_way - 1 end)
  local ok, reason = splash:go{args.url, headers = args.headers}
  local entries = splash:history()
  local last = entries[#entries]
  if not ok and (last == nil or string.sub(reason, 1, 4) ~= "http") then
    return {problem = reason}
  end
  if ok then
    local look = splash:jsfunc([[function () {
      var scripts = document.querySelectorAll('script:not([type*="json"])').length;
      var body = document.body;
      return [scripts, document.getElementsByTagName('*').length, body ? body.innerHTML.length : 0, location.href].join();
    }]])
    local before, since = look(), 0
    local waited = 0
    while string.sub(before, 1, 2) ~= "0," and since < args.rest and waited < args.patience do
      splash:wait(0.1)
      waited = waited + 0.1
      local now = look()
      if now == before and under_way <= 0 then since = since + 0.1 else since, before = 0, now end
    end
    entries = splash:history()
    last = entries[#entries]
  end
  local way = {}
  for place, entry in ipairs(entries) do way[place] = entry.request.url end
  return {
    url = splash:url(), html = splash:html(), status = last.response.status, headers = last.response.headers,
    cookies = splash:get_cookies(), way = way,
  }
end
"""


class Splash:
    """The Splash server of the settings; `send` sends a request over plain HTTP."""

    def __init__(self, crawler: Crawler, send: Callable[[Request], Awaitable[Response]]) -> None:
        settings = crawl_settings()
        self.url = settings.splash_url.rstrip("/")
        self._send = send
        password = settings.splash_password.get_secret_value()
        auth = basic_auth_header(settings.splash_username, password) if settings.splash_username or password else None
        library = scrapy_splash()
        # The delay between requests is counted by the portal's host: this request is sent from within its place.
        self._middleware = library.SplashMiddleware(crawler, f"{self.url}/", "scrapy_default", False, auth)
        self._middleware.spider_opened(crawler.spider)
        self._spider = crawler.spider

    async def render(self, request: Request, fence: Fenced | None) -> Response:
        """Return the page of a request; raise SplashAway, PortalDown where none comes, or AddressNotAsked for one behind the fence."""
        if not self.url:
            raise SplashAway("LATCHKEY_SPLASH_URL is not set.", step="render the page")
        # No session of scrapy-splash's own: the jar of plain HTTP holds the cookies.
        asked = self._middleware.process_request(self._as_splash(request, fence), self._spider)
        try:
            answer = await self._send(asked)
        except (CannotResolveHostError, DownloadConnectionRefusedError, DownloadFailedError) as error:
            raise SplashAway(f"{self.url} does not answer.", step="render the page") from error
        if answer.status != 200:
            raise self._refusal(answer)
        return self._answered(request, json.loads(answer.body), fence)

    def _as_splash(self, request: Request, fence: Fenced | None) -> Request:
        """Return the request as scrapy-splash takes it."""
        timeout = min(float(request.meta.get("download_timeout") or MOST_SECONDS), MOST_SECONDS)
        args = {
            "lua_source": SCRIPT,
            "url": request.url,
            "cookies": cookies_of(request),
            "timeout": timeout,
            "rest": REST,
            "patience": min(crawl_settings().page_wait, timeout / 2),
        }
        if fence is not None and (urlsplit(self.url).hostname or "") in LOOPBACK:
            args["proxy"] = fence.url
        made = request.replace(meta={**request.meta, "splash": {"endpoint": "execute", "args": args}})
        made.meta[RENDERED_FOR] = request.url
        for name in NOT_SENT:
            made.headers.pop(name, None)
        return made

    def _refusal(self, answer: Response) -> PortalDown | SplashAway:
        """Return the failure of what Splash answers in place of a page; its words may hold what it was sent."""
        if answer.status == 504:
            return PortalDown("Splash has waited for the page in vain.", step="render the page")
        try:
            kind = str(json.loads(answer.body)["type"])[:40]
        except (ValueError, KeyError, TypeError):
            kind = "no Splash"
        said = "refuses LATCHKEY_SPLASH_USERNAME" if answer.status == 401 else f"answers {answer.status} ({kind})"
        return SplashAway(f"{self.url} {said}.", step="render the page")

    def _answered(self, request: Request, said: dict[str, Any], fence: Fenced | None) -> Response:
        """Return what Splash tells of a page as the portal's own answer."""
        # Splash's history names where a redirect has ended, not where it began.
        way = [request.url, *(each for each in (*listed(said.get("way")), said.get("url")) if isinstance(each, str))]
        way = [url for place, url in enumerate(way) if place == 0 or url != way[place - 1]]
        if fence is not None and any(fence.has_refused(url) for url in way):
            raise AddressNotAsked("It leads to a machine of this or of a private network.", step="check the address")
        if "problem" in said:
            raise PortalDown(
                f"Splash got no page of {bare_url(request.url)}: {said['problem']}.", step="render the page"
            )
        headers = [(each["name"], each["value"]) for each in listed(said.get("headers"))]
        host = (urlsplit(said["url"]).hostname or "").lower()
        cookies = [each for each in listed(said.get("cookies")) if is_of(each, host)]
        return answered(request, said["url"], int(said["status"]), headers, said["html"], cookies=cookies, way=way[:-1])


def is_of(cookie: dict[str, Any], host: str) -> bool:
    """Return whether a host may set a cookie."""
    domain = str(cookie.get("domain") or "").lower()
    return host == domain.lstrip(".") or (domain.startswith(".") and host.endswith(domain))


def listed(value: Any) -> list[Any]:
    """Return a list as Splash writes it: a table of Lua, which is an object where it is empty or its keys are numbers."""
    if isinstance(value, dict):
        return [value[key] for key in sorted(value, key=lambda key: (len(key), key))]
    return list(value or ())
