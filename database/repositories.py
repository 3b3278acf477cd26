"""Repositories: the same few methods over every table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar, cast, get_args

from sqlalchemy import ColumnElement, Select, and_, delete, func, inspect, not_, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from database.models import (
    Account,
    BillingCycle,
    BillingCycleFile,
    BillingCyclePdfFile,
    Carrier,
    CarrierPortalCredential,
    CarrierReport,
    Client,
    DailyUsageFile,
    ScraperConfig,
    ScraperJob,
    Workspace,
)
from database.models.base import Base
from database.upsert import batches

Model = TypeVar("Model", bound=Base)


class NotFound(LookupError):
    """No row fits. The text names the table and the fields that were asked for, without their values."""


class NotUnique(LookupError):
    """More than one row fits where one was asked for. The text names the table and the fields, without their values."""


@dataclass(frozen=True, slots=True)
class Page(Generic[Model]):
    """Rows of one page, and how many there are on all pages."""

    data: list[Model]
    total: int


class Repository(Generic[Model]):
    """
    One table, through one session.

    Criteria are a mapping, keyword arguments, or both: field and value. A leading `!` excludes, None asks for empty, a list,
    tuple or set for any of its values: `{"!status": ["error"], "account_id": 7}`. Unknown fields raise ValueError.
    """

    model: ClassVar[type[Base]]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Take the model from `class ClientRepository(Repository[Client])`."""
        super().__init_subclass__(**kwargs)
        cls.model = get_args(cls.__orig_bases__[0])[0]  # type: ignore[attr-defined]

    def __init__(self, session: Session) -> None:
        self.session = session

    # Reading

    def get(self, criteria: Mapping[str, Any] | None = None, **more: Any) -> Model:
        """Return the one row that fits; raise NotFound or NotUnique."""
        row = self.find(criteria, **more)
        if row is None:
            raise NotFound(f"No {self._described(criteria, more)}.")
        return row

    def find(self, criteria: Mapping[str, Any] | None = None, **more: Any) -> Model | None:
        """Return the one row that fits, or None; raise NotUnique when there are several."""
        rows: list[Model] = list(self.session.scalars(self._select(criteria, more).limit(2)))
        if len(rows) > 1:
            raise NotUnique(f"More than one {self._described(criteria, more)}.")
        return rows[0] if rows else None

    def filter(
        self,
        criteria: Mapping[str, Any] | None = None,
        *,
        page: int = 1,
        page_size: int | None = None,
        order_by: str | Sequence[str] = (),
        distinct: str | Sequence[str] = (),
        **more: Any,
    ) -> Page[Model]:
        """
        Return the rows that fit and their total number.

        page, page_size: the first page is 1; without a size everything comes.
        order_by: fields, with a leading `-` for descending; empty values come last either way, and the id decides ties.
        distinct: fields; of the rows with equal values in them only the first in that order is returned.
        """
        if page < 1 or (page_size is not None and page_size < 1):
            raise ValueError("page and page_size start at 1")
        order = self._order(order_by)
        found = self._select(criteria, more)
        if distinct:
            fields = [self._field(name) for name in _names(distinct)]
            place = func.row_number().over(partition_by=fields, order_by=order)
            ranked = found.with_only_columns(self._field("id").label("id"), place.label("place")).subquery()
            first = select(ranked.c.id).where(ranked.c.place == 1)
            found = self._everything().where(self._field("id").in_(first))
        total = self.session.scalar(select(func.count()).select_from(found.subquery())) or 0
        found = found.order_by(*order)
        if page_size is not None:
            found = found.limit(page_size).offset((page - 1) * page_size)
        return Page(list(self.session.scalars(found)), total)

    def all(self, order_by: str | Sequence[str] = ()) -> list[Model]:
        """Return every row, by id unless told otherwise."""
        return list(self.session.scalars(self._everything().order_by(*self._order(order_by))))

    def get_model_fields(self) -> list[str]:
        """Return the names of the fields, as criteria, `order_by` and entities use them."""
        return [column.key for column in inspect(self.model).column_attrs]

    # Entities: a row as a plain dict of its fields

    def to_entity(self, row: Model) -> dict[str, Any]:
        """Return the row's fields as a dict."""
        return {name: getattr(row, name) for name in self.get_model_fields()}

    def to_orm_model(self, entity: Mapping[str, Any]) -> Model:
        """Return a new row with the entity's fields; it belongs to no session yet."""
        for name in entity:
            self._field(name)
        return cast("Model", self.model(**entity))

    # Writing: each takes rows or entities; the caller's transaction commits

    def save(self, entity: Model | Mapping[str, Any]) -> Model:
        """Insert a row and return it with its id."""
        return self.bulk_create([entity])[0]

    def update(self, entity: Model | Mapping[str, Any]) -> Model:
        """Write the given fields of the row with the entity's id; raise ValueError without id, NotFound without row."""
        return self._updated([entity], None)[0]

    def delete(self, entity: Model | Mapping[str, Any] | int) -> None:
        """Delete the row of that id; raise NotFound when there is none."""
        if not self.bulk_delete([entity]):
            raise NotFound(f"No {self.model.__name__} with that id.")

    def bulk_create(self, entities: Sequence[Model | Mapping[str, Any]]) -> list[Model]:
        """Insert rows and return them with their ids."""
        rows = [self.to_orm_model(entity) if isinstance(entity, Mapping) else entity for entity in entities]
        self.session.add_all(rows)
        self.session.flush()
        return rows

    def bulk_update(self, entities: Sequence[Model | Mapping[str, Any]], fields: Sequence[str]) -> int:
        """Write *fields* of the rows with the entities' ids; return how many there were, raise NotFound when one is gone."""
        return len(self._updated(entities, list(fields)))

    def bulk_delete(self, entities: Sequence[Model | Mapping[str, Any] | int]) -> int:
        """Delete the rows of those ids; return how many there were."""
        ids = [entity if isinstance(entity, int) else self._id(entity) for entity in entities]
        gone = 0
        for some in batches(ids):
            criterion = self._field("id").in_(self._select({"id": list(some)}, {}).with_only_columns(self._field("id")))
            rows = self.session.scalars(delete(self.model).where(criterion).returning(self._field("id")))
            gone += len(rows.all())
        return gone

    # Inside

    def _updated(self, entities: Sequence[Model | Mapping[str, Any]], fields: list[str] | None) -> list[Model]:
        values = [self._values(entity) for entity in entities]
        for row in values:
            if row.get("id") is None:
                raise ValueError(f"An update of {self.model.__name__} needs the id.")
        known: dict[int, Model] = {}
        for some in batches([row["id"] for row in values]):
            known |= {row.id: row for row in self.session.scalars(self._select({"id": list(some)}, {}))}
        for row in values:
            if row["id"] not in known:
                raise NotFound(f"No {self.model.__name__} with that id.")
            for name in fields if fields is not None else row:
                self._field(name)
                if name not in row:
                    raise ValueError(f"fields: an entity has no {name}")
                setattr(known[row["id"]], name, row[name])
        self.session.flush()
        return [known[row["id"]] for row in values]

    def _values(self, entity: Model | Mapping[str, Any]) -> Mapping[str, Any]:
        if isinstance(entity, Mapping):
            return entity
        loaded = inspect(entity).dict  # only what was set or loaded: the rest stays as it is
        return {name: loaded[name] for name in self.get_model_fields() if name in loaded}

    def _id(self, entity: Model | Mapping[str, Any]) -> int:
        number = self._values(entity).get("id")
        if number is None:
            raise ValueError(f"A deletion of {self.model.__name__} needs the id.")
        return int(number)

    def _field(self, name: str) -> InstrumentedAttribute[Any]:
        if name not in self.get_model_fields():
            raise ValueError(f"{self.model.__name__} has no field {name!r}")
        field: InstrumentedAttribute[Any] = getattr(self.model, name)
        return field

    def _everything(self) -> Select[Any]:
        return select(self.model)

    def _select(self, criteria: Mapping[str, Any] | None, more: Mapping[str, Any]) -> Select[Any]:
        return self._everything().where(
            and_(True, *(self._criterion(name, value) for name, value in {**(criteria or {}), **more}.items()))
        )

    def _criterion(self, name: str, value: Any) -> ColumnElement[bool]:
        field = self._field(name.removeprefix("!"))
        fits: ColumnElement[bool]
        if isinstance(value, list | tuple | set | frozenset):
            chosen = [one for one in value if one is not None]
            fits = field.in_(chosen)
            if len(chosen) < len(value):
                fits = or_(fits, field.is_(None))
        else:
            fits = field.is_not_distinct_from(value)
        # An empty field is not among the excluded values; plain NOT would leave it out.
        return not_(func.coalesce(fits, False)) if name.startswith("!") else fits

    def _order(self, order_by: str | Sequence[str]) -> list[ColumnElement[Any]]:
        order = []
        for name in _names(order_by):
            field = self._field(name.removeprefix("-"))
            order.append((field.desc() if name.startswith("-") else field.asc()).nulls_last())
        return [*order, self._field("id").asc()]

    def _described(self, criteria: Mapping[str, Any] | None, more: Mapping[str, Any]) -> str:
        names = ", ".join({**(criteria or {}), **more})
        return f"{self.model.__name__} with that {names}" if names else self.model.__name__


def _names(names: str | Sequence[str]) -> list[str]:
    return [names] if isinstance(names, str) else list(names)


class ClientRepository(Repository[Client]):
    """Clients."""


class WorkspaceRepository(Repository[Workspace]):
    """Workspaces."""


class CarrierRepository(Repository[Carrier]):
    """Carriers."""


class AccountRepository(Repository[Account]):
    """Accounts."""


class BillingCycleRepository(Repository[BillingCycle]):
    """Billing cycles."""


class CarrierReportRepository(Repository[CarrierReport]):
    """Carrier reports."""


class BillingCycleFileRepository(Repository[BillingCycleFile]):
    """Monthly files."""


class DailyUsageFileRepository(Repository[DailyUsageFile]):
    """Daily usage files."""


class BillingCyclePdfFileRepository(Repository[BillingCyclePdfFile]):
    """PDF files."""


class CarrierPortalCredentialRepository(Repository[CarrierPortalCredential]):
    """Credentials of carriers."""


class ScraperConfigRepository(Repository[ScraperConfig]):
    """Scraper configurations."""


class ScraperJobRepository(Repository[ScraperJob]):
    """Jobs."""
