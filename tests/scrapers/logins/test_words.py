"""What alerts mean by their words."""

from __future__ import annotations

import re

import pytest

from scrapers.logins.words import REFUSED


@pytest.mark.parametrize(
    "said",
    [
        "The email, username or password you entered is incorrect.",
        "Wrong password",
        "That password is wrong.",
        "Nom d'utilisateur ou mot de passe invalide",
    ],
)
def test_a_refusal_of_the_password_is_one(said):
    assert re.search(REFUSED, said, re.I)


@pytest.mark.parametrize("said", ["Something went wrong. Please try again later.", "Sorry, that went wrong"])
def test_an_error_of_the_portal_is_no_refusal(said):
    assert not re.search(REFUSED, said, re.I)
