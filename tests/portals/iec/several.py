"""
Several crawls one after the other in one process, which costs a fraction of as many processes.

`python -m tests.portals.iec.several '[["spider", {"argument": "value"}], …]' '{"SETTING": "value"}'`
"""

from __future__ import annotations

import json
import sys
from typing import Any

from scrapy.crawler import AsyncCrawlerProcess
from scrapy.utils.project import get_project_settings


def main() -> None:
    left: list[tuple[str, dict[str, str]]] = json.loads(sys.argv[1])
    settings = get_project_settings()
    settings.update(json.loads(sys.argv[2]), priority="cmdline")
    process = AsyncCrawlerProcess(settings)

    def crawl_next(_: object = None) -> None:
        if left:
            name, arguments = left.pop(0)
            task: Any = process.crawl(process.create_crawler(name), **arguments)
            task.add_done_callback(crawl_next)  # runs before Scrapy looks whether anything is left to wait for

    crawl_next()
    process.start()


if __name__ == "__main__":
    from commands.crawl import show_progress

    show_progress()
    main()
