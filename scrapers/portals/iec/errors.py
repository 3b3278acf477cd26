"""The company's own errors, with their code and text, as subclasses of our failures."""

from __future__ import annotations

from typing import Any

from scrapers.core.outcomes import (
    AccountLocked,
    BadCredentials,
    CaptchaShown,
    LoginFailed,
    MfaFailed,
    PortalDown,
    PortalRefused,
    RateLimited,
    ReauthenticationRequired,
    UnexpectedAnswer,
)


class IECError(PortalRefused):
    """An error of the company's own. error_code: as it is sent, a number or a word; error: its text."""

    def __init__(self, error_code: int | str, error: str, **where: Any) -> None:
        super().__init__(f"Code {error_code}: {error}", **where)
        self.error_code = error_code
        self.error = error


class AnswerUnexpected(UnexpectedAnswer, IECError):
    """The company answered with a page, with nothing, or in another shape; the code is the HTTP status."""


class CompanyDown(PortalDown, IECError):
    """The company answered with an error of its servers, as often as we may ask."""


class CaptchaWanted(CaptchaShown, IECError):
    """An endpoint answers only with the token of a captcha that a person has solved in the company's own app."""


class IECLoginError(IECError, LoginFailed):
    """An error of the sign-in, which OKTA handles."""


class IdNumberRefused(BadCredentials, IECLoginError):
    """OKTA does not know the ID number."""


class UserLocked(AccountLocked, IECLoginError):
    """OKTA has locked the user."""


class CodeRefused(MfaFailed, IECLoginError):
    """OKTA refused the one-time code."""


class SlowDown(RateLimited, IECLoginError):
    """OKTA refuses to look at the request for now."""


class TokensDead(ReauthenticationRequired, IECLoginError):
    """OKTA takes the refresh token no more."""
