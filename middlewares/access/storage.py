"""A session's cookies and storage in a crawl: a cookie jar, and the browser context that signed in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from middlewares.cookies import CookiesMiddleware, as_cookie, from_cookie
from middlewares.download.handler import HANDLER, in_time
from scrapers.core.compat import cookie_jars
from scrapers.core.redaction import redactor

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

    from database.access.sessions import SavedSession
    from scrapers.logins.base import Login


def put_cookies(crawler: Crawler, key: str, state: dict[str, Any]) -> None:
    """Put the cookies of a state into a cookie jar."""
    cookies = state.get("cookies", [])
    if cookies and (middleware := crawler.get_downloader_middleware(CookiesMiddleware)):
        jar = cookie_jars(middleware)[key]
        for cookie in cookies:
            redactor.add(cookie["value"])
            jar.set_cookie(as_cookie(cookie))


class SessionStorage:
    """The cookie jar and browser context of the present session of one (login, credential)."""

    def __init__(self, crawler: Crawler, login: Login, name: str) -> None:
        self.crawler = crawler
        self.login = login
        self.name = name
        self.version = 0  # of the session that is held; 0: none
        self.context = ""  # key of the browser context that signed in; "": none, so one is made under the jar's key

    @property
    def jar(self) -> str:
        """The key of this session's cookie jar: a new session never sees an old one's cookies."""
        return f"{self.name}:{self.version}"

    @property
    def context_key(self) -> str:
        """The key of the browser context of this session."""
        return self.context or self.jar

    def load(self, saved: SavedSession) -> None:
        """Put the cookies of a session into its jar."""
        self.version = saved.version
        self.hide(saved.state)
        put_cookies(self.crawler, self.jar, saved.state)

    def hide(self, state: dict[str, Any]) -> None:
        """Add the secrets of a session's state to the redactor."""
        for cookie in state.get("cookies", []):
            redactor.add(cookie["value"])
        for _name, value in (entry for entries in state.get("session_storage", {}).values() for entry in entries):
            redactor.add(value)
        for origin in state.get("origins", []):
            redactor.add(*(entry["value"] for entry in origin.get("localStorage", [])))
        redactor.add(*self.login.secrets(state))

    async def newest(self, state: dict[str, Any]) -> dict[str, Any]:
        """Return a session's state with the cookies and storage that the portal has set since."""
        handler = HANDLER.get(self.crawler)
        context = await handler.context(self.context_key) if handler else None
        middleware = self.crawler.get_downloader_middleware(CookiesMiddleware)
        if context is not None:
            return {**state, **(await in_time(context.storage_state()) or {})}
        if middleware is not None and self.jar in (jars := cookie_jars(middleware)):
            return {**state, "cookies": [from_cookie(cookie) for cookie in jars[self.jar]]}
        return state

    async def drop_context(self) -> None:
        """Close the browser context, with its cookies, storage and HTTP cache."""
        handler = HANDLER.get(self.crawler)
        if handler is not None:
            await handler.drop_context(self.context_key)
        self.context = ""

    async def clear(self) -> None:
        """Forget the session and close its browser context."""
        await self.drop_context()
        self.version = 0
