"""
What pages of a sign-in announce, whatever the portal: regular expressions in English, French, German and Spanish.

They are used in Playwright's selectors; case does not matter. No fact sheet states them: all are guesses.
"""

from scrapers.core.page import Guess, guess

_SENT = "(?:sent|texted|on (?:its|the) way|envoy|en route|gesendet|unterwegs|enviad|en camino|check your)"
_OTHER = "(?:elsewhere|another|other|ailleurs|autre|andere|otr[oa])"
_SESSION = "(?:(?:signed|logged)[ -]?(?:in|on)|session|connecté|angemeldet|sesión|conectad)"

TEXTED = (
    rf"{_SENT}.{{0,60}}(?:text message|\\bSMS\\b|mensaje de texto)|(?:text message|\\bSMS\\b).{{0,60}}{_SENT}"
    r"|\\btexted\\b.{0,60}\\bcode\\b"
)
MAILED = rf"{_SENT}.{{0,60}}(?:e-?mail|courriel|correo)|(?:e-?mail|courriel).{{0,60}}{_SENT}"
ANY_CODE = r"text message|\\bSMS\\b|verification code|(?:one-time|digit) code|code de vérification|Bestätigungscode|código de verificación"
APPROVAL = "approve.{0,20}(?:sign|log)[ -]?in|approuve.{0,20}connexion|bestätig.{0,20}Anmeldung|aprueb.{0,20}sesión"
LOCKED = "(?<!will be )(?<!be )locked|verrouillé|bloqué|gesperrt|bloquead"  # not "will be locked after one more try"
SECURITY_KEY = "security key|passkey|clé de sécurité|Sicherheitsschlüssel|llave de seguridad"
ELSEWHERE = f"{_SESSION}.{{0,60}}{_OTHER}|{_OTHER}.{{0,30}}{_SESSION}|already {_SESSION}|déjà connecté"

# Names of controls.
SEND_CODE = r"^(send|text|e-?mail|get|envoyer|senden|enviar)\b.*\b(code|código)"
TRUST = "trust this|trust device|faire confiance|remember this (device|browser|computer)|vertrauen|confiar"
GO_ON = (
    "^(continue|proceed|yes|ok|continuer|oui|weiter|continuar|take over|(use|sign in|log in|stay) here"
    "|(end|sign out|log out) .*other)"
)
LATER = "remind me|plus tard|later|not now|^skip|más tarde|später"
ACCEPT = r"\b(accept|agree|consent|j.accepte|accepter|akzeptieren|acepto|aceptar)"

PLACES = ":is(main, form, h1, h2, p)"
DIALOGS = ":is([role=dialog], [role=alertdialog], [aria-modal=true], dialog)"
HEADS = ":is(h1, h2, h3, legend, [role=heading], [role=dialog], dialog)"
POLICIES = (
    "polic",
    "agreement",
    "terms",
    "conditions",
    "politique",
    "entente",
    "richtlinie",
    "términos",
    "condiciones",
)

# A page with links to the lists is a signed-in user's, whatever it tells about codes.
NO_MENU = ":not(:has(a[href*='/assets'], a[href*='/dashboard']))"


def called(names: str, scopes: tuple[str, ...] = ("",)) -> tuple[Guess, ...]:
    """Return the selectors of buttons and links with such a name, in each of the scopes."""
    roles = [f"role={role}[name=/{names}/i]" for role in ("button", "link")]
    return tuple(guess(f"{scope} >> {role}" if scope else role) for scope in scopes for role in roles)


def saying(words: str, form: str, fields: tuple[str, ...] = ("",)) -> tuple[Guess, ...]:
    """Return the selectors of fields on a page that says *words*, and does not have the sign-in form."""
    page = f"body:not(:has({form})):has(:text-matches('{words}', 'i')){NO_MENU}"
    return tuple(guess(f"{page} {field}".rstrip()) for field in fields)


def dialogs_saying(words: str) -> tuple[Guess, ...]:
    """Return the selectors of dialogs that say *words*, over any page."""
    said = f":text-matches('{words}', 'i')"
    return guess(f"{DIALOGS}:has({said})"), guess(f"{DIALOGS}{said}")


def about_policies(form: str) -> tuple[Guess, ...]:
    """Return the selectors of pages with a heading or dialog about policies, other than cookies; none has the sign-in form."""
    head = f"{HEADS}:not(:has-text('cookie'))"
    return tuple(guess(f"body:not(:has({form})):has({head}:has-text('{word}'))") for word in POLICIES)
