"""Secrets of authenticator apps in every form in which portals and apps show them."""

from __future__ import annotations

import pytest

from database.access.totp import TotpSecret

KEY = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
# RFC 6238, appendix B: the codes of these keys at these times.
RFC = [
    ("sha1", "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", 59, "94287082"),
    ("sha256", "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZA", 1111111109, "68084774"),
    (
        "sha512",
        "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNA",
        1234567890,
        "93441116",
    ),
]


@pytest.mark.parametrize(
    "given",
    [
        KEY,
        KEY.lower(),
        "jbsw y3dp ehpk 3pxp jbsw y3dp ehpk 3pxp",
        "JBSW-Y3DP-EHPK-3PXP-JBSW-Y3DP-EHPK-3PXP",
        f" {KEY}====\n",
        "JBSW\u2011Y3DP\u00a0EHPK\u200b3PXP" * 2,
        f"otpauth://totp/Bell:ana@example.com?secret={KEY.lower()}&issuer=Bell",
        f"OTPAUTH://TOTP/x?SECRET={KEY}&algorithm=SHA1&digits=6&period=30",
    ],
)
def test_every_form_is_the_same_secret(given):
    assert TotpSecret.parse(given) == TotpSecret(KEY)
    assert TotpSecret.parse(given).stored == KEY


def test_an_address_says_how_codes_are_made():
    given = f"otpauth://totp/x?secret={KEY}&algorithm=HmacSHA256&digits=8&period=60"
    secret = TotpSecret.parse(given)
    assert (secret.digest, secret.digits, secret.period) == ("sha256", 8, 60)
    assert TotpSecret.parse(secret.stored) == secret
    assert KEY not in repr(secret)


@pytest.mark.parametrize(("digest", "key", "at", "code"), RFC)
def test_codes_are_those_of_the_standard(digest, key, at, code):
    secret = TotpSecret.parse(f"otpauth://totp/x?secret={key}&algorithm={digest}&digits=8")
    assert secret.code(at // secret.period) == code


def test_a_key_of_80_bits_has_codes_too():
    # By RFC 4226, section 5.3, computed with hmac.
    assert TotpSecret.parse("JBSW Y3DP EHPK 3PXP").code(1) == "996554"


@pytest.mark.parametrize(
    "given",
    [
        "",
        "ABC",
        "JBSWY3DP",
        "0189" * 8,
        "otpauth://hotp/x?secret=" + KEY,
        "otpauth://totp/x",
        f"otpauth://totp/x?secret={KEY}&algorithm=MD5",
        f"otpauth://totp/x?secret={KEY}&digits=5",
        f"otpauth://totp/x?secret={KEY}&period=0",
        f"otpauth://totp/x?secret={KEY}&encoder=steam",
        "otpauth://[",
    ],
)
def test_what_is_none_is_refused_in_a_sentence_that_does_not_quote_it(given):
    with pytest.raises(ValueError, match=r"\.$") as told:
        TotpSecret.parse(given)
    assert KEY not in str(told.value)
