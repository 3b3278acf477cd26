"""TruckTech+: PACCAR's fleet portal, run by Decisiv."""

from scrapers.core.stated import Portal

PORTAL = Portal(word="trucktech", name="TruckTech+", family="fleet", time_zone="UTC", locale="en_US")
UNKNOWN_STEPS: dict[str, str] = {
    "CODE": "No field for a code by message is known; it is found by its name, its purpose and what the page says.",
    "LOCKED": "How the portal says that an account is locked is not known; it is told by the words of its error.",
    "TEXTED": "How a code by text message is announced is not known in full; it is told by what the page says.",
    "MAILED": "How a code by mail is announced is not known in full; it is told by what the page says.",
    "ELSEWHERE": "How a session elsewhere is told is not known; it is told by its meaning.",
    "CONTINUE": "No dialog about a session elsewhere was seen; it is told by its meaning.",
    "ACCEPT": "No control that accepts policies was seen; its page ends the sign-in.",
    "ANNOUNCED": "Which words announce a code is not known in full; it is told by what the page says.",
    "BESIDE_WORDS": "No field for a code by message is known; one of six digits counts where the page announces a code.",
    "SEND": "No step that asks for a code to be sent is known; its control is found by its role and name.",
    "LATER": "No policies that may wait are known; their control is found by its role and name.",
    "KEY": "No page for a security key is known; it is found by what it says, and ends the sign-in.",
    "CAPTCHA": "No captcha was seen; it is found by its frame, and ends the sign-in.",
    "USER": "Nothing that names the signed-in user is known; the address of the landing page says that one is.",
    "HEADER_MAIL": "A mail address at the top of a page, but for a link to write to, is taken for the signed-in user's.",
    "DOCUMENTS": "No page with a JSON document inside was seen; tables, cards and lists of facts are read as well.",
    "EMPTY": "No mark of an empty list is known; it is found by what it says.",
    "VEHICLES.layouts[1].blocks": "No card of a vehicle was seen; tables and lists of facts are read as well.",
    "FAULTS.layouts[1].blocks": "No card of a fault was seen; tables and lists of facts are read as well.",
    "VEHICLES.paging.total": "No total of vehicles was seen; it is found by what it says.",
}
