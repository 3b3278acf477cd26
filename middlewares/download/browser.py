"""Which browser is started, how, and what to do where it is not there or does not start."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scrapers.core.compat import libraries_missing, not_launched, program_missing, screen_missing
from scrapers.core.outcomes import BrowserMissing
from scrapers.core.settings import crawl_settings

if TYPE_CHECKING:
    from scrapers.core.compat import PlaywrightError

# By browser: names of its programs.
PROGRAMS = {
    "chrome": ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable"),
    "edge": ("microsoft-edge", "microsoft-edge-stable"),
    "firefox": (),  # Playwright drives its own builds of Firefox and WebKit only
    "safari": (),
}
ENGINES = {"chrome": "chromium", "edge": "chromium", "firefox": "firefox", "safari": "webkit"}
# By browser: how to get it.
CURES = {
    "chrome": "Install Chromium (Debian: apt-get install chromium-headless-shell).",
    "edge": "Install Microsoft Edge (packages.microsoft.com, microsoft-edge-stable); its own program is needed.",
    "firefox": "Run `playwright install firefox`: Playwright drives its own build of Firefox, and no other.",
    "safari": "Run `playwright install webkit`: Playwright drives its own build of WebKit in the place of Safari.",
}
# Stops background requests of full Chromium to its vendor; chromium-headless-shell makes none.
QUIET = ["--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"]
START_SECONDS = 60  # a program that Playwright cannot drive starts, and never answers


def find_browser(visible: bool = False) -> str | None:
    """Return the browser program to start; None lets Playwright look for a build of its own."""
    settings = crawl_settings()
    if settings.browser_path:
        return str(settings.browser_path)
    programs = PROGRAMS[settings.browser]
    if visible:
        programs = tuple(name for name in programs if name != "chromium-headless-shell")  # it has no window
    return next(filter(None, map(shutil.which, programs)), None)


def launch_options(temp: Path, visible: bool = False) -> dict[str, Any]:
    """Return Playwright's launch options; the browser writes below *temp*, but for the sockets of a full one."""
    settings = crawl_settings()
    options: dict[str, Any] = {
        "headless": not visible,
        "downloads_path": str(temp),
        "env": {**os.environ, "XDG_CONFIG_HOME": str(temp), "XDG_CACHE_HOME": str(temp)},
        "timeout": START_SECONDS * 1000,
    }
    if settings.browser in ("chrome", "edge"):
        options["args"] = QUIET
    if program := find_browser(visible):
        options["executable_path"] = program
        # Not for the others, which put a socket there, whose path must be short.
        if "headless" in Path(program).name:
            options["env"]["TMPDIR"] = str(temp)
    elif settings.browser == "edge":
        options["channel"] = "msedge"
    return options


def not_started(error: PlaywrightError, visible: bool = False) -> BrowserMissing | None:
    """Return the failure of a browser that is not there or does not start; None for an error of another kind."""
    if visible and screen_missing(error):
        return BrowserMissing("A visible browser needs a screen, and DISPLAY names none.")
    return BrowserMissing(cure(error, visible)) if program_missing(error) or not_launched(error) else None


def cure(error: PlaywrightError | None = None, visible: bool = False) -> str:
    """Return one sentence that says how to get the browser of the settings to start. error: of the try to start it."""
    settings = crawl_settings()
    browser, engine, path = settings.browser, ENGINES[settings.browser], settings.browser_path
    if path is not None and not (path.is_file() and os.access(path, os.X_OK)):
        return f"LATCHKEY_BROWSER_PATH names {path}, which is not there or is no program."
    if path is not None and browser in ("firefox", "safari"):
        return (
            f"LATCHKEY_BROWSER_PATH names {path}, which does not start as a build of Playwright's: leave it empty and run "
            f"`playwright install {engine}`."
        )
    if error is not None and libraries_missing(error):
        return f"Libraries that {browser} needs are missing: run `playwright install-deps {engine}` as root."
    if (program := find_browser(visible)) is not None:
        return f"{program} does not start: run it by hand to see why, or set LATCHKEY_BROWSER_PATH to another."
    if visible and browser == "chrome":
        return "Install Chromium (Debian: apt-get install chromium): chromium-headless-shell has no window."
    return CURES[browser]
