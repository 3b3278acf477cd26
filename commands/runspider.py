"""`scrapy runspider`: a spider from a file, checked and judged as `scrapy crawl` does where it is one of ours."""

from __future__ import annotations

import argparse
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

from scrapy.commands.runspider import Command as ScrapyRunSpider
from scrapy.exceptions import UsageError
from scrapy.utils.spider import iter_spider_classes


class Command(ScrapyRunSpider):
    """Run the spider of a file."""

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        """Load the file's last spider and crawl."""
        if len(args) != 1:
            raise UsageError("name one file", print_help=False)
        from commands.crawl import crawl

        assert self.crawler_process is not None
        spider = spider_of(Path(args[0]))
        self.exitcode = crawl(self.crawler_process, self.crawler_process.create_crawler(spider), opts.spargs)


def spider_of(path: Path) -> Any:
    """Return the last spider class that a file defines; raise UsageError when it has none."""
    if path.suffix != ".py" or not path.is_file():
        raise UsageError(f"{path} is no Python file", print_help=False)
    spec = spec_from_file_location(path.stem, path.resolve())
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[path.stem] = module
    try:
        spec.loader.exec_module(module)
    except (ImportError, SyntaxError) as error:
        raise UsageError(f"{path} cannot be loaded: {error}", print_help=False) from error
    found = list(iter_spider_classes(module))
    if not found:
        raise UsageError(f"{path} defines no spider", print_help=False)
    return found[-1]
