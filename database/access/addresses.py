"""The one spelling under which senders and receivers of messages are compared, and texts of all scripts with ASCII digits."""

from __future__ import annotations

import re
import unicodedata

GONE = "\ufffc"  # stands where something was that is no code
REVERSED = re.compile("\u202e[^\u202c\u2069\n]*")  # shown in another order than it is written
# Countries whose numbers are often written with the national trunk prefix 0: +972 (0)50, +44 020.
TRUNK_ZERO = re.compile(r"\+(972|44|33|49|61|64|31|32|41|43|46|81|82)0+")
SCHEME = re.compile(r"\A(?:tel|sms|mailto):", re.IGNORECASE)
IN_ANGLES = re.compile(r"<\s*([^<>\s@]+@[^<>\s@]+)\s*(?:>|\Z)")
BARE = re.compile(r"(?<![^\s<>,;:()\"])[^\s<>,;:()\"@]+@[^\s<>,;:()\"@]+(?![^\s<>,;:()\"])")


def unified(text: str) -> str:
    r"""
    Return a text with ASCII digits, plain blanks and hyphens, and without invisible marks; digits stand free of letters of other scripts.

    >>> unified("קוד\u200f３７７\u00a0٥٣٧验证码")
    'קוד 377 537 验证码'
    """
    if text.isascii():
        return text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", " ")
    out: list[str] = []
    for char in REVERSED.sub(GONE, text.replace("\r\n", "\n").replace("\r", "\n")):
        kind = unicodedata.category(char)
        if char.isascii():
            out.append(" " if char == "\t" else char)
        elif kind == "Nd":
            out.append(str(unicodedata.decimal(char)))
        elif kind in ("Cf", "Mn", "Me") and not (kind == "Mn" and unicodedata.combining(char)):
            continue  # joiners, direction marks, soft hyphens, variation selectors
        elif char in "\u034f\u115f\u1160\u3164\uffa0\u20e3":
            continue  # characters of no width that have other categories
        elif kind in ("Zs", "Zl", "Zp"):
            out.append("\n" if kind in ("Zl", "Zp") else " ")
        elif kind == "Pd" or char == "\u2212":
            out.append("-")
        elif "\uff01" <= char <= "\uff5e":  # full-width forms; their marks have a blank of their own
            narrow = chr(ord(char) - 0xFEE0)
            out.append(narrow if narrow.isalnum() else f"{narrow} ")
        else:
            out.append(char)
    return re.sub(r"(?<=\d)(?=[^\W\d_a-zA-Z])|(?<=[^\W\d_a-zA-Z])(?=\d)", " ", "".join(out))


def storable(text: str) -> str:
    """Return *text* without what PostgreSQL or UTF-8 refuse: NUL and lone surrogates."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode()


def mail_address(text: str) -> str:
    """
    Return the mail address of one sender or receiver as mailboxes write it, without its name; "" for none, or several.

    An address that is only part of the name is not taken:

    >>> mail_address("Bell, Canada <codes@example.com>"), mail_address("codes@example.com <other@example.net>")
    ('codes@example.com', 'other@example.net')
    """
    bare = re.sub(r'"(?:[^"\\]|\\.){0,300}"|\([^()]{0,300}\)', " ", text)
    found = set(IN_ANGLES.findall(bare)) or set(BARE.findall(bare))
    return found.pop() if len(found) == 1 else ""


def address(raw: str) -> str:
    """
    Return the one spelling under which a phone number, short code, mail address or sender name is compared.

    Ten digits are taken for a North American number; longer ones for an international number without its plus sign.
    """
    text = SCHEME.sub("", " ".join(unified(storable(raw)).split()))
    if "@" in text:
        return (mail_address(text) or text).casefold()
    digits = re.sub(r"[\s().\-/]", "", re.sub(r"(?<=\d)\s*\(0\)", "", text))
    if re.fullmatch(r"00[1-9][0-9]{6,13}", digits):
        digits = "+" + digits[2:]
    elif re.fullmatch(r"[2-9][0-9]{9}", digits):
        digits = "+1" + digits
    elif re.fullmatch(r"[1-9][0-9]{10,14}", digits):
        digits = "+" + digits
    if re.fullmatch(r"\+[0-9]{5,15}", digits):
        return TRUNK_ZERO.sub(r"+\1", digits)
    return digits if re.fullmatch(r"[0-9]+", digits) else text.casefold()


def kind_of(sender: str) -> str:
    """Return which kind of sender an address is, for people to read; the address itself is not shown."""
    sender = address(sender)
    if not sender:
        return "an unnamed sender"
    if "@" in sender:
        return "a mail address"
    if sender.startswith("+"):
        return "a telephone number"
    return "a short number" if sender.isdigit() else "a name"


def receivers(given: str) -> dict[str, str]:
    """
    Return a credential's receivers as they are compared, by the way that codes take to them: sms, mail.

    given: a phone number, a mail address, or both. Raises ValueError, with the cure, for anything else and for two of a kind.

    >>> receivers("(201) 555-0100, Codes@Example.com"), receivers("+972 (0)50-1234567; codes@example.com")
    ({'sms': '+12015550100', 'mail': 'codes@example.com'}, {'sms': '+972501234567', 'mail': 'codes@example.com'})
    """
    found: dict[str, str] = {}
    for each in filter(None, map(address, _separated(unified(storable(given))))):
        way = "mail" if "@" in each else "sms"
        if way in found and found[way] != each:
            kind = "mail address" if way == "mail" else "phone number"
            raise ValueError(f"only one {kind} can be a receiver: name one, or one phone number and one mail address.")
        if way == "mail" and not re.fullmatch(r"[^@\s,;<>]+@[^@\s,;<>]+", each):
            raise ValueError("that is no mail address; it looks like codes@example.com.")
        if re.fullmatch(r"0[0-9]{6,14}", each):
            raise ValueError("the phone number has no country code: write it as +972501234567.")
        if way == "sms" and not re.fullmatch(r"\+[1-9][0-9]{6,14}", each):
            raise ValueError("that is neither a phone number (+15550100123) nor a mail address.")
        found[way] = each
    return dict(sorted(found.items(), reverse=True))  # always sms before mail


def _separated(given: str) -> list[str]:
    """Return the parts of a list: separated by commas, semicolons, line breaks, or a mail address beside a number by a blank."""
    parts = re.split(
        r"[,;|\n]|\s/\s|(?<=\d)\s+(?=[^\s@<>]*[^\W\d][^\s@<>]*@)|(?<=[^\W\d])\s+(?=[+(]?\d[\d\s().-]{6,}\Z)", given
    )
    return [part.strip() for part in parts if part.strip()]
