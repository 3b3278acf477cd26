"""The ground of a portal: its facts, tables, configuration, clock and counters, and the messages that it sends."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from aiohttp import web

from sandbox import faults
from sandbox.counters import Counters
from sandbox.known import known_of
from sandbox.messages import Gateway, Mail
from sandbox.perturb import Perturbation
from sandbox.state import State
from sandbox.users import User, mailbox, phone

CONFIGURATION: dict[str, Any] = {
    "latency_ms": 0,  # added to every answer
    "limit": 0,  # requests in flight at once above which `over_limit` counts; 0 is none
    "limit_status": 0,  # answer those with this status; 0 answers them as any other
    "errors": [],  # [{"path": regular expression, "ordinals": [1, 2] or none for all, "fault": "500", "retry_after": 1, "shut": 2}]
    "faults": {},  # {"seed": 7, "429": 0.05, "500": 0.05, "cut": 0.03, "retry_after": 1, "paths": "/documents", "most": 2}
    "session_requests": 0,  # requests that a session is good for; 0 is any number
    "session_seconds": 0,  # seconds that a session is good for; 0 is for ever
    "midway_requests": 5,  # requests of the first session in the scenario `signed-out-midway`
    "refusals_before_lock": 5,
    "code_seconds": 300,  # life of a one-time code
    "code_tries": 3,  # typed codes per code sent
    "late_seconds": 5,  # how late the message is in the scenario `code-late`
    "token_seconds": 900,  # life of a form's token
    "sms_url": "",  # where text messages are posted, instead of the address given at start
    "mail_url": "",  # where mails are posted, instead of the address given at start
    "mail_folder": "",  # a Maildir into which mails are put; {mailbox} in it stands for the receiver
    "sender": "",  # who text messages are from, instead of the portal's own
}
# What else a text message with a code may say.
CODE_TEXTS = (
    "{code} is your {portal} verification code. It expires in 5 minutes.",
    "{portal}: use code {code} to sign in. We will never call you to ask for it.",
    "Your {portal} security code: {code}",
    "{portal} - code de vérification / verification code: {code}",
)


class PortalBase:
    """
    What passwords, codes and sessions stand on.

    state, counters, configuration: the parts, see their classes. secrets: what was given out since the start, by kind.
    urls: address by origin, as clients type it, without a slash at the end.
    """

    word: ClassVar[str]
    scenarios: ClassVar[Mapping[str, str]]  # user name's first part: what is seen; any other is an unknown user
    defaults: ClassVar[Mapping[str, Any]] = {}  # configuration beside the frame's, with its default
    sender: ClassVar[str] = "Portal"
    message: ClassVar[str] = "Your verification code is {code}. Do not share it."
    mail_sender: ClassVar[str] = "codes@portal.example"
    mail_subject: ClassVar[str] = "Your verification code"
    mail_message: ClassVar[str] = "Hello,\n\nplease use this code {code} to sign in. It is good for five minutes.\n"
    mail_message_french: ClassVar[str] = (
        "Bonjour,\n\nveuillez utiliser le code {code} pour ouvrir une session. Il est valide pendant cinq minutes.\n"
    )
    code_digits: ClassVar[int] = 6

    def __init__(self, state: State, gateway: Gateway, urls: Mapping[str, str], own_hosts: bool = True) -> None:
        self.state, self.gateway, self.urls, self.own_hosts = state, gateway, urls, own_hosts
        self.secrets: dict[str, list[str]] = {"passwords": [], "codes": [], "cookies": [], "tokens": []}
        self.counters = Counters(state)
        self._settings = state.table("frame")
        self.configuration = CONFIGURATION | dict(self.defaults) | self._settings.get("configuration", {})
        self.clock_offset = float(self._settings.get("clock", {}).get("offset", 0.0))
        self.perturbation = Perturbation.from_json(self._settings.get("perturbation", {}))
        self._of_visitors = [Perturbation.from_json(row) for row in self._settings.get("visitors", {}).get("looks", ())]
        self._visitors = 0

    def now(self) -> float:
        """Return the portal's time in Unix seconds: the system's, turned by what `/_sandbox/clock` was told."""
        return time.time() + self.clock_offset

    def cookie(self, name: str, origin: str = "") -> str:
        """Return the name of a cookie; with the portal's word where all portals are on one host."""
        return name if self.own_hosts else "_".join(filter(None, (self.word, origin, name)))

    def send(self, user: User, code: str, sender: str = "", **how: Any) -> asyncio.Task[bool]:
        """Send a user a text message with a code; sender: another one than the portal's; `how` is that of Gateway.send."""
        own, sender = not sender, sender or self.configuration["sender"] or self.sender
        perturbation, known = self.perturbation_of(user), known_of(self.word)
        if own and sender not in known.of("sender") and perturbation.touches("code-sender", self.word):
            sender = perturbation.choose(
                "code-sender", self.word, (f"{self.word.title()} Canada", "72355", "+15550100099")
            )
        text = self.text_message(user)
        if text not in known.of("message") and perturbation.touches("code-text", self.word):
            text = perturbation.choose("code-text", self.word, CODE_TEXTS)
        text = text.format(code=code, portal=self.word.title())
        task = self.gateway.send(self.configuration["sms_url"], sender, phone(user.name), text, **how)
        task.add_done_callback(self._count_sent)
        return task

    def text_message(self, user: User) -> str:
        """Return what a user's text messages say, with `{code}` for the code."""
        return self.message

    def send_mail(self, user: User, code: str, sender: str = "", dated: float = 0.0, **how: Any) -> asyncio.Task[bool]:
        """Send a user a mail with a code, in the language and the form that the user's tags say; see `send` and `Mail`."""
        text = (self.mail_message_french if user.says("mail-french", "lang-fr") else self.mail_message).format(
            code=code
        )
        html = ""
        if user.says("mail-html"):
            lines = text.strip().replace(code, f"<strong>{code}</strong>").split("\n\n")
            html = f"<html><body><p>{'</p><p>'.join(lines)}</p></body></html>"
            text = ""
        mail = Mail(sender or self.mail_sender, mailbox(user.name), self.mail_subject, text, html, dated)
        configuration = self.configuration
        task = self.gateway.mail(configuration["mail_url"], configuration["mail_folder"], mail, **how)
        task.add_done_callback(self._count_sent)
        return task

    def new_code(self, by: str) -> str:
        """Make up a code that is sent by "sms" or "mail"."""
        return f"{secrets.randbelow(10**self.code_digits):0{self.code_digits}d}"

    def _count_sent(self, task: asyncio.Task[bool]) -> None:
        if not task.cancelled() and task.exception() is None and task.result():
            self.counters.add("codes_sent")

    def reveal(self, kind: str, secret: str) -> None:
        """Remember a secret in memory, for `/_sandbox/secrets`: a test looks for them where they must not be."""
        self.secrets[kind].append(secret)
        del self.secrets[kind][:-5000]

    # What the admin pages do

    def configure(self, changes: Mapping[str, Any]) -> str:
        """Merge changes into the configuration; return what is wrong as one sentence, and change nothing then."""
        unknown = sorted(set(changes) - set(self.configuration))
        if unknown:
            return f"The portal {self.word} has nothing to configure named {', '.join(unknown)}."
        merged = {**self.configuration, **changes}
        wrong = faults.check(merged)
        if not wrong:
            self.configuration = merged
            self._settings["configuration"] = {**self._settings.get("configuration", {}), **changes}
        return wrong

    def turn_clock(self, offset: float) -> None:
        """Set by how many seconds the portal's clock is ahead of the system's."""
        self.clock_offset = offset
        self._settings["clock"] = {"offset": offset}

    def perturb(self, perturbation: Perturbation, visitors: Sequence[Perturbation] = ()) -> None:
        """
        Change what is free for everybody whose user name has no seed of its own, from now on and after a restart.

        visitors: of the first pages of a visit, which does not know its user yet; each new visit gets the next of these.
        """
        self.perturbation, self._of_visitors = perturbation, list(visitors)
        self._settings["perturbation"] = perturbation.as_json()
        self._settings["visitors"] = {"looks": [each.as_json() for each in visitors]}

    def perturbation_of_visitor(self, number: str) -> tuple[Perturbation, str]:
        """Return what is changed for a visit whose user is not known, and the visit's number; "" begins a visit."""
        if not self._of_visitors:
            return self.perturbation, ""
        if not number.isdecimal():
            self._visitors += 1
            number = str(self._visitors)
        return self._of_visitors[int(number) % len(self._of_visitors)], number

    def perturbation_of(self, user: User | None) -> Perturbation:
        """Return what is changed for a user: by the tag `perturb-<seed>` of the name, else by the portal's seed."""
        tagged = Perturbation.tagged(user.value("perturb")) if user else None
        return self.perturbation if tagged is None else tagged

    def perturbation_for(self, request: web.Request) -> Perturbation:
        """Return what is changed for a request: by the user that a handler has noted, else by its visit or the portal's seed."""
        if request.get("user"):
            return self.perturbation_of(User.of(request["user"]))
        return request.get("visitor", self.perturbation)  # type: ignore[no-any-return]

    def reset(self) -> None:
        """Forget people, sessions, codes, counters and the portal's own tables; the configuration stays."""
        self.state.clear("frame")
        self.counters.fill()
        self.counters.journal.clear()
        self.turn_clock(0.0)
        for given in self.secrets.values():
            given.clear()

    def streamed(self, count: int) -> None:
        """Count the bytes of an answer that a handler wrote piece by piece."""
        self.counters.add("bytes", count)
