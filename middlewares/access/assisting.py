"""
Lets one operator finish a sign-in from the control room: the browser's picture goes out, keys and clicks come in.

Both stay in memory: they are in no file, row, log line or error. The channel is an HTTP server in this process, which listens
on LATCHKEY_ASSIST_HOST (loopback by default). Its messages are encrypted and authenticated with a key of this one sign-in.
"""

from __future__ import annotations

import asyncio
import base64
import logging
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from aiohttp import web
from pydantic import ValidationError

from database.access.assisted import close_to_operator, open_to_operator
from database.models.base import utc_now
from scrapers.core.compat import PlaywrightError, browser_gone
from scrapers.core.outcomes import BrowserMissing
from scrapers.core.redaction import redactor
from scrapers.core.remote import LARGEST, Act, Ask, Broken, Key, Picture, Pointer, Seal, Text, Wheel, answer
from scrapers.core.settings import crawl_settings

if TYPE_CHECKING:
    from playwright.async_api import CDPSession, Page

    from scrapers.core.runs import Work

logger = logging.getLogger(__name__)
progress = logging.getLogger("latchkey.progress")

WIDTH, HEIGHT, QUALITY = 1280, 720, 60  # of a picture at most
SECONDS_APART = 0.2  # between two pictures
LARGEST_PICTURE = 1_000_000  # bytes
LOOKS = 1.0  # seconds for which a question waits for a newer picture
ACT_SECONDS = 10.0  # for one act in the page
EVERY_ADDRESS = ("0.0.0.0", "::")  # this machine is reached by its name then
WITH_PICTURES = ("chrome", "edge")  # browsers that send pictures of their pages: Chromium's protocol


class Assistance:
    """The operator's part of one sign-in attempt; implements the logins' Operator."""

    def __init__(self, work: Work, number: int) -> None:
        """number: of the request of the control room."""
        self.work = work
        self.number = number
        self.until = 0.0  # by the loop's clock: when the operator's time ends; 0: it has not begun
        self._page: Page | None = None
        self._pictures: CDPSession | None = None
        self._server: web.AppRunner | None = None
        self._address = ""
        self._seal = Seal(key := Seal.new_key())
        self._key = key
        self._picture = Picture(0, b"")
        self._newer = asyncio.Event()
        self._turn = asyncio.Lock()  # one act after the other
        self._typed = ""  # since the last click or key

    async def show(self, page: Page) -> None:
        """Let the operator see the page and act in it from now on; does nothing the second time."""
        if self.until:
            return
        wait = crawl_settings().person_wait
        self.until = asyncio.get_running_loop().time() + wait
        self._page = page
        self._pictures = await page.context.new_cdp_session(page)
        self._pictures.on("Page.screencastFrame", self._keep)
        limits = {"format": "jpeg", "quality": QUALITY, "maxWidth": WIDTH, "maxHeight": HEIGHT}
        await self._pictures.send("Page.startScreencast", limits)
        until = utc_now() + timedelta(seconds=wait)
        if not await self.work.db.run(
            lambda session: open_to_operator(session, self.number, self._address, self._key, until)
        ):
            self.stop()
        progress.info("%s: the sign-in waits for the operator in the control room", self.work.spider)

    def stop(self) -> None:
        """End the operator's time."""
        self.until = min(self.until, asyncio.get_running_loop().time())

    async def close(self) -> None:
        """Close the channel, and forget the picture."""
        self._hide_typed()
        if self._pictures is not None:
            try:
                async with asyncio.timeout(ACT_SECONDS):
                    await self._pictures.send("Page.stopScreencast")
                    await self._pictures.detach()
            except (PlaywrightError, TimeoutError) as error:
                logger.info("The pictures could not be stopped (%s)", type(error).__name__)
        self._page = self._pictures = None
        self._picture = Picture(0, b"")
        if self._server is not None:
            await self._server.cleanup()
        if self.until:
            await self.work.db.run(lambda session: close_to_operator(session, self.number))

    # The picture

    def _keep(self, frame: dict[str, Any]) -> None:
        """Keep a picture in the place of the one before, and let the browser send the next one a moment later."""
        content = base64.b64decode(frame["data"])
        if len(content) <= LARGEST_PICTURE:
            self._picture = Picture(self._picture.number + 1, content)
            self._newer.set()
            self._newer = asyncio.Event()
        asyncio.get_running_loop().call_later(SECONDS_APART, self._ask_for_next, frame["sessionId"])

    def _ask_for_next(self, number: int) -> None:
        task = asyncio.ensure_future(self._acknowledge(number))
        task.add_done_callback(lambda done: done.cancelled() or done.exception())

    async def _acknowledge(self, number: int) -> None:
        if self._pictures is not None:
            with suppress(PlaywrightError):  # the page has gone
                await self._pictures.send("Page.screencastFrameAck", {"sessionId": number})

    async def _newest(self, after: int) -> Picture | None:
        """Return the picture if it is newer than *after*, waiting for one a little."""
        if self._picture.number <= after:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._newer.wait(), LOOKS)
        return self._picture if self._picture.number > after else None

    # The channel

    async def listen(self) -> None:
        """Begin to listen, before anything is sent to the portal. Raises BrowserMissing, which names the setting at fault."""
        app = web.Application(client_max_size=LARGEST)
        app.router.add_post("/", self._answer)
        self._server = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await self._server.setup()
        host = crawl_settings().assist_host
        try:
            await web.TCPSite(self._server, host, 0).start()
        except OSError as error:
            raise BrowserMissing(
                f"LATCHKEY_ASSIST_HOST: {host} cannot be listened on here ({error.strerror or 'it does not resolve'})."
            ) from None
        port = self._server.addresses[0][1]
        name = socket.gethostname() if host in EVERY_ADDRESS else host
        self._address = f"[{name}]:{port}" if ":" in name else f"{name}:{port}"

    async def _answer(self, request: web.Request) -> web.Response:
        try:
            ask = Ask.model_validate_json(self._seal.open(await request.read()))
        except (Broken, ValidationError):
            return web.Response(status=403)
        if ask.do == "stop":
            self.stop()
        done = await self._act(ask.acts) if ask.do == "act" else True
        picture = await self._newest(ask.after) if ask.do == "look" else None
        return web.Response(body=self._seal.close(answer(ask.nonce, picture, done=done)))

    # The acts

    async def _act(self, acts: list[Act]) -> bool:
        """Do acts in the page, one after the other; return whether all were done."""
        async with self._turn:
            for act in acts:
                page = self._page
                if page is None or asyncio.get_running_loop().time() >= self.until:
                    return False
                try:
                    async with asyncio.timeout(ACT_SECONDS):
                        await self._do(page, act)
                except TimeoutError:
                    return False
                except PlaywrightError as error:
                    # Its text may hold what was typed.
                    logger.info("An act of the operator was not done%s", ": no page" if browser_gone(error) else "")
                    return False
        return True

    async def _do(self, page: Page, act: Act) -> None:
        if isinstance(act, Text):
            self._typed += act.text
            await page.keyboard.type(act.text)
            return
        if isinstance(act, Key) or (isinstance(act, Pointer) and act.kind == "down"):
            self._hide_typed()
        if isinstance(act, Key):
            await page.keyboard.press(act.name)
        elif isinstance(act, Wheel):
            await page.mouse.wheel(0, act.by)
        else:
            size = page.viewport_size or {"width": WIDTH, "height": HEIGHT}
            await page.mouse.move(act.x * size["width"], act.y * size["height"])
            if act.kind == "down":
                await page.mouse.down()
            elif act.kind == "up":
                await page.mouse.up()

    def _hide_typed(self) -> None:
        """Mask what was typed in everything that this process says: a portal may repeat it."""
        redactor.add(self._typed.strip())
        self._typed = ""


@asynccontextmanager
async def assistance(work: Work) -> AsyncIterator[Assistance]:
    """Give the operator's part of a sign-in. Raises BrowserMissing."""
    if (browser := crawl_settings().browser) not in WITH_PICTURES:
        raise BrowserMissing(
            f"LATCHKEY_BROWSER is {browser}: a sign-in is finished from the control room in Chromium or Edge alone."
        )
    assisted = Assistance(work, work.assisted)
    try:
        await assisted.listen()
        yield assisted
    finally:
        await assisted.close()
