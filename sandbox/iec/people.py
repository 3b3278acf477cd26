"""Who an ID number stands for: the scenario and the person in it, with partners, contracts, meters and private facts."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from sandbox.users import User

NAMESPACE = uuid.UUID("5a0b0c8e-0000-4000-8000-000000000000")
LETTERS = str.maketrans("0123456789", "אבגדהוזחטי")
CONSUMPTION_CODE, PRODUCTION_CODE, DUMB_CODE = "503", "507", "102"

# The place in this list is part of an ID number.
SCENARIOS = {
    "ok": "a house with a smart meter, a flat with a dumb one, and a closed contract; everything works",
    "short-number": "like ok, with an ID number that begins with zeros",
    "prosumer": "the house's meter counts both ways; a second contract for a photovoltaic meter",
    "shared": "two business partners, and a contract that somebody else owns",
    "no-contracts": "a customer without contracts",
    "dumb-only": "the flat only",
    "sms-only": "one factor, by text message",
    "mail-only": "one factor, by mail",
    "no-factors": "no factor is offered",
    "mail-first": "two factors, the mail one first",
    "sms-always": "two factors, and the code comes by text message whichever is asked",
    "locked": "E0000069 at the first step",
    "rate-limited": "E0000047 with status 429 at the first step",
    "code-late": "the message comes late",
    "code-never": "no message comes",
    "code-refused": "no code is right",
    "one-line": "the form with the code is one line",
    "entities": "the form with the code is written in HTML entities",
    "authorize-error": "the form says error and error_description",
    "authorize-page": "the sign-in page in place of the form",
    "wrong-state": "the form's state is another",
    "wrong-nonce": "the id token's nonce is another",
    "wrong-audience": "the id token is for another client",
    "wrong-issuer": "the id token is from another issuer",
    "bad-signature": "the id token's signature is wrong",
    "unknown-key": "the id token is signed with a key that is not published",
    "expired-id-token": "the id token is over when it comes",
    "refresh-dead": "no refresh token is good",
    "refresh-no-rotation": "the answer to a refresh has no refresh token; the old one stays good",
    "other-customer": "the customer shown is somebody else",
    "missing-optional": "fields that may be missing are missing",
    "null-optional": "fields that may be missing are null",
    "extra-fields": "every object has a field that nobody knows",
    "missing-required": "the customer has no bpNumber",
    "naive-times": "times of readings without an offset, as the clock on the wall says",
    "local-times": "times of readings with Jerusalem's offset",
    "zulu-times": "times of readings with Z",
    "unsorted": "readings and invoices in no order",
    "incomplete-day": "the last day lacks its evening, an earlier one an hour",
    "status-8192": "what is missing is zero with the status 8192",
    "data-lag": "the newest readings are nine days old",
    "no-forecast": "no forecast",
    "forecast-unset": "a forecast of zeros, for 0001-01-01",
    "pdf-html": "a page in place of each invoice",
    "pdf-json": "an envelope with an error in place of each invoice, status 200",
    "pdf-error": "status 500 in place of each invoice",
    "pdf-empty": "an invoice without a byte",
    "pdf-truncated": "each invoice breaks off half-way",
    "signed-out-midway": "the first session dies after some requests to the APIs, refresh token and all",
    "script-escapes": "the form with the code is written in a script's escapes",
    "no-refresh-token": "the first token answer has no refresh token",
}
SHORT = "short-number"
WORDS = list(SCENARIOS)


def check_digit(digits: str) -> int:
    """Return the ninth digit of an ID number that begins with these eight."""
    total = 0
    for position, digit in enumerate(digits):
        doubled = int(digit) * (1 + position % 2)
        total += doubled - 9 if doubled > 9 else doubled
    return -total % 10


def id_number(scenario: str, n: int = 0) -> str:
    """
    Return the ID number (nine digits, invented, check digit right) of the n-th person in a scenario.

    n: 0 to 99998. Raises ValueError for a scenario that does not exist.
    """
    if scenario not in SCENARIOS or not 0 <= n < 99_999:
        raise ValueError(
            f"There is no person {n} in a scenario {scenario}: choose from {', '.join(SCENARIOS)}; 0 to 99998."
        )
    eight = f"{n + 1:08d}" if scenario == SHORT else f"{700 + WORDS.index(scenario)}{n:05d}"
    return f"{eight}{check_digit(eight)}"


def whose(number: str) -> tuple[str, int] | None:
    """Return the scenario and place of an ID number, with or without its leading zeros; None when it is invalid."""
    if not (number.isascii() and number.isdecimal()) or len(number) > 9:
        return None
    digits = number.zfill(9)
    if int(digits[8]) != check_digit(digits[:8]):
        return None
    index = int(digits[:3])
    if index == 0:
        return (SHORT, int(digits[3:8]) - 1) if int(digits) else None
    known = 700 <= index < 700 + len(WORDS) and WORDS[index - 700] != SHORT
    return (WORDS[index - 700], int(digits[3:8])) if known else None


def entity(text: str) -> str:
    """Return the UUID of something."""
    return str(uuid.uuid5(NAMESPACE, text))


@dataclass(frozen=True)
class Contract:
    """
    A contract and its meter.

    number: nine digits. bp: the partner who owns it, ten digits. meter: "smart", "dumb", "both-ways" or "solar".
    status: 1 is active. shared: it belongs to another customer than the viewer.
    """

    number: str
    bp: str
    meter: str
    status: int = 1
    shared: bool = False

    @property
    def padded(self) -> str:
        """The number with the zeros in front that lists show."""
        return self.number.zfill(12)

    @property
    def serial(self) -> str:
        """The meter's serial number, eight digits."""
        return self.number[1:]

    @property
    def code(self) -> str:
        """The code of the meter's kind."""
        return {"dumb": DUMB_CODE, "solar": PRODUCTION_CODE}.get(self.meter, CONSUMPTION_CODE)

    @property
    def smart(self) -> bool:
        """Whether the meter tells every quarter of an hour."""
        return self.meter != "dumb"

    @property
    def closed(self) -> bool:
        """Whether it is a former contract."""
        return self.status != 1

    @property
    def street(self) -> str:
        """Where it is: invented, and unique."""
        return f"רחוב {self.number.translate(LETTERS)}"

    @property
    def house(self) -> str:
        """The number of the house, with a letter."""
        return f"{int(self.number) % 90 + 1}ב"

    @property
    def address(self) -> str:
        """Street and house."""
        return f"{self.street} {self.house}"

    @property
    def masa(self) -> str:
        """Its UUID at MASA."""
        return entity(f"contract {self.number}")


@dataclass(frozen=True)
class Customer:
    """A person with an ID number, nine digits; `tags` are what the configuration adds to the scenario."""

    number: str
    tags: tuple[str, ...] = ()

    @classmethod
    def of(cls, number: str, tags: Sequence[str] = ()) -> Customer | None:
        """Return the customer with an ID number; None when there is none."""
        return cls(number.zfill(9), tuple(tags)) if whose(number) else None

    @cached_property
    def _place(self) -> tuple[str, int]:
        place = whose(self.number)
        assert place is not None
        return place

    @cached_property
    def user(self) -> User:
        """The frame's user: named by the ID number."""
        return User(self.number, self._place[0], self.tags)

    def says(self, *words: str) -> bool:
        """Whether one of the words is the scenario or a tag."""
        return self.user.says(*words)

    @cached_property
    def _digits(self) -> str:
        scenario, n = self._place
        return f"{WORDS.index(scenario):02d}{n:05d}"

    @property
    def subject(self) -> str:
        """What tokens call the customer."""
        return f"00u{uuid.uuid5(NAMESPACE, self.number).hex[:17]}"

    @property
    def first_name(self) -> str:
        """Invented, and unique."""
        return f"פרטי{self.number.translate(LETTERS)}"

    @property
    def last_name(self) -> str:
        """Invented, and unique."""
        return f"משפחה{self.number.translate(LETTERS)}"

    @property
    def mobile(self) -> str:
        """The telephone that the APIs show: invented, and no text is sent there."""
        return f"05000{uuid.uuid5(NAMESPACE, self.number).int % 90_000 + 10_000}"

    @property
    def mail(self) -> str:
        """The address that the APIs show."""
        return f"resident.{uuid.uuid5(NAMESPACE, self.number).hex[:10]}@example.com"

    @property
    def partners(self) -> list[str]:
        """Business partners, ten digits."""
        return [f"01{self._digits}{n}" for n in range(2 if self.says("shared") else 1)]

    @cached_property
    def contracts(self) -> list[Contract]:
        """All contracts that the customer may see; a shared one comes last."""
        own, (first, *more) = self._own, self.partners
        if self.says("no-contracts"):
            return []
        if self.says("dumb-only"):
            return [own(1, first, "dumb")]
        if self.says("prosumer"):
            return [own(0, first, "both-ways"), own(1, first, "solar"), own(2, first, "dumb", status=2)]
        contracts = [own(0, first, "smart"), own(1, first, "dumb"), own(2, first, "dumb", status=2)]
        if more:
            owner = self.sharer
            contracts += [
                own(3, more[0], "smart"),
                Contract(f"3{owner._digits}0", owner.partners[0], "smart", shared=True),
            ]
        return contracts

    def _own(self, place: int, bp: str, meter: str, status: int = 1) -> Contract:
        return Contract(f"3{self._digits}{place}", bp, meter, status)

    @property
    def sharer(self) -> Customer:
        """Who shares a contract in the scenario `shared`: a customer of the scenario `ok`."""
        return Customer(id_number("ok", (self._place[1] + 50_000) % 100_000))

    @property
    def stranger(self) -> Customer:
        """Whom the scenario `other-customer` shows."""
        return Customer(id_number("ok", (self._place[1] + 70_000) % 100_000))

    @property
    def others(self) -> list[Customer]:
        """Whom the customer gets to see something of."""
        sharer = [self.sharer] if self.says("shared") else []
        return [*sharer, self.stranger] if self.says("other-customer") else sharer

    def account(self, bp: str) -> str:
        """Return a partner's account UUID."""
        return entity(f"account {bp}")

    @property
    def contact(self) -> str:
        """The UUID at MASA."""
        return entity(f"contact {self.number}")

    @property
    def private(self) -> dict[str, list[str]]:
        """What must not be stored of the customer, by kind."""
        streets = [contract.street for contract in self.contracts if not contract.shared]
        return {
            "id_numbers": [self.number],
            "names": [self.first_name, self.last_name],
            "addresses": streets,
            "phones": [self.mobile],
            "mails": [self.mail],
        }
