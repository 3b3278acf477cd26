"""Actions that change something at the company. The spiders here have no name, so `crawl` cannot run them; commands do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any, ClassVar

from pydantic import Field

from scrapers.core.jobs import Job
from scrapers.core.outcomes import WrongAccount
from scrapers.families.electricity.items import Contract, Device
from scrapers.families.electricity.spiders import ContractArguments
from scrapers.portals.iec import api
from scrapers.portals.iec.customer import ContractsSpider, objects
from scrapers.portals.iec.errors import AnswerUnexpected, IECError
from scrapers.reading.values.texts import bare_number_or_none

CONNECTIONS = "connectionBetweenContactAndContract"


class ActionArguments(ContractArguments):
    """Arguments of an action."""

    email: str = Field("", description="Mailbox that the report goes to.")
    meter: str | None = Field(None, description="Serial number of the meter, where the contract has several.")
    connection: str = Field("", description="Id of the connection that is removed.")


class Action(ContractsSpider):
    """Base of the actions: finds the contract like every spider; the company's answer is the job's result."""

    Arguments = ActionArguments
    keeps_files = False
    needs_masa = True

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.profile: dict[str, Any] = {}

    def seen(self, job: Job, data: dict[str, Any]) -> Iterable[Any]:
        """Keep the profile of the customer-works portal."""
        self.profile = data
        return ()

    def masa_contract(self, contract: Contract) -> str:
        """Return the id that the contract has at the customer-works portal; raise WrongAccount when it has none."""
        for connection in objects(CONNECTIONS, self.profile.get(CONNECTIONS)):
            of = connection.get("contract") or {}
            if bare_number_or_none(of.get("contractAccNumberInShoval")) == contract.contract and of.get("id"):
                return str(of["id"])
        raise WrongAccount(f"The customer-works portal does not know contract {contract.contract}.")

    def done(self, job: Job, data: Any) -> Iterable[Any]:
        """Set the job's result to the answer."""
        job.result = {"answer": data}
        return ()


class SendReport(Action):
    """I14: have the consumption report of a contract's meter mailed."""

    report_type = "send_report"
    needs_masa: ClassVar[bool] = False

    def contract(self, job: Job, contract: Contract) -> Iterator[Any]:
        yield self.ask(job, api.DEVICES, partial(self._devices, contract), contract=contract.contract)

    def _devices(self, contract: Contract, job: Job, data: Any) -> Iterator[Any]:
        numbered = [each for each in objects("devices", data) if bare_number_or_none(each.get("deviceNumber"))]
        devices = Device.read_all(job.id, "devices", numbered, contract=contract.contract)
        wanted = bare_number_or_none(self.arguments.meter)
        found = [each for each in devices if each.meter == wanted] if wanted else devices
        found = [each for each in found if each.is_active] or found
        if not found or (len(found) > 1 and not wanted):
            shown = ", ".join(each.meter for each in devices) or "none"
            raise WrongAccount(f"Say which meter, with --meter; the contract has: {shown}.")
        body = {"emailAddress": self.arguments.email, "meterCode": found[0].meter_code, "meterSerial": found[0].meter}
        yield self.ask(job, api.SEND_CONSUMPTION_REPORT, self._sent, body=body, once=True, contract=contract.contract)

    def _sent(self, job: Job, data: Any) -> Iterable[Any]:
        if data is False:
            raise IECError("false", "the company does not send the report")
        if data is not True:
            raise AnswerUnexpected(200, "neither true nor false")
        return self.done(job, data)


class Invite(Action):
    """M6: create the link that gives another person access to a contract."""

    report_type = "invite"

    def contract(self, job: Job, contract: Contract) -> Iterator[Any]:
        body = {"contact": {"id": self.profile.get("id")}, "contract": {"id": self.masa_contract(contract)}}
        yield self.ask(job, api.MASA_CREATE_CONNECTION, self._link, body=body, once=True)

    def _link(self, job: Job, data: Any) -> Iterable[Any]:
        if not isinstance(data, str) or not data.strip():
            raise AnswerUnexpected(201, "no link")
        return self.done(job, data.strip())


class RemoveShared(Action):
    """M5: end another person's access to a contract."""

    report_type = "remove_shared"

    def contract(self, job: Job, contract: Contract) -> Iterator[Any]:
        masa_contract = self.masa_contract(contract)
        parts: dict[str, Any] = {"profile": self.profile.get("id"), "masa_contract": masa_contract}
        yield self.ask(job, api.MASA_CONNECTIONS, partial(self._shared, masa_contract), **parts)

    def _shared(self, masa_contract: str, job: Job, data: Any) -> Iterator[Any]:
        """Remove the named connection; raise WrongAccount unless it is another person's."""
        own = str(self.profile.get("id")).lower()
        shared = {
            str(each.get("id")).lower(): str((each.get("contact") or {}).get("id"))
            for each in objects(CONNECTIONS, data.get(CONNECTIONS))
            if str((each.get("contact") or {}).get("id")).lower() != own
        }
        wanted = self.arguments.connection.strip().lower()
        if wanted not in shared:
            raise WrongAccount(
                f"Nobody else sees the contract by that connection; there are: {', '.join(shared) or 'none'}."
            )
        body = {
            "Id": wanted,
            "contact": {"id": shared[wanted]},
            "contract": {"id": masa_contract},
            "primaryContact": {"id": self.profile.get("id")},
        }
        yield self.ask(job, api.MASA_REMOVE_CONNECTION, self.done, body=body, once=True)


def action_spider(kind: type[Action]) -> type[Action]:
    """Return the spider class of an action, with a name."""
    return type(kind.__name__, (kind,), {"name": f"iec_{kind.report_type}"})
