"""
Typical Scrapy, as most people write it: FilesPipeline, an SQLAlchemy pipeline with one commit per item, the default handler.

It signs in and reads all lists in every run; a CSV becomes one item per row. Run as `python -m benchmarks.typical_scrapy
JSON`; the password is in BARE_PASSWORD.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any, ClassVar

from scrapy import Request
from scrapy.http import Response
from scrapy.pipelines.files import FilesPipeline
from sqlalchemy import create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from benchmarks.bare_scrapy import Bare, main


class Base(DeclarativeBase):
    """Base of the tables."""


class Document(Base):
    """A file."""

    __tablename__ = "documents"

    id: Mapped[int] = mapped_column(primary_key=True)
    person: Mapped[str]
    path: Mapped[str]
    sha256: Mapped[str]


class Usage(Base):
    """A row of a CSV."""

    __tablename__ = "usage"

    id: Mapped[int] = mapped_column(primary_key=True)
    person: Mapped[str]
    day: Mapped[str]
    line: Mapped[str]
    service: Mapped[str]
    used: Mapped[int]
    amount: Mapped[float]
    currency: Mapped[str]


class UserFilesPipeline(FilesPipeline):
    """Scrapy's pipeline; its requests carry the user's cookies."""

    def get_media_requests(self, item: Any, info: Any) -> list[Request]:
        """Return the request of an item's file."""
        meta = {"cookiejar": item["person"]}
        return [Request(address, meta=meta) for address in item.get("file_urls", ())]


class DatabasePipeline:
    """Adds a row for every item, in a transaction of its own."""

    def open_spider(self, spider: Any) -> None:
        """Make the tables."""
        self.engine = create_engine(f"sqlite:///{spider.folder / 'typical.db'}")
        Base.metadata.create_all(self.engine)

    def process_item(self, item: dict[str, Any], spider: Any) -> Any:
        """Insert an item and commit."""
        with Session(self.engine) as session:
            if "file_urls" in item:
                for file in item["files"]:
                    # Scrapy's own checksum is an MD5.
                    sha256 = hashlib.sha256((spider.store / file["path"]).read_bytes()).hexdigest()
                    session.add(Document(person=item["person"], path=file["path"], sha256=sha256))
                    spider.rows.append((item["person"], file["path"], sha256, 0))
            else:
                session.add(Usage(**item))
            session.commit()
        return item


class Typical(Bare):
    """The same spider; its files and rows go through pipelines."""

    name = "typical"
    keeps_sessions = False
    custom_settings: ClassVar[dict[str, Any] | None] = {  # type: ignore[misc]
        "ITEM_PIPELINES": {UserFilesPipeline: 1, DatabasePipeline: 2},
        "REMOTE_CONTROL_ENABLED": False,
        "TELNETCONSOLE_ENABLED": False,
    }

    @classmethod
    def update_settings(cls, settings: Any) -> None:
        """Set the store, which the argument names."""
        super().update_settings(settings)
        settings.set("FILES_STORE", str(Path(cls.told["folder"]) / "store"), "spider")

    @property
    def store(self) -> Path:
        """Return the folder of the files."""
        return self.folder / "store"

    def fetch(self, person: str, paths: list[str]) -> Iterator[Any]:
        """Yield an item for each file."""
        for path in paths:
            yield {"person": person, "file_urls": [f"{self.url}{path}"]}

    def file(self, person: str, path: str, to: Path, callback: Any = None) -> Any:
        """Return an item for a file, a plain request for a CSV."""
        if callback is None:
            return next(self.fetch(person, [path]))
        return Request(f"{self.url}{path}", callback, meta=self.of(person), dont_filter=True)

    def usage(self, response: Response) -> Any:
        """Yield an item for each row."""
        names = ("person", "day", "line", "service", "used", "amount", "currency")
        for row in self.usage_rows(response, StringIO(response.text)):
            yield dict(zip(names, row, strict=True))


if __name__ == "__main__":
    main(Typical)
