"""`scrapy retention`: what is older than the settings LATCHKEY_KEEP_… say is counted, or deleted."""

from __future__ import annotations

import argparse

from scrapy.commands import ScrapyCommand

from commands._progress import Lines
from commands._terminal import Everyday, Refused, WrongArgument, show, size


class Command(Everyday, ScrapyCommand):
    """Show what is too old, or delete it."""

    word = "retention"

    def syntax(self) -> str:
        """Return what follows the command's name."""
        return "[--apply]"

    def short_desc(self) -> str:
        """Return the line of the command list."""
        return "Delete what is older than LATCHKEY_KEEP_… says (shows it only, without --apply)"

    def long_desc(self) -> str:
        """Return the page of the command."""
        return (
            "Files, evidence bundles, logs, messages, versions, runs and the audit that are older than LATCHKEY_KEEP_FILES, "
            "_BUNDLES, _LOGS, _MESSAGES, _VERSIONS, _RUNS and _AUDIT say, in days; an empty one keeps for ever. Without --apply it only shows how much that "
            "is. Workers do it once a day with LATCHKEY_KEEP_DAILY=true. docs/keeping-and-forgetting.md has more."
        )

    def arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the consent."""
        parser.add_argument("--apply", action="store_true", help="delete it; without this it is only shown")
        parser.add_argument("--json", action="store_true", help="as JSON")

    def do(self, opts: argparse.Namespace) -> None:
        """Show or delete."""
        from sqlalchemy import select

        from database.engine import database
        from database.models import StoredFile
        from pipelines.retention import Retention
        from pipelines.settings import KeepSettings, PipelineSettings
        from scrapers.core.loader import PortalLoader
        from scrapers.core.outcomes import StoreAway

        keep = KeepSettings.current()
        assert self.settings is not None
        spiders = PortalLoader.from_settings(self.settings).list()
        known = {word for spider in spiders for word in (spider, spider.partition("_")[2])}
        with database().transaction() as session:  # those too whose spider is gone
            known.update(session.scalars(select(StoredFile.spider).union(select(StoredFile.report_type))))
        if unknown := sorted(set(keep.keep_files) - known):
            raise WrongArgument(
                f"LATCHKEY_KEEP_FILES: {unknown[0]} is no spider and no report type; `scrapy list` shows them."
            )
        try:
            found = Retention(database(), keep, PipelineSettings.current(), Lines()).look(apply=opts.apply)
        except StoreAway as error:
            raise Refused(f"{error} What is left goes when this is run again.") from None
        rows = [
            (each.kind, each.variable, each.days or "for ever", each.count, size(each.size) if each.size else None)
            for each in found
        ]
        show(("kind", "setting", "days", "deleted" if opts.apply else "too old", "size"), rows, as_json=opts.json)
        if not opts.apply and not opts.json:
            print("Nothing was deleted: --apply does it.")
