"""ConversationLogin: a sign-in as a generator of requests, without I/O of its own. It returns renewable OAuth tokens."""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import Awaitable, Callable, Generator, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Self

from scrapers.core.outcomes import Failure, MfaRequired, RateLimited
from scrapers.logins.base import Attempt, Login, PortalAccess, ShownIdentity, SignedIn

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.http import Response

    from database.access.credentials import Credential


@dataclass(frozen=True, slots=True)
class Tokens:
    """OAuth tokens for an API, with their subject and expiry."""

    access: str = field(repr=False)
    id: str = field(repr=False)
    refresh: str = field(repr=False)
    subject: str  # the user they belong to (claim `sub`); "" while they are not verified
    expires_at: float  # Unix seconds at which the access token expires
    scope: str = ""
    kind: str = "Bearer"

    def state(self) -> dict[str, Any]:
        """Return the tokens as a session's state, which is stored encrypted."""
        return {"tokens": asdict(self)}

    @classmethod
    def of(cls, state: dict[str, Any]) -> Self:
        """Return the tokens of a session's state."""
        return cls(**state["tokens"])


@dataclass(frozen=True, slots=True)
class Step:
    """A request of the conversation; says whether it submits the secret or makes the portal send a code."""

    request: Request
    submits: bool = False
    sends_code: str = ""  # the kind: sms or mail


@dataclass(frozen=True, slots=True)
class Choose:
    """Ask the person at the prompt to choose; answered with an empty text without one."""

    question: str
    options: Sequence[str]


@dataclass(frozen=True, slots=True)
class AskCode:
    """Wait for the one-time code. *again*: the previous one was refused, so only a person can type another."""

    kind: str
    again: bool = False


Conversation = Generator[Step | Choose | AskCode, Any, Tokens]


class ConversationLogin(Login):
    """
    A sign-in by requests and answers. Subclasses write `converse` and `refresh` as generators.

    They yield a Step and get its Response, yield a Choose or AskCode and get a text, and return the Tokens. Errors of
    requests are raised by the sender as failures, outside of the generator.
    """

    shared = True  # requests carry their token: any number of runs at once
    renewable = True
    proved_by_request = True  # a sign-in costs a code, so its tokens are kept at once
    leeway: ClassVar[float] = 120  # seconds before their expiry at which tokens are renewed

    @abstractmethod
    def converse(self, credential: Credential) -> Conversation:
        """Sign in."""

    @abstractmethod
    def refresh(self, tokens: Tokens) -> Conversation:
        """Exchange the refresh token; raise ReauthenticationRequired when the portal no longer accepts it."""

    async def establish(self, portal: PortalAccess, attempt: Attempt) -> SignedIn:
        """Sign in by the conversation."""
        tokens = await self.run_conversation(self.converse(attempt.credential), portal.send, attempt)
        return SignedIn(tokens.state(), ShownIdentity(subject=tokens.subject))

    async def renew(self, portal: PortalAccess, state: dict[str, Any]) -> SignedIn:
        """Exchange the refresh token of a session for new tokens."""
        tokens = await self.run_conversation(self.refresh(Tokens.of(state)), portal.send)
        return SignedIn(tokens.state(), ShownIdentity(subject=tokens.subject))

    def subject(self, state: dict[str, Any]) -> str:
        """Return the subject of a session's tokens."""
        return Tokens.of(state).subject

    def needs_renewal(self, state: dict[str, Any]) -> bool:
        """Return whether the tokens of a session expire within `leeway` seconds."""
        return Tokens.of(state).expires_at - time.time() < self.leeway

    def authorize(self, request: Request, state: dict[str, Any]) -> None:
        """Put the bearer token into a request."""
        request.headers["Authorization"] = f"Bearer {Tokens.of(state).access}"

    def secrets(self, state: dict[str, Any]) -> tuple[str, ...]:
        """Return the tokens."""
        tokens = Tokens.of(state)
        return tokens.access, tokens.id, tokens.refresh

    @staticmethod
    async def run_conversation(
        conversation: Conversation, send: Callable[[Request], Awaitable[Response]], attempt: Attempt | None = None
    ) -> Tokens:
        """
        Send the conversation's requests, pass each answer back into it, and return the tokens it ends with.

        attempt: the sign-in that asks for one-time codes; None for a token refresh, where asking raises TypeError.
        """
        answer: Any = None
        response: Response | None = None
        try:
            while True:
                act = conversation.send(answer)
                if isinstance(act, Step):
                    if attempt is not None:
                        attempt.screens.append(act.request.meta.get("step", "request"))
                        if act.sends_code:
                            if not attempt.second_factor.can_answer(act.sends_code):
                                raise MfaRequired(f"The code would go by {act.sends_code}, so none was asked for.")
                            await attempt.second_factor.expect(act.sends_code)
                        attempt.submitted |= act.submits
                        if act.sends_code:
                            await attempt.second_factor.may_send()
                            attempt.second_factor.sent()
                    answer = response = await send(act.request)
                elif attempt is None:
                    raise TypeError("Only a sign-in may ask for codes.")
                elif isinstance(act, Choose):
                    answer = await attempt.second_factor.choose(act.question, act.options)
                else:
                    answer = await attempt.second_factor.code(act.kind, again=act.again)
        except StopIteration as end:
            tokens: Tokens = end.value
            return tokens
        except RateLimited:
            if attempt is not None:
                attempt.submitted = False  # after 429 the secret was not checked
            raise
        except Failure as failure:
            if response is not None:
                failure.evidence.setdefault("response", response)
            raise
        finally:
            conversation.close()
