"""`scrapy iec readings`: stored readings of meters, summed by hour, day or month, as a table with a chart."""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from database.families.readings import Series
    from scrapers.families.electricity.clock import Sum

COLUMNS = (
    *("contract", "meter", "direction", "from", "to", "kwh"),
    *("average", "smallest", "largest", "found", "expected", "complete"),
)
DAYS = {"hour": 1, "day": 7, "month": 365}  # that are shown unless a range is given
EIGHTHS = " ▏▎▍▌▋▊▉"
NARROW, WIDEST = 72, 40  # columns below which a line shows the sum alone; of the chart


def options(parser: argparse.ArgumentParser) -> None:
    """Add what it can be told."""
    parser.add_argument("--from", dest="first", type=day, metavar="DATE", help="first day (default: as --by suggests)")
    parser.add_argument("--to", dest="last", type=day, metavar="DATE", help="last day (default: the newest stored)")
    parser.add_argument("--by", choices=tuple(DAYS), default="day", help="what is summed (default: day)")
    parser.add_argument("--contract", metavar="NUMBER", help="only of this contract")
    parser.add_argument("--direction", choices=("consumption", "production"), help="only one direction")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="write JSON")
    form.add_argument("--csv", action="store_true", help="write CSV")


def day(given: str) -> date:
    """Return a day (argparse type)."""
    try:
        read = date.fromisoformat(given)
        if not date.min < read < date.max:
            raise ValueError("has no day before or after it")
        return read
    except ValueError:
        raise argparse.ArgumentTypeError(f"{given!r} is not a date like 2026-10-31") from None


def run(opts: argparse.Namespace) -> int:
    """Print the sums of every meter that is asked for; raise Refused when nothing is stored."""
    from commands._terminal import write_rows
    from database.engine import database
    from database.families import readings as stored
    from scrapers.families.electricity.clock import DAY, QUARTER, By, day_start, sums

    by = By(opts.by)
    shown: list[tuple[Series, list[Sum]]] = []
    with database().transaction() as session:
        chosen = _chosen(stored.series(session), opts)
        first, last = _range(list(chosen.values()), opts)
        begins, ends = day_start(first), day_start(last + DAY)
        for each in chosen:
            found = stored.readings(session, each, begins, ends)
            step = QUARTER if each.resolution == "daily" else DAY
            if by is not By.HOUR or step == QUARTER:
                shown.append((each, sums(found, by, first, last, step=step)))
    if opts.json or opts.csv:
        rows = [cells(each, one) for each, summed in shown for one in summed]
        write_rows(sys.stdout, COLUMNS, rows, "json" if opts.json else "csv")
        return 0
    for place, (each, summed) in enumerate(shown):
        print("\n" * bool(place) + title(each, summed))
        for line in lines(summed, by, shutil.get_terminal_size((80, 24)).columns):
            print(line)
    return 0


def _chosen(known: dict[Series, Any], opts: argparse.Namespace) -> dict[Series, Any]:
    """Return the series to show: of each meter and direction the finest one."""
    from commands._terminal import Refused, WrongArgument

    contract = opts.contract.lstrip("0") if opts.contract else None
    numbers = sorted({each.contract for each in known})
    if not known:
        raise Refused("No readings are stored: `scrapy crawl iec_meter_readings` brings them.")
    if contract and contract not in numbers:
        raise WrongArgument(
            f"--contract {opts.contract}: no readings of it are stored; there are {', '.join(numbers)}."
        )
    finest: dict[tuple[str, ...], Series] = {}
    order = ("daily", "monthly", "weekly")
    for each in sorted(known, key=lambda one: order.index(one.resolution)):
        if (contract or each.contract) == each.contract and (opts.direction or each.direction) == each.direction:
            finest.setdefault((each.contract, each.meter, each.meter_code, each.direction), each)
    if not finest:
        raise Refused(f"--direction {opts.direction}: no such readings are stored.")
    if opts.by == "hour" and all(each.resolution != "daily" for each in finest.values()):
        raise WrongArgument("--by hour: only readings of whole days are stored; bring others with -a resolution=daily.")
    return {each: known[each] for each in sorted(finest.values())}


def _range(ends: Sequence[tuple[Any, Any]], opts: argparse.Namespace) -> tuple[date, date]:
    """Return the first and last day to show; raise WrongArgument for a range without a day."""
    from commands._terminal import WrongArgument
    from scrapers.families.electricity.clock import DAY, day_of

    last = opts.last or (opts.first if opts.first and opts.by == "hour" else max(day_of(newest) for _, newest in ends))
    first = opts.first or max(min(day_of(oldest) for oldest, _ in ends), last - DAY * (DAYS[opts.by] - 1))
    if first > last:
        raise WrongArgument(f"--from {first}: it is after the last day, {last}.")
    return first, last


def cells(each: Series, one: Sum) -> tuple[Any, ...]:
    """Return a sum as other programs read it: instants with Jerusalem's offset, None for a gap."""
    from scrapers.families.electricity.clock import JERUSALEM

    times = (at.astimezone(JERUSALEM).isoformat() for at in (one.starts_at, one.ends_at))
    average = None if one.average is None else round(one.average, 4)
    amounts = (one.total, average, one.smallest, one.largest)
    return (each.contract, each.meter, str(each.direction), *times, *amounts, one.found, one.expected, one.complete)


def title(each: Series, found: Sequence[Sum]) -> str:
    """Return the line above a table: contract and meter, the sum, and how much is missing."""
    known = [one.total for one in found if one.total is not None]
    missing = sum(max(one.expected - one.found, 0) for one in found)
    total = f"{sum(known, Decimal(0)):.3f} kWh" if known else "no readings"
    lacks = f", {missing} of {sum(one.expected for one in found)} readings missing" if missing else ""
    return f"Contract {each.contract}, meter {each.meter}, {each.direction}: {total}{lacks}"


def lines(found: Sequence[Sum], by: str, width: int) -> list[str]:
    """Return the lines of a table as wide as the terminal: when, sum, per reading, how full, chart."""
    whens = labels(found, by)
    wide = width >= NARROW
    head = ["", "kWh", *(("average", "smallest", "largest") if wide else ()), "readings"]
    table = []
    for when, one in zip(whens, found, strict=True):
        more = (number(one.average), number(one.smallest), number(one.largest)) if wide else ()
        table.append([when, number(one.total), *more, f"{one.found}/{one.expected}{'' if one.complete else ' !'}"])
    widths = [max(len(row[n]) for row in (head, *table)) for n in range(len(head))]
    room = min(width - sum(widths) - 2 * len(widths) - 1, WIDEST)
    top = max((one.total for one in found if one.total is not None), default=Decimal(0))
    printed = [_aligned(head, widths)]
    for row, one in zip(table, found, strict=True):
        printed.append(f"{_aligned(row, widths)}  {bar(one.total, top, room)}".rstrip())
    return printed


def labels(found: Sequence[Sum], by: str) -> list[str]:
    """Return how each hour, day or month is called; the hour that comes twice says which it is."""
    from scrapers.families.electricity.clock import JERUSALEM

    local = [one.starts_at.astimezone(JERUSALEM) for one in found]
    made = [f"{at:{({'hour': '%Y-%m-%d %H:%M', 'day': '%Y-%m-%d %a', 'month': '%Y-%m'})[by]}}" for at in local]
    return [f"{each} {at:%z}" if made.count(each) > 1 else each for each, at in zip(made, local, strict=True)]


def number(kwh: Decimal | None) -> str:
    """Return an amount as a person reads it; a gap is a dash, never 0."""
    return "-" if kwh is None else f"{kwh:.3f}"


def bar(kwh: Decimal | None, top: Decimal, room: int) -> str:
    """
    Return a bar of at most *room* columns for an amount, in eighths of a column.

    >>> bar(Decimal("0.5"), Decimal(2), 10), bar(None, Decimal(2), 10), bar(Decimal(-1), Decimal(2), 10)
    ('██▌', '', '')
    """
    if kwh is None or kwh <= 0 or top <= 0 or room < 1:
        return ""
    eighths = max(int(kwh / top * room * 8), 1)
    return ("█" * (eighths // 8) + EIGHTHS[eighths % 8]).rstrip()


def _aligned(row: Sequence[str], widths: Sequence[int]) -> str:
    first, *others = [cell.rjust(width) for cell, width in zip(row, widths, strict=True)]
    return "  ".join([first.strip().ljust(widths[0]), *others])
