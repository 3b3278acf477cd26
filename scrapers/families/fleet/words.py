"""The words by which fleet portals tell severity and activity, in English, French, German and Spanish; without accents."""

from __future__ import annotations

import re
import unicodedata

from database.models.fleet import Severity
from scrapers.reading.values.marks import without_marks

LEVELS = {  # phrases of columns and of the vendor's interface: levels, colours, lamps, what the driver shall do
    Severity.CRITICAL: (
        *("critical", "critique", "kritisch", "critico", "critica", "red", "rouge", "rot", "rojo", "roja"),
        *("pull over", "stop engine", "stop engine now", "stop now", "stop immediately", "rsl", "red stop lamp"),
        *("red stop", "stop lamp", "red lamp", "red stop light", "temoin rouge", "rote lampe", "luz roja", "stop"),
    ),
    Severity.MAJOR: (
        *("major", "majeur", "majeure", "mayor", "schwerwiegend", "warning", "avertissement", "warnung", "advertencia"),
        *("yellow", "amber", "orange", "jaune", "ambre", "gelb", "amarillo", "amarilla", "ambar", "awl", "mil"),
        *("amber warning", "amber warning lamp", "amber lamp", "warning lamp", "malfunction", "malfunction lamp"),
        *("malfunction indicator", "malfunction indicator lamp", "check engine", "check engine lamp"),
        *("drive to dealer", "drive to a dealer", "seek service", "seek service immediately"),
    ),
    Severity.MINOR: (
        *("minor", "mineur", "mineure", "geringfugig", "gering", "menor", "leve", "info", "information"),
        *("informational", "informatif", "informacion", "blue", "bleu", "blau", "azul", "next service"),
        *("fix at next service", "service advised", "pl", "protect", "protect lamp", "engine protect lamp"),
    ),
    Severity.INFO: ("keep driving", "continue driving", "continuez a rouler", "weiterfahren", "siga conduciendo"),
}
CLASSES = {  # whole words of class names; "pl" and others are taken by style sheets
    Severity.CRITICAL: frozenset({"critical", "red"}),
    Severity.MAJOR: frozenset({"major", "warning", "yellow", "amber", "orange"}),
    Severity.MINOR: frozenset({"minor", "info", "blue"}),
}
ON = frozenset("active activ actif actifs active actives aktiv aktive activo activa activos activas".split())
PRESENT = ON | frozenset(  # as the whole of a field
    "current currently present open ongoing on yes true dm1 actuel actuelle actuellement ouvert oui aktuell offen"
    " anstehend vorhanden ja actual actualmente presente abierto abierta vigente si vrai wahr verdadero".split()
)
HISTORY = frozenset(  # also of class names and captions
    "inactive inactif inactifs inactives inaktiv inaktive inactivo inactiva inactivos inactivas historical historic"
    " history historique historiques historisch historische historico historica historicos cleared resolved".split()
)
PAST = HISTORY | frozenset(
    "closed fixed repaired healed gone off false dm2 stored resolu resolue corrige efface effacee ferme fermee repare"
    " faux behoben geloscht erledigt geschlossen gespeichert vergangen nein falsch resuelto resuelta cerrado cerrada"
    " corregido borrado borrada eliminado falso deleted removed expired".split()
)
NEGATORS = frozenset("not non no nicht kein keine pas plus longer never nunca jamais nie".split())
FORMERLY = frozenset(
    "previously previous prev formerly former past was once before precedemment anciennement auparavant ancien ancienne"
    " etait zuvor vorher fruher ehemals war anteriormente previamente antes era"
    " anterieur anterieure anterieurs anterieures anterior anteriores".split()
)
FORMER = frozenset(  # those that say it alone
    "anterieur anterieure anterieurs anterieures anterior anteriores"
    " previously previous former formerly past precedemment anciennement auparavant ancien ancienne ehemals zuvor vorher"
    " anteriormente previamente".split()
)
BESIDE = frozenset(  # words beside a state that do not change it
    "since for the a of at ago still esta y now longer last seen days day hours hour minutes minute min h d weeks week month"
    " months ne n est ya mehr es ist le la el los depuis jour jours heure heures toujours encore il y seit tag tage"
    " tagen stunden noch derzeit desde hace dias dia horas todavia aun fault faults code codes dtc dtcs defaut defauts"
    " panne fehler fallo fallos falla fallas status statut etat estado en cours curso is it am pm utc z t".split()
)
MONTHS = frozenset(
    "jan feb fev mar apr avr mai may ene abr jun jui jul aug aou ago sep oct okt nov dec dez dic".split()
)
OFF = frozenset("off 0 false no aus eteint eteinte apagado apagada inactive".split())


def folded(text: str) -> list[str]:
    """
    Return the words of a text in small letters, without accents; words joined in camel case or by dashes are parted.

    >>> folded("PreviouslyActive"), folded("Résolu – 2 jours")
    (['previously', 'active'], ['resolu', '2', 'jours'])
    """
    parted = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", without_marks(text))
    bare = "".join(char for char in unicodedata.normalize("NFKD", parted) if not unicodedata.combining(char))
    return re.findall(r"[^\W_]+", bare.casefold())


def activity(text: str) -> bool | None:
    """
    Return whether a text says that a fault is active; None when it has a word that is not known, or says both.

    >>> activity("Active (2 days)"), activity("No longer active"), activity("nicht aktiv"), activity("Dormant")
    (True, False, False, None)
    >>> activity("Antérieur"), activity("Anterior")
    (False, False)
    """
    words = folded(text)
    if not words:
        return None
    if len(words) == 1 and words[0] in ("0", "1", "n", "y", "no", "non"):
        return words[0] in ("1", "y")
    claims: set[bool | None] = set()
    formerly, negated = not FORMERLY.isdisjoint(words), False
    for at, word in enumerate(words):
        if word in NEGATORS:
            negated = True
        elif word in PRESENT:
            claims.add(not negated and not (formerly and word in ON))
            negated = False
        elif word in PAST:
            claims.add(None if negated else False)  # "not cleared" does not say what it is instead
            negated = False
        elif word.isdigit() or word in BESIDE or word in FORMERLY or _is_month(words, at):
            continue
        else:
            return None
    if not claims and not FORMER.isdisjoint(words):
        claims.add(False)
    return claims.pop() if len(claims) == 1 and not negated else None


def _is_month(words: list[str], at: int) -> bool:
    beside = words[max(0, at - 1) : at] + words[at + 1 : at + 2]
    return words[at][:3] in MONTHS and any(word.isdigit() for word in beside)


def says_history(text: str) -> bool | None:
    """
    Return whether class names or a caption say that faults are not active; None when they say both.

    >>> says_history("dtc-row is-inactive"), says_history("row interactive"), says_history("previously-active")
    (True, False, True)
    >>> says_history("not-historical"), says_history("Active and historical faults")
    (False, None)
    """
    history = active = False
    words = folded(text)
    formerly = not FORMERLY.isdisjoint(words)
    for at, word in enumerate(words):
        negated = not NEGATORS.isdisjoint(words[max(0, at - 2) : at])
        if word in HISTORY and not negated:
            history = True
        elif word in ON:
            history, active = history or negated or formerly, active or not (negated or formerly)
    return None if history and active else history


def level(text: str) -> Severity:
    """
    Return the worst severity that a text names, without negated ones and lamps that are off.

    >>> level("Red stop lamp").value, level("RSL: off, AWL: on").value, level("not critical").value
    ('critical', 'major', 'unknown')
    """
    words = folded(text)
    named = []
    at = 0
    while at < len(words):
        found = next((each for each in _PHRASES if words[at : at + len(each[0])] == each[0]), None)
        if found is None:
            at += 1
            continue
        end = at + len(found[0])
        before, behind = words[max(0, at - 2) : at], [word for word in words[end : end + 3] if word not in _LAMP][:1]
        if NEGATORS.isdisjoint(before) and OFF.isdisjoint(behind):
            named.append(found[1])
        at = end
    return min(named, key=list(LEVELS).index, default=Severity.UNKNOWN)


_LAMP = frozenset({"lamp", "light", "is", "status", "temoin", "lampe", "luz", "indicator"})
_PHRASES = sorted(
    ((phrase.split(), severity) for severity, phrases in LEVELS.items() for phrase in phrases),
    key=lambda each: -len(each[0]),
)
