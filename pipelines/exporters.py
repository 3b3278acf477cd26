"""Exporters of feeds that differ from Scrapy's; imported only where a feed is written, as pydantic's old half comes with them."""

from __future__ import annotations

import json
from tempfile import TemporaryFile
from typing import Any

from scrapy.exporters import CsvItemExporter


class CsvExporter(CsvItemExporter):
    """
    Scrapy's CSV exporter, with a column for every field of every record.

    Records differ in their fields, and which there are is known at the end only: until then they wait in a file.
    """

    def start_exporting(self) -> None:
        """Open the file in which records wait."""
        super().start_exporting()
        self._waiting = TemporaryFile("w+", encoding="utf-8")
        self._fields: dict[str, None] = {}

    def export_item(self, item: Any) -> None:
        """Keep a record; where the fields are chosen by FEED_EXPORT_FIELDS, write it."""
        if self.fields_to_export:
            super().export_item(item)
            return
        record = {name: _cell(value) for name, value in self.get_serialized_fields(item)}
        self._fields.update(dict.fromkeys(record))
        self._waiting.write(json.dumps(record, ensure_ascii=False) + "\n")

    def finish_exporting(self) -> None:
        """Write the header, then what waits."""
        with self._waiting:
            if self._fields:
                self.fields_to_export = list(self._fields)
                self._waiting.seek(0)
                for line in self._waiting:
                    super().export_item(json.loads(line))
        super().finish_exporting()


def _cell(value: Any) -> Any:
    """Return a value as a cell holds it: objects and lists as JSON, numbers as they are."""
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False, default=str)
    return value if value is None or isinstance(value, str | int | float) else str(value)
