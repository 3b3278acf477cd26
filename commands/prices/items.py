"""What the acts of `scrapy prices` have in common: the user of the items, and how one is put on the watchlist."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from database.models.prices import User, WatchlistItem


def user_option(parser: argparse.ArgumentParser, otherwise: str) -> None:
    """Add the option that names a user. otherwise: the users that are meant without it, for the help text."""
    parser.add_argument("--user", metavar="EMAIL", help=f"user of the watchlist (default: {otherwise})")


def user_named(session: Session, email: str | None, *, make: bool = False) -> User:
    """
    Return the user of a mail address, or the only one; raise WrongArgument where that is not one user.

    make: an address that is not known is a new user's, to whom alerts are sent.
    """
    from pydantic import TypeAdapter, ValidationError
    from sqlalchemy import select

    from commands._terminal import WrongArgument
    from database.engine import now
    from database.families.watching import Email
    from database.models.prices import User

    if email is None:
        found = session.scalars(select(User).order_by(User.id).limit(2)).all()
        if len(found) != 1:
            raise WrongArgument(f"--user: there {'are several users' if found else 'is no user yet'}, so name one.")
        return found[0]
    try:
        address = TypeAdapter(Email).validate_python(email)
    except ValidationError:
        raise WrongArgument("--user: that is no mail address; it looks like ana@example.com.") from None
    user = session.scalars(select(User).where(User.email == address)).one_or_none()
    if user is None and not make:
        raise WrongArgument("--user: there is no user of that address.")
    if user is None:
        user = User(email=address, created_at=now(session))
        session.add(user)
        session.flush()
    return user


def put(session: Session, user: User, given: dict[str, Any]) -> tuple[WatchlistItem, str]:
    """
    Watch a product for a user; return the item, and whether it was `added`, `changed` or the `same`.

    given: fields of the API's items; those that are left out stay as they are. The product and the country tell which item
    it is. Raises ValueError with a sentence for what is wrong.
    """
    from pydantic import ValidationError
    from sqlalchemy import select

    from database.engine import now
    from database.families.prices import change
    from database.families.watching import NewItem
    from database.models.prices import WatchlistItem
    from scrapers.families.prices.addresses import product_of
    from scrapers.families.prices.settings import PriceSettings

    try:
        new = NewItem.model_validate(given)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        said = first["msg"].removeprefix("Value error, ")
        raise ValueError(f"{'.'.join(map(str, first['loc']))}: {said}") from None
    product = product_of(new.product_url, private=PriceSettings.current().prices_private_addresses)
    same = (
        WatchlistItem.user_id == user.id,
        WatchlistItem.portal == product.portal,
        WatchlistItem.product_key == product.key,
        WatchlistItem.country.is_not_distinct_from(new.country),
    )
    item = session.scalars(select(WatchlistItem).where(*same).order_by(WatchlistItem.id).limit(1)).one_or_none()
    values = {**new.model_dump(exclude_unset=item is not None), "product_url": new.product_url.strip()}
    at, is_new = now(session), item is None
    if item is None:
        item = WatchlistItem(user_id=user.id, portal=product.portal, product_key=product.key, created_at=at)
        session.add(item)
    changed = change(item, values, at)
    said = "added" if is_new else "changed" if changed else "same"
    session.flush()
    return item, said
