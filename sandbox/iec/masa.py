"""MASA, the company's portal for works at the grid, and the fault portal that is built like it."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from sandbox.iec import account, places
from sandbox.iec.call import NOT_ALLOWED, WRONG, ApiError, Call, Endpoint
from sandbox.iec.people import Contract, Customer, entity

MAIN, WA, FAULTS = "masa", "masa_wa", "faults"
OWN, FRIEND = 1, 2
VIEW = 279830001
SIZES = {"1X25": (279830001, "Z01"), "1X40": (279830002, "Z02"), "3X25": (279830008, "Z08"), "3X40": (279830009, "Z09")}


def cities(call: Call) -> Any:
    """M1: cities with area and region."""
    rows = [
        {
            "area": {"name": places.AREA, "shovalAreaCode": 101, "id": entity("area"), "logicalName": "iec_area"},
            "region": {
                "name": places.REGION,
                "shovalRegionCode": 1,
                "id": entity("region"),
                "logicalName": "iec_region",
            },
            "name": name,
            "shovalCityCode": code,
            "id": places.city_id(name),
            "logicalName": "iec_city",
        }
        for name, code in places.CITIES.items()
    ]
    return {"dataCollection": rows}


def _account(who: Customer, bp: str) -> dict[str, Any]:
    return {
        "name": who.first_name,
        "accountNumber": bp,
        "governmentNumber": who.number,
        "viewTypeCode": 1,
        "identificationType": VIEW,
        "consumptionOrderViewTypeCode": 1,
        "id": who.account(bp),
        "logicalName": "account",
    }


def user_profile(call: Call) -> Any:
    """M2 and F1: who is signed in."""
    who = call.customer
    rows = [_account(who, bp) | {"accountType": 279830000} for bp in who.partners]
    return _profile(who) | {"accounts": [] if who.says("shared") else rows}


def _profile(who: Customer) -> dict[str, Any]:
    return {
        "governmentid": who.number,
        "idType": VIEW,
        "email": who.mail,
        "phoneNumber": who.mobile[3:],
        "phonePrefix": who.mobile[:3],
        "isConnectedToPrivateAccount": bool(who.contracts),
        "isAccountOwner": True,
        "isAccountContact": False,
        "id": who.contact,
        "logicalName": "contact",
    }


def account_profile(call: Call) -> Any:
    """M3: who is signed in, and all contracts, shared ones too. Who has several partners has no accounts here."""
    who = call.customer
    more = {"isRegisteredOnDigitalBit": True, "kindOfAccountCode": 1, "stateCode": 0}
    rows = [] if who.says("shared") else [_account(who, bp) | more for bp in who.partners]
    active = [contract for contract in who.contracts if not contract.closed]
    return _profile(who) | {
        "firstName": who.first_name,
        "lastName": who.last_name,
        "verificationStatus": True,
        "accounts": rows,
        "connectionBetweenContactAndContract": [_connection(who, contract) for contract in active],
    }


def _connection(who: Customer, contract: Contract) -> dict[str, Any]:
    owner = who.sharer if contract.shared else who
    bp_account = _account(owner, contract.bp) | {"stateCode": 0}
    street = {
        "name": contract.street,
        "shovalStreetCode": contract.number[-5:],
        "id": entity(f"street {contract.number}"),
        "logicalName": "iec_street",
    }
    address = {
        "id": entity(f"address {contract.number}"),
        "logicalName": "iec_address",
        "street": street,
        "city": places.city_of_address() | {"cityCode": int(places.CITY_CODE), "logicalName": "iec_city"},
        "houseNumber": contract.house,
    }
    site = {
        "fullAddress": f"{contract.address}, {places.CITY}",
        "address": address,
        "smartCode": 1 if contract.smart else 0,
        "isSmart": contract.smart,
        "id": entity(f"site {contract.number}"),
        "logicalName": "iec_site",
    }
    return {
        "contract": {
            "site": site,
            "isMatam": False,
            "supplyCode": 1,
            "isPrivateProducer": False,
            "overloadRateSwitchBit": None,
            "contractAccNumberInShoval": int(contract.number),
            "account": {
                name: bp_account[name] for name in ("name", "consumptionOrderViewTypeCode", "id", "logicalName")
            },
            "id": contract.masa,
            "logicalName": "iec_contract",
            "stateCode": 0,
        },
        "account": bp_account,
        "defaultContractBit": contract.number.endswith("0"),
        "partConnectionCode": FRIEND if contract.shared else OWN,
        "tokenExpirationDate": "2026-01-01T00:00:00",
        "connectionType": _kind(contract.shared) | {"name": "שותף" if contract.shared else "בעלים"},
        "id": connection_id(who.contact, contract),
        "logicalName": "iec_connection",
    }


def _kind(shared: bool) -> dict[str, Any]:
    return {"connectionTypeInt": FRIEND if shared else OWN, "id": entity(f"kind {shared}"), "logicalName": "iec_kind"}


def connection_id(contact: str, contract: Contract) -> str:
    """Return the UUID of what ties a contact to a contract."""
    return entity(f"connection {contact} {contract.number}")


def friend(contract: Contract) -> str:
    """Return the contact with whom the owner of a house has shared its contract."""
    return entity(f"friend of {contract.number}")


def shared_accounts(call: Call) -> Any:
    """M4: who may see a contract: its owner, a friend for the house, and all who were invited."""
    who = call.customer
    contract = _by_uuid(call, call.part("contract"))
    if call.part("profile").lower() != who.contact:
        raise ApiError(401, NOT_ALLOWED)
    rows = [_tie(who, contract, contact) for contact in _contacts(call, contract)]
    return {
        "isConnectedToPrivateAccount": bool(who.contracts),
        "isAccountOwner": not contract.shared,
        "isAccountContact": contract.shared,
        "connectionBetweenContactAndContract": rows,
        "logicalName": "contact",
    }


def _tie(who: Customer, contract: Contract, contact: str) -> dict[str, Any]:
    own = contact == who.contact and not contract.shared
    flags = {"isConnectedToPrivateAccount": True, "isAccountOwner": own, "isAccountContact": not own}
    return {
        "contact": {"id": contact, "logicalName": "contact", **flags},
        "contract": {"id": contract.masa, "logicalName": "iec_contract"},
        "account": {"id": who.account(contract.bp), "consumptionOrderViewTypeCode": 1, "logicalName": "account"},
        "partConnectionCode": OWN if own else FRIEND,
        "connectionType": {"id": entity(f"kind {not own}"), "logicalName": "iec_kind"},
        "tokenExpirationDate": "2026-01-01T00:00:00",
        "id": connection_id(contact, contract),
        "logicalName": "iec_connection",
    }


def _contacts(call: Call, contract: Contract) -> list[str]:
    row = call.portal.shares(contract.number)
    friends = [friend(contract)] if contract.number.endswith("0") else []
    return [contact for contact in [call.customer.contact, *friends, *row["added"]] if contact not in row["removed"]]


def _by_uuid(call: Call, number: object) -> Contract:
    found = next((one for one in call.customer.contracts if one.masa == str(number).lower()), None)
    if found is None:
        raise ApiError(401, NOT_ALLOWED)
    return found


def _named(body: Mapping[str, Any], *names: str) -> Sequence[str]:
    """Return the UUIDs of a body's parts, each `{"id": …}`."""
    found = [body[name].get("id") for name in names if isinstance(body.get(name), Mapping)]
    if len(found) != len(names) or not all(isinstance(one, str) and len(one) == 36 for one in found):
        raise ApiError(500, WRONG)
    return [one.lower() for one in found]


def remove(call: Call) -> Any:
    """M5: stop sharing a contract with a person."""
    contact, contract_id, owner = _named(call.body, "contact", "contract", "primaryContact")
    contract = _by_uuid(call, contract_id)
    if owner != call.customer.contact or contract.shared:
        raise ApiError(401, NOT_ALLOWED)
    known = contact in _contacts(call, contract) and contact != owner
    if not known or str(call.body.get("Id")).lower() != connection_id(contact, contract):
        raise ApiError(400, "Connection was not found")
    row = call.portal.shares(contract.number)
    call.portal.share(contract.number, added=row["added"], removed=[*row["removed"], contact])
    call.portal.counters.add("shares_removed")
    return None


def invite(call: Call) -> Any:
    """M6: make an address by which another person may see a contract. Its text ends in blanks."""
    contact, contract_id = _named(call.body, "contact", "contract")
    contract = _by_uuid(call, contract_id)
    if contact != call.customer.contact or contract.shared:
        raise ApiError(401, NOT_ALLOWED)
    token = secrets.token_urlsafe(24)
    call.portal.reveal("tokens", token)
    row = call.portal.shares(contract.number)
    guest = entity(f"guest {len(row['added'])} of {contract.number}")
    call.portal.share(contract.number, added=[*row["added"], guest], removed=row["removed"])
    call.portal.counters.add("invitations")
    return f"https://www.iec.example/invitations/{token} \r\n"


def order_titles(call: Call) -> Any:
    """M7: orders of an account; there are none."""
    bp = call.account(call.part("account"))
    return {"id": call.customer.account(bp), "orders": []}


def order_categories(call: Call) -> Any:
    """M8: kinds of orders."""
    names = {"חיבור חדש": 1, "הגדלת חיבור": 2}
    return {
        "orderCategories": [
            {"name": name, "typeCodeInt": code, "id": entity(f"category {code}")} for name, code in names.items()
        ]
    }


def volt_levels(call: Call) -> Any:
    """M9: voltages."""
    levels = {"מתח נמוך": (0, 400), "מתח גבוה": (400, 33_000)}
    return {
        "dataCollection": [
            {"name": name, "minVoltLevel": least, "maxVoltLevel": most, "id": entity(f"volt {least}")}
            for name, (least, most) in levels.items()
        ]
    }


def equipment(call: Call) -> Any:
    """M10: sites with their connections, in pages."""
    query = call.request.query
    bp = call.account(query.get("accountId", ""))
    number, size = (query.get(name, "") for name in ("pageNumber", "pageSize"))
    if not (number.isdecimal() and size.isdecimal() and int(number) and int(size)):
        raise ApiError(500, WRONG)
    own = [one for one in call.customer.contracts if one.bp == bp and not one.shared and not one.closed]
    start = (int(number) - 1) * int(size)
    return {
        "pageSize": int(size),
        "pageNumber": int(number),
        "moreRecords": start + int(size) < len(own),
        "totalRecords": len(own),
        "pageCookie": 0,
        "items": [_equipment(call.customer, contract) for contract in own[start : start + int(size)]],
    }


def _equipment(who: Customer, contract: Contract) -> dict[str, Any]:
    connection = {
        "connectionId": entity(f"wire {contract.number}"),
        "connectionNumber": contract.number[2:],
        "hasOpenOrders": False,
        "shovalOpenOrder": None,
        "powerConnectionSize": SIZES["3X40" if contract.smart else "1X25"][0],
        "isLowVolte": True,
        "isCanIncrease": True,
        "meterId": entity(f"meter {contract.serial}"),
        "meterNumber": contract.serial,
        "voltType": VIEW,
        "currentReader": "",
        "currentAmpere": None,
        "currentVoltLevel": {"id": entity("volt 0"), "name": "מתח נמוך"},
    }
    building = {
        "id": entity(f"building {contract.number}"),
        "name": contract.address,
        "hasSAOrders": None,
        "shovalSAOrder": None,
        "multiResidentialBuilding": False,
        "isMaxPublicSitesSum": False,
        "isResidentialBuilding": True,
        "numOfRelatedSitesInt": 1,
    }
    return {
        "accountId": who.account(contract.bp),
        "accountType": 279830000,
        "accountName": who.first_name,
        "addressId": entity(f"address {contract.number}"),
        "areaId": entity("area"),
        "regionId": entity("region"),
        "fullAddress": f"{contract.address}, {places.CITY}",
        "siteId": entity(f"site {contract.number}"),
        "iec_ContractNumber": contract.number,
        "siteType": 1,
        "activeConnections": 1,
        "connections": [connection],
        "possible2ShiftBit": False,
        "building": building,
        "backuplineOrder": None,
        "hasBackuplineOrders": False,
    }


def lookup(call: Call) -> Any:
    """M11: everything that has a code."""
    sizes = [
        {
            "id": entity(f"size {name}"),
            "name": name,
            "sizeType": kind,
            "voltType": VIEW,
            "code": code,
            "description": f"{name} אמפר",
            "index": place,
            "isEnlargeable": True,
            "isAllowResidence": None if name == "1X25" else True,
        }
        for place, (name, (kind, code)) in enumerate(SIZES.items(), 1)
    ]
    pairs = {
        "siteTypes": {1: "דירה", 2: "עסק"},
        "orderStatusState": {1: "פתוחה", 2: "סגורה"},
        "actionCodes": {10: "בקשה"},
        "phonePrefixes": {50: "050", 52: "052"},
    }
    listed = {
        kind: [{"key": key, "value": value, "index": place} for place, (key, value) in enumerate(rows.items(), 1)]
        for kind, rows in pairs.items()
    }
    return {
        "regions": [{"regionId": entity("region"), "name": places.REGION, "code": 1}],
        "connectionSizeTypes": sizes,
        **listed,
        "orderPurposes": [
            {"desc": "מגורים", "buildingType": None, "id": entity("purpose 1"), "name": "מגורים"},
            {"desc": "מסחר", "buildingType": 2, "id": entity("purpose 2"), "name": "מסחר"},
        ],
        "meterSetupTypes": [{"id": entity("setup"), "name": "רגיל", "desc": "מונה רגיל", "code": "1"}],
        "stateMachineForOrderStage": None,
    }


def building_options(call: Call) -> Any:
    """M12: what can be connected to the grid."""

    def options(*names: str) -> list[dict[str, Any]]:
        sizes = [{"id": entity(f"size {size}"), "name": size} for size in SIZES]
        purpose = {"desc": "", "buildingType": 1}
        return [
            {
                "orderPurpose": purpose | {"id": entity(f"purpose {name}"), "name": name},
                "connectionSizes": sizes,
            }
            for name in names
        ]

    def kinds(*names: str) -> list[dict[str, Any]]:
        return [{"id": entity(f"kind {name}"), "name": name} for name in names]

    return {
        "residenceOptions": options("בית פרטי", "בית משותף"),
        "commercialOptions": options("חנות"),
        "tempOptions": options("אתר בנייה"),
        "residenceSizeTypes": kinds("עד 100 מ"),
        "commercialSizeTypes": kinds("עד 200 מ"),
        "publicSizeTypes": [],
        "parkingSizeTypes": kinds("חניון"),
    }


def fault_outages(call: Call) -> Any:
    """F2: outages of an account, and one that says almost nothing."""
    bp = call.account(call.part("account"))
    day = call.today - timedelta(days=3)
    rows = []
    for contract in account.hit(call, bp):
        site = account.outage(call, contract)["site"]
        address = {
            "area": site["address"]["area"] | {"logicalName": "iec_area"},
            "region": site["address"]["region"] | {"logicalName": "iec_region"},
            "city": site["address"]["city"] | {"logicalName": "iec_city"},
            "houseNumber": contract.house,
            "streetStr": contract.street,
            "id": site["address"]["id"],
            "logicalName": "iec_address",
        }
        disconnect = {
            "disconnectKey": f"KEY{contract.number}",
            "disconnectType": {"displayName": "תקלה", "code": 1, "id": entity("fault"), "logicalName": "iec_type"},
            "disconnectTreatmentState": {
                "displayName": "בטיפול",
                "code": "6",
                "isConnectIndicationBit": False,
                "disconnectTreatmentStatePortal": 3,
                "id": entity("treatment"),
                "logicalName": "iec_state",
            },
            "energizedDate": f"{day + timedelta(days=1)}T11:00:00Z",
            "disconnectDate": f"{day}T22:00:00Z",
            "id": entity(f"disconnect {contract.number} {day}"),
            "logicalName": "iec_disconnect",
        }
        rows.append(
            {
                "siteKeyDesc": contract.address,
                "disconnectDate": f"{day}T22:00:00Z",
                "stateCode": 0,
                "id": entity(f"transaction {contract.number} {day}"),
                "logicalName": "iec_tranzaction",
                "disconnect": disconnect,
                "site": {
                    "contractNumber": contract.number,
                    "address": address,
                    "id": site["id"],
                    "logicalName": "iec_site",
                },
            }
        )
    bare = dict.fromkeys(("siteKeyDesc", "disconnectDate", "stateCode", "disconnect", "site"))
    bare |= {"id": entity(f"transaction {bp}"), "logicalName": "iec_tranzaction"}
    return {"dataCollection": [*rows, bare] if rows else []}


def fault_accounts(call: Call) -> Any:
    """F3: tell the fault portal which accounts to look at."""
    listed = call.body.get("Accounts")
    if not isinstance(listed, list) or not listed or type(call.body.get("StateCode")) is not int:
        raise ApiError(500, WRONG)
    for number in listed:
        call.account(str(number))
    return {"consumptionOrderViewTypeCode": 1, "logicalName": "account"}


ENDPOINTS = (
    Endpoint("M1", MAIN, "GET", "/api/cities", cities, "portalcode"),
    Endpoint("M2", MAIN, "GET", "/api/contacts/userprofile", user_profile, "portalcode"),
    Endpoint("M3", MAIN, "GET", "/api/contacts/account/0/userprofile", account_profile, "portalcode"),
    Endpoint("M4", MAIN, "GET", "/api/contacts/{profile}/contract/{contract}", shared_accounts, "portalcode"),
    Endpoint("M5", MAIN, "POST", "/api/connectionbetweencontactandcontract/remove", remove, "portalcode", 201),
    Endpoint(
        "M6",
        MAIN,
        "POST",
        "/api/connectionbetweencontactandcontract/createconnectionrequest",
        invite,
        "portalcode",
        201,
    ),
    Endpoint("M7", WA, "GET", "/api/accounts/{account}/orders/titles", order_titles),
    Endpoint("M8", WA, "GET", "/api/orderLookup", order_categories),
    Endpoint("M9", WA, "GET", "/api/voltLevels/active", volt_levels),
    Endpoint("M10", WA, "GET", "/equipments/get", equipment),
    Endpoint("M11", WA, "GET", "/lookup/all", lookup),
    Endpoint("M12", WA, "GET", "/lookup/newConnection/buildingOptions", building_options),
    Endpoint("F1", FAULTS, "GET", "/api/contacts/userprofile", user_profile),
    Endpoint("F2", FAULTS, "GET", "/api/accounts/{account}/tranzactions/2", fault_outages),
    Endpoint("F3", FAULTS, "POST", "/api/accounts/tranzactions", fault_accounts),
)
