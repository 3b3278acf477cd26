"""How the plain portal is signed in to."""

from typing import ClassVar

from database.access.codes import CodeChannel
from scrapers.core.outcomes import AccountLocked, BadCredentials, CaptchaShown, MfaFailed
from scrapers.core.page import Selectors
from scrapers.logins.form import FormLogin
from scrapers.logins.screens import ChooseFactor, Done, EnterCode, EnterCredentials, Screen, Stop


class PlainLogin(FormLogin):
    portal = name = "plain"
    url = "http://127.0.0.2:8800/login"
    home = "/documents?per=1"
    shared = True  # the session is one cookie; nothing is kept in it between two requests
    device_cookies = r"device$"
    sign_out_path = "/logout"
    channel = CodeChannel("plain", senders=("+15550100001",), pattern=r"code is ([0-9]{6})")
    shows_username: ClassVar[Selectors] = ("#user-name",)
    shows_accounts: ClassVar[Selectors] = ("#accounts li",)
    screens: ClassVar[tuple[Screen, ...]] = (
        Screen("bad credentials", (".alert--credentials",), Stop(BadCredentials, (".alert--credentials",))),
        Screen("locked", (".alert--locked",), Stop(AccountLocked, (".alert--locked",))),
        Screen("captcha", ("#captcha",), Stop(CaptchaShown)),
        Screen("code refused", (".alert--code",), Stop(MfaFailed, (".alert--code",))),
        Screen(
            "credentials", ("form#login",), EnterCredentials(("#username",), ("#password",), ("form#login button",))
        ),
        Screen("code", ("#code-field",), EnterCode(("#code-field",), ("form#code button",))),
        Screen("send code", ("form#send",), ChooseFactor((), ("form#send button",))),
        Screen("signed in", ("#user-name",), Done()),
    )
