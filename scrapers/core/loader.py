"""A spider loader that imports only the spider that is asked for, or its portal."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import TYPE_CHECKING

from scrapers.core.compat import LateSpiderLoader
from scrapers.core.stated import modules_of

if TYPE_CHECKING:
    from scrapy import Request, Spider


class PortalLoader(LateSpiderLoader):
    """
    Scrapy's loader, but it first looks in the portal folder with the longest name that is a prefix of the spider's.

    There it imports the module that is named as the rest of the spider's name, and all of them where that has no such spider.
    """

    _has_all = False

    def _load_rest(self) -> None:
        if not self._has_all:
            self._has_all = True
            self.load_all()

    def load(self, spider_name: str) -> type[Spider]:
        """Return the spider class of a name; raise KeyError when there is none."""
        words = spider_name.split("_")
        for end in range(len(words), 0, -1):
            if self.is_loaded(spider_name) or self._has_all:
                break
            self._load_portal("_".join(words[:end]), "_".join(words[end:]), spider_name)
        if not self.is_loaded(spider_name):
            self._load_rest()
        return super().load(spider_name)

    def _load_portal(self, portal: str, report_type: str, spider_name: str) -> None:
        """Load a spider of a portal, or all of them, from the portal's folder in each of SPIDER_MODULES that has one."""
        if not portal.isidentifier():
            return
        for place in self.spider_modules:
            if not _exists(folder := f"{place}.{portal}"):
                continue
            if report_type.isidentifier() and _exists(module := f"{folder}.{report_type}"):
                if _exists(settings := f"{folder}.settings"):
                    import_module(settings)  # names in the environment are compared with all of the portal's
                self.load_module(import_module(module))
            if not self.is_loaded(spider_name):
                for each in self.modules(folder):
                    self.load_module(each)

    def modules(self, place: str) -> Iterator[ModuleType]:
        """Import a package and its modules, but those that it names as WITHOUT_SPIDERS."""
        return modules_of(place)

    def find_by_request(self, request: Request) -> list[str]:
        """Return the names of the spiders that could handle a request."""
        self._load_rest()
        return super().find_by_request(request)

    def list(self) -> list[str]:
        """Return the names of all spiders."""
        self._load_rest()
        return super().list()


def _exists(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # its parent is no package
        return False
