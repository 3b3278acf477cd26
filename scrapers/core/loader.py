"""A spider loader that imports only the portal of the spider that is asked for."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

from scrapy.utils.misc import walk_modules_iter

from scrapers.core.compat import LateSpiderLoader

if TYPE_CHECKING:
    from scrapy import Request, Spider


class PortalLoader(LateSpiderLoader):
    """Scrapy's loader, but it first imports the portal folder with the longest name that is a prefix of the spider's."""

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
            self._load_portal("_".join(words[:end]))
        if not self.is_loaded(spider_name):
            self._load_rest()
        return super().load(spider_name)

    def _load_portal(self, portal: str) -> None:
        """Load the spiders of a portal's folder in each of SPIDER_MODULES that has one."""
        if portal.isidentifier():
            for place in self.spider_modules:
                if _exists(folder := f"{place}.{portal}"):
                    for module in walk_modules_iter(folder):
                        self.load_module(module)

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
