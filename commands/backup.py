"""`scrapy backup`: a copy of the database and of the stored files, while everything goes on."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from scrapy.commands import ScrapyCommand

from commands._terminal import Everyday, Refused, WrongArgument, size

if TYPE_CHECKING:
    from commands._archive import Kept

NAME = "latchkey-{:%Y%m%dT%H%M%SZ}"
OF_US = "latchkey-[0-9]*T[0-9]*Z"
UNFINISHED = ".part"


class Command(Everyday, ScrapyCommand):
    """Make a backup."""

    word = "backup"

    def syntax(self) -> str:
        """Return what follows `scrapy backup`."""
        return "FOLDER"

    def short_desc(self) -> str:
        """Return the line of the command list."""
        return "Copy the database and the stored files into a folder, while everything goes on"

    def long_desc(self) -> str:
        """Return the page of the command."""
        return (
            "Makes a folder latchkey-<time> below FOLDER: the database as it is at one moment, the files of stores that are "
            "folders, and a list of both with their hashes. PostgreSQL needs its client programs. The encryption keys are "
            "not in it: keep them elsewhere. `scrapy restore` uses it."
        )

    def arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add its arguments."""
        parser.add_argument("folder", type=Path, metavar="FOLDER", help="where backups are kept")
        parser.add_argument("--without-files", action="store_true", help="the database only")
        parser.add_argument(
            "--keep",
            type=int,
            metavar="N",
            help="then delete older backups there, but for the newest N (default: none)",
        )

    def do(self, opts: argparse.Namespace) -> None:
        """Copy the database, then the files: each file that a row of it names is in its place by then."""
        import shutil
        from datetime import UTC, datetime

        from commands._archive import Manifest, copy_store, keep
        from database.backup import FILES, BackupFailed, dump
        from database.engine import database
        from scrapers.core.version import version

        if opts.keep is not None and opts.keep < 1:
            raise WrongArgument("--keep: the backup that is made now is kept; name 1 or more.")
        stores = [] if opts.without_files else _folders()
        for store in stores:
            if opts.folder.resolve().is_relative_to(Path(store).resolve()):
                raise WrongArgument(f"{opts.folder} is inside the file store {store}: name a folder outside of it.")
        db, made = database(), datetime.now(UTC)
        folder = opts.folder / NAME.format(made)
        part = folder.with_name(folder.name + UNFINISHED)
        try:
            opts.folder.mkdir(parents=True, exist_ok=True)
            part.mkdir(mode=0o700)
            rows = dump(db, part / FILES[db.dialect])
            files: list[Kept] = []
            for number, store in enumerate(stores):
                files += copy_store(Path(store), number, part)
            manifest = Manifest(
                made_at=made.isoformat(timespec="seconds"),
                version=version(),
                dialect=db.dialect,
                rows=rows,
                database=keep(part, FILES[db.dialect]),
                stores=stores,
                files=files,
            )
            manifest.write(part)
            part.rename(folder)
        except BackupFailed as error:
            shutil.rmtree(part, ignore_errors=True)
            raise Refused(str(error)) from None
        except OSError as error:
            shutil.rmtree(part, ignore_errors=True)
            raise Refused(f"{opts.folder} cannot be written to ({error.strerror}): name another folder.") from None
        amount = manifest.database.size + sum(each.size for each in files)
        print(f"{folder}: {sum(rows.values())} rows, {len(files)} files, {size(amount)}.")
        if not opts.without_files:
            for sentence in _left_out():
                print(sentence)
        for old in sorted(opts.folder.glob(OF_US))[: -opts.keep] if opts.keep else ():
            shutil.rmtree(old)
            print(f"{old} is deleted.")


def _folders() -> list[str]:
    """Return the addresses of the stores that are folders and hold something."""
    from pipelines.settings import PipelineSettings

    settings = PipelineSettings.current()
    given = (settings.files_address, settings.files_local, settings.nas_address)
    found = dict.fromkeys(each for each in given if each and "://" not in each)
    return [each for each in found if Path(each).is_dir()]


def _left_out() -> list[str]:
    """Return a sentence for each store of which nothing is copied."""
    from pipelines.settings import PipelineSettings

    settings = PipelineSettings.current()
    given = dict.fromkeys((settings.files_address, settings.nas_address, settings.files_s3))
    return [f"{each} is no folder: its files are not in the backup." for each in given if "://" in each]
