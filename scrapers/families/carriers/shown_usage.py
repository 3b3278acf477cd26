"""Usage that a portal shows in a table and offers no file of: the workbook that is made of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from scrapers.core.spool import PartFile
from scrapers.families.carriers.items import UsageLine
from scrapers.reading.new_workbooks import write_workbook

HEADINGS = ("mobile_username", "mobile_number", "data_used")  # bytes used; what reads these files knows them by these


def usage_workbook(folder: Path, name: str, lines: Sequence[UsageLine]) -> PartFile:
    """Write the lines of a table into a workbook; an unknown use is an empty cell. Blocks: call it from a worker thread."""
    return write_workbook(folder, name, [HEADINGS, *((line.name, line.number, line.used) for line in lines)])
