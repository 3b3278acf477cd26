"""Invoices: one every two months, made from what the meter counted; one open, one paid back, one that is no invoice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sandbox.iec.meters import day_total, register
from sandbox.iec.people import Contract

INVOICES = 12  # two years
UNSET_TIME = "0001-01-01T00:00:00"
PRICE, FIXED = 0.6402, 0.78  # shekels per kWh and per day


@dataclass(frozen=True)
class Invoice:
    """An invoice for the days from `first` to `last`; 1 is the newest."""

    contract: Contract
    place: int
    first: date
    last: date

    @property
    def number(self) -> str:
        """What the company calls it."""
        return f"{self.last:%Y%m}{self.contract.number}"

    @property
    def days(self) -> int:
        """How many days it is for."""
        return (self.last - self.first).days + 1

    @property
    def consumption(self) -> int:
        """Whole kWh."""
        return round(
            sum(day_total(self.contract.serial, "in", self.first + timedelta(days=n)) for n in range(self.days)) / 1000
        )

    @property
    def amount(self) -> float:
        """Shekels; below zero when the company owes them."""
        return -48.3 if self.place == 5 else round(self.consumption * PRICE + self.days * FIXED, 2)

    @property
    def unpaid(self) -> float:
        """Shekels that are due."""
        return self.amount if self.place == 1 and not self.contract.closed else 0.0

    @property
    def due(self) -> date:
        """When it is to be paid."""
        return self.last + timedelta(days=23)

    def as_json(self) -> dict[str, Any]:
        """Return the invoice as the list has it."""
        return {
            "consumption": float(self.consumption),
            "readingCode": 1,
            "meterReadings": [
                {
                    "reading": float(meter_reading(self.contract, self.last)),
                    "readingDate": UNSET_TIME if self.place % 2 else f"{self.last}T00:00:00",
                    "readingCode": 1,
                    "usage": str(self.consumption),
                    "serialNumber": self.contract.serial.zfill(18),
                }
            ],
            "fullDate": f"{self.last.replace(day=1)}T00:00:00",
            "fromDate": f"{self.first}T00:00:00",
            "toDate": f"{self.last}T00:00:00",
            "amountOrigin": self.amount,
            "amountToPay": self.unpaid,
            "amountPaid": round(self.amount - self.unpaid, 2),
            "invoiceId": int(self.number),
            "contractNumber": int(self.contract.number),
            "orderNumber": 0,
            "lastDate": f"{self.due:%d/%m/%Y}",
            "invoicePaymentStatus": 0 if self.unpaid else 1,
            "documentID": "1",
            "daysPeriod": self.days,
            "hasDirectDebit": False,
            "invoiceType": 0,
            "paymentLockIndication": "",
        }


def meter_reading(contract: Contract, day: date) -> int:
    """Return the whole kWh that a meter shows at the end of a day."""
    return register(contract.serial, "in", day) // 1000


def last_reading(today: date) -> date:
    """Return the last day of the newest invoice: the ninth of a month with an odd number, a week ago at least."""
    day = (today - timedelta(days=7)).replace(day=9)
    if day > today - timedelta(days=7):
        day = (day.replace(day=1) - timedelta(days=1)).replace(day=9)
    return day if day.month % 2 else (day.replace(day=1) - timedelta(days=1)).replace(day=9)


def invoices(contract: Contract, today: date) -> list[Invoice]:
    """Return a contract's invoices, the newest first; a closed contract's last one is of the year before last."""
    last = last_reading(today.replace(year=today.year - 2, day=1) if contract.closed else today)
    made = []
    for place in range(1, INVOICES + 1):
        month = (last.replace(day=1) - timedelta(days=32)).replace(day=9)
        made.append(Invoice(contract, place, month + timedelta(days=1), last))
        last = month
    return made


def listed(contract: Contract, today: date) -> list[dict[str, Any]]:
    """Return a contract's invoices as the list has them: the running period and a receipt are among them."""
    every = invoices(contract, today)
    rows = [invoice.as_json() for invoice in every]
    if contract.closed:
        return rows
    running = every[0].as_json() | {
        "consumption": 0.0,
        "meterReadings": [],
        "fullDate": None,
        "fromDate": f"{every[0].last + timedelta(days=1)}T00:00:00",
        "toDate": None,
        "amountOrigin": 0.0,
        "amountToPay": 0.0,
        "amountPaid": 0.0,
        "invoiceId": 0,
        "lastDate": None,
        "daysPeriod": 0,
    }
    receipt = rows[2] | {"documentID": "5", "invoiceId": int(f"9{every[2].number[1:]}"), "meterReadings": []}
    return [running, *rows[:3], receipt, *rows[3:]]


def find(contracts: Sequence[Contract], number: str, today: date) -> Invoice | None:
    """Return the invoice of one of these contracts that has this number."""
    return next(
        (invoice for contract in contracts for invoice in invoices(contract, today) if invoice.number == number), None
    )
