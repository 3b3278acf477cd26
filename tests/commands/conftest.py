"""Running a command in this process, on the database of the test."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module

import pytest
from scrapy.cmdline import ScrapyArgumentParser
from scrapy.exceptions import UsageError
from scrapy.settings import Settings

from database.settings import read_once


@dataclass
class Said:
    code: int
    out: str
    err: str


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Said]:
    """Give a function that runs a command as Scrapy does: `command("accounts", "add", …)`."""

    def run(word: str, *argv: str, input: str | None = None) -> Said:
        if input is not None:
            monkeypatch.setattr("sys.stdin", io.StringIO(input))
        read_once.cache_clear()  # a command is a process, which reads its settings anew
        made = import_module(f"commands.{word}").Command()
        made.settings = Settings({"SPIDER_MODULES": ["tests.commands.meadow"]})
        parser = ScrapyArgumentParser(usage=f"scrapy {word} {made.syntax()}", conflict_handler="resolve")
        capsys.readouterr()
        try:
            made.add_options(parser)
            opts, args = parser.parse_known_args(list(argv))
            made.process_options(args, opts)
            made.run(args, opts)
            code = made.exitcode
        except UsageError as error:
            capsys.readouterr()
            return Said(2, "", str(error))
        except SystemExit as end:
            code = int(end.code or 0)
        out, err = capsys.readouterr()
        return Said(code, out, err)

    return run
