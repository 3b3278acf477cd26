"""The bases of the company's spiders: requests of endpoints, and finding the contracts of a person."""

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
Read = Callable[[Job, Any], Any]  # callback of an endpoint's data; yields items and requests
Otherwise = Callable[[], Any]  # yields the job's next requests after a recorded failure
Refused = Callable[[IECError], Failure | None]


class IecSpider(ElectricitySpider):
    """Base of the company's spiders: `ask` requests an endpoint."""

    portal = "iec"
    logins: ClassVar[tuple[type[Login], ...]] = (IecLogin,)
    # Keys of the company's answers with personal data.
    private: ClassVar[frozenset[str]] = frozenset(
        """
        accountName accountNumber address addressId bp bpNumber city cityCode cityName companyId email emailAddress fax
        firstName fullAddress governmentid governmentId governmentNumber houseNumber idNumber lastName mobilePhone name
        noteDescription partner phoneNumber phonePrefix siteKeyDesc sms street streetCode streetName streetStr telephone
        x y
        """.split()
    )
    custom_settings = {
        "REQUESTS_IN_FLIGHT": 3,  # to one host; the limit of its best known client, with no refusal known
        "DOWNLOAD_TIMEOUT": 60,  # the time-out of the company's own app
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

        parts: values for its path and query. otherwise: called after a failure, which is recorded in any case, and yields
        the job's next requests. refused: maps an error of the company's to a failure, or to None when it only means that
        there is no data. stream: media types of a file. once: the request is not retried.
        """
        sent: dict[str, Any] = {} if body is None else {"body": json.dumps(body)}
        request = self.request(
            job,
            endpoint.url(**parts),
            partial(self._read, endpoint, callback, otherwise, refused),
            method=endpoint.method,
            headers=endpoint.headers,
            dont_filter=True,  # one address is requested with different bodies
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
    """The data of a person that a job has found so far."""

    bps: dict[str, None] = field(default_factory=dict)  # business partners, in the order found
    asked: set[str] = field(default_factory=set)
    connections: dict[str, bool] = field(default_factory=dict)  # contracts that the person sees: whether each is shared
    contracts: dict[str, Contract] = field(default_factory=dict)
    has_masa: bool = False  # the customer-works portal was requested


class ContractsSpider(IecSpider):
    """Base of the spiders that read data of each contract."""

    Arguments = ContractArguments
    needs_masa: ClassVar[bool] = False  # request the customer-works portal even when all contracts are known

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.households: dict[int, Household] = {}

    async def requests(self, job: Job) -> AsyncIterator[Any]:
        """Request the customer."""
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
        """Return the items of the person, and requests that need no contract."""
        return ()

    def _go_on(self, job: Job) -> Iterator[Any]:
        """Yield the next request that may lead to contracts; when there is none, process the contracts found."""
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
            if number and contract.get("site"):  # without a site there is no connection
                household.connections[number] = connection.get("partConnectionCode") != OWN
        yield from self.seen(job, data)
        yield from self._go_on(job)

    def seen(self, job: Job, data: dict[str, Any]) -> Iterable[Any]:
        """Return the items of the profile at the customer-works portal."""
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
                    return  # it may be in the answer of a request that failed
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
        """Yield items and requests: *contracts* are all of the person's, *chosen* the active ones or the named one."""
        for contract in chosen:
            yield from self.contract(job, contract)

    def contract(self, job: Job, contract: Contract) -> Iterable[Any]:
        """Return the requests for one contract's data."""
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
