"""The customer, the contracts, and the data of each contract and its meters."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

from pydantic import Field
from sqlalchemy.orm import Session

from scrapers.core.jobs import Job
from scrapers.core.outcomes import Failure
from scrapers.families.electricity.items import (
    Account,
    Check,
    Contract,
    Counter,
    Customer,
    Device,
    DeviceIdentity,
    DeviceKind,
    Discount,
    MainMeter,
    Mobility,
    Notice,
    OutageAccount,
    TimeOfUse,
)
from scrapers.families.electricity.spiders import ContractArguments
from scrapers.portals.iec import api
from scrapers.portals.iec.customer import ContractsSpider, object_of, objects
from scrapers.portals.iec.errors import CaptchaWanted, IECError
from scrapers.reading.values.texts import bare_number_or_none

NO_SUCH_PRODUCT = "08"  # code of the error about the registers of a photovoltaic meter
ALL_NOTICES = 1  # processType of a request for all services


class AccountArguments(ContractArguments):
    """Arguments of iec_account."""

    device_in: bool = Field(
        False, description="yes: ask for the kinds of meters, too; without a captcha it is refused."
    )


class IecAccount(ContractsSpider):
    """
    Portal
      Israel Electric Company, the customer's own data (https://iecapi.iec.co.il/api/customer).
    Caveats
      Details are read of active contracts only; a closed one is listed with its status, and read when it is named. Names,
      ID numbers, addresses, telephones and mailboxes are not kept. `-a device_in=yes` ends in captcha_shown: since 2026
      the company answers that request only to its own app.
    """

    name = "iec_account"
    report_type = "account"
    keeps_files = False
    Arguments = AccountArguments

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.people: dict[int, tuple[Customer, list[Account]]] = {}

    def customer(self, job: Job, customer: Customer, data: dict[str, Any]) -> Iterable[Any]:
        """Hold the person's record back until the requested contract is found to be theirs."""
        person = job.target.person
        accounts = Account.read_all(job.id, "customer.accounts", data.get("accounts"), username=person)
        self.people[job.id] = customer, accounts
        return ()

    def conclude(self, session: Session, job: Job, failure: Failure | None) -> None:
        """Mark contracts that are no longer listed."""
        if failure is None and not job.target.contract:
            self.mark_gone(session, job, Contract)

    def found(self, job: Job, contracts: list[Contract], chosen: list[Contract]) -> Iterator[Any]:
        """Yield the person and all contracts, and the requests for the chosen ones."""
        customer, accounts = self.people[job.id]
        yield from self.stored(job, Customer, [customer])
        yield from self.stored(job, Account, accounts)
        yield from self.stored(job, Contract, chosen if job.target.contract else contracts)
        yield self.ask(job, api.ACCOUNTS, self._accounts)
        # Discounts of a shared contract are shown to its owner only.
        for bp in dict.fromkeys([customer.bp, *(each.bp for each in chosen if not each.is_shared)]):
            yield self.ask(job, api.SOCIAL_DISCOUNT, partial(self._discount, bp), bp=bp)
        yield from super().found(job, contracts, chosen)

    def contract(self, job: Job, contract: Contract) -> Iterator[Any]:
        """Yield the requests for a contract's data."""
        of: dict[str, Any] = {"contract": contract.contract, "bp": contract.bp}
        yield self.ask(job, api.CONTRACT_CHECK, partial(self._check, of["contract"]), **of)
        body = {"contractNumber": contract.contract, "processType": ALL_NOTICES}
        yield self.ask(job, api.NOTICES, partial(self._notices, of["contract"]), body=body)
        yield self.ask(job, api.DEVICES, partial(self._devices, of["contract"]), **of)
        yield self.ask(job, api.DEVICE_TYPE, partial(self._main_meter, of["contract"]), **of)
        yield self.ask(job, api.TIME_OF_USE, partial(self._time_of_use, of["contract"]), **of)
        if self.arguments.device_in:
            yield self.ask(job, api.METER_KINDS, partial(self._kinds, of["contract"]), refused=captcha, **of)

    def _accounts(self, job: Job, data: Any) -> Iterator[Any]:
        accounts = OutageAccount.read_all(job.id, "accounts", data, username=job.target.person)
        yield from self.stored(job, OutageAccount, accounts)

    def _discount(self, bp: str, job: Job, data: Any) -> Iterator[Any]:
        yield from self.stored(job, Discount, [Discount.read(job.id, "social discount", data, bp=bp)])

    def _check(self, contract: str, job: Job, data: Any) -> Iterator[Any]:
        if data is not None:
            yield from self.stored(job, Check, [Check.read(job.id, "contract check", data, contract=contract)])

    def _notices(self, contract: str, job: Job, data: Any) -> Iterator[Any]:
        notices = [
            Notice.of(job.id, contract, f"notices[{at}]", each) for at, each in enumerate(objects("notices", data))
        ]
        yield from self.stored(job, Notice, notices)

    def _main_meter(self, contract: str, job: Job, data: Any) -> Iterator[Any]:
        if data is not None:
            yield from self.stored(job, MainMeter, [MainMeter.of(job.id, contract, data)])

    def _time_of_use(self, contract: str, job: Job, data: Any) -> Iterator[Any]:
        yield from self.stored(job, TimeOfUse, [TimeOfUse.read(job.id, "touz", data, contract=contract)])

    def _devices(self, contract: str, job: Job, data: Any) -> Iterator[Any]:
        """Read the meters, and yield the requests for each that has a number."""
        numbered = [each for each in objects("devices", data) if bare_number_or_none(each.get("deviceNumber"))]
        devices = Device.read_all(job.id, "devices", numbered, contract=contract)
        yield from self.stored(job, Device, devices)
        if len(numbered) < len(data):
            job.warn(f"{len(data) - len(numbered)} meters of a contract have no number.")
        for device in devices:
            of: dict[str, Any] = {"contract": contract, "device": device.meter}
            yield self.ask(job, api.DEVICE_COUNTERS, partial(self._counters, contract), refused=no_such_product, **of)
            yield self.ask(job, api.METER_IDENTITY, partial(self._identity, device), **of)
            yield self.ask(job, api.MOBILITY, partial(self._mobility, device), **of)

    def _counters(self, contract: str, job: Job, data: Any) -> Iterator[Any]:
        rows = None if data is None else object_of("device", data).get("counterDevices")
        yield from self.stored(job, Counter, Counter.read_all(job.id, "device.counterDevices", rows, contract=contract))

    def _identity(self, device: Device, job: Job, data: Any) -> Iterator[Any]:
        """Pick the meter by its code: several may have the same number."""
        data = {} if data is None else object_of("device identity", data)
        rows = objects("device identity.devicesDetails", data.get("devicesDetails"))
        same = [each for each in rows if str(each.get("deviceCode") or "") == device.meter_code]
        known = device.model_dump(include={"contract", "meter", "meter_code"})
        known["is_private_producer"] = data.get("privateProducer")
        found = same or (rows if len(rows) == 1 else [])
        yield from self.stored(
            job, DeviceIdentity, DeviceIdentity.read_all(job.id, "device identity.devicesDetails", found[:1], **known)
        )

    def _mobility(self, device: Device, job: Job, data: Any) -> Iterator[Any]:
        known = device.model_dump(include={"contract", "meter", "meter_code"})
        if data is not None:
            yield from self.stored(job, Mobility, [Mobility.read(job.id, "mobility", data, **known)])

    def _kinds(self, contract: str, job: Job, data: Any) -> Iterator[Any]:
        rows = object_of("device in", data).get("devices")
        yield from self.stored(
            job, DeviceKind, DeviceKind.read_all(job.id, "device in.devices", rows, contract=contract)
        )


def no_such_product(error: IECError) -> Failure | None:
    """Return None for the error about a photovoltaic meter, which has no registers; any other error is returned."""
    return None if str(error.error_code) == NO_SUCH_PRODUCT else error


def captcha(error: IECError) -> Failure:
    """Return CaptchaWanted for an error of the kinds of meters, which need a captcha."""
    return CaptchaWanted(error.error_code, error.error)
