"""The company's main API: customers, contracts, meters, invoices, outages."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from aiohttp import web

from sandbox import files
from sandbox.faults import cut_short
from sandbox.iec import billing, meters, places
from sandbox.iec.billing import UNSET_TIME
from sandbox.iec.call import NO_CONTRACT, NOT_ALLOWED, NOT_YOURS, WRONG, ApiError, Call, Endpoint, envelope, error
from sandbox.iec.okta import as_json, page
from sandbox.iec.people import Contract, Customer, entity

MAIN = ""
OLDEST_INVOICE_DAYS = 122
SERVICES = {1: "הודעה על חשבון", 4: "הפסקה מתוכננת", 7: "תזכורת לתשלום"}
KINDS = ("Consumption", "BackStream")
MAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


def customer(call: Call) -> Any:
    """I1: who is signed in."""
    return person(call.customer, with_last_name=True)


def person(who: Customer, with_last_name: bool) -> dict[str, Any]:
    """Return a customer; the answer for telephones names its accounts otherwise."""
    main = next((contract.number for contract in who.contracts if not contract.shared), "")
    accounts = [
        {
            "mainContractId": main,
            "mainContractIdType": 1,
            "companyId": who.number,
            **({"lastName": who.last_name} if with_last_name else {"name": who.first_name}),
            "bpNumber": bp,
            "bpType": 1,
            "isActiveAccount": place == 0,
            "customerRole": 0,
            "accountType": 1,
        }
        for place, bp in enumerate(who.partners)
    ]
    return {
        "bpNumber": who.partners[0],
        "idType": 1,
        "accounts": accounts,
        "customerStatus": 1,
        "idNumber": who.number,
        "firstName": who.first_name,
        **({"lastName": who.last_name} if with_last_name else {}),
        "mobilePhone": who.mobile,
        "email": who.mail,
    }


def customer_mobile(call: Call) -> Any:
    """I2: a contract and its owner, also of one that is shared."""
    contract = call.contract()
    owner = call.customer.sharer if contract.shared else call.customer
    told = person(owner, with_last_name=False) | {"bpNumber": contract.bp.lstrip("0"), "accounts": []}
    if not contract.shared:
        told |= {"accounts": person(owner, with_last_name=False)["accounts"], "lastName": owner.last_name}
    return {"customer": told, "contract": contract_row(call, contract) | {"contractId": contract.number} | MOBILE}


MOBILE = {"frequency": 0, "status": 0, "producerType": 0}  # whatever the contract is


def accounts(call: Call) -> Any:
    """I3: accounts, with the UUIDs that outages and equipment go by."""
    who = call.customer
    rows = [
        {
            "accountNumber": bp,
            "accountType": 279830000,
            "id": who.account(bp),
            "email": None,
            "telephone": None,
            "governmentNumber": who.number,
            "name": who.first_name,
            "viewTypeCode": 1,
        }
        for bp in who.partners
    ]
    return envelope(rows, "0")


def contract_row(call: Call, contract: Contract) -> dict[str, Any]:
    """Return a contract as the list has it."""
    due = 0.0 if contract.shared else sum(one.unpaid for one in billing.invoices(contract, call.today))
    newest = billing.invoices(contract, call.today)[0]
    return {
        "address": f"{contract.address}, {places.CITY}",
        "contractId": contract.padded,
        "dueDate": newest.due.isoformat() if due else "1900-01-01",
        "totalDebt": due,
        "frequency": 2,
        "status": contract.status,
        "fromPativteProducer": False,
        "cityCode": places.CITY_CODE.zfill(12),
        "cityName": places.CITY,
        "streetCode": contract.number[-5:].zfill(12),
        "streetName": contract.street,
        "houseNumber": contract.house,
        "debtForInvoicesDueDateNotPassed": due if newest.due >= call.today else 0.0,
        "isTouz": False,
        "smartMeter": contract.smart,
        "producerType": 2 if contract.meter in ("both-ways", "solar") else 1,
        "isDomestic": True,
    }


def contracts(call: Call) -> Any:
    """I4: a partner's own contracts, former ones too."""
    bp = call.partner()
    own = [contract for contract in call.customer.contracts if contract.bp == bp and not contract.shared]
    rows = [contract_row(call, contract) for contract in own]
    total = round(sum(row["totalDebt"] for row in rows), 2)
    wanted = call.request.query.get("contractNumber", "")
    if wanted:
        rows = [row for row in rows if wanted.isdecimal() and int(row["contractId"]) == int(wanted)]
    count = call.request.query.get("count", "")
    rows = rows[: int(count)] if count.isdecimal() else rows
    return envelope({"contracts": rows, "contractAmount": len(rows), "totalToPay": total}, "0")


def contract_check(call: Call) -> Any:
    """I5: a contract, its meter and where it is."""
    contract = call.contract()
    if call.part("kind") not in ("4", "6"):
        raise ApiError(400, "Check type is not supported")
    return envelope(
        {
            "contractNumber": contract.number,
            "deviceNumber": contract.serial,
            "bpKind": "0001",
            "bp": contract.bp.lstrip("0"),
            "address": contract.address,
            "city": places.CITY,
            "cityCode": places.CITY_CODE.zfill(12),
            "streetCode": contract.number[-5:].zfill(12),
            "houseNumber": contract.house,
            "bpType": "01",
            "isPrivate": "",
            "hasDirectDebit": False,
            "isMatam": False,
            "frequency": 2,
        }
    )


def notices(call: Call) -> Any:
    """I6: to which notices a contract subscribes."""
    contract = call.contract(call.body.get("contractNumber"))
    if call.body.get("processType") != 1:
        raise ApiError(500, WRONG)
    service = call.body.get("serviceCode")
    if service is not None and not (isinstance(service, str) and re.fullmatch(r"EFS\d{3}", service)):
        raise ApiError(500, WRONG)
    who = call.customer
    rows = [
        {
            "serviceDescription": words,
            "partner": contract.bp,
            "contractNumber": contract.padded,
            "service": f"EFS{number:03d}",
            "subscribeDate": "2024-06-30T00:00:00",
            "subscribeTime": "0001-01-01T09:30:00",
            "isActive": number != 7,
            "bpSubscription": False,
            "isSms": number != 1,
            "communicationMethod": 2 if number == 1 else 1,
            "email": who.mail if number == 1 else "",
            "sms": who.mobile if number != 1 else "",
            "fax": "0000000000",
            "unsubscribeDate": "2025-02-01T00:00:00" if number == 7 else UNSET_TIME,
            "registrationStatus": 0,
        }
        for number, words in SERVICES.items()
        if service in (None, "EFS000", f"EFS{number:03d}")
    ]
    return envelope(rows, "300")


def last_reading(call: Call) -> Any:
    """I7: what a meter showed lately, in no order."""
    contract = call.contract_of()
    rows = [
        {
            "reading": float(billing.meter_reading(contract, one.last)),
            "readingCode": "01",
            "readingDate": UNSET_TIME if one.place == 4 else f"{one.last}T00:00:00",
            "usage": str(one.consumption),
            "serialNumber": None if one.place == 1 else contract.serial.zfill(18),
            "noteDescription": "",
        }
        for one in billing.invoices(contract, call.today)[:4]
    ]
    meter = {
        "meterReadings": [rows[1], rows[0], *rows[2:]],
        "serialNumber": contract.serial.zfill(18),
        "materialNumber": contract.code.zfill(18),
        "registerNumber": "001",
    }
    return envelope({"contractAccount": contract.number, "lastMeters": [meter]})


def devices(call: Call) -> Any:
    """I8: a contract's meters."""
    contract = call.contract()
    return [
        {
            "isActive": not contract.closed,
            "deviceType": 3 if contract.smart else 0,
            "deviceNumber": contract.serial,
            "deviceCode": contract.code,
            "reportResultStatus": 0,
            "disconnectReason": "",
            "isDisconnected": False,
            "isElectronic": contract.smart,
        }
    ]


def _meter(call: Call, contract: Contract) -> Contract:
    if call.device() != contract.serial:
        raise ApiError(400, "Device is not associated with the contract")
    return contract


def device(call: Call) -> Any:
    """I9: a meter and its connection; not for photovoltaic meters."""
    contract = _meter(call, call.contract())
    if contract.meter == "solar":
        refused = {"counterDevices": None, "mrType": ""}
        return envelope(refused, "08", "No authorization for this product: PV Product", success=False)
    newest = billing.invoices(contract, call.today)[0]
    size = {"size": 40, "phase": 3, "representativeConnectionSize": "3X40"}
    flat = {"size": 25, "phase": 1, "representativeConnectionSize": "25"}
    counter = {
        "device": contract.serial.zfill(18),
        "register": "001",
        "lastMR": str(billing.meter_reading(contract, newest.last)).zfill(17),
        "lastMRDate": newest.last.isoformat(),
        "lastMRType": "01",
        "lastMRTypeDesc": "קריאה",
        "lastMrTypeCode": 1,
        "deviceDigitLength": 6,
        "connectionSize": size if contract.smart else flat,
    }
    return envelope({"counterDevices": [counter], "mrType": "01"}, description=None)


def device_type(call: Call) -> Any:
    """I10: of which kind a contract's meter is."""
    contract = call.contract_of()
    return envelope(
        {
            "deviceNumber": contract.serial,
            "deviceBalance": None,
            "deviceType": 3 if contract.smart else 0,
            "isActive": not contract.closed,
            "numberOfDevices": 1,
            "isElectronic": contract.smart,
            "disconnectReason": "",
            "isDisconnected": False,
            "estimatedDaysByWeek": None,
            "averageUsageCostByWeek": None,
            "estimatedDaysByMonth": None,
            "averageUsageCostByMonth": None,
            "balanceTime": None,
            "balanceDate": None,
        }
    )


def identity(call: Call) -> Any:
    """I11: the meters with a number; here always two, one of them another customer's."""
    contract = next((one for one in call.customer.contracts if one.serial == call.device()), None)
    if contract is None:
        return envelope(None, "25", "לא נמצא מונה", success=False)
    newest = billing.invoices(contract, call.today)[0]
    row = {
        "deviceNumber": contract.serial,
        "deviceCode": contract.code,
        "address": contract.address,
        "lastReadingValue": str(billing.meter_reading(contract, newest.last)),
        "lastReadingType": "01",
        "lastReadingDate": f"{newest.last}T00:00:00",
    }
    other = row | {"deviceCode": "440", "address": "רחוב אחר 1", "lastReadingValue": "17"}
    return envelope(
        {"devicesDetails": [other, row], "lastDate": UNSET_TIME, "privateProducer": False}, "26", "לא חד ערכי"
    )


def device_in(call: Call) -> Any:
    """I12: meters with their kind, for callers that have passed a captcha."""
    contract = call.contract()
    shown = [call.request.headers.get(name) for name in ("RecaptchaToken", "RecaptchToken")]
    if call.portal.configuration["captcha_token"] not in shown:
        call.portal.counters.add("captchas_shown")
        raise ApiError(403, "Recaptcha validation failed")
    kinds = {"both-ways": ["צריכה", "דו כיווני"], "solar": ["BackStream"]}.get(contract.meter, ["Consumption"])
    rows = [
        {
            "isActive": not contract.closed,
            "deviceType": 3 if contract.smart else 0,
            "deviceNumber": contract.serial,
            "deviceCode": contract.code,
            "meterKind": kind,
        }
        for kind in kinds
    ]
    return {"status": 0, "isActive": not contract.closed, "devices": rows}


def remote_reading(call: Call) -> Any:
    """I13: what a smart meter counted."""
    body = call.body
    if "contractNumber" not in body:
        raise ApiError(400, NO_CONTRACT)
    contract = call.contract()
    if call.contract(body["contractNumber"]) != contract:
        raise ApiError(401, NOT_YOURS)
    asked, resolution, listed = call.day("fromDate"), body.get("resolution"), body.get("smartMetersList")
    if type(resolution) is not int or resolution not in (meters.DAILY, meters.WEEKLY, meters.MONTHLY):
        raise ApiError(500, WRONG)
    if not isinstance(listed, list) or not listed or not all(_sound(meter) for meter in listed):
        raise ApiError(500, WRONG)
    if (call.today - call.day("lastInvoiceDate")).days > OLDEST_INVOICE_DAYS:
        call.portal.counters.add("invoice_dates_too_old")
        raise ApiError(400, f"Last Invoice date older than {OLDEST_INVOICE_DAYS}")
    call.portal.counters.add_to("readings_asked", f"{contract.number} {asked} {resolution}")
    return meters.remote_reading(contract, call.view, first_day(call.today), asked, resolution, listed)


def first_day(today: date) -> date:
    """Return since when meters tell: the first of a month, two years back."""
    return today.replace(year=today.year - 2, day=1)


def _sound(meter: object) -> bool:
    if not isinstance(meter, Mapping) or meter.get("meterKind") not in KINDS:
        return False
    return all(isinstance(meter.get(name), str) and meter[name].isdecimal() for name in ("meterCode", "meterSerial"))


def send_report(call: Call) -> Any:
    """I14: have a report sent by mail."""
    contract = call.contract()
    given = (call.text("meterSerial").lstrip("0"), call.text("meterCode"))
    if not MAIL.fullmatch(call.text("emailAddress")) or given != (contract.serial.lstrip("0"), contract.code):
        raise ApiError(500, WRONG)
    call.portal.counters.add("reports_mailed")
    return True


def electric_bill(call: Call) -> Any:
    """I15: what is due."""
    contract = call.contract_of()
    due = [one for one in billing.invoices(contract, call.today) if one.unpaid > 0]
    told = {
        "totalAmountToPay": round(sum(one.unpaid for one in due), 2),
        "totalInvoicesToPay": len(due),
        "lastDateToPay": f"{due[0].due:%d/%m/%Y}" if due else None,
        "invoices": [one.as_json() for one in due],
    }
    return envelope(told, None, None)


def invoices(call: Call) -> Any:
    """I16: a contract's invoices."""
    contract = call.contract_of()
    rows = billing.listed(contract, call.today)
    if call.request.query.get("onlyOpen") == "true":
        rows = [row for row in rows if row["amountToPay"] > 0]
    if call.caller.says("unsorted"):
        rows = [*rows[1::2], *rows[::2]]
    return envelope({"property": {"areaId": "0901", "districtId": 9}, "invoices": rows}, "00", "OK")


async def invoice_pdf(call: Call) -> web.StreamResponse:
    """I17: an invoice as a file."""
    number, contract = call.text("invoiceNumber"), call.contract(call.text("contractId"))
    if not call.text("bpNumber").isdecimal() or int(call.text("bpNumber")) != int(contract.bp):
        raise ApiError(401, NOT_ALLOWED)
    if billing.find([contract], number, call.today) is None:
        raise ApiError(400, "Invoice was not found")
    who = call.caller
    if who.says("pdf-html"):
        return page("<h1>Service unavailable</h1>")
    if who.says("pdf-json"):
        return as_json(envelope(None, "42", "החשבון אינו זמין", success=False))
    if who.says("pdf-error"):
        return as_json(error(500, WRONG), status=500)
    size = 0 if who.says("pdf-empty") else int(call.portal.configuration["pdf_bytes"])
    body = files.pdf(f"Invoice {number}", size) if size else b""
    call.portal.counters.add("invoices_served")
    whole = web.Response(body=body, content_type="application/pdf")
    return await cut_short(call.request, whole) if who.says("pdf-truncated") else whole


def outages(call: Call) -> Any:
    """I18: where the power is or was away, by account."""
    bp = call.account(call.part("account"))
    return envelope([outage(call, one) for one in hit(call, bp)], "0")


def hit(call: Call, bp: str) -> list[Contract]:
    """Return the contracts of a partner that an outage has hit: the first one."""
    own = [one for one in call.customer.contracts if one.bp == bp and not one.shared and not one.closed]
    return own[:1]


def outage(call: Call, contract: Contract) -> dict[str, Any]:
    """Return a contract's outage: three days ago, repaired after thirteen hours."""
    day = call.today - timedelta(days=3)
    disconnect = {
        "disconnectKey": f"KEY{contract.number}",
        "disconnectType": {"displayName": "תקלה", "code": 1, "id": entity("fault")},
        "disconnectTreatmentState": {
            "displayName": "בטיפול",
            "code": "6",
            "isConnectIndicationBit": False,
            "id": entity("treatment"),
        },
        "id": entity(f"disconnect {contract.number} {day}"),
        "estimateTreatmentDate": None,
        "energizedDate": f"{day + timedelta(days=1)}T11:00:00Z",
    }
    address = {
        "region": {"name": places.REGION, "id": entity("region")},
        "area": {"name": places.AREA, "id": entity("area")},
        "street": contract.street,
        "houseNumber": contract.house,
        "city": places.city_of_address(),
        "id": entity(f"address {contract.number}"),
    }
    told = {"disconnectDate": f"{day}T22:00:00Z", "disconnect": disconnect, "disconnectType": 1}
    site = {"contractNumber": contract.number, "address": address, "id": entity(f"site {contract.number}")}
    return {"transactionsInfo": [told], "site": site | {"x": None, "y": None}}


def social_discount(call: Call) -> Any:
    """I19: whether a partner pays less."""
    bp = call.partner()
    own = next((one for one in call.customer.contracts if one.bp == bp), None)
    return {
        "discountExists": False,
        "discountStatusCode": 99,
        "contractNumber": own.number if own else None,
        "discountStartDate": UNSET_TIME,
        "discountEndDate": UNSET_TIME,
    }


def time_of_use(call: Call) -> Any:
    """I20: whether a contract could have prices by the hour."""
    contract = call.contract_of()
    return {"status": 1 if contract.smart else 2, "isCompatible": contract.smart}


def mobility(call: Call) -> Any:
    """I21: whether a change of the supplier was asked for."""
    _meter(call, call.contract())
    return envelope({"isMobilityRequestExist": False, "isMobilityInRange": False})


ENDPOINTS = (
    Endpoint("I1", MAIN, "GET", "/api/customer", customer),
    Endpoint("I2", MAIN, "GET", "/api/customer/mobile/{contract}", customer_mobile),
    Endpoint("I3", MAIN, "GET", "/api/outages/accounts", accounts),
    Endpoint("I4", MAIN, "GET", "/api/customer/contract/{bp}", contracts),
    Endpoint("I5", MAIN, "GET", "/api/customer/checkContract/{contract}/{kind}", contract_check),
    Endpoint("I6", MAIN, "POST", "/api/customer/efs", notices),
    Endpoint("I7", MAIN, "GET", "/api/Device/LastMeterReading/{contract}/{bp}", last_reading),
    Endpoint("I10", MAIN, "GET", "/api/Device/type/{bp}/{contract}/false", device_type),
    Endpoint("I8", MAIN, "GET", "/api/Device/{contract}", devices),
    Endpoint("I9", MAIN, "GET", "/api/Device/{contract}/{device}", device),
    Endpoint("I11", MAIN, "GET", "/api/Tenant/Identify/{device}", identity),
    Endpoint("I12", MAIN, "GET", "/api/DeviceIn/{contract}", device_in),
    Endpoint("I13", MAIN, "POST", "/api/Consumption/RemoteReadingRange/{contract}", remote_reading),
    Endpoint("I14", MAIN, "POST", "/api/Consumption/SendConsumptionReportToMail/{contract}", send_report),
    Endpoint("I15", MAIN, "GET", "/api/ElectricBillsDrawers/ElectricBills/{contract}/{bp}", electric_bill),
    Endpoint("I16", MAIN, "GET", "/api/BillingCollection/invoices/{contract}/{bp}", invoices),
    Endpoint("I17", MAIN, "POST", "/api/BillingCollection/pdf", invoice_pdf),
    Endpoint("I18", MAIN, "GET", "/api/outages/transactions/{account}/2", outages),
    Endpoint("I19", MAIN, "GET", "/api/SocialDiscount/{bp}", social_discount),
    Endpoint("I20", MAIN, "GET", "/api/calculator/touz/{contract}/{bp}/compatible", time_of_use),
    Endpoint("I21", MAIN, "GET", "/api/Mobility/{contract}/{device}", mobility),
)
