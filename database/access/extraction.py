"""
Finds the one-time code in the text of a message: the number that the text calls a code.

A login's pattern says how its codes look. Where several numbers look so, what the text says beside each decides; numbers
that are something else (telephone, reference, day, amount, part of a link) are no candidates.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from itertools import islice

from database.access.addresses import GONE, unified

# Sizes of the groups in which codes are written: 377-537, 3775 3721, 37 75 37.
GROUPINGS = frozenset({(3, 3), (4, 4), (2, 2, 2), (2, 2, 2, 2), (3, 2, 3), (2, 3, 3), (3, 3, 2)})

MOST = 200  # numbers of a message that are looked at

# How surely the text calls a number a code.
WEBOTP, NAMED, BESIDE, ELSEWHERE = 4, 3, 2, 1

_LATIN = r"(?<![^\W_])(?:{})(?![^\W\d_])"
# After a Hebrew word's prefixes (and, the, in, to, from, that, as) and before its possessive endings.
_HEBREW = r"(?<![א-ת])[והבלכמש]{{0,3}}(?:{})(?:ך|כם)?(?![א-ת])"

CODE_WORDS = "|".join(
    (
        _LATIN.format(
            r"(?:pass|key|sicherheits|bestätigungs|verifizierungs|zugangs|anmelde|einmal)?[ -]?codes?|otp|o\.t\.p\.|"
            r"n\.?i\.?p|pin|tan|(?:one[- ]time|single[- ]use|temporary|access|login|sign-in) (?:password|pass|key|number)|"
            r"verification (?:number|key|pin)|mot de passe (?:à usage unique|unique|temporaire)|"
            r"numéro de (?:vérification|validation)|"
            r"(?:number|digits|numbers) (?:(?:that )?you (?:need|have|are asked) )?to (?:type|enter|key in|input)|"
            r"(?:numéro|chiffres) (?:à|qu['’]il faut) (?:saisir|entrer|taper|inscrire)|"
            r"(?:verification|authentication|vérification|authentification)(?=\s*[:=])|c[óo]digos?|clave|codice|kennwort|einmalpasswort|passwort|koda|kod|"
            r"код|кода|пароль"
        ),
        _HEBREW.format(
            r"קוד|קודים|סיסמה|סיסמא|סיסמת|סיסמתך|(?:מספר|ספרות) (?:להקלדה|להזנה|להקשה)|(?:מספר|ספרות) שיש (?:להקליד|להזין|להקיש)"
        ),
        "验证码|驗證碼|校验码|校驗碼|动态码|動態碼|动态密码|動態密碼|确认码|確認碼|识别码|認證碼|认证码|代码|代碼|密码|密碼",
        "認証コード|確認コード|認証番号|コード|인증번호|인증코드|인증 코드|코드",
        "رمز|الرمز|كود|الكود",
    )
)
# What is a code of another kind, or one of before.
OTHER_CODES = "|".join(
    (
        _LATIN.format(
            r"(?:postal|post|zip|area|country|dialling|promo(?:tion(?:al)?)?|discount|coupon|voucher|gift|referral|"
            r"reference|ref|error|status|product|item|customer|client|tracking|booking|branch|sort|bank|swift|transaction|"
            r"order|qr|bar|dress|source|tax|department|store|meter|previous|former|old|earlier|last|expired|invalid|"
            r"used)[ -]+codes?|barcode|"
            r"codes? (?:postal|promo(?:tionnel)?|de (?:réduction|référence|suivi|commande|transaction|parrainage|produit)|"
            r"d['’]erreur|client|barres?|régional|produit|agence|précédent|expiré|périmé)|"
            r"(?:ancien|précédent|dernier) codes?|password reset|reset password|"
            r"(?:ignore[rz]?|disregard|(?:do not|don['’]t|never|cannot) (?:use|enter|type)|n['’]utilisez (?:pas|plus)|"
            r"ne pas utiliser)(?: \w+){0,3}? codes?"
        ),
        r"(?:התעלם|התעלמו|אין להשתמש|לא להשתמש) (?:מ|ב)ה?קוד",
        _HEBREW.format(
            r"קוד (?:הנחה|ההנחה|קופון|הקופון|מבצע|המבצע|לקוח|הלקוח|שגיאה|השגיאה|הזמנה|ההזמנה|הפניה|מוצר|המוצר|עסקה|"
            r"העסקה|סניף|הסניף|מעקב|המעקב|אזור|קודם|ישן)|קוד הקודם|קוד הישן"
        ),
        "邮政编码|郵遞區號|优惠码|優惠碼|郵便番号",
    )
)
# What a number is that follows one of these words.
OTHER_NUMBERS = "|".join(
    (
        _LATIN.format(
            r"ref(?:erence)?s?|réf(?:érence)?s?|transactions?|txn?|orders?|tickets?|cases?|claims?|incidents?|invoices?|"
            r"bills?|receipts?|accounts?|accts?|customers?|clients?|clientes?|members?(?:hip)?|polic(?:y|ies)|contracts?|"
            r"bookings?|reservations?|confirmation (?:no|number|#)|(?:numéro|no\.?|n°|número|nº) de confirma[ct]i[oó]n|tracking|shipments?|parcels?|packages?|deliver(?:y|ies)|"
            r"files?|dossiers?|commandes?|factures?|comptes?|contrats?|réservations?|colis|suivi|livraison|abonnements?|"
            r"phones?|telephones?|tele?|tél|téléphone|mobiles?|cell(?:ulaire)?|fax|hotline|helpline|call(?:ing)?|dial|ring|"
            r"call us(?: at| on)?|appelez(?:-nous)?|composez|contactez|ext(?:ension)?|poste|amounts?|amt|totals?|montants?|"
            r"balances?|soldes?|payments?|paiements?|sum|serial|s/n|imei|iccid|sim|models?|versions?|build|v|"
            r"ids?|identifiants?|identifiers?|users?|usernames?|utilisateurs?|postal|zip|p\.?o\.? ?box|c\.?p|boîte postale|"
            r"suite|apt|room|unit|date[ds]?|ending|ends?|ending (?:in|with)|ends? (?:in|with)|terminant|termine|finissant|"
            r"cards?|cartes?|meters?|compteurs?|sessions?|requests?|demandes?|messages? id|batch|lot|vat|tax|gst|hst|tps|tvq|"
            r"licen[cs]e|permis|employee|employé|store|branch|agence|succursale|flight|vol|gate|device|appareil|"
            r"installment|points?|since|depuis|street|rue|line|ligne|number ending|short ?code|numéro court|siren|siret|"
            r"(?:sms|text(?:e|ez|o)?|repl(?:y|ies)|répon(?:dez|dre)|send|envo(?:yez|yer)) (?:\w+ )?(?:to|at|au|à)|"
            r"kundennummer|rechnung|bestellung|konto|telefon|pedido|cuenta|factura|teléfono|referencia|no|nr|nbr|n°|nº"
        ),
        _HEBREW.format(
            r"אסמכתא|אסמכתה|אסמכתת|עסקה|עסקת|הזמנה|הזמנת|חשבונית|חשבון|חשבונך|לקוח|טלפון|טל|נייד|ניידך|פקס|שלוחה|פנייה|פניה|"
            r"פנייתך|פנייתכם|קריאה|תיק|מזהה|סכום|תשלום|כרטיס|כרטיסך|מונה|חוזה|חוזים|זהות|מסתיים|מסתיימת|משלוח|מעקב|תאריך|"
            r"חייג|חייגו|התקשר|התקשרו|התקשרי|להתקשר|לחייג|מיקוד|מוקד|דירה|רחוב|יתרה|קבלה|ת\.ז|ת\.ד|ח\.פ|הודעה מספר|"
            r"השב|השיבו|שלח|שלחו"
        ),
        "订单|訂單|电话|電話|账号|帳號|账户|尾号|尾號|金额|金額|编号|編號|注文|رقم الهاتف|الطلب",
    )
)
_OF = (
    r"(?:[ \t]*(?:n[°ºo]\.?|nos?\b\.?|num(?:ber|éro)?\b\.?|nr\b\.?|ids?\b|#|is\b|est\b|are\b|was\b|of\b|de\b|du\b|le\b|la\b|"
    r"at\b|on\b|in\b|with\b|par\b|au\b|us\b|the\b|your\b|votre\b|client\b|מספר\b|מס['׳]?|שלך\b|הוא\b|היא\b|ב(?=[- ]))){0,4}"
)
_GAP = r"[\s:.,=()'׳״\"\[\]*#-]{0,4}"
OTHER_NUMBER = re.compile(
    rf"(?:{OTHER_CODES}|{OTHER_NUMBERS}){_GAP}{_OF}{_GAP}(?:[A-Za-z]{{1,5}}[-_/#]?)?(?P<number>(?<!\d)\d+)(?![0-9A-Za-z])",
    re.IGNORECASE,
)
NOT_A_CODE = re.compile(OTHER_CODES, re.IGNORECASE)
# "not 377537", "instead of 377537"
NEGATED = re.compile(
    r"(?<![^\W_])(?:not|pas|nicht|instead of|rather than|au lieu d[eu]|plutôt que|לא|במקום)"
    r"(?:\s{1,3}(?:the|le|la|with|par|code)){0,3}\s{0,3}[:\"'«(]?\s{0,3}(?<!\d)\d{1,20}(?:[ -]\d{1,8}){0,7}(?![0-9A-Za-z])",
    re.IGNORECASE,
)
A_CODE = re.compile(CODE_WORDS, re.IGNORECASE)
# "your codes are 214925 for the app and 377537 for the page"
SEVERAL_CODES = re.compile(r"(?:codes|c[óo]digos|passwords|pins|otps|קודים|הקודים|סיסמאות)\Z", re.IGNORECASE)
# "your code for this transaction: 214925", "your code for the hotline is 214925"
FOR_THIS = re.compile(
    rf"(?:{CODE_WORDS})[^.!?\n]{{0,30}}\b(?:for|pour)\s+(?:this|the|your|our|cette|cet|ce|le|la|l['’]|votre|notre)\s{{0,3}}"
    r"(?:\w+\s+){0,2}\Z",
    re.IGNORECASE,
)

IS = r"(?:is|are|est|es|ist|será|sera|was|é|è|הוא|היא|הינו|הינה|是|为|為|هو|هي|は|—)"
# The end of what stands between "code" and its number.
NAMES_NEXT = re.compile(
    rf"(?:\A|[\s:=>→-]|(?<=\w)){IS}(?:\s+(?:le|the|el|now|désormais|maintenant))?[\s:\"'«(\[*]*\Z|[:=>→：]\s*[\"'«(\[*]*\Z",
    re.IGNORECASE,
)
ADJACENT = re.compile(r"[\s\"'«»(\[\]*#、，,-]*\Z")
# What follows a number that is named afterwards: "214925 is your code", "214925 (code)", "214925 as your code".
NAMED_AFTER = re.compile(
    rf"\A[\s\"'»)\]*]*(?:{IS}\b|{IS}(?=[^\x00-\x7f])|(?P<loose>[-(:,])|(?:as|comme|como|als)\b)[^.!?。！？\n\d{GONE}]{{0,50}}?(?:{CODE_WORDS})",
    re.IGNORECASE,
)
# "153377 (reference)": it is not, where the text before calls it a code.
PERHAPS_OTHER_AFTER = re.compile(
    rf"\A[\s\"'»)\]*]*[-(,][^.!?\n\d{GONE}]{{0,30}}?(?:{OTHER_CODES}|{OTHER_NUMBERS})(?![^\n]{{0,20}}[\d{GONE}])",
    re.IGNORECASE,
)
# A number that is named something else afterwards, or was a code.
OTHER_AFTER = re.compile(
    rf"\A[\s\"'»)\]*]*(?:(?:{IS}\b|(?:as|comme)\b)[^.!?\n\d{GONE}]{{0,30}}?(?:{OTHER_CODES}|{OTHER_NUMBERS})"
    rf"|(?:\W*(?:is|has|was|n['’]est|est|a|הוא|אינו|כבר|(?=expir|invalid|פג))[^.!?\n\d]{{0,25}}?"
    r"(?:no longer|not valid|invalid|expired|already|cancell?ed|replaced|plus valide|expiré|invalide|annulé|remplacé|"
    r"לא בתוקף|פג|אינו תקף|בוטל|בתוקף))"
    r"|[\s-]*(?:%|(?:[kmg]i?b|go|mo|ko|km|kwh|קוט\"ש|pts?|points?|minutes?|mins?|hours?|heures?|seconds?|secondes?|days?|"
    r"jours?|דקות|שעות|ימים|נקודות|dollars?|cad|usd|eur|ils|nis|ש\"ח|שח|שקלים|street|st|avenue|ave|road|rue|boul|"
    r"users?|customers?|clients?|people|times)(?![^\W\d_])|[$€£₪¥]))",
    re.IGNORECASE,
)
# "Use 214925 to sign in", for texts that never say "code".
TYPED = re.compile(
    r"(?:\b(?:use|enter|type|input|insert|submit|utilise[rz]|entre[rz]|saisi(?:ssez|r)|tape[rz]|inscri(?:vez|re)|ingrese|"
    r"verwenden)|(?<![א-ת])(?:הזן|הזיני|הזינו|הקש|הקישו|הקלד|הקלידו|להזין|להקיש|יש להזין))"
    r"[\s:\"'«(*-]*(?:the number |le numéro |את |את המספר )?\Z",
    re.IGNORECASE,
)
PURPOSE = re.compile(
    r"\bon (?:the|this|your) (?:open )?(?:page|screen)\b|(?:sur la|dans la|à la|sur cette) page\b|(?:à|sur) l['’]écran\b|"
    r"sign[- ]?(?:ing[- ])?in|log(?:ging)?[- ]?(?:in|on)\b|verif|authenti|confirm|access|connect|connexion|identi|valid|"
    r"התחבר|כניסה|להיכנס|אימות|לאמת|הזדהות|登录|登錄|登入",
    re.IGNORECASE,
)
AND_OR = re.compile(r"[\s,;/]*(?:or|and|ou|et|או|ו-?|oder|und|y|o)?[\s,;/]*\Z", re.IGNORECASE)

# Every quantifier is bounded, which bounds the time that a text sent by a stranger can take.
MAIL_ADDRESS = re.compile(r"[^\s<>@,;:()]{1,64}@[^\s<>@,;()]{1,255}")
LINK = re.compile(r"(?:[a-z][a-z0-9+.-]{0,20}://|www\.|(?:tel|sms|mailto|urn):)[^\s<>\"]+", re.IGNORECASE)
BARE_HOST = re.compile(
    r"(?<![\w.-])(?:[\w-]{1,63}\.){1,8}(?:com|net|org|ca|fr|il|co|io|me|app|dev|info|biz|us|uk|eu|de|es|ly|gl|to|link|page|gov|"
    r"example|test|invalid)(?![\w-])(?:[/?#:][^\s<>\"]*)?"
)
QUOTED_LINE = re.compile(r"(?m)^[ \t]*>.*$")
BOUND_CODE = re.compile(r"(?m)^@[\w.-]+(?::\d+)? #(\w+)(?: @\S+)?\s*\Z")  # WebOTP: the last line

TELEPHONE = re.compile(r"\+\d[\d ().-]{5,}\d|\(\d{2,4}\)[ -]?\d[\d -]{4,}\d|\*\d{3,5}(?!\d)")
MONEY = re.compile(
    r"[$€£₪¥]\s?\d[\d .,]*|(?<![^\W_])(?:CAD|USD|EUR|ILS|NIS|ש\"ח|שח|Rs\.?)\s?\d[\d .,]*(?![0-9A-Za-z])", re.IGNORECASE
)
MASKED = re.compile(r"(?:[*•·]{2,}|(?<![^\W_])[*•·xX]{2,}|…|\.{3})[ -]?\d+(?![0-9A-Za-z])")
PREFIXED = re.compile(
    r"(?<![^\W_])(?!(?:code|pin|otp|tan|nip)[-_/#])[A-Za-z0-9]{0,20}[A-Za-z]{3,20}[-_/#][\w/-]{0,40}\d\w{0,40}",
    re.IGNORECASE,
)
TIGHT = re.compile(r"(?<![\d])\d+(?:[-./:_,]\d+)+(?!\d)")
SPACED = re.compile(r"(?<!\d)\d+(?:(?: - \d+)+|(?: \d+)+|(?:\n\d(?!\d)){3,})")
FINISHED = re.compile(r"[.!?;|。！？；](?=\s|$|[^\W\d_])|\n|[。！？；]")


@dataclass(slots=True)
class _Text:
    """A message as it is searched: without what is no code; and the least rank that numbers of doubtful shape need."""

    text: str
    needs: dict[str, int] = field(default_factory=dict)


def candidates(pattern: str, text: str) -> tuple[str, ...]:
    r"""
    Return the codes (or links) that a message may mean, in the order of the text: none, one, or several of the same rank.

    pattern: how a login's codes look; its first group, or the whole match, is the code. A pattern that has words of its own
    says itself what is called a code.

    >>> candidates(r"\b(\d{6})\b", "Bell ref 153377: your code is 214-925. Call 416-555-0100.")
    ('214925',)
    >>> candidates(r"\b(\d{6})\b", "Codes: 153377, 214925")
    ('153377', '214925')
    """
    plain = _without_emphasis(_without_columns(unified(text)))
    if "http" in pattern or "://" in pattern:
        return tuple(dict.fromkeys(_value(match)[0] for match in re.finditer(pattern, plain)))
    if not _is_shape(pattern):
        found = _without_addresses(plain)
        said = (_value(match)[0] for match in re.finditer(pattern, _joined(_Text(found)).text))
        return tuple(dict.fromkeys(said))
    ranks: dict[str, int] = {}
    if (bound := BOUND_CODE.search(plain)) and re.fullmatch(pattern, bound[1]):
        ranks[bound[1]] = WEBOTP
    cleaned = _without_other_numbers(_joined(_Text(_without_addresses(plain))))
    for value, rank in _ranked(pattern, cleaned):
        ranks[value] = max(rank, ranks.get(value, 0))
    best = max(ranks.values(), default=0)
    return tuple(value for value, rank in ranks.items() if rank == best and best > 0)


def _without_columns(text: str) -> str:
    r"""
    Write each cell of a table of plain text behind its head, or behind the word in front of it.

    >>> _without_columns("Ref | Code\n---|---\n153377 | 214925")
    'Ref | Code\nRef: 153377\nCode: 214925'
    """
    if "|" not in text:
        return text
    lines: list[str] = []
    heads: list[str] = []
    for row in text.split("\n"):
        line, cells = row, [cell.strip() for cell in row.strip().strip("|").split("|")]
        if len(cells) < 2:
            heads = []
        elif not re.search(r"\w", line):
            continue  # the rule below the heads
        elif not re.search(r"\d", line):
            heads = cells
        elif len(cells) == len(heads):
            lines += [f"{head}: {cell}" for head, cell in zip(heads, cells, strict=True)]
            continue
        elif len(cells) == 2 and not re.search(r"\d", cells[0]):
            line = ": ".join(cells)
        lines.append(line)
    return "\n".join(lines)


def _without_emphasis(text: str) -> str:
    """Take the marks off words that are emphasised in plain text, such as _214925_ and **214925**."""
    return re.sub(r"(?<![\w*~`])(_{1,3}|\*{1,3}|~~|`{1,3})(?=[^\W_])([\w -]{1,30}?)\1(?![\w*~`])", r" \2 ", text)


@cache
def _is_shape(pattern: str) -> bool:
    """Return whether a pattern only says how a code looks, and has no words around it."""
    bare = re.sub(r"\\.|\[(?:\\.|[^\]\\])*\]|\(\?P<\w+>|\(\?[a-zA-Z-]+[:)]|\{[\d,]*\}", "", pattern)
    return re.search(r"[^\W\d_]{3}", bare) is None


def _value(match: re.Match[str]) -> tuple[str, int, int]:
    """Return the first group of a match, or the whole one when it has none, with its place."""
    number = next((n for n, group in enumerate(match.groups(), start=1) if group is not None), 0)
    return match[number], *match.span(number)


def _without_addresses(text: str) -> str:
    """Take out quoted lines, links, hosts and mail addresses."""
    for pattern in (QUOTED_LINE, LINK, MAIL_ADDRESS, BARE_HOST):
        text = pattern.sub(GONE, text)
    return text


def _joined(text: _Text) -> _Text:
    """Write codes in groups as one number; take out days, times, amounts, telephone numbers and other compounds."""
    found = text.text
    for pattern in (TELEPHONE, MONEY, MASKED, PREFIXED, NEGATED):
        found = pattern.sub(GONE, found)

    def tight(match: re.Match[str]) -> str:
        groups = re.split(r"\D", match[0])
        if set(re.sub(r"\d", "", match[0])) == {"-"} and _is_grouped(groups):
            return _note(text, groups)
        return GONE

    def spaced(match: re.Match[str]) -> str:
        groups = re.findall(r"\d+", match[0])
        if _is_grouped(groups):
            return _note(text, groups)
        is_long = len("".join(groups)) >= 9 and all(len(group) <= 4 for group in groups)
        return GONE if is_long and "-" not in match[0] else match[0]

    found = TIGHT.sub(tight, found)
    text.text = SPACED.sub(spaced, found)
    return text


def _is_grouped(groups: list[str]) -> bool:
    sizes = tuple(map(len, groups))
    if set(sizes) == {1}:
        return 4 <= len(sizes) <= 10
    if sizes == (4, 4) and all(re.fullmatch("(?:19|20)[0-9]{2}", group) for group in groups):
        return False  # two years
    return sizes in GROUPINGS


def _note(text: _Text, groups: list[str]) -> str:
    value = "".join(groups)
    is_like_a_day = len(groups) == 3 and all(len(group) == 2 for group in groups)
    text.needs[value] = NAMED if is_like_a_day else BESIDE
    return value


def _without_other_numbers(text: _Text) -> _Text:
    """Take out each number that the text calls something else, with the words that call it so."""
    out: list[str] = []
    end, found = 0, text.text
    for match in OTHER_NUMBER.finditer(found):
        until = match.end("number")
        if match.start() < end or _is_named_after(found[until : until + 120]):
            continue
        is_said = ":" in match[0] or SAYS.search(match[0])
        if is_said and FOR_THIS.search(found[max(0, match.start() - 120) : match.start()]):
            continue
        out += [found[end : match.start()], GONE]
        end = until
    out.append(found[end:])
    text.text = NOT_A_CODE.sub(GONE, "".join(out))
    return text


def _is_named_after(right: str) -> bool:
    """Return whether what follows a number calls it a code."""
    right = NOT_A_CODE.sub(GONE, right)
    after = NAMED_AFTER.match(right)
    if after is None:
        return False
    rest = right[after.end() :]
    # "153377: your code is 214925" names what comes next.
    return OTHER_NUMBER_NEXT.match(rest) is None and (after["loose"] is None or NAMES_ANOTHER.match(rest) is None)


SAYS = re.compile(rf"\s{IS}\s", re.IGNORECASE)
NAMES_ANOTHER = re.compile(rf"\A[^.!?\n]{{0,40}}?(?:{IS}|[:=])?\s*\d", re.IGNORECASE)
OTHER_NUMBER_NEXT = re.compile(rf"\A\s*(?:{OTHER_NUMBERS})", re.IGNORECASE)


def _ranked(pattern: str, found: _Text) -> Iterator[tuple[str, int]]:
    """Give each number that looks like a code with its rank; numbers without a rank are left out."""
    text = found.text
    values = [_value(match) for match in islice(re.finditer(pattern, text), MOST)]
    says_code = bool(A_CODE.search(text)) or bool(
        PURPOSE.search(text) and any(_is_typed(text, at) for _, at, _ in values)
    )
    for value, start, end in values:
        right = text[end : end + 120]
        if OTHER_AFTER.match(right) and not _is_named_after(right):
            continue
        rank = _rank(text, start, end, [span for _, *span in values])
        if rank < NAMED and PERHAPS_OTHER_AFTER.match(right):
            continue
        if not rank and says_code:
            rank = ELSEWHERE
        if not rank and not re.search(r"\w", text[:start] + text[end:]):
            rank = ELSEWHERE  # the message is the number
        if rank >= max(_needed(value), found.needs.get(value, 0)) and rank:
            yield value, rank


def _needed(value: str) -> int:
    """Return the least rank that a number of this form needs: one that may be a day, or a word, must be named."""
    if value.isdigit():
        return NAMED if _is_day(value) else 0
    if any(char.isdigit() for char in value) and any(char.isalpha() for char in value):
        return 0
    return NAMED if value.isupper() else WEBOTP + 1


def _is_day(value: str) -> bool:
    if len(value) == 4:
        return value.startswith(("19", "20"))
    if len(value) != 8:
        return False
    forms = ((value[:4], value[4:6], value[6:]), (value[4:], value[2:4], value[:2]), (value[4:], value[:2], value[2:4]))
    return any(1900 <= int(y) <= 2100 and 1 <= int(m) <= 12 and 1 <= int(d) <= 31 for y, m, d in forms)


def _is_typed(text: str, start: int) -> bool:
    return TYPED.search(text[max(0, start - 60) : start]) is not None


def _rank(text: str, start: int, end: int, spans: list[list[int]]) -> int:
    """Return how surely the text around calls the number at start:end a code; 0: not at all in its sentence."""
    right = text[end : end + 120]
    if _is_named_after(right):
        return NAMED
    left, is_sure = _before(text, start)
    words = list(A_CODE.finditer(left))
    if words:
        last = words[-1]
        gap = left[last.end() :]
        is_one_of_them = SEVERAL_CODES.search(last[0]) is not None
        if len(gap) <= 120 and (NAMES_NEXT.search(gap) or ADJACENT.match(gap) or is_one_of_them):
            return NAMED if is_sure else BESIDE
        # "code is 214925 or 153377": both are named
        other = next((s for s in reversed(spans) if s[1] <= start), None)
        if other is not None and AND_OR.match(text[other[1] : start]) and text[other[1] : start].strip():
            return _rank(text, other[0], other[1], [s for s in spans if s[1] <= other[0]])
        return BESIDE
    sentence = FINISHED.split(right, maxsplit=1)[0]
    if A_CODE.search(sentence) or (_is_typed(text, start) and (PURPOSE.search(text) or A_CODE.search(text))):
        return BESIDE
    return 0


def _before(text: str, start: int) -> tuple[str, bool]:
    """Return what stands before a number: of its sentence, or the line above where it stands alone; and whether that is sure."""
    before = text[max(0, start - 400) : start]
    ends = [match.end() for match in FINISHED.finditer(before)]
    left = before[ends[-1] if ends else 0 :]
    if re.search(r"\w", left):
        return left, True
    lines = [line.strip() for line in before.split("\n")[:-1] if line.strip()] if "\n" in before else []
    if not lines or re.search(r"\w", before.rsplit("\n", 1)[-1]):
        return left, True
    is_sure = True
    while lines and not re.search(r"[^\W\d_]", lines[-1]):
        lines.pop()  # other numbers: a table whose heads stand above them
        is_sure = False
    if not lines:
        return left, True
    heads = lines[-2:-1]
    if (
        heads
        and len(heads[0]) <= 40
        and OTHER_HEAD.search(heads[0])
        and len(lines[-1]) <= 40
        and ":" not in heads[0][:-1]
    ):
        is_sure = False
    above = [part for part in re.split(r"[.!?。！？](?=\s|$)", lines[-1]) if part.strip()]
    return above[-1] if above else "", is_sure


OTHER_HEAD = re.compile(rf"\A\W*(?:\w+\W+){{0,3}}(?:{OTHER_NUMBERS})(?:\W+\w+){{0,2}}\W*\Z", re.IGNORECASE)
