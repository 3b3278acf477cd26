"""Reads the evidence bundles of failed runs: what happened, the requests, the page as text, the screenshot."""

from __future__ import annotations

import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lxml import etree, html

from database.settings import database_settings

LARGEST = 10_000_000  # bytes of a member
STORY, REQUESTS, SCREENSHOT = "run.json", "requests.json", "screenshot.jpg"
PAGES = ("page.html", "response.html")  # of a browser; of an HTTP answer
ANSWER = "response.json"
UNSEEN = ("script", "style", "template", "noscript", "head", "title")


class BundleAway(Exception):
    """A bundle cannot be read. The text is one sentence."""


@dataclass(frozen=True, slots=True)
class Bundle:
    """An evidence bundle. story: as `middlewares.evidence` writes it. members: names of what is in it."""

    path: Path
    story: dict[str, Any]
    requests: list[dict[str, Any]]
    members: frozenset[str]

    @property
    def page(self) -> str | None:
        """The name of the kept page; None where there is none."""
        return next((name for name in (*PAGES, ANSWER) if name in self.members), None)

    def text(self) -> str:
        """Return the text of the kept page without its markup and scripts; that of JSON as it stands."""
        return "" if self.page is None else text_of(self.source(), is_html=self.page != ANSWER)

    def source(self) -> str:
        """Return the source of the kept page."""
        return "" if self.page is None else read_member(self.path, self.page).decode("utf-8", "replace")

    def screenshot(self) -> bytes:
        """Return the screenshot, a JPEG; raise BundleAway where there is none."""
        if SCREENSHOT not in self.members:
            raise BundleAway("The bundle has no screenshot.")
        return read_member(self.path, SCREENSHOT)


def read_bundle(path: str) -> Bundle:
    """Read a bundle by the path in its run's row; raise BundleAway when it is not there, none of ours, or broken."""
    place, folder = Path(path).resolve(), (database_settings().data_dir / "evidence").resolve()
    if not place.is_relative_to(folder):
        raise BundleAway("The bundle is not in the evidence folder of this installation.")
    try:
        with zipfile.ZipFile(place) as archive:
            members = frozenset(archive.namelist())
        story = json.loads(read_member(place, STORY)) if STORY in members else {}
        requests = json.loads(read_member(place, REQUESTS)) if REQUESTS in members else []
    except (ValueError, zipfile.BadZipFile):
        raise BundleAway("The bundle is damaged.") from None
    except OSError:
        raise BundleAway("The bundle is not on this machine: it was deleted, or another machine made it.") from None
    return Bundle(place, story, requests, members)


def read_member(path: Path, name: str) -> bytes:
    """Return a member of a bundle, up to LARGEST bytes of it; raise BundleAway when it cannot be read."""
    try:
        with zipfile.ZipFile(path) as archive, archive.open(name) as member:
            return member.read(LARGEST)
    except (OSError, KeyError, zipfile.BadZipFile) as error:
        raise BundleAway(f"The bundle cannot be read ({type(error).__name__}).") from error


def text_of(source: str, *, is_html: bool = True) -> str:
    r"""
    Return the text of a page, a line for each piece of it, without scripts, styles and comments.

    >>> text_of("<h1>Sign in</h1><script>let a = 1</script><p>It is <b>locked</b>.<!-- no --></p>")
    'Sign in\nIt is\nlocked\n.'
    """
    if not is_html or not source.strip():
        return source
    try:
        root = html.document_fromstring(source)
    except (etree.ParserError, ValueError):  # nothing but comments; an XML declaration with an encoding
        return ""
    etree.strip_elements(root, *UNSEEN, etree.Comment, etree.ProcessingInstruction, with_tail=False)
    lines = (" ".join(piece.split()) for piece in root.itertext())
    return "\n".join(line for line in lines if line)
