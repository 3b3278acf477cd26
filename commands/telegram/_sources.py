"""What the acts upon sources have in common: the acts of the API for the operator, and which source is meant."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from webhook.api.telegram.source_acts import Sources

# Fields of the API by the options that give them.
OPTIONS = {
    "channel_id": "--channel",
    "channel_username": "--channel",
    "session_id": "--session",
    "file_types": "--types",
    "path_template": "--template",
    "unpacks": "--unpack",
    "keeps_texts": "--texts",
}


def acts() -> Sources:
    """Return the acts upon sources of all users; new ones belong to the installation."""
    from database.engine import database
    from jobs.clock import Clock
    from jobs.engines.chosen import chosen_engine
    from pipelines.settings import PipelineSettings
    from pipelines.stores import store_of
    from scrapers.portals.telegram.addresses import Address
    from scrapers.portals.telegram.resolving import Resolved, resolve
    from scrapers.portals.telegram.using import use
    from webhook.api.telegram.source_acts import Sources

    db = database()

    def look_up(session_id: str, address: Address, *, join: bool) -> Resolved:
        return use(db, session_id, lambda client: resolve(client, address, join=join), who="command")

    def erase(store: str, path: str) -> bool:
        return store_of(PipelineSettings.current(), store).remove(path)

    # A worker takes what is due; a command starts none.
    return Sources(db, lambda: chosen_engine(db, Clock()), look_up, lambda portal: None, erase)


@contextmanager
def refusing() -> Iterator[None]:
    """Turn what is refused into one sentence, which names the option."""
    from pydantic import ValidationError
    from werkzeug.exceptions import HTTPException

    from commands._terminal import Refused, WrongArgument
    from scrapers.core.outcomes import Failure
    from scrapers.portals.telegram.using import InUse, NoSession
    from webhook.api.telegram.managing import FieldRefused

    try:
        yield
    except FieldRefused as error:
        raise WrongArgument(f"{option_of(error.name)}: {error}") from None
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        said = first["msg"].removeprefix("Value error, ").rstrip(".")
        place = [str(each) for each in first["loc"]] or ["source"]
        raise WrongArgument(f"{'.'.join([option_of(place[0]), *place[1:]])}: {said}.") from None
    except HTTPException as error:
        raise Refused(error.description or str(error)) from None
    except (Failure, InUse) as error:
        raise Refused(str(error)) from None
    except NoSession:
        raise Refused("The session was deleted meanwhile.") from None


def option_of(field: str) -> str:
    """Return the option that gives a field of the API."""
    return OPTIONS.get(field, f"--{field.replace('_', '-')}")


def id_of(word: str) -> str:
    """Return the id of the source of an id or name; raise WrongArgument where that is not one source."""
    from commands._terminal import WrongArgument
    from database.engine import database
    from database.families.telegram import sources

    with database().transaction() as session:
        found = [each.id for each in sources.named(session, word, None)]
    if not found:
        raise WrongArgument(f"There is no source {word}; `scrapy telegram sources` shows all.")
    if len(found) > 1:
        raise WrongArgument(f"Several sources are called {word}: give one of their ids: {', '.join(found)}.")
    return found[0]
