"""Files that a browser receives: as downloads of any of its tabs, or shown in a new tab."""

from __future__ import annotations

import asyncio
import uuid
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Self
from urllib.parse import unquote, urlsplit

from scrapers.core.compat import PlaywrightError
from scrapers.core.outcomes import BadFile
from scrapers.core.spool import CSV, PDF, XLSX, ZIP, PartFile, describe

if TYPE_CHECKING:
    from playwright.async_api import Download, Page, Response

SHOWN = (
    PDF,
    ZIP,
    XLSX,
    CSV,
    "application/octet-stream",
    "application/vnd.ms-excel",
)  # media types of files, not of pages


class Arrivals:
    """The downloads and new tabs of a browser context, while it is entered. New tabs are closed at the end."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.downloads: list[Download] = []
        self.tabs: list[Page] = []
        self.files: list[Response] = []  # documents of new tabs that are no pages

    async def __aenter__(self) -> Self:
        """Begin to watch."""
        context = self.page.context
        context.on("download", self._came)
        context.on("page", self._opened)
        context.on("response", self._answered)
        return self

    async def __aexit__(self, *_error: object) -> None:
        """Stop watching, and close the tabs that were opened only to start a download."""
        context = self.page.context
        context.remove_listener("download", self._came)
        context.remove_listener("page", self._opened)
        context.remove_listener("response", self._answered)
        for tab in self.tabs:
            await tab.close()

    @property
    def are_there(self) -> bool:
        """Whether a file has come, or a tab that shows one."""
        return bool(self.downloads or self.files)

    def _came(self, download: Download) -> None:
        self.downloads.append(download)

    def _opened(self, tab: Page) -> None:
        self.tabs.append(tab)

    def _answered(self, response: Response) -> None:
        kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind in SHOWN and response.request.is_navigation_request():
            self.files.append(response)


async def keep(arrivals: Arrivals, spool: Path, step: str) -> PartFile | None:
    """Return the first file that has come as a part file in the spool; None when none has. Raises BadFile for a cut one."""
    if not arrivals.are_there:
        return None
    await asyncio.to_thread(spool.mkdir, parents=True, exist_ok=True, mode=0o700)
    path = spool / f"{uuid.uuid4().hex}.part"
    for _ in range(20):
        if arrivals.downloads:
            break
        await asyncio.sleep(0.1)  # a document that is downloaded is answered first: its download comes at once
    if not arrivals.downloads:
        shown = arrivals.files[0]
        name = PurePosixPath(unquote(urlsplit(shown.url).path)).name
        try:
            answer = await arrivals.page.context.request.get(shown.url)
            await asyncio.to_thread(path.write_bytes, await answer.body())
        except PlaywrightError as error:
            raise BadFile(f"The file in the new tab cannot be fetched ({type(error).__name__}).", step=step) from None
        return await asyncio.to_thread(describe, path, name)
    download = arrivals.downloads[0]
    if failure := await download.failure():
        raise BadFile(f"The download broke off ({failure}).", step=step)
    await download.save_as(path)
    await download.delete()
    return await asyncio.to_thread(describe, path, download.suggested_filename)
