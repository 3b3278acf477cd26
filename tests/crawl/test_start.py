"""What a crawl of each family and `scrapy status` import before they begin, and that other families add nothing to it."""

from __future__ import annotations

import shutil
import subprocess
import sys

import pytest

from tests.commands.test_new_family import House
from tests.project import ROOT

OURS = ("commands", "database", "jobs", "middlewares", "pipelines", "sandbox", "scrapers", "webhook")
# Those of aiohttp's, SQLAlchemy's and others' compiled parts included.
PACKAGES = """
    OpenSSL _brotli _cffi_backend _openssl aiohappyeyeballs aiohttp aiosignal annotated_types attr attrs backports brotli
    charset_normalizer constantly cryptography cssselect cython_runtime defusedxml dotenv frozenlist greenlet idna
    incremental jmespath lxml multidict packaging parsel playwright propcache pydantic pydantic_core
    pydantic_settings pydispatch queuelib scrapy service_identity sqlalchemy twisted typing_extensions typing_inspection
    w3lib yarl zope
"""
# Modules of a crawl of any family, room by room; those of a family and portal stand below.
CRAWL = {
    "commands": "_progress _terminal crawl",
    "database": "actors aliases dialects engine notes processes schema settings upsert versions watermarks writer",
    "database.access": """addresses codes credentials encryption fingerprints leases ledger sessions totp""",
    # The queue of jobs is that of all families, and its carriers' jobs name accounts and cycles.
    "database.families": "cycles",
    "database.jobs": "breakers claims hours pace queue settings settling steps",
    "database.models": "access audit base carriers codes jobs keys runs uploads versions",
    "middlewares": "auth cookies evidence fingerprint limits logs pace places",
    "middlewares.access": "attempts codes identity leases portal proof second sessions storage",
    "middlewares.download": "encodings handler names resuming streaming",
    "pipelines": "completeness feeds files records settings upload validate",
    "pipelines.stores": "base folder names",
    "scrapers": "settings",
    "scrapers.core": """brake choices choosing compat downloads items jobs keys loader locators logs looking monitor naming outcomes
        overlays pace page periods places queued redaction requests runs settings spider spool stated tables trail version visit
        walls""",
    "scrapers.logins": "base contacts credentials screens words",
    "scrapers.reading": "archive pdf",
}
VALUES = {"scrapers.reading.values": "days locale marks numbers texts types"}
FAMILIES = {
    "bell_pdf_invoice": {
        "scrapers.families.carriers": "accounts columns invoices items reports spiders",
        "scrapers.logins": "browser",
        "scrapers.portals.bell": "columns login pdf_invoice self_serve settings",
        "scrapers.reading": "invoice_words invoices workbooks",
        "scrapers.reading.values": f"{VALUES['scrapers.reading.values']} sizes",
    },
    "iec_tariffs": {
        "database.models": "electricity",
        "scrapers.families.electricity": "clock items spiders",
        "scrapers.logins": "conversation",
        "scrapers.portals.iec": "api customer errors hosts login settings tariffs",
        **VALUES,
    },
    "trucktech_vehicles": {
        "database.families": "fleet",
        "database.models": "fleet",
        "scrapers.families.fleet": "folding items j1939 labels rows spiders words",
        "scrapers.logins": "announcements browser",
        "scrapers.portals.trucktech": "login pages rows vehicles",
        "scrapers.reading": "forms grids layouts visible",
        **VALUES,
    },
    "shop_prices": {
        "database.families": "alerts prices",
        "database.models": "prices",
        "scrapers.families.prices": """addresses amounts arguments asking challenges checking items page planning readers readings
            settings spiders structured""",
        # What each portal states, and the shop that the address might be of.
        "scrapers.portals": "att bell iec rogers telegram telus tmobile trucktech verizon",
        "scrapers.portals.pluginboutique": "addresses settings",
        "scrapers.portals.shop": "prices settings",
        "scrapers.reading": "visible",
        **VALUES,
    },
    "plain_files": {"scrapers.families.documents": "spiders", "scrapers.logins": "form"},
}
STATUS = {
    "commands": "_terminal status",
    "database": "actors aliases dialects engine processes settings writer",
    "database.access": "addresses codes encryption fingerprints",
    "database.jobs": "queue settings",
    "database.models": "access audit base codes jobs keys runs",
    "jobs": "overview",
    "scrapers": "settings",
    "scrapers.core": "compat outcomes settings",
}
OPENED = ("-s", 'EXTENSIONS={"tests.crawl.opened.Opened": 1}')
# `scrapy …`, which prints at its end what it has imported.
AND_MODULES = """
import atexit, sys
atexit.register(lambda: print(*sys.modules))
from scrapy.cmdline import execute
execute(["scrapy", *sys.argv[1:]])
"""


def named(*rooms: dict[str, str]) -> set[str]:
    """Return full names from those of modules by room, and of all packages that they are in."""
    full = {f"{room}.{name}" for group in rooms for room, names in group.items() for name in names.split()}
    return full | {".".join(parts[:end]) for name in full if (parts := name.split(".")) for end in range(1, len(parts))}


def check(printed: str, *rooms: dict[str, str]) -> None:
    """Compare what a process has imported with what it may."""
    # Coverage is there where the tests are measured, the hack where setuptools is installed.
    tools = ("coverage", "$coverage", "_distutils_hack")
    imported = {name for name in printed.split() if name.split(".")[0] not in tools}
    assert "scrapy.cmdline" in imported
    assert {name for name in imported if name.split(".")[0] in OURS} - named(*rooms) == set()
    tops = {name.split(".")[0] for name in imported if not name.startswith(("_cython_", "_sysconfigdata", "__m"))}
    assert tops - set(sys.stdlib_module_names) - set(OURS) - {"tests"} - set(PACKAGES.split()) == set()


@pytest.mark.parametrize("spider", FAMILIES)
def test_a_crawl_imports_what_its_family_needs_until_its_spider_opens(crawls, spider):
    given: tuple[str, ...] = ()
    match spider.split("_")[0]:
        case "bell":
            given = ("-a", f"account={crawls.give_bell('ok')[0]}")
        case "trucktech":
            crawls.project.environment.update(TRUCKTECH_USERNAME="ok", TRUCKTECH_PASSWORD="unused")
        case "shop":
            given = ("-a", "url=https://shop.example/p/1")
        case "plain":
            crawls.give("plain", "ok")
            given = ("-s", "SPIDER_MODULES=tests.portals.plain.documents")
    done = crawls.project.scrapy("crawl", spider, *given, *OPENED, fresh=True)
    assert done.returncode == 0, done.stderr
    check(done.stdout, CRAWL, FAMILIES[spider])


def test_status_imports_neither_crawls_nor_families(crawls):
    done = crawls.project.run(sys.executable, "-c", AND_MODULES, "status")
    assert done.returncode == 0, done.stderr
    check(done.stdout.splitlines()[-1], STATUS)


@pytest.mark.matrix
@pytest.mark.timeout(400)
def test_ten_families_import_no_more_than_one(tmp_path, sqlite_with_tables):
    house = House(tmp_path)
    house.data.mkdir()
    shutil.copy(sqlite_with_tables, house.data / "latchkey.db")

    def imported() -> list[set[str]]:
        found = []
        for words in (["status"], ["crawl", "iec_tariffs", *OPENED]):
            command = [sys.executable, "-c", AND_MODULES, *words]
            done = subprocess.run(
                command, cwd=house.path, env=house.environment, capture_output=True, text=True, timeout=120, check=False
            )
            assert done.returncode == 0, done.stderr
            found.append(set((done.stdout.splitlines()[-1] if words == ["status"] else done.stdout).split()))
        return found

    before = imported()
    there = sum(each.is_dir() and each.name[0] != "_" for each in (ROOT / "scrapers" / "families").iterdir())
    for number in range(there, 10):
        word = f"meadow{number}"
        model = f'from database.models.base import Base\nfrom sqlalchemy.orm import Mapped, mapped_column\n\n\nclass {word.title()}(Base):\n    __tablename__ = "{word}"\n    id: Mapped[int] = mapped_column(primary_key=True)\n'
        house.write(
            {
                f"scrapers/families/{word}/__init__.py": f'from scrapers.core.stated import Family\n\nFAMILY = Family(word="{word}")\n',
                f"database/models/{word}.py": model,
            }
        )
        house.good(f"scrapy startportal acme{number} --family fleet --name Acme{number} --reports vehicles")
        place = house.path / "scrapers" / "portals" / f"acme{number}" / "__init__.py"
        place.write_text(place.read_text().replace('family="fleet"', f'family="{word}"'))
    listed = house.good("scrapy list").split()
    assert [number for number in range(there, 10) if f"acme{number}_vehicles" not in listed] == []
    assert imported() == before
