"""Bot walls: pages that stand in the place of any page of a portal, and clear by themselves or not at all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from scrapers.core.compat import PlaywrightError, navigated

if TYPE_CHECKING:
    from playwright.async_api import Page

    from scrapers.core.locators import Selectors

CLEARED = 0.5  # seconds for which a page must be without a mark: a wall that loads itself anew is blank in between
READ = """marks => {
  const source = document.documentElement?.outerHTML ?? "";
  return marks.some(mark => source.includes(mark)) ? "wall" : document.readyState === "loading" ? "loading" : "";
}"""


@dataclass(frozen=True, slots=True)
class Wall:
    """
    How a bot wall is told. It is waited for, and never clicked or solved.

    marks: texts in the source of its pages. frames: parts of the addresses of its widget's frames. failed: elements that are
    shown in such a frame once the wall will not clear.
    """

    marks: tuple[str, ...]
    frames: tuple[str, ...] = ()
    failed: Selectors = ()

    async def stands(self, page: Page) -> str:
        """Return "wall" for a page of the wall, "loading" for one that is not there yet, "" for any other."""
        try:
            return str(await page.evaluate(READ, list(self.marks)))
        except PlaywrightError as error:
            if not navigated(error):
                raise
            return "loading"  # what comes next will tell

    async def has_failed(self, page: Page) -> bool:
        """Return whether the wall's widget says that it will not clear."""
        for frame in page.frames:
            if any(part in frame.url for part in self.frames):
                for selector in self.failed:
                    try:
                        if await frame.locator(selector).first.is_visible():
                            return True
                    except PlaywrightError:  # the frame is being removed
                        break
        return False
