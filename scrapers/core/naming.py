"""Maps the errors of requests to failures."""

from __future__ import annotations

from typing import TYPE_CHECKING

# Not from playwright.async_api, which re-exports it but is slow to import, and every spider imports this module.
from scrapy.spidermiddlewares.httperror import HttpError

from scrapers.core.outcomes import (
    BadFile,
    Blocked,
    Failure,
    PortalChanged,
    PortalDown,
    RateLimited,
    UnexpectedError,
)
from scrapers.core.redaction import bare_url
from scrapers.core.requests import state_of

if TYPE_CHECKING:
    from scrapy import Request


def unexpected_error(error: BaseException) -> UnexpectedError:
    """Return UnexpectedError for an error that maps to no other failure."""
    unexpected = UnexpectedError(f"{type(error).__name__}: {error}"[:300])
    unexpected.__cause__ = error
    return unexpected


def name_failure(error: BaseException, request: Request) -> Failure:
    """Return the failure that the exception of a request maps to."""
    from scrapy import exceptions as scrapy_errors

    url = bare_url(request.url)
    if isinstance(error, Failure):
        return error
    if isinstance(error, HttpError):
        status, response = error.response.status, error.response
        kind = {429: RateLimited, 403: Blocked}.get(status, PortalDown if status >= 500 else PortalChanged)
        return kind(f"{url} answered {status}.", evidence={"response": response})
    if isinstance(error, scrapy_errors.ResponseDataLossError):
        cut: type[Failure] = BadFile if (state := state_of(request)) and state.stream else PortalDown
        return cut(f"The answer of {url} was cut short.")
    down = (
        scrapy_errors.CannotResolveHostError,
        scrapy_errors.DownloadConnectionRefusedError,
        scrapy_errors.DownloadFailedError,
        scrapy_errors.DownloadTimeoutError,
    )
    if isinstance(error, down):
        return PortalDown(f"{url}: {type(error).__name__}.")
    return unexpected_error(error)
