"""What is known of the plain portal, which has no original: what the sandbox's README says of its pages."""

from __future__ import annotations

from sandbox.known import Fact, Known

SECTION = "pages"


def facts(kind: str, *values: str) -> list[Fact]:
    """Return a fact for each value."""
    return [Fact(kind, value, SECTION) for value in values]


KNOWN = Known(
    [
        *facts(
            "address", "/login", "/code", "/logout", "/documents", "/usage.csv", "/big", "/bundle.zip", "/unsafe.zip"
        ),
        *facts("id", "login", "username", "password", "code", "code-field", "send", "captcha"),
        *facts("id", "user-name", "accounts", "account", "documents", "document", "total", "months", "waiting"),
        *facts("name", "csrf_token", "username", "password", "code", "month"),
        *facts("class", "alert", "alert--credentials", "alert--locked", "alert--code", "alert--form"),
        *facts("class", "alert--account-missing", "alert--not-published", "alert--purged", "alert--month-missing"),
        *facts("class", "id", "date", "title", "amount", "currency", "file"),
        *facts("attribute", "data-id", "data-account", "rel=next"),
        *facts("own text", "#user-name", "#account", "#accounts li", "#document dd", "#documents td"),
        *facts("order", "#documents > tbody", "#documents"),
        *facts("path", "//table[@id='documents']/tbody/tr/td", "//dl[@id='document']/dd"),
        *facts("format", "days are YYYY-MM-DD", "amounts have a point and two decimals", "a code has 6 digits"),
        *facts("sender", "+15550100001"),
        *facts("message", "Plain: your verification code is {code}. Do not share it."),
    ]
)
