"""What the acts of `scrapy telegram` have in common: which session is meant, and what goes wrong with Telegram as a sentence."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from database.models.telegram import TelegramSession

WHO = "command"


def session_named(session: Session, reference: str | None) -> TelegramSession:
    """Return the session of an id, the beginning of one, or a name; without any the only one. Raises WrongArgument."""
    from commands._terminal import WrongArgument
    from database.families.telegram.sessions import every

    rows = every(session)
    if reference is None:
        found = rows
    else:
        found = [row for row in rows if row.id == reference or row.name == reference]
        found = found or [row for row in rows if row.id.startswith(reference)]
    if len(found) != 1:
        what = "there is none" if not found else "there are several: give the id of one"
        raise WrongArgument(f"session: {what}; `scrapy telegram sessions` lists them.")
    return found[0]


@contextmanager
def refusals() -> Iterator[None]:
    """Raise Refused for what Telegram does not allow, or a session that is in use."""
    from commands._terminal import Refused
    from scrapers.core.outcomes import Failure
    from scrapers.portals.telegram.using import InUse, NoSession

    try:
        yield
    except (Failure, InUse) as error:
        raise Refused(str(error)) from None
    except NoSession:
        raise Refused("The session was deleted meanwhile.") from None


def shown_number(number: str | None) -> str | None:
    """
    Return a phone number as lists show it, recognisable to its owner alone.

    >>> shown_number("+12015550100")
    '+12…00'
    """
    return None if number is None else f"{number[:3]}…{number[-2:]}"
