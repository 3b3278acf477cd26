"""Unpacks an archive into items: each member is a file with a row of its own, beside its archive."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from database.families.telegram import messages
from database.models.base import utc_now
from database.models.messaging import ChannelFile, FileState, MediaKind
from scrapers.core.items import Batch, FileItem, Item
from scrapers.core.outcomes import BadFile
from scrapers.core.spool import PartFile
from scrapers.families.messaging.filters import ARCHIVES, Reason, extension_of, is_type
from scrapers.families.messaging.templates import of_member
from scrapers.reading.archive import is_archive
from scrapers.reading.members import members_of

if TYPE_CHECKING:
    from scrapers.core.jobs import Job
    from scrapers.portals.telegram.facts import SourceFacts

LONGEST = 500  # characters of a member's path


class Archive:
    """
    An archive that was fetched. `refused`: why it was not unpacked; it is stored all the same.

    Its members are stored before it: after a kill it is not stored yet, and is unpacked again.
    """

    def __init__(self, facts: SourceFacts, job: Job, item: FileItem, row: dict[str, Any]) -> None:
        self.facts = facts
        self.job = job
        self.item = item
        self.row = row
        self.refused: str | None = None

    def items(self, extension: str, spool: Path) -> Sequence[Item]:
        """Unpack it into part files in the spool; return an item for each member, and one with the rows of what is left out."""
        part = self.item.part
        if not self.row or extension not in ARCHIVES:
            return []
        items: list[Item] = []
        left_out: list[dict[str, Any]] = []
        try:
            if extension == "zip" and not is_archive(part):
                return []
            for path, member in members_of(part.path, extension, spool):
                kept = self._item(path[-LONGEST:], member, left_out)
                if kept is not None:
                    items.append(kept)
        except BadFile as failure:
            for each in items:
                if isinstance(each, FileItem):
                    each.part.path.unlink(missing_ok=True)
            self.refused = f"It was not unpacked. {failure.detail}"
            self.job.warn("An archive was not unpacked; its row says why.")
            return []
        return [*items, self._batch(left_out)] if left_out else items

    def _item(self, path: str, member: PartFile, left_out: list[dict[str, Any]]) -> FileItem | None:
        extension = extension_of(member.name, None, MediaKind.MEMBER)
        row = {
            **self.row,
            "member": path,
            "kind": MediaKind.MEMBER,
            "name": member.name[:300],
            "extension": extension[:20],
            "media_type": member.media_type,
            "size": member.size,
            "sha256": member.sha256,
            "state": FileState.STORED,
            "message": None,
            "stored_at": utc_now(),
        }
        reason = Reason.EMPTY if member.size == 0 else None
        if reason is None and not is_type(extension, self.facts.types, self.facts.filters):
            reason = Reason.TYPE
        if reason is not None:
            member.path.unlink(missing_ok=True)
            left_out.append(
                {
                    **row,
                    "state": FileState.SKIPPED,
                    "reason": reason,
                    "stored_at": None,
                    "sha256": None,
                    "file_id": None,
                }
            )
            return None
        digest = hashlib.sha256(path.encode(errors="replace")).hexdigest()[:16]
        return FileItem(
            job=self.job.id,
            part=member,
            key=f"{self.item.key}/{digest}",
            name=member.name,
            declared=(),
            source=self.item.source,
            template=of_member(self.facts.template, path),
            fields=self.item.fields,
            records=(self._batch([row]),),
        )

    def _batch(self, rows: list[dict[str, Any]]) -> Batch:
        return Batch(job=self.job.id, table=ChannelFile, natural_key=messages.FILE_KEY, rows=rows)
