"""Unpacks an archive into items: each member has a row of its own, and its file is stored beside the archive, once for each content."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
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
        self.parts: dict[str, tuple[str, PartFile]] = {}  # path and file of each content, by SHA-256
        self._rows: dict[str, list[dict[str, Any]]] = {}  # of the members with that content
        self._left_out: list[dict[str, Any]] = []

    def unpack(self, extension: str, spool: Path) -> None:
        """Unpack it into part files in the spool, if it is an archive. It blocks."""
        part = self.item.part
        if not self.row or extension not in ARCHIVES:
            return
        try:
            if extension != "zip" or is_archive(part):
                for path, member in members_of(part.path, extension, spool):
                    self._add(path[-LONGEST:], member)
        except BadFile as failure:
            self.refused = f"It was not unpacked. {failure.detail}"
            self.job.warn("An archive was not unpacked; its row says why.")

    def items(self, stored: Mapping[str, int]) -> Sequence[Item]:
        """Return what stores the members. stored: files of the source by their SHA-256, which are not stored again."""
        items: list[Item] = []
        rows = list(self._left_out)
        for digest, (path, part) in self.parts.items():
            if digest in stored:
                part.path.unlink(missing_ok=True)
                rows += [{**row, "file_id": stored[digest]} for row in self._rows[digest]]
                continue
            name = hashlib.sha256(path.encode(errors="replace")).hexdigest()[:16]
            items.append(
                FileItem(
                    job=self.job.id,
                    part=part,
                    key=f"{self.item.key}/{name}",
                    name=part.name,
                    declared=(),
                    source=self.item.source,
                    template=of_member(self.facts.template, path),
                    fields=self.item.fields,
                    records=(self._batch(self._rows[digest]),),
                )
            )
        return [*items, self._batch(rows)] if rows else items

    def _add(self, path: str, member: PartFile) -> None:
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
            left_out = {
                "state": FileState.SKIPPED,
                "reason": reason,
                "stored_at": None,
                "sha256": None,
                "file_id": None,
            }
            self._left_out.append({**row, **left_out})
        elif member.sha256 not in self.parts:
            self.parts[member.sha256] = path, member
            self._rows[member.sha256] = [row]
            return
        else:
            self._rows[member.sha256].append(row)
        member.path.unlink(missing_ok=True)

    def _batch(self, rows: list[dict[str, Any]]) -> Batch:
        return Batch(job=self.job.id, table=ChannelFile, natural_key=messages.FILE_KEY, rows=rows)
