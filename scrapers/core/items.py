"""Base classes of items: the job an item belongs to, and the rows it is stored as."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, BinaryIO, ClassVar, Self

from pydantic import BaseModel, ConfigDict, Field, SkipValidation

from database.models.base import Base
from database.upsert import check_key
from scrapers.core.spool import PartFile


class Item(BaseModel):
    """
    A typed item. `job` is the id of the job that it was fetched for.

    Unknown values are None, never 0; money is Decimal plus currency; times are aware; sizes are bytes.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True, extra="forbid")
    job: int


class Listing(Item):
    """What the portal lists for a job: the keys that must be stored for the run to succeed."""

    keys: tuple[str, ...]
    missing_allowed: tuple[str, ...] = ()  # shown by the portal, but not needed by this job


class Finding(Item):
    """A typed item without a table: it goes into the feeds as `kind`, and its spider stores what follows from it."""

    kind: ClassVar[str]

    def row(self) -> dict[str, Any]:
        """Return the fields and values that the feeds show."""
        return self.model_dump(exclude={"job"})


class Record(Item):
    """A typed row of one table. Subclasses name the table, and the natural key by which a row is found again."""

    table: ClassVar[type[Base]]
    natural_key: ClassVar[tuple[str, ...]]
    versioned: ClassVar[bool] = False  # the portal may correct it: earlier versions are kept (database.versions)

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        """Raise WrongKey for a natural key that is no unique constraint of the table."""
        super().__pydantic_init_subclass__(**kwargs)
        if {"table", "natural_key"} & vars(cls).keys() and hasattr(cls, "table") and hasattr(cls, "natural_key"):
            check_key(cls.table, tuple(cls.natural_key))

    def key(self) -> str:
        """The key under which a Listing names this record."""
        return "/".join(str(getattr(self, name)) for name in self.natural_key)

    def row(self) -> dict[str, Any]:
        """Return the row's columns and values, without run and file: the pipeline adds those."""
        return self.model_dump(exclude={"job"})


class Batch(Item):
    """Bulk rows of one table in one item. The code that builds it validates and de-duplicates them by natural key."""

    table: type[Base]
    natural_key: tuple[str, ...]
    rows: SkipValidation[Sequence[dict[str, Any]]]  # validated before
    keys: tuple[str, ...] = ()  # keys of a Listing that these rows cover
    versioned: bool = False

    @classmethod
    def of(cls, kind: type[Record], job: int, records: Sequence[Record], keys: tuple[str, ...] = ()) -> Self:
        """Return records of one kind as a batch; of two with the same natural key the last one is kept."""
        unique = {tuple(getattr(record, name) for name in kind.natural_key): record.row() for record in records}
        return cls(
            job=job,
            table=kind.table,
            natural_key=kind.natural_key,
            rows=list(unique.values()),
            keys=keys,
            versioned=kind.versioned,
        )


class Lines(Item):
    """
    All rows of one table from one file, numbered from 1 by `row`; they replace the file's earlier rows.

    `rows` is called for each attempt to write, with the stored file, open at its beginning: the part file is no longer
    there. It is read in chunks, so that memory use stays constant. Texts must be normalised for both databases
    (`database.upsert.normalise`).
    """

    table: type[Base]
    place: dict[str, Any]  # columns and values that identify the file's rows; with `row` the table's natural key
    rows: Callable[[BinaryIO], Iterable[dict[str, Any]]]  # reads them, each with its number, without the place


class FileItem(Item):
    """One file to keep, with the records read from it inside, so that a file and its rows are one transaction."""

    part: PartFile
    key: str  # the key under which the Listing names this file
    name: str  # file name to store it under; the extension is checked against the declared type
    declared: tuple[str, ...]  # media types that it may have; empty: any, and its content is kept as it is
    source: str = ""  # URL it came from, without secrets
    period: str = ""  # YYYY-MM or YYYY-MM-DD, for the store's path
    records: tuple[Record | Batch | Lines, ...] = Field(default=())
    template: str = ""  # of its path below the store, in place of LATCHKEY_FILES_PATH's
    fields: dict[str, str] = Field(default_factory=dict)  # what that template may name, besides the usual fields
    # Filled by the files pipeline, read by the records pipeline:
    stored_path: str = ""

    def owner(self) -> Record | None:
        """Return the family's own row for this file (a cycle file, a daily file); None where there is none."""
        return None
