"""Values by locale: read as they are written, or refused; never guessed, never rounded in silence."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import pytest
from babel.numbers import format_decimal
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st
from scrapy.http import HtmlResponse

from scrapers.portals.trucktech.pages import VEHICLES
from scrapers.portals.trucktech.rows import vehicle_values
from scrapers.reading.layouts import Row, total_in
from scrapers.reading.mail import parse
from scrapers.reading.values.days import calendar_day, day, instant, month
from scrapers.reading.values.locale import Locale
from scrapers.reading.values.numbers import decimal, integer, money, number, price
from scrapers.reading.values.sizes import data_size, gigabytes, megabytes, total_size
from scrapers.reading.values.texts import account_number, phone_number

EN, FR, US, HE = (Locale(tag) for tag in ("en_CA", "fr_CA", "en_US", "he_IL"))
LOCALES = (EN, FR, US, HE)
ISRAEL = Locale("he_IL", "Asia/Jerusalem")
GB = 1024**3

# A few examples in every run; the matrix takes ten thousand of each.
FEW = settings(max_examples=40, deadline=None, derandomize=True, database=None)
MANY = settings(max_examples=10_000, deadline=None, database=None, suppress_health_check=list(HealthCheck))


# --- A1: numbers ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "locale", "amount"),
    [
        ("1 234,50 $", FR, "1234.50"),
        ("1\u00a0234,50\u00a0$", FR, "1234.50"),
        ("1\u202f234,50 $ CA", FR, "1234.50"),
        ("45,10", FR, "45.10"),
        ("$1,234.50", EN, "1234.50"),
        ("-$5.00", US, "-5.00"),
        ("$-5.00", US, "-5.00"),
        ("US$ 12", EN, "12.00"),
        ("(12.50)", EN, "-12.50"),
        ("(12,50 $)", FR, "-12.50"),
        ("12.50-", EN, "-12.50"),
        ("\u22123", EN, "-3.00"),
        ("\u200e-3", HE, "-3.00"),
        ("\u200f1,234.50\u00a0\u200f₪", HE, "1234.50"),
        ("1 204", EN, "1204.00"),
        ("1\u00a0204", EN, "1204.00"),
        ("1\u202f204", US, "1204.00"),
        (".50", EN, "0.50"),
        ("12.345", EN, "12.345"),  # as many digits as there are
        (0.125, EN, "0.125"),
        (0.1 + 0.2, EN, "0.30"),
        (-0.0, EN, "0.00"),
        ("—", EN, None),
    ],
)
def test_a1_an_amount_is_what_the_locale_says(text, locale, amount):
    assert money(text, locale) == amount


@pytest.mark.parametrize(
    ("text", "locale"),
    [
        ("1 234,50 $", EN),
        ("45,10", EN),
        ("1,5", US),
        ("1.234,50", EN),
        ("1.234,50", FR),
        ("1,234.50", FR),
        ("1.5", FR),
        ("12,34,567", EN),
        ("1,234 567", EN),
        ("1 2345", EN),
        ("1 234 56", FR),
        ("0,123", EN),
        ("1'234.50", EN),
        ("5$00", EN),
        ("5.", EN),
        ("--3", EN),
        ("(-3)", EN),
        ("(3", EN),
        ("-3-", EN),
        ("$ 5 $", EN),
        ("5 %", EN),
        ("1e5", EN),
        ("1_000", EN),
        ("0x64", EN),
        ("NaN", EN),
        ("Infinity", EN),
        ("١٢", EN),
        ("１２", EN),
        ("²", EN),
        ("12 of 40", EN),
        ("9" * 40, EN),
        (float("inf"), EN),
        (float("nan"), EN),
        (1e300, EN),
    ],
)
def test_a1_an_amount_that_is_not_certain_is_refused_without_its_value(text, locale):
    with pytest.raises(ValueError) as refused:
        money(text, locale)
    assert str(text) not in str(refused.value)


@pytest.mark.parametrize(
    ("text", "locale", "size"),
    [
        ("1,5 GB", FR, GB * 3 // 2),
        ("1,5 Go", FR, GB * 3 // 2),
        ("Utilisé : 1\u202f234,5 Go sur 2 To", FR, GB * 2469 // 2),
        ("1,234.50 GB", EN, GB * 2469 // 2),
        ("1 204 MB", EN, 1204 * 1024**2),
        ("5 to 10 GB", EN, 10 * GB),
        ("2.5GiB", EN, GB * 5 // 2),
        ("unlimited", EN, None),
    ],
)
def test_a1_a_size_is_what_the_locale_says(text, locale, size):
    assert data_size(text, locale) == size


@pytest.mark.parametrize(
    ("text", "locale"),
    [("1,5 GB", EN), ("1.234,50 GB", EN), ("1.5 Go", FR), ("-5 GB", EN), ("Plan 20 1,5 GB", EN), ("1,23,4 GB", US)],
)
def test_a1_a_size_that_is_not_certain_is_refused(text, locale):
    with pytest.raises(ValueError):
        data_size(text, locale)


def test_a1_a_pool_whose_size_is_not_certain_is_unknown():
    assert total_size(["1,250 GB", "20 GB used"], EN) == 1270 * GB
    assert total_size(["1,250 GB", "1,5 GB"], EN) is None


def test_a1_an_odometer_has_its_groups():
    row = Row({"vin": "1XKAD49X0NJ000001", "odometer": "1\u202f204 km", "engine_hours": "11,206"})
    assert (vehicle_values(row)["odometer"], vehicle_values(row)["engine_hours"]) == (1204, 11206)


def test_a1_a_cell_may_name_its_own_unit():
    assert (gigabytes("512 MB", EN), megabytes("0,5 Go", FR), gigabytes("0.25", EN)) == (GB // 2, GB // 2, GB // 4)
    for cell in ("1,5 GB", "-1", True, -1.0, float("inf"), float("nan"), time(0, 0), "5 GHz"):
        with pytest.raises(ValueError):
            gigabytes(cell, EN)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1 204", 1204),
        ("1\u00a0204", 1204),
        ("1\u202f204 km", 1204),
        ("123 456 km", 123456),
        ("123,456", 123456),
        ("123456.7 mi", 123456),
        ("11 (Brakes)", 11),
        ("57,", 57),
        ("—", None),
    ],
)
def test_a1_a_text_begins_with_a_number(text, value):
    assert number(text, US) == value


@pytest.mark.parametrize(
    "text", "1.234 km|1,5|0x64|1e5|2025-11-25|11/04|10:45|1'204|5$00|1_000|12.50-|soon|12 34".split("|")
)
def test_a1_a_text_that_begins_with_no_certain_number_is_refused(text):
    with pytest.raises(ValueError):
        number(text, US)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("57 entries (filtered from 120 total entries)", 57),
        ("Showing 1 to 10 of 57 entries (filtered from 120 total entries)", 57),
        ("Affichage de 1 à 10 sur 1\u202f204 éléments", 1204),
        ("1-50 of 1,204", 1204),
        ("1 204 véhicules", 1204),
        ("57 vehicles as of 2025", 57),
        ("57 vehicles, 2025", 57),
        ("© 2026, 57 assets", 57),
        ("57 vehicles, updated 2025-11-25 22:48", 57),
        ("Nov 25, 2025: 57 vehicles", 57),
        ("Page 1 of 3 - 57 vehicles", 57),
        ("10 per page, 57 total", 57),
        ("Total: 57", 57),
        ("57", 57),
        ("Page 1 of 3", None),
        ("© 2026 Example", None),
        ("3 vehicles, 4 faults", None),
    ],
)
def test_a1_the_total_of_a_list_is_no_year_and_no_part(text, count):
    assert total_in(text) == count
    assert (
        VEHICLES.total(
            HtmlResponse(
                "http://127.0.0.1/", body=f"<body><p class='results-count'>{text}</p></body>", encoding="utf-8"
            )
        )
        == count
    )


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("1.234,50 €", (Decimal("1234.50"), "€")),
        ("$ 12.99", (Decimal("12.99"), "$")),
        ("1,234,567", (Decimal(1234567), None)),
        ("12\u202f345 zł", (Decimal(12345), "zł")),
        ("₪ 1,299.90", (Decimal("1299.90"), "₪")),
    ],
)
def test_a1_a_price_without_a_locale_is_read_where_it_is_certain(text, read):
    assert price(text) == read


@pytest.mark.parametrize("text", ["1,234", "1.234", "Free", "was $5 now $4", "5%", "-5 $", "3-4 $", "1,23,4", ""])
def test_a1_a_price_without_a_locale_that_is_not_certain_is_refused(text):
    with pytest.raises(ValueError):
        price(text)


def grouped(whole: str, sign: str) -> str:
    """Write digits in groups of three, by hand."""
    return re.sub(r"(?<=\d)(?=(\d{3})+$)", sign, whole)


def notations(value: Decimal, locale: Locale) -> list[str]:
    """Return how a value may be written in a locale, with and without Babel."""
    whole, _, fraction = f"{abs(value):f}".partition(".")
    point = "," if locale is FR else "."
    bodies = [
        f"{grouped(whole, sign)}{point + fraction if fraction else ''}"
        for sign in ("", " ", "\u00a0", "\u202f", "\u2009", "\u00a0" if locale is FR else ",")
    ]
    bodies.append(format_decimal(abs(value), locale=locale.tag, decimal_quantization=False))
    if value >= 0:
        return [form for body in bodies for form in (body, f"+{body}", f" {body}\u00a0", f"{body} $", f"${body}")]
    forms = ("-{}", "\u2212{}", "{}-", "({})", "\u200e-{}", "- {}", "-${}", "({} $)", "-{} $", "$ -{}")
    return [form.format(body) for body in bodies for form in forms]


AMOUNTS = st.decimals(-(10**11), 10**11, places=2) | st.integers(-(10**12), 10**12).map(Decimal)


def value_to_text_and_back(value, locale):
    for written in notations(value, locale):
        assert Decimal(money(written, locale)) == value, written


def garbage_is_refused_or_right(text, locale):
    try:
        found = decimal(text, locale)
    except ValueError:
        return
    # What is read must be what a strict reading of the locale's own notation says, worked out in another way.
    bare = re.sub("[\u00ad\u034f\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]", "", text).strip()
    sign = -1 if re.fullmatch(r"[-\u2212\u2013].*|.*[-\u2212\u2013]|\(.*\)", bare, re.S) else 1
    bare = re.sub(r"^[-\u2212\u2013(+]\s*|\s*[-\u2212\u2013)]$", "", bare)
    point, group = (",", "\u00a0") if locale is FR else (".", ",")
    pattern = rf"(\d+|\d{{1,3}}(?:([ \u00a0\u2007\u2009\u202f{group}])\d{{3}})(?:\2\d{{3}})*)?(?:\{point}(\d+))?"
    match = re.fullmatch(pattern, bare, re.A)
    assert match, (text, found)
    whole = re.sub(r"\D", "", match[1] or "") or "0"
    assert not (match[2] and whole.startswith("0")), (text, found)
    assert found == sign * Decimal(f"{whole}.{match[3] or 0}"), (text, found)


GARBAGE = st.text("0123456789.,' \u00a0\u202f-\u2212()+$eE_xٱ١²\u200e", max_size=14) | st.text(max_size=10)


@FEW
@given(AMOUNTS, st.sampled_from(LOCALES))
@example(Decimal("-1234.50"), FR)
def test_a1_value_to_text_and_back(value, locale):
    value_to_text_and_back(value, locale)


@FEW
@given(GARBAGE, st.sampled_from(LOCALES))
@example("1,234,50", EN)
@example("0,123", EN)
def test_a1_garbage_is_refused_or_right(text, locale):
    garbage_is_refused_or_right(text, locale)


@pytest.mark.matrix
@pytest.mark.figures
@pytest.mark.timeout(900)
@pytest.mark.parametrize("locale", LOCALES, ids=lambda locale: locale.tag)
def test_a1_ten_thousand_values_to_text_and_back(locale):
    MANY(given(AMOUNTS)(lambda value: value_to_text_and_back(value, locale)))()


@pytest.mark.matrix
@pytest.mark.figures
@pytest.mark.timeout(900)
@pytest.mark.parametrize("locale", LOCALES, ids=lambda locale: locale.tag)
def test_a1_ten_thousand_times_garbage(locale):
    MANY(given(GARBAGE)(lambda text: garbage_is_refused_or_right(text, locale)))()


def sizes_and_counts_to_text_and_back(value, locale):
    scale = 1024 ** (len(f"{value:f}") % 4 + 1)
    units = [" KB", " MB", " GB", " TB"] if locale is not FR else [" Ko", " Mo", " Go", " To"]
    unit = units[len(f"{value:f}") % 4]
    whole, _, fraction = f"{value:f}".partition(".")
    point = "," if locale is FR else "."
    for sign in ("", " ", "\u00a0", "\u202f", "\u00a0" if locale is FR else ","):
        body = f"{grouped(whole, sign)}{point + fraction if fraction else ''}"
        assert (
            data_size(f"used {body}{unit} of it", locale) == gigabytes(f"{body}{unit}", locale) == round(value * scale)
        )
        assert number(f"{grouped(whole, sign)} km", locale) == integer(grouped(whole, sign), locale) == int(whole)


SIZES = st.decimals(0, 10**9, places=2) | st.integers(0, 10**9).map(Decimal)


@FEW
@given(SIZES, st.sampled_from(LOCALES))
@example(Decimal("1.50"), FR)
@example(Decimal(1204), US)
def test_a1_sizes_and_counts_to_text_and_back(value, locale):
    sizes_and_counts_to_text_and_back(value, locale)


@pytest.mark.matrix
@pytest.mark.figures
@pytest.mark.timeout(900)
@pytest.mark.parametrize("locale", LOCALES, ids=lambda locale: locale.tag)
def test_a1_ten_thousand_sizes_and_counts_to_text_and_back(locale):
    MANY(given(SIZES)(lambda value: sizes_and_counts_to_text_and_back(value, locale)))()


DAYS = st.dates(date(1950, 1, 1), date(2100, 12, 31))


def days_to_text_and_back(value, tag):
    from babel.dates import format_date

    stated = Locale(tag, day_first=False), Locale(tag, day_first=True)
    for locale in (*stated, Locale(tag)):
        assert day(value.isoformat(), locale) == day(value, locale) == value.isoformat()
    assert day(f"{value:%m/%d/%Y}", stated[0]) == day(f"{value:%d/%m/%Y}", stated[1]) == value.isoformat()
    named = format_date(value, "long", locale=tag) if tag != "he_IL" else None
    for form in ("d MMMM y", "d MMM y", "MMMM d, y", "MMM d, y"):
        if tag != "he_IL":
            assert day(format_date(value, form, locale=tag), Locale(tag)) == value.isoformat(), form
    assert named is None or day(named, Locale(tag)) == value.isoformat()
    for form in ("MMMM y", "MMM y", "MM/y", "y-MM", "yMM"):
        assert month(format_date(value, form, locale=tag), Locale(tag)) == f"{value:%Y-%m}", form


@FEW
@given(DAYS, st.sampled_from([locale.tag for locale in LOCALES]))
def test_a1_days_to_text_and_back(value, tag):
    days_to_text_and_back(value, tag)


@pytest.mark.matrix
@pytest.mark.figures
@pytest.mark.timeout(900)
@pytest.mark.parametrize("locale", LOCALES, ids=lambda locale: locale.tag)
def test_a1_ten_thousand_days_to_text_and_back(locale):
    MANY(given(DAYS)(lambda value: days_to_text_and_back(value, locale.tag)))()


@FEW
@given(st.text("0123456789/-. ,abcdefjmnoprstuvéû", max_size=14))
def test_a1_garbage_is_no_day_or_a_day_that_there_is(text):
    for read in (day, month):
        try:
            found = read(text, FR)
        except ValueError:
            continue
        assume(found is not None)
        date.fromisoformat(f"{found}-01"[:10])


# --- A2: odd cells ----------------------------------------------------------------------------------------------------

ODD = (True, False, time(0, 0, 30), timedelta(hours=1, minutes=30), datetime(1900, 2, 14, 12), date(2026, 10, 3))  # noqa: DTZ001


@pytest.mark.parametrize("cell", ODD, ids=repr)
@pytest.mark.parametrize("read", [integer, money, gigabytes, megabytes, account_number, phone_number])
def test_a2_a_cell_of_another_type_is_refused_and_nothing_else(read, cell):
    with pytest.raises(ValueError):
        read(cell, EN)


@pytest.mark.parametrize("cell", [True, time(0, 0), timedelta(hours=1), 46296.0, "46296", 20261003.0])
def test_a2_what_is_no_day_is_refused(cell):
    with pytest.raises(ValueError):
        day(cell, EN)


def test_a2_a_month_may_be_a_number():
    assert [month(cell, EN) for cell in (202610.0, "202610", "10/2026", "2026-10-31")] == ["2026-10"] * 4
    for cell in (202613.0, 46296.0, 202610.5, 2026.0, True, time(0, 0), "Smarch 2026", "Oct-26", "31/10/2026"):
        with pytest.raises(ValueError):
            month(cell, EN)


def test_a2_half_a_minute_is_no_whole_number():
    assert (integer(12.0, EN), integer("12.0", EN), integer("1 204", FR)) == (12, 12, 1204)
    for cell in (0.5, "0.5", "1,5", float("nan"), float("inf"), 1e300):
        with pytest.raises(ValueError):
            integer(cell, EN)


@pytest.mark.parametrize(
    ("cell", "digits"),
    [
        ("Account #123-456 789", "123456789"),
        ("No de compte : 533 122 906", "533122906"),
        ('="533122906"', "533122906"),
        ("\ufeff533122906\u200b", "533122906"),
        (533122906.0, "533122906"),
        ("Account number", None),
    ],
)
def test_a2_an_account_number_is_what_is_written_as_one(cell, digits):
    assert account_number(cell, EN) == digits


@pytest.mark.parametrize("cell", ["5.33123E+08", "533122906.0", "2026-10-03", "10/03/2026", 5.5, 1e16, -5.0])
def test_a2_digits_of_something_else_are_no_identifier(cell):
    for read in (account_number, phone_number):
        with pytest.raises(ValueError):
            read(cell, EN)


def test_a2_a_telephone_number_keeps_its_digits_and_gets_no_others():
    for cell in ("+1 (555) 010-0199", "555.010.0199", "1\u2011555\u2011010\u20110199", 5550100199.0):
        assert phone_number(cell, EN) == "5550100199"
    assert phone_number("n/a", EN) is None
    for cell in ("555-010-0199 ext 5", "unassigned", "12.50"):
        with pytest.raises(ValueError):
            phone_number(cell, EN)


def test_a2_an_order_of_day_and_month_that_is_not_known_is_refused():
    assert day("03/10/2026", Locale("en_CA", day_first=False)) == "2026-03-10"
    assert (day("03/10/2026", US), day("03/10/2026", HE)) == ("2026-03-10", "2026-10-03")
    for locale in (EN, FR):
        with pytest.raises(ValueError, match="is no day"):
            day("03/10/2026", locale)


# --- A6: times beyond the years that there are ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "9999-12-31T23:59:59Z",
        "9999-12-31T23:59:59-05:00",
        "9999-12-31T00:00:00",
        "9999-12-31",
        "31/12/9999",
        "0001-01-01T00:00:00+14:00",
        "0001-01-01T00:00:00-14:00",
        "0000-00-00",
        "0000-00-00T00:00:00",
    ],
)
def test_a6_a_time_without_an_end_or_beginning_is_none(text):
    assert instant(text, ISRAEL) is None
    assert calendar_day(text, ISRAEL) is None


@pytest.mark.parametrize("text", ["10000-01-01", "-0001-01-01", "99999-12-31T00:00:00Z", "2026-13-01"])
def test_a6_a_time_past_all_years_is_refused_by_name(text):
    for read in (instant, calendar_day):
        with pytest.raises(ValueError, match=r"^is no date$"):
            read(text, ISRAEL)


def test_a6_a_time_without_a_zone_is_refused_where_none_is_stated():
    with pytest.raises(ValueError, match="without its zone"):
        instant("2026-10-03T10:00:00", US)
    assert instant("2026-10-03T10:00:00Z", US) == datetime(2026, 10, 3, 10, tzinfo=UTC)


def test_a6_a_mail_from_after_all_years_has_no_date():
    assert parse(b"From: a@example.com\r\nDate: Fri, 31 Dec 9999 23:59:59 -1400\r\n\r\nx").dated is None
