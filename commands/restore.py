"""`scrapy restore`: an empty installation out of a backup."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from scrapy.commands import ScrapyCommand

from commands._terminal import Everyday, Refused

if TYPE_CHECKING:
    from commands._archive import Manifest


class Command(Everyday, ScrapyCommand):
    """Use a backup."""

    word = "restore"

    def syntax(self) -> str:
        """Return what follows `scrapy restore`."""
        return "FOLDER"

    def short_desc(self) -> str:
        """Return the line of the command list."""
        return "Fill an empty database and the file store from a backup"

    def long_desc(self) -> str:
        """Return the page of the command."""
        return (
            "Checks every file of a backup that `scrapy backup` has made, then copies its files and fills the database, which "
            "must be empty and of the same kind. Files go to where they were; --files names another folder, and the rows are "
            "changed to it. The encryption keys must be the ones from then."
        )

    def arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add its arguments."""
        parser.add_argument("folder", type=Path, metavar="FOLDER", help="the backup: latchkey-<time>")
        parser.add_argument(
            "--files", type=Path, action="append", metavar="FOLDER", help="where the files go; once for each store"
        )

    def do(self, opts: argparse.Namespace) -> None:
        """Check all, copy the files, fill the database last: a restore that was stopped can be run again."""
        import shutil

        from commands._archive import Damaged, Manifest, keep, targets
        from database.backup import BackupFailed, load
        from database.engine import database
        from database.migrate import SchemaDiffers, check, has_tables

        db = database()
        try:
            manifest = Manifest.read(opts.folder)
            if manifest.dialect != db.dialect:
                raise Refused(
                    f"The backup is of {manifest.dialect}: LATCHKEY_DATABASE_URL names a database of {db.dialect}."
                )
            if has_tables(db):
                raise Refused(
                    "The database has tables of ours: a backup fills an empty one; set LATCHKEY_DATABASE_URL."
                )
            places = _places(manifest, opts.files)
            pairs = list(targets(manifest, places))
            manifest.check(opts.folder)
            for kept, target in pairs:
                if target.exists() and keep(target.parent, target.name).sha256 != kept.sha256:
                    raise Refused(f"{target} is there with another content: name an empty folder with --files.")
            for kept, target in pairs:
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(opts.folder / kept.path, target)
            load(db, opts.folder / manifest.database.path, manifest.rows)
        except (Damaged, BackupFailed) as error:
            raise Refused(str(error)) from None
        except OSError as error:
            raise Refused(f"{error.filename} cannot be written to: {error.strerror}.") from None
        moved = {store: str(place) for store, place in zip(manifest.stores, places, strict=True) if store != str(place)}
        if moved:
            _move(moved)
        print(f"{sum(manifest.rows.values())} rows and {len(pairs)} files of {manifest.made_at} are restored.")
        try:
            check(db)
        except SchemaDiffers as error:
            print(error)


def _places(manifest: Manifest, given: list[Path] | None) -> list[Path]:
    """Return the folder of each store of a backup. Raises Refused for another number of them."""
    if not given:
        return [Path(store) for store in manifest.stores]
    if len(given) != len(manifest.stores):
        raise Refused(
            f"--files: the backup has {len(manifest.stores)} stores ({', '.join(manifest.stores)}); name each."
        )
    return given


def _move(moved: dict[str, str]) -> None:
    """Let the rows name the folders in which their files are now."""
    from sqlalchemy import update

    from database.engine import database
    from database.models import StoredFile

    with database().transaction() as session:
        for before, after in moved.items():
            session.execute(update(StoredFile).where(StoredFile.store == before).values(store=after))
