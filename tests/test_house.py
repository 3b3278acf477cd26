"""The rules of the house that a machine can hold: floors, waits, broad excepts, names."""

from __future__ import annotations

import ast
import inspect
import json
import re
import subprocess
import sys
import tokenize
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.project import CARRIERS, clean_environment

ROOT = Path(__file__).resolve().parents[1]

# From the ground: what a room may import of ours, itself apart.
FLOORS = {
    "database": set(),
    "scrapers": {"database"},
    "middlewares": {"database", "scrapers"},
    "pipelines": {"database", "scrapers"},
    "jobs": {"database", "scrapers"},
    "webhook": {"database", "jobs", "scrapers"},
    "sandbox": set(),
    "commands": {"database", "jobs", "middlewares", "pipelines", "sandbox", "scrapers", "webhook"},
    "benchmarks": {"commands", "database", "jobs", "middlewares", "pipelines", "sandbox", "scrapers", "webhook"},
}
# The same inside `scrapers`, whose top holds `settings.py` alone.
INNER_FLOORS = {
    "core": set(),
    "reading": {"core"},
    "logins": {"core"},
    "families": {"core", "reading", "logins"},
    "portals": {"core", "reading", "logins", "families"},
}
# Rooms in which nothing waits for a fixed time: they poll for a condition, with a deadline.
NO_FIXED_WAITS = {"commands", "database", "jobs", "middlewares", "pipelines", "scrapers", "webhook"}
# Lines of a carrier's spider and of its login that are code: more means that something in it is not their own.
LONGEST_SPIDER, LONGEST_LOGIN = 60, 70
# Rooms whose modules import one another without circles.
ROUND = ("database", "scrapers", "middlewares", "pipelines", "webhook", "commands", "sandbox", "benchmarks")
BROAD = {"Exception", "BaseException"}
LAYOUT = {
    *(tokenize.ENCODING, tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT),
    tokenize.ENDMARKER,
}
STATEMENTS = [*ROOT.glob("scrapers/portals/*/__init__.py"), *ROOT.glob("scrapers/families/*/__init__.py")]


@pytest.fixture(autouse=True, scope="module")
def forget() -> Iterator[None]:
    """Let the trees of all files go when these tests have ended."""
    yield
    for remembered in (parsed, imports, calls):
        remembered.cache_clear()


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def files(*rooms: str) -> Iterator[tuple[str, str, ast.Module]]:
    """Give room, name and tree of every Python file in the rooms."""
    for room in rooms:
        for path in sorted((ROOT / room).rglob("*.py")):
            yield room, str(path.relative_to(ROOT)), parsed(path)


def lines_of_code(path: Path) -> int:
    """Return how many lines of a file have code: neither blank nor of comments and docstrings alone."""
    documented = {
        line
        for node in ast.walk(parsed(path))
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef))
        and ast.get_docstring(node)
        for line in range(node.body[0].lineno, (node.body[0].end_lineno or 0) + 1)
    }
    kept = set()
    with path.open("rb") as file:
        for token in tokenize.tokenize(file.readline):
            if token.type not in LAYOUT:
                kept |= set(range(token.start[0], token.end[0] + 1))
    return len(kept - documented)


@cache
def imports(tree: ast.AST) -> set[str]:
    """Return every dotted name that is imported anywhere in a file, inside functions too."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


@cache
def calls(tree: ast.AST) -> list[tuple[str, ast.Call]]:
    """Return the name and node of every call."""
    return [(ast.unparse(node.func), node) for node in ast.walk(tree) if isinstance(node, ast.Call)]


def test_imports_come_from_lower_floors():
    wrong = [
        f"{file} imports {found}"
        for room, file, tree in files(*FLOORS)
        for found in imports(tree)
        if (top := found.split(".")[0]) == "tests" or (top in FLOORS and top != room and top not in FLOORS[room])
    ]
    assert not wrong


def test_the_floors_inside_scrapers():
    wrong = []
    for _, file, tree in files("scrapers"):
        room = Path(file).parts[1]
        for found in imports(tree):
            top, _, rest = found.partition(".")
            other = rest.split(".")[0]
            if top == "scrapers" and room in INNER_FLOORS and other not in {room} | INNER_FLOORS[room]:
                wrong.append(f"{file} imports {found}")
    assert not wrong


def test_the_top_of_scrapers_is_the_map_alone():
    assert {path.name for path in (ROOT / "scrapers").glob("*.py")} == {"__init__.py", "settings.py"}


def module_graph(*rooms: str) -> dict[str, set[str]]:
    """Return the modules of the rooms, each with those that it imports anywhere, type-only imports counted."""
    trees = {
        file.removesuffix(".py").replace("/", ".").removesuffix(".__init__"): tree for _, file, tree in files(*rooms)
    }
    graph = {}
    for module, tree in trees.items():
        found = set()
        for name in imports(tree):
            found.add(name if name in trees else name.rpartition(".")[0])
        graph[module] = (found & set(trees)) - {module}
    return graph


# The environment, but for the settings: credentials, and what programs that we start are given.
READ_THE_ENVIRONMENT = {
    "database/backup.py",
    "database/settings.py",
    "scrapers/core/settings.py",
    "scrapers/logins/credentials.py",
    "middlewares/download/browser.py",
    "middlewares/download/handler.py",
    "commands/_demo_serving.py",
    "commands/demo.py",
}


def test_what_is_set_is_a_declared_setting():
    rooms = ("commands", "database", "middlewares", "pipelines", "scrapers", "webhook")
    wrong = {
        file for _, file, _tree in files(*rooms) if re.search(r"\bos\.(environ|getenv)\b", (ROOT / file).read_text())
    }
    assert wrong <= READ_THE_ENVIRONMENT


def test_settings_stand_in_files_of_one_name():
    """A settings class of a login is made from what the login states."""
    wrong = []
    for _, file, tree in files("commands", "database", "middlewares", "pipelines", "scrapers", "webhook"):
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef) and {ast.unparse(base) for base in node.bases} & {
                "BaseSettings",
                "RoomSettings",
                "PortalSettings",
            }:
                wrong.append(file)
    assert {file for file in wrong if not file.endswith("/settings.py")} == {"scrapers/logins/base.py"}


def test_there_are_no_circles():
    """Modules without an import of ours go first, then those that import only these …: what is left stands in a circle."""
    graph = module_graph(*ROUND)
    while free := {module for module, needs in graph.items() if not needs}:
        graph = {module: needs - free for module, needs in graph.items() if module not in free}
    assert not graph


def test_a_portal_never_imports_another_portal():
    wrong = [
        f"{file} imports {found}"
        for _, file, tree in files("scrapers/portals")
        for found in imports(tree)
        if found.startswith("scrapers.portals.") and found.split(".")[2] != Path(file).parts[2]
    ]
    assert not wrong


def test_nothing_waits_for_a_fixed_time():
    wrong = []
    for room, file, tree in files(*FLOORS, "tests"):
        for called, node in calls(tree):
            first = node.args[0].value if node.args and isinstance(node.args[0], ast.Constant) else 0
            long = isinstance(first, int | float) and first >= 1
            if (
                called == "time.sleep"
                or called.endswith("wait_for_timeout")
                or (called == "asyncio.sleep" and long and room in NO_FIXED_WAITS)
            ):
                wrong.append(f"{file}:{node.lineno}: {called}")
    assert not wrong


def test_a_broad_except_hides_nothing():
    """`except Exception` stands only where its handler raises, or does something with the error."""
    wrong = []
    for _, file, tree in files(*FLOORS):
        for node in ast.walk(tree):
            if isinstance(node, ast.ExceptHandler) and (node.type is None or ast.unparse(node.type) in BROAD):
                inside = [inner for statement in node.body for inner in ast.walk(statement)]
                raised = any(isinstance(inner, ast.Raise) for inner in inside)
                if not raised and not any(isinstance(inner, ast.Name) and inner.id == node.name for inner in inside):
                    wrong.append(f"{file}:{node.lineno}: the error is dropped")
    assert not wrong


def test_nothing_is_left_open():
    words = "|".join(("TO" + "DO", "FIX" + "ME", "X" + "XX", "NotImplemented" + "Error"))
    idle = r"pytest\.(?:mark\.)?(?:ski" + r"p|xfai" + r"l)"
    wrong = [
        f"{file}: {match.group()}"
        for _, file, _tree in files(*FLOORS, "tests")
        for match in re.finditer(rf"\b(?:{words})\b|{idle}", (ROOT / file).read_text())
    ]
    assert not wrong


def test_certificates_are_always_verified():
    wrong = []
    for _, file, tree in files(*FLOORS, "tests"):
        for called, node in calls(tree):
            off = called.endswith("_create_unverified_context")
            for keyword in node.keywords:
                if isinstance(keyword.value, ast.Constant):
                    off |= keyword.arg in {"verify", "ssl", "verify_ssl"} and keyword.value.value is False
                    off |= keyword.arg == "ignore_https_errors" and keyword.value.value is True
            if off:
                wrong.append(f"{file}:{node.lineno}: {called}")
    assert not wrong


def listed(file: str) -> set[str]:
    """Return the names in a requirements file, as package indexes compare them."""
    lines = (ROOT / file).read_text().splitlines()
    names = [match[0] for line in lines if (match := re.match(r"[A-Za-z0-9][\w.-]*", line))]
    return {re.sub(r"[-_.]+", "-", found).lower() for found in names}


def extras() -> set[str]:
    """Return the packages that are for a part of what the project does."""
    stated = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    return {re.split("[<>=]", each)[0] for group in stated.values() for each in group}


def test_what_is_imported_is_a_listed_requirement():
    """A package that only comes along with another one may be gone with its next version."""
    from importlib.metadata import packages_distributions

    brought_by = packages_distributions()
    ours, tests = listed("requirements.txt") | extras(), listed("requirements.txt") | listed("requirements-dev.txt")
    wrong = []
    for room, file, tree in files(*FLOORS, "tests"):
        for found in (
            {found.split(".")[0] for found in imports(tree)} - set(FLOORS) - {"tests"} - sys.stdlib_module_names
        ):
            packages = {re.sub(r"[-_.]+", "-", name).lower() for name in brought_by.get(found, ())}
            if not packages & (tests if room in ("tests", "benchmarks") else ours):
                wrong.append(f"{file} imports {found}")
    assert not wrong


def test_the_locks_name_no_machine():
    """A lock holds hashes; no registry host, no path of whoever made it."""
    for lock in (ROOT / "requirements.lock", ROOT / "requirements-dev.lock", ROOT / ".ci" / "uv.lock"):
        text = lock.read_text()
        assert "--hash=sha256:" in text
        assert not re.search(r"://|--index-url|--extra-index-url|--find-links|/tmp/|/home/", text)


def test_portals_state_themselves_and_their_family():
    """Every folder of `scrapers/portals` has a PORTAL of its name, in a family that has a folder with a FAMILY of its name."""
    from scrapers.core.stated import families, portals

    known, folders = families(), {path.name for path in (ROOT / "scrapers/portals").iterdir() if path.is_dir()}
    assert set(portals()) == folders - {"__pycache__"}
    assert set(known) == {path.parent.name for path in (ROOT / "scrapers/families").glob("*/__init__.py")}
    for portal in portals().values():
        assert portal.family in known
        assert ZoneInfo(portal.time_zone)
        assert re.fullmatch(r"[a-z]{2}_[A-Z]{2}", portal.locale)


def test_reading_what_is_stated_loads_no_spider_and_no_table():
    code = (
        "import sys; from scrapers.core.stated import families, portals, with_accounts; families(); portals(); "
        "with_accounts(); print(*sorted(name for name in sys.modules if name.split('.')[0] in "
        "('database', 'scrapers', 'scrapy', 'sqlalchemy')))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    rooms = {f"scrapers.{room}" for room in ("core", "core.stated", "families", "portals")}
    inside = {f"scrapers.{found.parent.parent.name}.{found.parent.name}" for found in STATEMENTS}
    assert set(done.stdout.split()) == {"scrapers"} | rooms | inside


def test_folders_and_spiders_agree():
    """Every folder of `scrapers/portals` has spiders, and every spider and login states the portal of its folder."""
    from scrapy.settings import Settings
    from scrapy.spiderloader import SpiderLoader

    from scrapers.core.stated import portals
    from scrapers.logins.base import Login

    loader = SpiderLoader.from_settings(Settings({"SPIDER_MODULES": ["scrapers.portals"]}))
    spiders: list[Any] = [loader.load(name) for name in loader.list()]
    assert {spider.portal for spider in spiders} == set(portals())
    for each in (*spiders, *Login.registry.values()):
        if each.__module__.startswith("scrapers.portals."):
            assert each.portal == each.__module__.split(".")[2]


def test_spiders_are_named_for_their_folder():
    """`<portal>_<report type>`, in the folder `scrapers/portals/<portal>/`: one word everywhere."""
    from scrapy.settings import Settings
    from scrapy.spiderloader import SpiderLoader

    loader = SpiderLoader.from_settings(
        Settings({"SPIDER_MODULES": ["scrapers.portals"], "SPIDER_LOADER_WARN_ONLY": False})
    )
    for spider in loader.list():
        folder = loader.load(spider).__module__.split(".")[2]
        assert spider.startswith(f"{folder}_")
        assert re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)+", spider)


# Libraries whose undocumented parts stand in `scrapers/core/compat.py` alone.
OPAQUE = ("aiohttp", "playwright", "scrapy", "scrapy_playwright", "scrapy_splash", "twisted")
COMPAT = "scrapers/core/compat.py"
# Undocumented parts of other packages, where the floors keep them out of `compat.py`; each has a test of its own.
ELSEWHERE = {
    "database/migrations/env.py": {"_variant_mapping"},  # SQLAlchemy: JSON's types by dialect
    "pipelines/stores/smb.py": {"_sock"},  # smbprotocol: the socket of a connection
}
# What our subclasses override or call of theirs; tests/scrapers/core/test_compat.py tests each.
OVERRIDES = {
    "middlewares.cookies.CookiesMiddleware": {"_process_cookies"},
    "middlewares.download.streaming.StreamingDownloadHandler": {
        "_extract_headers",
        "_make_request",
        "_read_response",
        "_request_headers",
    },
    "scrapers.core.compat.LateSpiderLoader": {
        *("_check_name_duplicates", "_found", "_load_all_spiders", "_load_spiders", "_spiders"),
    },
}
PRIVATE = r"_[a-zA-Z]\w*"
BY_NAME = {"getattr", "setattr", "hasattr", "delattr"}


def is_private(name: str) -> bool:
    return re.fullmatch(PRIVATE, name) is not None


def private_names(source: str) -> set[str]:
    """Return the names with one leading underscore that a source defines, or takes from an object."""
    return set(re.findall(rf"(?:\.|\bdef |^    )({PRIVATE})\b", source, re.M))


def is_self(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id == "self"


def own_names(tree: ast.Module) -> set[str]:
    """Return the private functions, methods and attributes that a file defines."""
    found = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and is_self(node.value):
            found.add(node.attr)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
    return {name for name in found if is_private(name)}


def private_use(tree: ast.Module, theirs: set[str]) -> Iterator[tuple[str, str]]:
    """
    Give what a file takes of other objects and modules that is private to them, and the name alone.

    An object's private attribute counts unless this file defines one of that name, and always when it is in *theirs*.
    """
    own = own_names(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            for found in imports(ast.Module([node], [])):
                if found.split(".")[0] not in {*FLOORS, "__future__"}:
                    yield from ((found, part) for part in found.split(".") if is_private(part))
            continue
        if isinstance(node, ast.Attribute):
            name, owner = node.attr, node.value
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in BY_NAME and node.args:
            literal = node.args[1] if len(node.args) > 1 else None
            name, owner = str(getattr(literal, "value", "")), node.args[0]
        else:
            continue
        if is_private(name) and (name not in own or name in theirs):
            whose = ast.unparse(owner)
            if whose not in {"self", "cls", "super()"}:
                yield f"{whose}.{name}", name


def test_undocumented_parts_of_libraries_stand_in_compat_alone():
    import scrapy_playwright.handler

    theirs = private_names(Path(scrapy_playwright.handler.__file__).read_text())
    wrong = []
    for _, file, tree in files(*(set(FLOORS) - {"benchmarks", "sandbox"})):
        if file != COMPAT:
            wrong += [
                f"{file}: {found}"
                for found, name in private_use(tree, theirs)
                if name not in ELSEWHERE.get(file, ()) and found not in {"os._exit", "parts._replace"}
            ]
    assert not wrong


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("from playwright._impl._errors import Error", ["_impl", "_errors"]),
        ("from scrapy.core.downloader.handlers import _aiohttp", ["_aiohttp"]),
        ("import scrapy.utils._compression", ["_compression"]),
        ("from commands._terminal import show", []),
        ("browser._create_page()", ["_create_page"]),
        ("getattr(crawler, '_engine', None)", ["_engine"]),
        ("class A:\n def __init__(self): self._launch = 1\ndef f(browser): browser._launch()", ["_launch"]),
        ("class A:\n def _stop(self): self._go()\ndef f(a): a._stop(); a.__class__", []),
    ],
)
def test_private_use_is_seen(source, found):
    assert [name for _, name in private_use(ast.parse(source), {"_launch"})] == found


# What needs a reactor's choice, and what runs in Prefect's own environment.
ALONE = ("scrapers.settings", "jobs.engines.prefect_flow")


def test_what_is_overridden_of_libraries_is_listed():
    """Counted: private names that a class of ours uses of itself and that a library's base of it has."""
    code = (
        "import importlib, json, pkgutil, sys\n"
        "from tests.test_house import overrides\n"
        "for room in ('scrapers', 'middlewares', 'pipelines', 'webhook', 'jobs', 'commands'):\n"
        "    package = importlib.import_module(room)\n"
        "    for found in pkgutil.walk_packages(package.__path__, room + '.'):\n"
        f"        if found.name not in {ALONE!r}: importlib.import_module(found.name)\n"
        "print(json.dumps(overrides()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=clean_environment(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert {name: set(found) for name, found in json.loads(done.stdout).items()} == OVERRIDES


def test_spiders_and_logins_of_carriers_are_short():
    carriers = [ROOT / "scrapers" / "portals" / portal for portal in CARRIERS]
    spiders = {
        str(path.relative_to(ROOT)): lines_of_code(path)
        for portal in carriers
        for path in portal.glob("*.py")
        if path.stem in ("daily_usage", "monthly_reports", "pdf_invoice", "ereports")
    }
    logins = {
        str(path.relative_to(ROOT)): lines_of_code(path) for portal in carriers for path in portal.glob("*login.py")
    }
    assert (len(spiders), len(logins)) == (19, 7)
    assert {path: lines for path, lines in spiders.items() if lines > LONGEST_SPIDER} == {}
    assert {path: lines for path, lines in logins.items() if lines > LONGEST_LOGIN} == {}


@cache  # finding the source of a class means to parse its module
def private_names_of(each: type) -> set[str]:
    return private_names(inspect.getsource(each))


def overrides() -> dict[str, list[str]]:
    """Return the private names that each loaded class of ours shares with its bases in the libraries."""
    found = {}
    for name, module in list(sys.modules.items()):
        for each in vars(module).values() if name.split(".")[0] in FLOORS else ():
            if isinstance(each, type) and each.__module__ == name:
                bases = [base for base in each.__mro__ if base.__module__.split(".")[0] in OPAQUE]
                theirs = {word for base in bases for word in private_names_of(base)}
                if theirs and (shared := theirs & private_names_of(each)):
                    found[f"{name}.{each.__qualname__}"] = sorted(shared)
    return found
