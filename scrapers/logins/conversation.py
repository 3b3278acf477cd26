"""A sign-in by an exchange of requests, written free of I/O; it leaves tokens, which are renewed without anybody's help."""

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
    """OAuth's tokens for an API, the user they belong to, and how long they are valid."""

    access: str = field(repr=False)
    id: str = field(repr=False)
    refresh: str = field(repr=False)
    subject: str  # the portal's own word for their user; "" while they are not verified
    expires_at: float  # Unix seconds after which they are worth nothing
    scope: str = ""
    kind: str = "Bearer"

    def state(self) -> dict[str, Any]:
        """Return what is stored, encrypted, as a session's state."""
        return {"tokens": asdict(self)}

    @classmethod
    def of(cls, state: dict[str, Any]) -> Self:
        """Return the tokens of a session's state."""
        return cls(**state["tokens"])


@dataclass(frozen=True, slots=True)
class Step:
    """A request of the conversation, and what it means: the secret is submitted, or the portal is made to send a code."""

    request: Request
    submits: bool = False
    sends_code: str = ""  # the kind: sms or mail


@dataclass(frozen=True, slots=True)
class Choose:
    """Let the person in front choose; without one the answer is empty."""

    question: str
    options: Sequence[str]


@dataclass(frozen=True, slots=True)
class AskCode:
    """Wait for the one-time code. *again*: the one before was refused, so only a person can give another."""

    kind: str
    again: bool = False


Conversation = Generator[Step | Choose | AskCode, Any, Tokens]


class ConversationLogin(Login):
    """
    A sign-in by requests and answers. Subclasses write `converse` and `refresh` as generators.

    They yield a Step and get its Response, a Choose or AskCode and get a text, and return the Tokens. Whatever a request
    meets comes back as an answer or as a named failure, so nothing in them knows how requests are sent.
    """

    shared = True  # tokens say everything: any number of runs side by side
    renewable = True
    proved_by_request = True  # a sign-in costs a code, so its tokens are kept at once
    leeway: ClassVar[float] = 120  # seconds before their end at which tokens are renewed: one must not die on its way

    @abstractmethod
    def converse(self, credential: Credential) -> Conversation:
        """Sign in."""

    @abstractmethod
    def refresh(self, tokens: Tokens) -> Conversation:
        """Exchange the refresh token; raise ReauthenticationRequired when it is good for nothing any more."""

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
        """Tell whether the tokens of a session are about to end."""
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
                attempt.submitted = False  # the portal says that it did not look
            raise
        except Failure as failure:
            if response is not None:
                failure.evidence.setdefault("response", response)
            raise
        finally:
            conversation.close()
