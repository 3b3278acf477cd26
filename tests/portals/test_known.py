"""Selectors, words and addresses of a portal's spiders: known by its sheet, or marked as guesses that are never required."""

from __future__ import annotations

import ast
import inspect
import pkgutil
import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from importlib import import_module
from types import ModuleType
from typing import Any

import pytest

import scrapers.portals
from sandbox.known import Known, known_of
from scrapers.core.locators import Guess, bare, is_ours

PORTALS = [each.name for each in pkgutil.iter_modules(scrapers.portals.__path__) if known_of(each.name).facts]
# Compared is a portal that says, in its package, for which steps the sheet has no way at all.
COMPARED = [name for name in PORTALS if hasattr(import_module(f"scrapers.portals.{name}"), "UNKNOWN_STEPS")]

HTML_TAGS = frozenset(
    "a article aside b body button caption dd details dialog div dl dt em fieldset footer form h1 h2 h3 h4 header html i "
    "iframe img input label legend li main nav ol optgroup option p section select span strong summary table tbody td "
    "textarea tfoot th thead tr ul xpath".split()
)
TEXT_PATTERN = re.compile(r":text-matches\('(.*?)', 'i'\)")
NAME_PATTERN = re.compile(r"\[name=/(.*?)/i\]")
ALTERNATIVE = re.compile(r"\|(?![^(]*\))")  # outside of brackets
QUOTED = re.compile(r"""(["'])((?:\\.|(?!\1).)*)\1""")
XPATH = re.compile(r"^(xpath=|\.?//|/html)")
ADDRESS = re.compile(r"/[A-Za-z][\w./-]*")
# What any page is read by: no sheet has to state it. The words in the second kind are words like others.
MEANINGS = frozenset(("role", "type", "aria-modal", "aria-labelledby", "href", "hidden", "disabled", "for"))
SAID = frozenset(("aria-label", "title", "alt", "placeholder", "value"))


def tokens(selector: str) -> Iterator[tuple[str, str]]:
    """Give what a selector stands on: ids, classes, names, test ids, attributes, words, components, absolute paths."""
    if len(parts := selector.split(" >> ")) > 1:
        for part in parts:
            yield from tokens(part)
        return
    if is_ours(selector):
        kind, _, said = selector.partition("=")
        words = said.rpartition("|")[2] if kind == "role" else said
        if kind != "role" or "|" in said:
            yield "words", words
        return
    if selector.startswith(("xpath=/html", "/html")):
        yield "path", steps(selector)
        return
    for pattern in (*TEXT_PATTERN.findall(selector), *NAME_PATTERN.findall(selector)):
        yield "pattern", pattern
    selector = NAME_PATTERN.sub("", TEXT_PATTERN.sub("", selector)).removeprefix("role=")
    if XPATH.match(selector):
        yield from xpath_tokens(selector.removeprefix("xpath="))
        return
    rest = selector
    for name, value in re.findall(r"\[([\w-]+)[*^$~|]?=[\"']?([^\]\"']*)[\"']?(?:\s+i)?\]", rest):
        said = value.removesuffix(" i")
        yield kind_of(name), said if kind_of(name) != "attribute" else f"{name}={said}"
    for name in re.findall(r"\[([A-Za-z][\w-]*)\]", rest):
        yield "attribute", name
    rest = re.sub(r"\[[^\]]*\]", "", rest)
    for _, text in QUOTED.findall(rest):
        said = re.sub(r"\\[sb]\*?|[\^$]", "", text).strip()
        if len(said) > 1:
            yield "words", said
    rest = QUOTED.sub("", rest)
    for value in re.findall(r"#([A-Za-z][\w-]*)", rest):
        yield "id", value
    for value in re.findall(r"\.([A-Za-z][\w-]*)", rest):
        yield "class", value
    rest = re.sub(r"[#.][A-Za-z][\w-]*|:[\w-]+", " ", rest)
    for value in re.findall(r"[A-Za-z][\w-]*", rest):
        if value not in HTML_TAGS:
            yield "component", value


def xpath_tokens(path: str) -> Iterator[tuple[str, str]]:
    """Give what an XPath stands on, what its predicates ask for included."""
    # contains(concat(' ', normalize-space(@class), ' '), ' c-btn ') asks for a class like contains(@class, 'c-btn').
    path = re.sub(r"concat\(' ', normalize-space\((@class)\), ' '\)", r"\1", path)
    compared = re.compile(r"@([\w-]+)\s*[=,]\s*(['\"])(.*?)\2")
    for name, _, value in compared.findall(path):
        yield kind_of(name), value.strip() if kind_of(name) != "attribute" else f"{name}={value}"
    path = compared.sub("", path)
    for _, said in QUOTED.findall(path):
        if len(said.strip()) > 1:
            yield "words", said.strip()
    path = QUOTED.sub("", path)
    for name in re.findall(r"@([\w-]+)", path):
        yield "attribute", name
    for value in re.findall(r"[A-Za-z][\w-]*", re.sub(r"@[\w-]+|[\w-]+\(|[\w-]+::|\band\b|\bor\b", " ", path)):
        if value not in HTML_TAGS:
            yield "component", value


def kind_of(attribute: str) -> str:
    """Return the kind of a fact that an attribute's value is."""
    return {"id": "id", "name": "name", "class": "class", "data-testid": "test id", "normalize-space": "words"}.get(
        attribute, "attribute"
    )


def steps(path: str) -> str:
    """Return an absolute path without `[1]`, which says nothing."""
    return path.removeprefix("xpath=").replace("[1]", "")


def is_known(kind: str, value: str, known: Known) -> bool:
    """Whether the sheet knows a token."""
    if kind == "path":
        # The beginning of a known path is known, too.
        return any(f"{steps(path)}/".startswith(f"{value}/") for path in known.of("path"))
    if kind == "pattern":
        words = (*known.of("words"), *known.of("contained"))
        return all(
            any(re.search(each.replace("\\\\", "\\"), word, re.I) for word in words)
            for each in ALTERNATIVE.split(value)
        )
    if kind == "words":
        return bare(value) in {bare(each) for each in (*known.of("words"), *known.of("contained"))}
    if kind == "attribute":
        name, _, said = value.partition("=")
        exact = {each.replace("*=", "=") for each in known.of("attribute")}
        parts = {tuple(each.split("*=", 1)) for each in known.of("attribute") if "*=" in each}
        stated = value in exact or any(name == known_name and part in said for known_name, part in parts)
        return name in MEANINGS or stated or (name in SAID and (not said or is_known("words", said, known)))
    # An id may be stated by the part that it holds.
    return value in known.of(kind) or f"{kind}*={value}" in known.of("attribute")


def unknown(selector: str, known: Known) -> list[str]:
    """Return what a selector stands on that the sheet does not know."""
    return [f"{kind} {value}" for kind, value in tokens(selector) if not is_known(kind, value, known)]


def modules(portal: str) -> Iterator[ModuleType]:
    """Give the modules of a portal."""
    package = import_module(f"scrapers.portals.{portal}")
    yield package
    for each in pkgutil.iter_modules(package.__path__):
        yield import_module(f"{package.__name__}.{each.name}")


def selectors_of(portal: str) -> Iterator[tuple[str, tuple[str, ...], Known]]:
    """
    Give name and value of every Selectors tuple, and what the sheet knows of its module's pages.

    Each is given once: constants, class attributes, and what screens and the like hold.
    """
    given: list[tuple[str, ...]] = []
    known, pages = known_of(portal), getattr(import_module(f"sandbox.{portal}.known"), "PAGES", {})
    for name, value in _all_selectors(portal):
        if not any(value is each for each in given):  # a constant that a screen refers to is no further step
            given.append(value)
            module, _, own = name.partition(":")
            yield own, value, known.within(pages[module]) if module in pages else known


def _all_selectors(portal: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    for module in modules(portal):  # first, so that a step is called by its constant
        for name, value in vars(module).items():
            if isinstance(value, tuple) and not name.startswith("_"):
                yield from _within(f"{_file(module)}:{name}", value, _annotated(module, name))
    for module in modules(portal):
        for name, value in vars(module).items():
            if not name.startswith("_"):
                yield from _within(f"{_file(module)}:{name}", value, _annotated(module, name))
        for name, kind in inspect.getmembers(module, inspect.isclass):
            if kind.__module__ == module.__name__:
                for own, value in vars(kind).items():
                    yield from _within(f"{_file(module)}:{name}.{own}", value, _annotated(kind, own))


def _file(module: ModuleType) -> str:
    return module.__name__.rpartition(".")[2]


def _annotated(owner: Any, name: str) -> bool:
    return "Selectors" in str(vars(owner).get("__annotations__", {}).get(name, ""))


def _within(name: str, value: Any, annotated: bool) -> Iterator[tuple[str, tuple[str, ...]]]:
    if isinstance(value, tuple) and value and all(isinstance(each, str) for each in value):
        if annotated or any(re.search(r"[#\[>=/]|:text|:has", each) for each in value):
            yield name, value
    elif isinstance(value, tuple):
        for number, each in enumerate(value):
            yield from _within(f"{name}[{number}]", each, annotated=False)
    elif is_dataclass(value) and not isinstance(value, type):
        for each in fields(value):
            held = getattr(value, each.name)
            if isinstance(held, tuple) or is_dataclass(held):
                yield from _within(f"{name}.{each.name}", held, "Selectors" in str(each.type))


def is_guess(selector: str) -> bool:
    """Whether a selector is marked as a guess."""
    return isinstance(selector, Guess)


@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        ("#dataContainer", []),
        ("#somethingElse", ["id somethingElse"]),
        ("identity-verification button:text-is('Send code')", ["words Send code"]),
        ("selection-dock button:text-is('Continue')", []),
        ("xpath=//section[@id='dataContainer']//tr", []),
        ("xpath=//td[@data-selection]//span[contains(@class,'input-checkbox-representation')]", []),
        ("xpath=//div[@id='elsewhere']", ["id elsewhere"]),
        ("nav >> says=Download PDF", []),
        ("says=Somewhere else", ["words Somewhere else"]),
        ("role=list", []),
        ("role=button|Somewhere else", ["words Somewhere else"]),
        ("input[name=invoiceSelect][value=Y]", []),
        ("[data-testid=user-menu]", ["test id user-menu"]),
        ("bell-panel > .user-panel", ["class user-panel", "component bell-panel"]),
        ("xpath=//tr[.//td[@data-table-col='banId']]", []),
        ("xpath=//select[option[contains(., ' 20')]]", ["words 20"]),
        (
            "xpath=//li[@data-place]/weather-panel[.='Elsewhere']",
            ["words Elsewhere", "attribute data-place", "component weather-panel"],
        ),
        (
            "xpath=/html/body/main/div/div[1]/div/div[2]/uxp-flow/div/identity-verification/div/div[2]/div/button[1]",
            [],
        ),
        ("/html/body/div[3]", ["path /html/body/div[3]"]),
    ],
)
def test_what_a_selector_stands_on_is_found(selector, expected):
    assert unknown(selector, known_of("bell")) == expected


# An API, with tables told by words, and shops, whose pages are read as data.
WITHOUT_SELECTORS = ("iec", "pluginboutique", "shop", "telegram")


@pytest.mark.parametrize("portal", [portal for portal in PORTALS if portal not in WITHOUT_SELECTORS])
def test_selectors_are_found(portal):
    """Without any the tests below would say nothing."""
    assert len(list(selectors_of(portal))) > 10


@pytest.mark.parametrize("portal", COMPARED)
def test_what_the_sheet_does_not_know_is_marked_as_a_guess(portal):
    wrong = {
        f"{name}: {selector}": unknown(selector, known)
        for name, selectors, known in selectors_of(portal)
        for selector in selectors
        if not is_guess(selector) and unknown(selector, known)
    }
    assert wrong == {}


@pytest.mark.parametrize("portal", COMPARED)
def test_every_step_has_a_known_way_or_is_listed(portal):
    listed = import_module(f"scrapers.portals.{portal}").UNKNOWN_STEPS
    steps_without = {
        name.rpartition(".")[2] if name.rpartition(".")[2].isupper() else name
        for name, selectors, known in selectors_of(portal)
        if all(is_guess(selector) or unknown(selector, known) for selector in selectors)
    }
    assert steps_without <= set(listed)
    # A step may also be found by code: `module.name`.
    for name in set(listed) - steps_without:
        module, _, inner = name.partition(".")
        assert inner, name
        assert hasattr(import_module(f"scrapers.portals.{portal}.{module}"), inner), name
    assert all(sentence.strip() for sentence in listed.values())


@pytest.mark.parametrize("portal", COMPARED)
def test_addresses_are_known_or_guesses(portal):
    known = known_of(portal).of("address")
    wrong = []
    for module in modules(portal):
        tree = ast.parse(inspect.getsource(module))
        guessed = {
            id(inner)
            for node in ast.walk(tree)
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "guess"
            for inner in ast.walk(node)
        }
        for node in ast.walk(tree):
            value = node.value if isinstance(node, ast.Constant) else None
            if not isinstance(value, str) or id(node) in guessed or not ADDRESS.fullmatch(value):
                continue
            # A whole address, or the part of one that several have.
            if not value.startswith("/html") and not any(value == each or value in each for each in known):
                wrong.append(f"{module.__name__} {value}")
    assert wrong == []
