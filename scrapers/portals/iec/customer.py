"""What the spiders of the company share: how it is asked, and how the contracts of a person are found."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any, ClassVar

from scrapy import Request
from scrapy.http import Response

from scrapers.core.items import Listing
from scrapers.core.jobs import Job
from scrapers.core.outcomes import Failure, PortalChanged, WrongAccount
from scrapers.core.requests import own_state
from scrapers.families.electricity.items import Contract, Customer
from scrapers.families.electricity.spiders import ContractArguments, ElectricitySpider
from scrapers.logins.base import Login
from scrapers.portals.iec import api
from scrapers.portals.iec.api import Endpoint, read
from scrapers.portals.iec.errors import IECError
from scrapers.portals.iec.login import IecLogin
from scrapers.reading.values.texts import bare_number_or_none

OWN = 1  # partConnectionCode of a contract of one's own
Read = Callable[[Job, Any], Any]  # what becomes of an answer's data
Otherwise = Callable[[], Any]  # how a job goes on after a failure, which it is told of
Refused = Callable[[IECError], Failure | None]


class IecSpider(ElectricitySpider):
    """Base of the company's spiders: how it is asked."""

    portal = "iec"
    logins: ClassVar[tuple[type[Login], ...]] = (IecLogin,)
    # Keys of the company's answers whose values say who or where somebody is.
    private: ClassVar[frozenset[str]] = frozenset(
        """
        accountName accountNumber address addressId bp bpNumber city cityCode cityName companyId email emailAddress fax
        firstName fullAddress governmentid governmentId governmentNumber houseNumber idNumber lastName mobilePhone name
        noteDescription partner phoneNumber phonePrefix siteKeyDesc sms street streetCode streetName streetStr telephone
        x y
        """.split()
    )
    custom_settings = {
        "REQUESTS_IN_FLIGHT": 3,  # to one host: what its best known caller keeps to; nobody has seen it refuse that
        "DOWNLOAD_TIMEOUT": 60,  # a call of its own app waits that long
    }

    def ask(
        self,
        job: Job,
        endpoint: Endpoint,
        callback: Read,
        *,
        body: dict[str, Any] | None = None,
        otherwise: Otherwise | None = None,
        refused: Refused | None = None,
        stream: tuple[str, ...] = (),
        once: bool = False,
        **parts: object,
    ) -> Request:
        """
        Return the request of an endpoint; *callback* gets the job and the data of the answer.

        parts: what its path and query name. otherwise: yields what the job does after a failure, without which it
        ends there for this request; the failure counts in both cases. refused: looks at an error of the company's, and
        returns the failure that it is; None for one that only means that there is nothing. stream: media types of a
        file. once: what an error leaves open is not done a second time.
        """
        sent: dict[str, Any] = {} if body is None else {"body": json.dumps(body)}
        request = self.request(
            job,
            endpoint.url(**parts),
            partial(self._read, endpoint, callback, otherwise, refused),
            method=endpoint.method,
            headers=endpoint.headers,
            dont_filter=True,  # the same address is asked with different bodies
            stream=stream,
            meta={"handle_httpstatus_all": True, "dont_retry": once},
            **sent,
        )
        return request if otherwise is None else request.replace(errback=partial(self._missed, otherwise))

    def _read(
        self,
        endpoint: Endpoint,
        callback: Read,
        otherwise: Otherwise | None,
        refused: Refused | None,
        response: Response,
    ) -> Iterator[Any]:
        job = self.job_of(response)
        try:
            yield from callback(job, self._data(job, endpoint, refused, response)) or ()
        except Failure as failure:
            if otherwise is None:
                raise
            failure.evidence.setdefault("response", response)
            failure.step = failure.step or f"read {endpoint.id}"
            job.fail(failure)
            yield from otherwise() or ()

    @staticmethod
    def _data(job: Job, endpoint: Endpoint, refused: Refused | None, response: Response) -> Any:
        if (part := own_state(response).part) is not None:
            return part
        try:
            answer = read(endpoint, response)
        except IECError as error:
            failure = refused(error) if refused is not None else error
            if failure is not None:
                raise failure from None
            job.warn(error.detail)
            return None
        if answer.warning:
            job.warn(answer.warning)
        return answer.data

    async def _missed(self, otherwise: Otherwise, error: Any) -> AsyncIterator[Any]:
        self._fail(error)
        async for thing in self._guarded(self.job_of(error.request), otherwise()):
            yield thing


@dataclass
class Household:
    """What a job knows of a person so far."""

    bps: dict[str, None] = field(default_factory=dict)  # business partners that are still to be asked for
    asked: set[str] = field(default_factory=set)
    connections: dict[str, bool] = field(default_factory=dict)  # contract that the person sees: is it shared?
    contracts: dict[str, Contract] = field(default_factory=dict)
    has_masa: bool = False  # the portal that knows of shared contracts was asked


class ContractsSpider(IecSpider):
    """Base of the spiders that bring something of each contract."""

    Arguments = ContractArguments
    needs_masa: ClassVar[bool] = False  # what the customer-works portal shows is needed for more than finding contracts

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.households: dict[int, Household] = {}

    async def requests(self, job: Job) -> AsyncIterator[Any]:
        """Ask who the customer is."""
        self.households[job.id] = Household()
        yield self.ask(job, api.CUSTOMER, self._customer)

    def _customer(self, job: Job, data: Any) -> Iterator[Any]:
        household = self.households[job.id]
        customer = Customer.read(job.id, "customer", data, username=job.target.person)
        accounts = data.get("accounts")
        household.bps[customer.bp] = None
        for account in objects("customer.accounts", accounts):
            if bp := bare_number_or_none(account.get("bpNumber")):
                household.bps[bp] = None
        yield from self.customer(job, customer, data)
        yield from self._go_on(job)

    def customer(self, job: Job, customer: Customer, data: dict[str, Any]) -> Iterable[Any]:
        """Return what is stored of the person, and the requests that need no contract."""
        return ()

    def _go_on(self, job: Job) -> Iterator[Any]:
        """Ask for the next thing that leads to contracts; once there is none, go on with what was found."""
        household = self.households[job.id]
        go_on = partial(self._go_on, job)
        wanted = job.target.contract
        if (bp := next((each for each in household.bps if each not in household.asked), None)) is not None:
            household.asked.add(bp)
            yield self.ask(job, api.CONTRACTS, partial(self._contracts, bp), otherwise=go_on, bp=bp)
        elif not household.has_masa and (self.needs_masa or wanted is None or wanted not in household.contracts):
            household.has_masa = True
            yield self.ask(job, api.MASA_CONTRACTS, self._seen, otherwise=go_on)
        elif (contract := next((c for c in household.connections if c not in household.contracts), None)) is not None:
            is_shared = household.connections.pop(contract)
            yield self.ask(job, api.CONTRACT, partial(self._one, is_shared), otherwise=go_on, contract=contract)
        else:
            yield from self._found(job, list(household.contracts.values()))

    def _contracts(self, bp: str, job: Job, data: Any) -> Iterator[Any]:
        known = {"username": job.target.person, "bp": bp}
        rows = data.get("contracts") if isinstance(data, dict) else data
        for contract in Contract.read_all(job.id, "contracts", rows, **known):
            self.households[job.id].contracts.setdefault(contract.contract, contract)
        yield from self._go_on(job)

    def _seen(self, job: Job, data: Any) -> Iterator[Any]:
        """Read the business partners and contracts that the person sees at the customer-works portal."""
        household = self.households[job.id]
        for account in objects("profile.accounts", data.get("accounts")):
            if bp := bare_number_or_none(account.get("accountNumber")):
                household.bps[bp] = None
        name = "connectionBetweenContactAndContract"
        for connection in objects(f"profile.{name}", data.get(name)):
            contract = connection.get("contract") or {}
            number = bare_number_or_none(contract.get("contractAccNumberInShoval"))
            if number and contract.get("site"):  # without a site nothing is connected
                household.connections[number] = connection.get("partConnectionCode") != OWN
        yield from self.seen(job, data)
        yield from self._go_on(job)

    def seen(self, job: Job, data: dict[str, Any]) -> Iterable[Any]:
        """Return what is stored of what the person sees."""
        return ()

    def _one(self, is_shared: bool, job: Job, data: Any) -> Iterator[Any]:
        customer = data.get("customer") if isinstance(data.get("customer"), dict) else {}
        bp = bare_number_or_none(customer.get("bpNumber"))
        if bp is None:
            raise PortalChanged("customer.bpNumber is missing.")
        known = {"username": job.target.person, "bp": bp, "is_shared": is_shared}
        contract = Contract.read(job.id, "contract", data.get("contract"), **known)
        self.households[job.id].contracts.setdefault(contract.contract, contract)
        yield from self._go_on(job)

    def _found(self, job: Job, contracts: list[Contract]) -> Iterator[Any]:
        wanted = job.target.contract
        if wanted is not None:
            if wanted not in self.households[job.id].contracts:
                if job.failures:
                    return  # it may be behind what could not be asked
                shown = ", ".join(each.contract for each in contracts) or "none"
                job.fail(WrongAccount(f"There is no contract {wanted}; there are: {shown}.", step="find the contract"))
                return
            chosen = [each for each in contracts if each.contract == wanted]
        else:
            chosen = [each for each in contracts if each.is_active]
            if not contracts:
                job.warn("The person has no contract.")
        yield Listing(job=job.id, keys=())  # the list was read, even if it is empty
        yield from self.found(job, contracts, chosen)

    def found(self, job: Job, contracts: list[Contract], chosen: list[Contract]) -> Iterator[Any]:
        """Yield what is brought: *contracts* are all that there are, *chosen* those that are active or named."""
        for contract in chosen:
            yield from self.contract(job, contract)

    def contract(self, job: Job, contract: Contract) -> Iterable[Any]:
        """Return the requests for what hangs at one contract."""
        return ()


def objects(name: str, value: Any) -> list[dict[str, Any]]:
    """Return a list of objects; None is an empty one. Raises PortalChanged with its name for anything else."""
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise PortalChanged(f"{name} is no list of objects.")
    return value


def object_of(name: str, value: Any) -> dict[str, Any]:
    """Return an object; raises PortalChanged with its name for anything else."""
    if not isinstance(value, dict):
        raise PortalChanged(f"{name} is no object.")
    return value
