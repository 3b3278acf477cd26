"""What portals call things around a sign-in, by meaning, in several languages. No fact sheet states them: all are guesses."""

from __future__ import annotations

import re

from scrapers.core.page import Guess, guess

# Texts of a user button that name no user.
NO_NAME = re.compile(
    r"(?i)[\W\d_]*(?:(?:hello|hi|welcome|signed|logged|in|as|my|your|the|user|users|account|accounts|profile|menu|settings|"
    r"log|sign|out|off|log-?out|sign-?out|log-?in|sign-?in|options|more|close|open|"
    r"bonjour|bienvenue|mon|mes|votre|le|compte|comptes|profil|utilisateur|se|me|d[ée]connecter|d[ée]connexion|connect[ée]|"
    r"hola|bienvenido|mi|cuenta|perfil|usuario|cerrar|sesi[oó]n|salir|"
    r"hallo|willkommen|mein|konto|benutzer|abmelden|angemeldet|"
    r"שלום|החשבון|שלי|חשבון|משתמש|התנתקות|התנתק|יציאה)(?![^\W\d_])[\W\d_]*)*"
)

GREETING = re.compile(
    r"(?i)(hello|hi|hey|welcome( back)?|good (morning|afternoon|evening|day)|bonjour|bonsoir|bienvenue|hola|hallo|guten \w+|שלום)[\s,!]+"
)

# Not "something went wrong", which is said of any error.
REFUSED = (
    "incorrect|invalid|not valid|(?<!went )wrong|(isn.?t|is not|not) right|(do|does)(n.t| not) match|not recogni[sz]ed|could not be verified|unable to sign you in|"
    "incorrecte|non valide|invalide|erron|ne correspond|no es correct|inválid|falsch|ungültig|שגוי|אינם תואמים"
)
# Not "will be locked", which is said of one more try.
LOCKED = (
    "(is|was|been|temporarily|now) (locked|suspended|disabled|blocked)|locked out|account (locked|suspended)|"
    "too many (failed |unsuccessful )?(attempts|tries)|(est|été) (temporairement )?(verrouill|bloqu|suspendu)|"
    "trop de tentatives|bloqueada|gesperrt|נעול|נחסם"
)
LATER = "remind me later|not now|maybe later|skip( for now)?|me le rappeler|plus tard|pas maintenant|más tarde|später"
LOG_OUT = (
    "log ?out|sign ?out|log ?off|d[ée]connexion|se déconnecter|fermer la session|cerrar sesión|abmelden|התנתק|יציאה"
)
ALERT = ":is([role=alert], [aria-live=assertive], [class*=error i], [class*=alert i], [class*=invalid i])"
CONTROL = ":is(button, a, [role=button], [role=menuitem])"
TEXT_MESSAGE = "text message|sms|texto|message texte|mobile|phone|téléphone"
MAIL = "e-?mail|courriel|correo"
SEND_CODE = "^(send|get|request|envoyer|obtenir)"


def alerts(words: str, within: str = "") -> tuple[Guess, ...]:
    """Return guessed selectors of messages that say one of *words* (a regular expression), inside of *within*."""
    return _saying(words, ALERT, within)


def controls(words: str, within: str = "") -> tuple[Guess, ...]:
    """Return guessed selectors of a button or link that says one of *words* (a regular expression), inside of *within*."""
    return _saying(words, CONTROL, within)


def labels(words: str, within: str = "") -> tuple[Guess, ...]:
    """Return guessed selectors of a label that says one of *words* (a regular expression), inside of *within*."""
    return _saying(words, "label", within)


def _saying(words: str, element: str, within: str) -> tuple[Guess, ...]:
    # Playwright's text-matches names the smallest element with the text, which may be the element or stand in it.
    text = f":text-matches('{words}', 'i')"
    return tuple(guess(f"{within} {element}{says}".strip()) for says in (text, f":has({text})"))


def without_greeting(text: str) -> str:
    """
    Return a user's name without the greeting before it, which may change with the time of day.

    >>> without_greeting("Good evening, Ann Birch")
    'Ann Birch'
    """
    greeting = GREETING.match(text)
    return text[greeting.end() :] if greeting else text


def names_a_user(text: str) -> bool:
    """
    Return whether the text of a user button may be a user's name.

    >>> [names_a_user(text) for text in ("Ann Birch", "My account", "Bonjour", "Hello, Ann", "")]
    [True, False, False, True, False]
    """
    return not NO_NAME.fullmatch(text)
