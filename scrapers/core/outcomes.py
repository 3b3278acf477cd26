"""
Every way a run can end: its code, who must act, when it is worth trying again, and one sentence for a person.

Exceptions map one to one onto outcomes. An exception carries what is known of the moment: step, selector, detail.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar

from scrapy.exceptions import IgnoreRequest


class Actor(StrEnum):
    """Who has to act before another run can succeed."""

    NOBODY = "nobody"
    OWNER = "owner"
    OPERATOR = "operator"
    DEVELOPER = "developer"


class Retry(StrEnum):
    """When another run makes sense."""

    NEVER = "never"  # nothing will change: the job is final
    AFTER_ACTION = "after action"  # once the actor has done the part that the sentence names
    SOON = "soon"  # within the hour
    TOMORROW = "tomorrow"


class Then(StrEnum):
    """What becomes of a job whose run has ended so."""

    DONE = "done"
    FINAL = "final"  # an error that no later run can mend: remembered, and not asked again
    AT_ONCE = "at once"  # the run was taken from it: no try is used up
    MINUTES = "in minutes"  # what it waits for is under way: no try is used up
    RESTS = "when it may"  # at the time that the failure names: no try is used up
    TOMORROW = "tomorrow"  # at the portal's hour: no try is used up
    BACKOFF = "later"  # longer each time, with jitter, as long as there are tries
    DAILY = "daily"  # at the portal's hour, as long as there are tries; at once after a success of the same spider
    PARKED = "parked"  # until its owner has acted, then at once: no try is used up

    @property
    def uses_try(self) -> bool:
        """Whether it counts as one of the job's tries."""
        return self in (Then.BACKOFF, Then.DAILY)


WHO = {
    Actor.NOBODY: "Nobody has to act",
    Actor.OWNER: "The owner of the account has to act",
    Actor.OPERATOR: "Whoever runs Latchkey has to act",
    Actor.DEVELOPER: "A developer has to act",
}
WHEN = {
    Retry.NEVER: "another run would bring nothing new",
    Retry.AFTER_ACTION: "run it again once that is done",
    Retry.SOON: "another run makes sense within the hour",
    Retry.TOMORROW: "another run makes sense tomorrow",
}

NEXT = {
    Then.DONE: "is done",
    Then.FINAL: "ends as an error, and is not made again",
    Then.AT_ONCE: "is due again at once, without using up a try",
    Then.MINUTES: "is due again in minutes, without using up a try",
    Then.RESTS: "is due again when the credential may be used, without using up a try",
    Then.TOMORROW: "is due again tomorrow at the portal's hour, without using up a try",
    Then.BACKOFF: "is due again later, longer each time, until its tries are used up",
    Then.DAILY: "is due again tomorrow until its tries are used up; at once when the same spider has succeeded",
    Then.PARKED: "is parked until its owner has acted, and is due at once then",
}

# Exit codes of `scrapy crawl`: the worst of its runs, in this order.
EXIT_CODES = {Actor.NOBODY: 3, Actor.OPERATOR: 4, Actor.OWNER: 5, Actor.DEVELOPER: 6}


@dataclass(frozen=True, slots=True)
class Outcome:
    """One way a run can end."""

    code: str
    actor: Actor
    retry: Retry
    sentence: str
    then: Then = Then.BACKOFF  # what becomes of the job
    portal_trouble: bool = False  # every customer of the portal may meet it: it counts for the portal's breaker
    portal_works: bool = False  # the portal answered as it should: its breaker opens

    @property
    def exit_code(self) -> int:
        """0 for success, else by who must act."""
        return 0 if self.code == "success" else EXIT_CODES[self.actor]

    @property
    def advice(self) -> str:
        """One sentence: who must act, and when another run makes sense."""
        return f"{WHO[self.actor]}; {WHEN[self.retry]}."


OUTCOMES: dict[str, Outcome] = {}


def _add(outcome: Outcome) -> Outcome:
    OUTCOMES[outcome.code] = outcome
    return outcome


def _usual(actor: Actor, retry: Retry) -> Then:
    """Return what becomes of a job by who must act and when another run makes sense, where a failure states nothing else."""
    if retry == Retry.AFTER_ACTION:
        return Then.PARKED if actor == Actor.OWNER else Then.DAILY
    return {Retry.NEVER: Then.FINAL, Retry.TOMORROW: Then.TOMORROW}.get(retry, Then.BACKOFF)


SUCCESS = _add(
    Outcome(
        "success",
        Actor.NOBODY,
        Retry.NEVER,
        "Everything the portal shows for this job is stored.",
        Then.DONE,
        portal_works=True,
    )
)


@dataclass
class Failure(IgnoreRequest):
    """
    Base of every named failure. It is an IgnoreRequest, so that Scrapy neither retries it nor prints a traceback.

    detail: what was seen, without secrets. step, selector: where a flow stood. evidence: page, screenshot, screens.
    """

    detail: str = ""
    step: str = ""
    selector: str = ""
    evidence: dict[str, Any] = field(default_factory=dict, repr=False)
    until: datetime | None = None  # when another run may begin; None: unknown
    outcome: ClassVar[Outcome]

    def __str__(self) -> str:
        """The sentence of the outcome and what was seen."""
        return f"{self.outcome.sentence} {self.detail}".strip()

    __hash__ = Exception.__hash__

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Make the outcome of a class that states `code`, `actor`, `retry`; its docstring is the sentence."""
        super().__init_subclass__(**kwargs)
        if "code" in vars(cls):
            sentence = " ".join((cls.__doc__ or "").split())
            then = vars(cls).get("then") or _usual(cls.actor, cls.retry)
            cls.outcome = _add(
                Outcome(cls.code, cls.actor, cls.retry, sentence, then, cls.portal_trouble, cls.portal_works)
            )

    code: ClassVar[str]
    actor: ClassVar[Actor] = Actor.OPERATOR
    retry: ClassVar[Retry] = Retry.SOON
    then: ClassVar[Then | None] = None  # what becomes of the job; None: by actor and retry
    portal_trouble: ClassVar[bool] = False  # every customer of the portal may meet it: counts for the breaker
    portal_works: ClassVar[bool] = False  # the portal answered as it should: opens the breaker
    ends_visit: ClassVar[bool] = False  # it ends the whole visit, not only the part in which it was raised

    # What a failure means to the ledger, the code request, the sign-in and the pipelines. A subclass inherits the facts of
    # its bases; of several bases one is enough.
    answers: ClassVar[bool] = False
    """The portal judged the sign-in: the attempt is recorded under this outcome's own code."""
    proves_secret: ClassVar[bool] = False
    """It comes only once the portal has accepted the submitted password: earlier attempts without an answer count no more."""
    hides_answer: ClassVar[bool] = False
    """It hides what the portal answered to a submitted password: such a sign-in ends as SignInTimedOut in its place."""
    nothing_sent: ClassVar[bool] = False
    """The portal has sent no one-time code, so the receiver of codes need not rest."""
    for_a_person: ClassVar[bool] = False
    """A person in front of a visible browser can put it right: the sign-in waits for that person in place of ending."""
    forbids_storing: ClassVar[bool] = False
    """What the job fetches may be another customer's or another run's: nothing more is stored for it."""


class LoginFailed(Failure):
    """Base of the failures of a sign-in."""

    ends_visit = True


class BadCredentials(LoginFailed):
    """The portal refused the user name or password: store the right one with `scrapy credentials add`; nothing is tried until it changes."""

    code, actor, retry = "bad_credentials", Actor.OWNER, Retry.AFTER_ACTION
    answers = True
    nothing_sent = True


class CredentialMissing(LoginFailed):
    """No credential is known for this portal and account: add one with `scrapy credentials add`."""

    code, actor, retry = "credential_missing", Actor.OWNER, Retry.AFTER_ACTION


class CredentialMalformed(LoginFailed):
    """The credential cannot be right as it is stored, so it was not sent: store it anew with `scrapy credentials add`."""

    code, actor, retry = "credential_malformed", Actor.OWNER, Retry.AFTER_ACTION


class ReauthenticationRequired(LoginFailed):
    """Only its owner can sign in again, with a one-time code: run `scrapy test-login` at a terminal."""

    code, actor, retry = "reauthentication_required", Actor.OWNER, Retry.AFTER_ACTION


class CredentialBlocked(LoginFailed):
    """An earlier refusal, or attempts without an answer, block this credential: change its secret, or run `scrapy credentials unblock`."""

    code, actor, retry = "credential_blocked", Actor.OWNER, Retry.AFTER_ACTION


class CredentialCoolingDown(LoginFailed):
    """The credential rests after a lock, a captcha or a failed code; the time at which it may be used again is in the detail."""

    code, actor, retry = "credential_cooling_down", Actor.NOBODY, Retry.TOMORROW
    then = Then.RESTS


class SignInBudgetSpent(LoginFailed):
    """The credential's sign-ins of the last 24 hours are used up (LATCHKEY_SIGN_IN_BUDGET); the next run can go on tomorrow."""

    code, actor, retry = "sign_in_budget_spent", Actor.OPERATOR, Retry.TOMORROW
    then = Then.RESTS


class AccountLocked(LoginFailed):
    """The portal has locked the user: its owner unlocks it at the portal; the credential rests meanwhile."""

    code, actor, retry = "account_locked", Actor.OWNER, Retry.AFTER_ACTION
    answers = True
    nothing_sent = True


class CaptchaShown(LoginFailed):
    """The portal asks for a captcha: its owner signs in by hand, from the control room's inbox or with `scrapy test-login --visible`; we do not solve captchas."""

    code, actor, retry = "captcha_shown", Actor.OWNER, Retry.AFTER_ACTION
    answers = True
    nothing_sent = True
    for_a_person = True


class Blocked(LoginFailed):
    """A bot wall stands in front of the portal: its owner or operator looks at it from the same network."""

    code, actor, retry = "blocked", Actor.OPERATOR, Retry.TOMORROW
    portal_trouble = True
    nothing_sent = True
    for_a_person = True


class TermsPending(LoginFailed):
    """The portal wants its policies accepted first: its owner reads and accepts them there, from the control room's inbox, or in `scrapy test-login --visible`."""

    code, actor, retry = "terms_pending", Actor.OWNER, Retry.AFTER_ACTION
    proves_secret = True
    for_a_person = True


class MfaRequired(LoginFailed):
    """The portal asks for a second factor that nobody can answer here: add a TOTP secret, a receiver, or finish the sign-in from the control room's inbox or with `--visible`."""

    code, actor, retry = "mfa_required", Actor.OWNER, Retry.AFTER_ACTION
    proves_secret = True
    for_a_person = True


class MfaFailed(LoginFailed):
    """The portal refused the code: check the TOTP secret and the clock (`scrapy doctor`), or the receiver; the credential rests."""

    code, actor, retry = "mfa_failed", Actor.OWNER, Retry.AFTER_ACTION
    answers = True
    proves_secret = True


class CodeNotReceived(LoginFailed):
    """The one-time code did not arrive in time: check the phone or mailbox and its gateway to the webhook."""

    code, actor, retry = "code_not_received", Actor.OPERATOR, Retry.SOON
    proves_secret = True


class CodeUnclear(LoginFailed):
    """Several numbers of the message may be the one-time code, and none was typed: sign in at a terminal with `scrapy test-login`, which asks for it."""

    code, actor, retry = "code_unclear", Actor.OWNER, Retry.AFTER_ACTION
    proves_secret = True


class SignInTimedOut(LoginFailed):
    """The portal did not answer a submitted sign-in; it counts as an attempt, and one more is allowed."""

    code, actor, retry = "sign_in_timed_out", Actor.OPERATOR, Retry.SOON
    portal_trouble = True


class TokenUntrusted(LoginFailed):
    """The tokens that came could not be verified, so none was kept: signature, issuer, audience, time, state or nonce is wrong."""

    code, actor, retry = "token_untrusted", Actor.OPERATOR, Retry.SOON


class IdentityMismatch(LoginFailed):
    """The session belongs to somebody else than the credential: it was destroyed and nothing was stored."""

    code, actor, retry = "identity_mismatch", Actor.OPERATOR, Retry.SOON
    forbids_storing = True


class IdentityUnproved(LoginFailed):
    """The portal did not show whose session it is, so nothing was stored: the login's identity locators need a look."""

    code, actor, retry = "identity_unproved", Actor.DEVELOPER, Retry.AFTER_ACTION
    forbids_storing = True


class CredentialBusy(LoginFailed):
    """Another run works in this session; this one waited as long as it may (LATCHKEY_BUSY_WAIT) and ended."""

    code, actor, retry = "credential_busy", Actor.NOBODY, Retry.SOON
    then = Then.MINUTES


class LeaseLost(Failure):
    """This run lost its lease to another one and stopped storing."""

    code, actor, retry = "lease_lost", Actor.OPERATOR, Retry.SOON
    then = Then.AT_ONCE
    ends_visit = True
    forbids_storing = True


class SignedOut(Failure):
    """The portal kept signing us out, also right after a new sign-in."""

    code, actor, retry = "signed_out", Actor.OPERATOR, Retry.SOON
    ends_visit = True
    login = ""  # name of the further login with the ended session; empty: the job's own


class SessionGone(SignedOut):
    """The session ended before this request was sent: it goes into the next one. Never the end of a run."""


class SessionEnded(Failure):
    """The stored session has ended, and this run was to sign in to no other: `scrapy sessions refresh` does."""

    code, actor, retry = "session_ended", Actor.OPERATOR, Retry.SOON
    ends_visit = True


class SessionExpired(Failure):
    """The portal no longer knows the stored session: its owner signs in again, for Telegram with `scrapy telegram login`."""

    code, actor, retry = "session_expired", Actor.OWNER, Retry.AFTER_ACTION
    ends_visit = True


class SessionRevoked(Failure):
    """The stored session was ended, from another device or because two addresses used it at once: its owner signs in again."""

    code, actor, retry = "session_revoked", Actor.OWNER, Retry.AFTER_ACTION
    ends_visit = True


class AccountBanned(Failure):
    """The portal has banned the account: its owner asks the portal why."""

    code, actor, retry = "account_banned", Actor.OWNER, Retry.AFTER_ACTION
    ends_visit = True


class FloodWait(Failure):
    """The portal wants a pause of this session; nothing is asked of it before the time in the detail."""

    code, actor, retry = "flood_wait", Actor.NOBODY, Retry.SOON
    then = Then.RESTS
    ends_visit = True
    portal_works = True


class ChannelClosed(Failure):
    """The channel is private now, or the account of the session is no member: its owner joins it, or names another session."""

    code, actor, retry = "channel_closed", Actor.OWNER, Retry.AFTER_ACTION
    portal_works = True


class SavingForbidden(Failure):
    """The owner of the channel forbids to save what is in it, so nothing was fetched: only that owner can allow it."""

    code, actor, retry = "saving_forbidden", Actor.OWNER, Retry.AFTER_ACTION
    then = Then.FINAL
    portal_works = True


class SessionInactive(Failure):
    """The stored session is switched off, so nothing was asked: its owner switches it on, or names another one."""

    code, actor, retry = "session_inactive", Actor.OWNER, Retry.AFTER_ACTION
    ends_visit = True


class FilesFailed(Failure):
    """Some files could not be fetched; they are remembered, and the next run tries them again."""

    code, actor, retry = "files_failed", Actor.NOBODY, Retry.SOON
    portal_works = True


class ChannelUnknown(Failure):
    """There is no channel by this name or link any more: its owner gives the source the right one."""

    code, actor, retry = "channel_unknown", Actor.OWNER, Retry.AFTER_ACTION
    portal_works = True


class CacheError(Failure):
    """The portal's report page opened without its header, also after clearing everything and signing in again."""

    code, actor, retry = "cache_error", Actor.OPERATOR, Retry.SOON
    ends_visit = True


class WrongAccount(Failure):
    """The portal did not open the account that was asked for, so nothing was stored."""

    code, actor, retry = "wrong_account", Actor.OWNER, Retry.AFTER_ACTION
    ends_visit = True
    forbids_storing = True


class NotListed(Failure):
    """The portal's list has no entry of the name that was asked for: the detail names the argument to correct."""

    code, actor, retry = "not_listed", Actor.OWNER, Retry.AFTER_ACTION


class NotYetPublished(Failure):
    """The portal does not offer this period yet."""

    code, actor, retry = "not_yet_published", Actor.NOBODY, Retry.TOMORROW
    portal_works = True


class NoLongerAvailable(Failure):
    """The portal no longer offers this period, which is final: it is not asked for it again."""

    code, actor, retry = "no_longer_available", Actor.NOBODY, Retry.NEVER
    portal_works = True


class ReportNotReady(Failure):
    """The report was asked for and the portal is still making it; the next run collects it."""

    code, actor, retry = "report_not_ready", Actor.NOBODY, Retry.SOON
    then = Then.MINUTES
    portal_works = True


class ReportFailed(Failure):
    """The portal could not make the report that was asked for; the next run asks again."""

    code, actor, retry = "report_failed", Actor.NOBODY, Retry.SOON


class PriceUnclear(Failure):
    """The page shows no one price of the product that is certain, so none was stored: its owner names the right element, edition or country, by the selector, address or country of the item."""

    code, actor, retry = "price_unclear", Actor.OWNER, Retry.AFTER_ACTION
    then = Then.FINAL
    portal_works = True


class ProductGone(Failure):
    """The shop no longer has a page for the product: its owner gives the item the new address, or removes it."""

    code, actor, retry = "product_gone", Actor.OWNER, Retry.AFTER_ACTION
    then = Then.FINAL
    portal_works = True


class AddressNotAsked(Failure):
    """The address was not asked, because it names no product or leads into a private network: its owner corrects it."""

    code, actor, retry = "address_not_asked", Actor.OWNER, Retry.AFTER_ACTION
    then = Then.FINAL


class PortalChanged(Failure):
    """The page matches nothing that is known of this portal; it was kept in the evidence bundle for the developer."""

    code, actor, retry = "portal_changed", Actor.DEVELOPER, Retry.AFTER_ACTION


class PortalRefused(Failure):
    """The portal answered with an error of its own; its code and text are in the detail."""

    code, actor, retry = "portal_refused", Actor.OPERATOR, Retry.SOON


class UnexpectedAnswer(Failure):
    """The portal answered, but not what was asked for: its status and what came instead are in the detail."""

    code, actor, retry = "unexpected_answer", Actor.DEVELOPER, Retry.SOON


class PortalDown(Failure):
    """The portal did not answer, or answered with errors, as often as we may ask."""

    code, actor, retry = "portal_down", Actor.NOBODY, Retry.SOON
    portal_trouble = True
    hides_answer = True
    nothing_sent = True


class RateLimited(Failure):
    """The portal asks us to slow down and kept asking; the next run waits."""

    code, actor, retry = "rate_limited", Actor.NOBODY, Retry.SOON
    portal_trouble = True
    hides_answer = True


class DownloadTimedOut(Failure):
    """A download did not start or did not end in time."""

    code, actor, retry = "download_timed_out", Actor.NOBODY, Retry.SOON
    portal_trouble = True


class BadFile(Failure):
    """The portal sent a file that is empty, cut short, unsafe, or not of the type it should be; it was not stored."""

    code, actor, retry = "bad_file", Actor.OPERATOR, Retry.SOON


class Incomplete(Failure):
    """The portal shows more than was stored; what is missing is in the detail."""

    code, actor, retry = "incomplete", Actor.OPERATOR, Retry.SOON


class StoreAway(Failure):
    """The file store cannot be reached or written to, so nothing more was fetched: check LATCHKEY_FILES with `scrapy doctor`."""

    code, actor, retry = "store_away", Actor.OPERATOR, Retry.AFTER_ACTION
    ends_visit = True


class StoreFull(StoreAway):
    """The file store has too little space left, so nothing more was fetched: make room, or lower LATCHKEY_FILES_FREE."""

    code, actor, retry = "store_full", Actor.OPERATOR, Retry.AFTER_ACTION


class UploadFailed(Failure):
    """The file is stored, but the upload server did not take it yet: the next run sends it again, and so does `scrapy upload`."""

    code, actor, retry = "upload_failed", Actor.NOBODY, Retry.SOON


class UploadRefused(Failure):
    """The file is stored, but the upload server refused it for good: mend what the detail names, then run `scrapy upload --again`."""

    code, actor, retry = "upload_refused", Actor.OPERATOR, Retry.AFTER_ACTION


class UploadClientGone(UploadRefused):
    """The upload server no longer knows this client or workspace: its owner stops its jobs, or restores it there and runs `scrapy upload --again`."""

    code, actor, retry = "upload_client_gone", Actor.OWNER, Retry.AFTER_ACTION


class UploadMisconfigured(UploadFailed):
    """The upload server refused our key or is not at this address: check LATCHKEY_UPLOAD_KEY and LATCHKEY_UPLOAD_URL, then run `scrapy upload`."""

    code, actor, retry = "upload_misconfigured", Actor.OPERATOR, Retry.AFTER_ACTION


class DatabaseAwayFailure(Failure):
    """The database did not answer in mid-run; what was stored before stays stored."""

    code, actor, retry = "database_away", Actor.OPERATOR, Retry.SOON
    then = Then.MINUTES
    ends_visit = True


class BrowserMissing(Failure):
    """The browser of LATCHKEY_BROWSER is not there or does not start; `scrapy doctor` says what to do."""

    code, actor, retry = "browser_missing", Actor.OPERATOR, Retry.AFTER_ACTION
    ends_visit = True


class SplashAway(Failure):
    """Splash did not render the page, because it does not answer or refuses us: start it, or set LATCHKEY_SPLASH_URL."""

    code, actor, retry = "splash_away", Actor.OPERATOR, Retry.SOON


class BrowserDied(Failure):
    """The browser or its tab went away in the middle of the work."""

    code, actor, retry = "browser_died", Actor.OPERATOR, Retry.SOON
    ends_visit = True
    hides_answer = True


class FlowTimedOut(Failure):
    """A flow in the browser did not end within LATCHKEY_FLOW_WAIT."""

    code, actor, retry = "flow_timed_out", Actor.OPERATOR, Retry.SOON
    portal_trouble = True
    ends_visit = True
    hides_answer = True


class Interrupted(Failure):
    """The run was stopped from outside before it was done."""

    code, actor, retry = "interrupted", Actor.NOBODY, Retry.SOON
    then = Then.AT_ONCE
    ends_visit = True


class CrawlNotStarted(Failure):
    """The crawl of this job could not begin: mend the argument, setting or database that the detail names, then run `scrapy jobs retry`."""

    code, actor, retry = "crawl_not_started", Actor.OPERATOR, Retry.AFTER_ACTION
    ends_visit = True


class CrawlStopped(Failure):
    """The worker ended the crawl, which took longer (LATCHKEY_CRAWL_LIFE) or more memory (LATCHKEY_CRAWL_MEMORY) than it may."""

    code, actor, retry = "crawl_stopped", Actor.OPERATOR, Retry.SOON
    ends_visit = True


class UnexpectedError(Failure):
    """Something happened that has no name yet; the evidence bundle has the cause for the developer."""

    code, actor, retry = "unexpected_error", Actor.DEVELOPER, Retry.AFTER_ACTION


def codes_of(kind: type[Failure]) -> set[str]:
    """Return the codes of a failure and of those derived from it."""
    own = {kind.outcome.code} if hasattr(kind, "outcome") else set()
    return own.union(*(codes_of(each) for each in kind.__subclasses__()))
