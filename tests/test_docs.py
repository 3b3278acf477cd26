"""What a contributor reads is true: every command, path, name and setting in it exists, and some commands are typed."""

from __future__ import annotations

import argparse
import ast
import importlib
import inspect
import json
import pkgutil
import re
import shlex
import zipfile
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from scrapy.settings import Settings
from scrapy.spiderloader import SpiderLoader

from commands._scrapy import Refused as NotUsedHere
from commands.doctor import of_portals
from sandbox import running
from scrapers.core.jobs import ArgumentError
from tests.project import ROOT

PAGES = [ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text()
CHANGED = (ROOT / "docs" / "when-a-portal-changes.md").read_text()
ROOMS = ("benchmarks", "commands", "database", "jobs", "middlewares", "pipelines", "sandbox", "scrapers", "webhook")
FENCE = re.compile(r"^ *```(\w*)\n(.*?)^ *```$", re.M | re.S)
EXAMPLE = "acme"  # the portal that CONTRIBUTING.md invents
# What a page calls an object by, and its class.
VARIABLES = {
    "job": "scrapers.core.jobs.Job",
    "page": "scrapers.core.page.PortalPage",
    "page.job": "scrapers.core.jobs.Job",
    "self": "scrapers.core.spider.PortalSpider",
    "spider": "scrapers.core.spider.PortalSpider",
    "user": "sandbox.users.User",
    "admin": "sandbox.client.Admin",
    "engine": "scrapy.core.engine.ExecutionEngine",
    "request": "scrapy.Request",
}
THEIRS = {
    "AliasChoices",
    "PageMethod",
    "ProcessorFormatter",
}  # classes of other packages that a page names without their module


def prose(page: Path) -> str:
    """Return a page without its fenced blocks."""
    return FENCE.sub("", page.read_text())


def spans(page: Path) -> list[str]:
    """Return what stands between back-quotes, line breaks folded."""
    return [" ".join(found.split()) for found in re.findall(r"`([^`]+)`", prose(page))]


def shell_blocks(text: str) -> list[list[str]]:
    """Return the lines of every shell block, without comments."""
    blocks = [block for language, block in FENCE.findall(text) if language in ("", "sh")]
    lines = [[re.sub(r"\s+#\s.*", "", line).strip() for line in block.splitlines()] for block in blocks]
    return [[line for line in block if line] for block in lines]


def typed(text: str) -> list[str]:
    """Return every command in the shell blocks of a page."""
    found = [part.strip() for block in shell_blocks(text) for line in block for part in line.split("&&")]
    return found + [inner for line in found for inner in re.findall(r"\$\((.*?)\)", line)]


def ours(commands: Iterable[str]) -> list[str]:
    """Return those that are `scrapy …`, `make …` or `./run …`, without those that leave something out."""
    return sorted({each for each in commands if re.match(r"(scrapy|make|\./run) (?![A-Z])", each) and "…" not in each})


TYPED = ours(command for page in (*PAGES, ROOT / "README.md") for command in typed(page.read_text()))
MENTIONED = ours(span for page in PAGES for span in spans(page))


class Refused(Exception):
    """A parser does not take the arguments."""


def refuse(self: argparse.ArgumentParser, message: str) -> None:
    raise Refused(message)


@cache
def spiders() -> dict[str, Any]:
    """Return every spider class by its name."""
    loader = SpiderLoader.from_settings(Settings({"SPIDER_MODULES": ["scrapers.portals"]}))
    return {name: loader.load(name) for name in loader.list()}


def check_scrapy(words: list[str]) -> None:
    """Parse the words of a `scrapy …` as Scrapy does; raise Refused for what there is not."""
    name, *given = words
    places = [f"{room}.{name}" for room in ("commands", "scrapy.commands") if exists(f"{room}.{name}")]
    if not places:
        raise Refused(f"there is no command {name}")
    command = importlib.import_module(places[0]).Command()
    if isinstance(command, NotUsedHere):
        raise Refused(command.instead)
    command.settings = Settings()
    parser = argparse.ArgumentParser(prog=f"scrapy {name}", conflict_handler="resolve")
    command.add_options(parser)
    options, rest = parser.parse_known_args(given)
    known = set(options_of(parser))
    if unknown := [word for word in given if re.match("-+[^-]", word) and word.partition("=")[0] not in known]:
        raise Refused(f"unknown: {' '.join(unknown)}")  # argparse would take the beginning of an option for it
    if name == "crawl":
        spider = spiders().get(rest[0]) if len(rest) == 1 else None
        if spider is None:
            raise Refused(f"there is no spider {' '.join(rest)}")
        spider.Arguments.parse(dict(each.split("=", 1) for each in options.spargs))
    elif name in ("sync", "test-login"):
        if len(rest) != 1 or rest[0] not in portals():
            raise Refused(f"there is no portal {' '.join(rest)}")
    elif name in ("fetch", "shell", "view"):
        if len(rest) > 1:
            raise Refused(f"one address, not {' '.join(rest)}")
    elif not set(rest) <= set(re.findall(r"[a-z-]+", command.syntax())):
        raise Refused(f"unknown: {' '.join(rest)}")


def options_of(parser: argparse.ArgumentParser) -> Iterator[str]:
    """Give the options of a parser and of its acts."""
    for action in parser._actions:
        yield from action.option_strings
        if isinstance(action, argparse._SubParsersAction):
            for act in action.choices.values():
                yield from options_of(act)


def check_run(words: list[str]) -> None:
    """Look for what `./run WHAT` and `make WHAT` do, and for the paths among the arguments."""
    script, makefile = (ROOT / "run").read_text(), (ROOT / "Makefile").read_text()
    program, what, *given = words
    names = re.findall(r"^ {4}([a-z-]+)(?: \| [^)]*)?\)$", script, re.M)
    phony = re.findall(r"^\.PHONY: (.*)$", makefile, re.M)[0].split()
    if what not in names or (program == "make" and what not in phony):
        raise Refused(f"{program} has no {what}")
    for option, word in zip(["", *given], given, strict=False):
        if option == "-k" and not any(word in name for name in names_of_tests(given)):
            raise Refused(f"-k {word} chooses no test")
        if word.startswith("tests/") and not (ROOT / word).exists():
            raise Refused(f"there is no {word}")
        if what == "bench" and word.startswith("ARGS=") and not exists(f"benchmarks.{word.removeprefix('ARGS=')}"):
            raise Refused(f"there is no benchmark {word}")


def names_of_tests(places: Iterable[str]) -> list[str]:
    """Return the names of the tests in the files among some arguments."""
    texts = [(ROOT / place).read_text() for place in places if place.endswith(".py") and (ROOT / place).is_file()]
    return [name for text in texts for name in re.findall(r"^def (test_\w+)", text, re.M)]


def exists(module: str) -> bool:
    """Tell whether a module is there, without importing it."""
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def check(command: str) -> None:
    """Raise Refused unless a command could be typed as it stands; ID is a number."""
    words = [re.sub(r"^ID$", "1", word) for word in shlex.split(re.split(r" [|>] ", command)[0])]
    check_scrapy(words[1:]) if words[0] == "scrapy" else check_run(words)


@pytest.fixture
def parsers(monkeypatch):
    """Let a parser raise what it would print."""
    monkeypatch.setattr(argparse.ArgumentParser, "error", refuse)


@pytest.mark.parametrize("command", TYPED)
def test_every_command_could_be_typed(command, parsers):
    check(command)


@pytest.mark.parametrize("command", MENTIONED)
def test_every_command_that_is_mentioned_exists(command, parsers):
    """A sentence may leave out which portal, spider or act it means, but names nothing that there is not."""
    try:
        check(command)
    except Refused as refused:
        if not re.fullmatch(r"the following arguments are required.*|there is no (portal|spider) ", str(refused)):
            raise


@pytest.mark.parametrize(
    "command",
    [
        "scrapy runz 1",
        "scrapy runs --outcom x",
        "scrapy runs one",
        "scrapy credentials ad bell",
        "scrapy credentials add bell --user ana",
        "scrapy crawl bell_invoice",
        "scrapy crawl bell_pdf_invoice -a cycles=2026-10",
        "scrapy test-login bel",
        "scrapy db upgrade now",
        "scrapy parse https://www.example.com",
        "make tests",
        "make setup",
        "./run tests",
        "./run test tests/no_such_test.py",
        "./run test tests/crawl/test_scenarios.py -k no_such_test",
        "make bench ARGS=p99",
    ],
)
def test_what_cannot_be_typed_is_found(command, parsers):
    with pytest.raises((Refused, ArgumentError)):
        check(command)


def tree(block: str) -> Iterator[str]:
    """Give the paths of a drawn tree: the first word of each line, below those that are indented less."""
    above: list[tuple[int, str]] = []
    for line in filter(str.strip, block.splitlines()):
        indent, word = len(line) - len(line.lstrip()), line.split()[0]
        above = [(depth, path) for depth, path in above if depth < indent]
        path = (above[-1][1] if above else "") + word
        above.append((indent, path))
        yield path


def test_the_drawn_tree_is_the_tree():
    (block,) = (block for language, block in FENCE.findall(ARCHITECTURE) if language == "text")
    drawn = list(tree(block))
    assert [path for path in drawn if not (ROOT / path).exists()] == []
    rooms = [path.parent for room in ROOMS for path in (ROOT / room).glob("**/__init__.py")]
    inner = {f"{path.relative_to(ROOT)}/" for path in rooms if len(path.relative_to(ROOT).parts) <= 2}
    assert inner - set(drawn) == set()


@cache
def names_of_files() -> set[str]:
    return {path.name for room in (*ROOMS, "docs", "tests") for path in (ROOT / room).rglob("*.*")} | {
        path.name for path in ROOT.iterdir()
    }


def stale_paths(page: Path) -> list[str]:
    """Return the paths that a page names and the tree does not have."""
    stale = [
        target
        for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", prose(page))
        if "://" not in target and not (page.parent / target).exists()
    ]
    tops = {path.name for path in ROOT.iterdir() if path.is_dir()}
    for span in spans(page):
        if EXAMPLE in span or not re.fullmatch(r"[\w.*/-]+", span):
            continue
        if "/" in span and span.split("/")[0] in tops:
            stale += [] if any(ROOT.glob(span)) else [span]
        elif re.fullmatch(r"[\w-]+\.(py|md|txt|lock|toml)", span) and span not in names_of_files():
            stale.append(span)
    return stale


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_path_that_a_page_names_exists(page):
    assert stale_paths(page) == []


@cache
def trees() -> dict[str, ast.Module]:
    files = [path for room in (*ROOMS, "tests") for path in (ROOT / room).rglob("*.py")]
    return {str(path.relative_to(ROOT)): ast.parse(path.read_text()) for path in files}


@cache
def classes() -> dict[str, list[str]]:
    """Return the modules of each class of ours, by its name."""
    found: dict[str, list[str]] = {}
    for path, module in trees().items():
        for node in ast.walk(module):
            if isinstance(node, ast.ClassDef):
                found.setdefault(node.name, []).append(path)
    return found


def attribute_of(owner: Any, name: str) -> bool:
    """Tell whether a class, or what it is derived from, has an attribute, those that instances get included."""
    if hasattr(owner, name):
        return True
    if not inspect.isclass(owner):
        return False
    ours = [base for base in owner.__mro__ if base is not object and base.__module__ != "builtins"]
    return any(
        name in getattr(base, "__annotations__", {}) or re.search(rf"\bself\.{name}\b *[:=]", inspect.getsource(base))
        for base in ours
    )


def resolve(dotted: str) -> bool:
    """Tell whether a dotted path names a module, a class or what one of them has."""
    owner, _, name = dotted.rpartition(".")
    try:
        pkgutil.resolve_name(dotted)
    except (ImportError, AttributeError):
        try:
            return attribute_of(pkgutil.resolve_name(owner), name)
        except (ImportError, AttributeError, ValueError):
            return False
    return True


def stale_name(span: str) -> bool:
    """Tell whether what stands between back-quotes is a name of the code that is not there any more."""
    name = re.sub(r"\(.*\)$|\[.*\]$", "", span)
    if not re.fullmatch(r"[A-Za-z_][\w.]*\w", name) or EXAMPLE in name or "__" in name or name in members():
        return False
    first, _, rest = name.partition(".")
    if rest and first in (*ROOMS, "scrapy", "tests"):
        return not resolve(name)
    owner, _, last = name.rpartition(".")
    if owner in VARIABLES:
        return not attribute_of(pkgutil.resolve_name(VARIABLES[owner]), last)
    if re.fullmatch(r"(?:[A-Z][a-z0-9]+)+", first):  # a class by its name alone
        humps = len(re.findall(r"[A-Z]", first))
        if first not in classes():
            return humps > 1 and first not in THEIRS
        modules = [path.removesuffix(".py").replace("/", ".") for path in classes()[first]]
        modules = [module for module in modules if module.split(".")[0] != "tests"] or modules
        return bool(rest) and not any(resolve(f"{module}.{name}") for module in modules)
    if re.fullmatch(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)+", name) and not name.startswith("LATCHKEY_"):
        return not is_constant(name)
    if re.match(rf"(?:{'|'.join(portals())})_[a-z]", name):
        return name not in spiders() and name not in logins()
    return False


def portals() -> set[str]:
    return {path.parent.name for path in (ROOT / "scrapers" / "portals").glob("*/__init__.py")}


def logins() -> dict[str, Any]:
    from scrapers.logins.base import Login

    spiders()  # importing them registers their logins
    return Login.registry


def is_constant(name: str) -> bool:
    """Tell whether a name in capitals is assigned in our code, is a setting of Scrapy or of a portal, or names a credential's part."""
    for kind in ("username", "password", "totp_secret", "receiver", "url", "rendering"):
        if name.lower().endswith(f"_{kind}") and name.lower().removesuffix(f"_{kind}") in portals() | set(logins()):
            return True
    return name in assigned() or name in Settings() or name in settings_of_portals()


@cache
def settings_of_portals() -> set[str]:
    """Return the names of all portals' own settings."""
    rooms = of_portals(Settings({"SPIDER_MODULES": ["scrapers.portals"]}))
    return set().union(*(room.variables() for room in rooms))


@cache
def assigned() -> set[str]:
    """Return every plain name to which our code assigns something."""
    return {
        target.id
        for module in trees().values()
        for node in ast.walk(module)
        if isinstance(node, ast.Assign | ast.AnnAssign)
        for target in ([node.target] if isinstance(node, ast.AnnAssign) else node.targets)
        if isinstance(target, ast.Name)
    }


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_name_between_back_quotes_exists(page):
    assert [span for span in spans(page) if stale_name(span)] == []


@pytest.mark.parametrize(
    "span",
    [
        "scrapers.core.visits",
        "scrapers.core.visit.Deliverys",
        "scrapers.core.visit.Deliveries.opened",
        "database.access.ledger.Ledger.finished",
        "PortalSpiders",
        "PortalSpider.visited",
        "job.remembered(…)",
        "page.job.missed()",
        "page.picks",
        "ITEM_PIPELINE",
        "BELL_USER_NAME",
        "bell_invoice",
    ],
)
def test_a_stale_name_is_found(span):
    assert stale_name(span)


def test_a_stale_path_is_found(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("`scrapers/core/visits.py`, `scrapers/*.pyx`, `visits.py` and [this](no-such-page.md); `spider.py`")
    assert stale_paths(page) == ["no-such-page.md", "scrapers/core/visits.py", "scrapers/*.pyx", "visits.py"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_setting_that_a_page_names_exists(page):
    from database.settings import RoomSettings
    from scrapers.settings import ROOMS as MODULES

    for module in MODULES:
        importlib.import_module(module)
    known = set().union(*(room.variables() for room in RoomSettings.rooms))
    named = re.findall(r"\bLATCHKEY_[A-Z0-9_]*[A-Z0-9]\b", page.read_text())
    assert [name for name in named if name not in known] == []


def test_the_order_of_the_components_is_that_of_the_settings():
    import scrapers.settings

    settings = Settings()
    settings.setmodule(scrapers.settings)
    rows = [(int(place), name) for place, name in re.findall(r"^\| (\d+) \| `([\w.]+)` \|", ARCHITECTURE, re.M)]
    expected = []
    for setting in ("DOWNLOADER_MIDDLEWARES", "ITEM_PIPELINES"):
        both = {**settings.getdict(f"{setting}_BASE"), **settings.getdict(setting)}
        expected += sorted((place, name) for name, place in both.items() if place is not None)
    assert rows == expected


def test_every_decision_is_in_the_list():
    folder = ROOT / "docs" / "decisions"
    numbers = sorted(path.name for path in folder.glob("[0-9]*.md"))
    assert re.findall(r"^\| \[\d{4}\]\(([\w.-]+)\)", (folder / "README.md").read_text(), re.M) == numbers
    for name in numbers:
        headings = re.findall(r"^#+ (.+)$", (folder / name).read_text(), re.M)
        assert headings[0].startswith(f"{name[:4]}: ")
        assert headings[1:] == ["Context", "Decision", "Consequences", "What was tried"]


def members() -> set[str]:
    """Return the names that the page on changed portals gives to the members of a bundle."""
    table = CHANGED.partition("| member |")[2].partition("\n\n")[0]
    return {name for row in table.splitlines() for name in re.findall(r"`([\w]+\.\w+)`", row.split("|")[1])}


def test_the_members_of_a_bundle_are_those_that_are_written():
    source = (ROOT / "middlewares" / "evidence.py").read_text()
    written = set(re.findall(r'"(\w+\.(?:json|html|jpg))"', source.partition("def bundle")[2]))
    written |= set(re.findall(r'return "(\w+\.\w+)"', source))
    assert members() == {name for name in written if not name.endswith(".zip")} | {"response.html", "response.json"}


@pytest.mark.browser
@pytest.mark.timeout(300)
def test_the_rehearsal_of_a_changed_portal_ends_with_its_bundle(project, tmp_path):
    """What the page types is typed: the sandbox runs where a second terminal would, and the folder is the test's."""
    here = project(tmp_path)
    here.environment.pop("LATCHKEY_ENCRYPTION_KEYS")  # the first command makes them
    first, second = shell_blocks(CHANGED.partition("## Rehearse it once")[2].partition("\n## ")[0])
    assert first[-1] == "scrapy sandbox --portals trucktech"
    assert second[0] == 'eval "$(scrapy sandbox --environment)"'
    said = {}
    with running(tmp_path / "sandbox", ("trucktech",)) as sandbox:
        for line in (*first[:-1], *second[1:]):
            words = shlex.split(line.replace(".latchkey", str(here.data)))
            if words[0] == "export":
                here.environment.update([words[1].split("=", 1)])
                continue
            if words[0] == "scrapy":
                done = here.scrapy(*words[1:], env=sandbox.environment, timeout=120)
            else:
                done = here.run(*words)
            assert done.returncode == (6 if words[1] == "crawl" else 0), (line, done.stdout, done.stderr)
            said[line] = done.stdout
    listed, told, packed, _, title = list(said.values())[-5:]
    assert "trucktech_vehicles" in listed
    assert "<title>" in title
    rows = CHANGED.partition("| line |")[2].partition("\n\n")[0].splitlines()[2:]
    labels = {label for row in rows for label in re.findall(r"`(\w+)`", row.split("|")[1])}
    assert labels - set(re.findall(r"^(\w+) ", told, re.M)) == {"warnings"}  # this run has none
    bundle = next((here.data / "evidence").iterdir())
    assert str(bundle) in told
    with zipfile.ZipFile(bundle) as archive:
        assert set(archive.namelist()) <= members()
        story = json.loads(archive.read("run.json"))
    assert {"run.json", "requests.json", "response.html"} <= set(packed.split())
    row = re.findall(r"^\| `run\.json` \|(.*)\|$", CHANGED, re.M)[0]
    assert [name for name in re.findall(r"`(\w+)`", row) if name not in story] == []


def test_the_page_of_outcomes_is_made_by_the_command_that_it_names(project, tmp_path):
    page = ROOT / "docs" / "outcomes.md"
    (command,) = re.findall(r"Made by `scrapy (.*) > docs/outcomes\.md`", page.read_text())
    assert project(tmp_path).scrapy(*command.split()).stdout == page.read_text()
