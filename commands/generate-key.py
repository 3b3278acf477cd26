"""`scrapy generate-key`: a new encryption key, printed or kept in the key file."""

from __future__ import annotations

import argparse
import sys
from typing import ClassVar

from scrapy.commands import ScrapyCommand
from scrapy.exceptions import UsageError


class Command(ScrapyCommand):
    """Make an encryption key."""

    requires_project = True
    requires_crawler_process = False
    default_settings: ClassVar[dict[str, bool]] = {"LOG_ENABLED": False}

    def syntax(self) -> str:
        """Return what follows `scrapy generate-key`."""
        return "[--save]"

    def short_desc(self) -> str:
        """Return the line of `scrapy --help`."""
        return "Make an encryption key for credentials, sessions and codes"

    def long_desc(self) -> str:
        """Return the text of `scrapy generate-key --help`."""
        return (
            "Print a new key for LATCHKEY_ENCRYPTION_KEYS. With --save it goes into the key file of the data folder instead, "
            "which only its owner can read; an existing file is left alone. Without the key nothing that is encrypted can be read: keep a copy."
        )

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        """Add ours to Scrapy's options."""
        super().add_options(parser)
        parser.add_argument("--save", action="store_true", help="write it to the key file instead of printing it")

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        """Print or save a key."""
        if args:
            raise UsageError("generate-key takes no argument but --save", print_help=False)

        from cryptography.fernet import Fernet

        from database.access.encryption import write_private
        from database.settings import SettingsError, database_settings

        key = Fernet.generate_key().decode()
        if not opts.save:
            print(key)
            return
        try:
            path = database_settings().key_file
            write_private(path, f"{key}\n")
            print(f"A new key is in {path}; keep a copy of it in a safe place.")
        except FileExistsError:
            self._fail(
                f"{path} is there already and was left alone: what is encrypted under its keys needs them "
                "(`scrapy keys add` puts a new one before them)."
            )
        except OSError as error:
            self._fail(f"{path} cannot be written ({error.strerror}): check LATCHKEY_DATA_DIR.")
        except SettingsError as error:
            self._fail(str(error))

    def _fail(self, sentence: str) -> None:
        print(sentence, file=sys.stderr)
        self.exitcode = 1
