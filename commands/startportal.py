"""`scrapy startportal`: write the folders of a new portal, its sandbox and its tests."""

from __future__ import annotations

import argparse
import keyword
import re
import shutil
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scrapy.commands import ScrapyCommand

from commands._terminal import Everyday, Refused, WrongArgument, places

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES = Path(__file__).parent / "templates" / "startportal"
WORD = "_word_"  # in a template's path: the new portal's word
LONGEST_WORD = 24  # characters: what is rendered with longer ones is no longer in the format of ruff
LONGEST_NAME = 60
DEFAULT_RENDERING = {"carriers": "browser"}  # by family; http for the others
RENDERINGS = {"carriers": ("browser",)}  # the same: the bases of the carriers work in a browser page
ON_REQUEST = {"carriers": ("ordered_reports",)}  # report types that are written where --reports names them
TEXT = re.compile(r'[^"\\\s{}][^"\\\n\r\t{}]*')  # stands in a string, a docstring and a format as it is


class Command(Everyday, ScrapyCommand):
    """Write a new portal."""

    word = "startportal"

    def syntax(self) -> str:
        """Return what follows the command's name."""
        return "WORD --family FAMILY [options]"

    def short_desc(self) -> str:
        """Return the line of the command list."""
        return "Write the folders of a new portal: login, spiders, sandbox and tests"

    def long_desc(self) -> str:
        """Return the page of the command."""
        return (
            "Writes scrapers/portals/WORD/ (what the portal is, its login, one file per report type), sandbox/WORD/ (an "
            "imitation of it) and their tests, which pass at once. Addresses, selectors and headings are guesses: replace "
            "them by what the portal shows, in the sandbox first. No other file is changed."
        )

    def arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the word and the options."""
        parser.add_argument("portal", metavar="WORD", help="the portal's one word: acme, north_tel")
        parser.add_argument("--family", required=True, help=", ".join(startable()))
        parser.add_argument("--reports", metavar="A,B", help=f"report types (by default {_defaults()})")
        parser.add_argument("--name", help="what people call the portal (default: made of the word)")
        parser.add_argument(
            "--rendering",
            choices=("browser", "http"),
            help="how it is signed in to (default: browser for carriers, whose pages need one; else http)",
        )
        parser.add_argument("--into", type=Path, metavar="DIR", help="write there (default: the project)")

    def do(self, opts: argparse.Namespace) -> None:
        """Check everything, render everything, then write."""
        into = opts.into or project_folder()
        if not into.is_dir():
            raise WrongArgument(f"--into {into}: there is no such folder.")
        facts = facts_of(opts)
        refuse_taken(facts["word"], into, places(self.settings))
        texts = render(facts)
        write(into, texts)
        print("\n".join(["Written:", *(f"  {path}" for path in texts)]))
        tests = f"tests/portals/{facts['word']} tests/sandbox/test_{facts['word']}.py"
        print(f"Next: python -m pytest {tests}; then replace the guesses, in sandbox/{facts['word']} first.")


def startable() -> dict[str, list[str]]:
    """Return the report types that can be written, by family; the families are those with templates."""
    found = {}
    for folder in sorted(TEMPLATES.iterdir()):
        if (reports := folder / "reports").is_dir():
            found[folder.name] = sorted(path.name.partition(".")[0] for path in reports.glob("*.py.jinja"))
    return found


def usual_reports(family: str) -> list[str]:
    """Return the report types that are written unless --reports says others."""
    return [each for each in startable()[family] if each not in ON_REQUEST.get(family, ())]


def _defaults() -> str:
    # Without colons: Scrapy's help makes a heading of a line that ends with one.
    usual = [f"for {family} {','.join(usual_reports(family))}" for family in startable()]
    return "; ".join([*usual, *(f"{family} also have {','.join(more)}" for family, more in ON_REQUEST.items())])


def facts_of(opts: argparse.Namespace) -> dict[str, Any]:
    """Return what the templates are rendered with; raise WrongArgument for the first option at fault."""
    word, known = opts.portal, startable()
    if not re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", word) or keyword.iskeyword(word):
        raise WrongArgument(f"{word!r} is no word for a portal: use small letters, digits and single underscores.")
    if len(word) > LONGEST_WORD:
        raise WrongArgument(f"{word!r} is too long: a portal's word has at most {LONGEST_WORD} characters.")
    if opts.family not in known:
        raise WrongArgument(f"--family {opts.family}: there is no such family; they are {', '.join(known)}.")
    wanted = usual_reports(opts.family) if opts.reports is None else _words(opts.reports)
    unknown = [each for each in wanted if each not in known[opts.family]]
    if unknown or not wanted:
        raise WrongArgument(
            f"--reports {opts.reports}: {opts.family} have no such report type; they are {', '.join(known[opts.family])}."
        )
    name = usual_name(word) if opts.name is None else opts.name
    if not TEXT.fullmatch(name) or not name.isprintable() or len(name) > LONGEST_NAME or name != name.strip():
        raise WrongArgument(
            f"--name: use 1 to {LONGEST_NAME} characters of one line, without quotation marks, braces and backslashes."
        )
    rendering = opts.rendering or DEFAULT_RENDERING.get(opts.family, "http")
    if rendering not in RENDERINGS.get(opts.family, (rendering,)):
        raise WrongArgument(f"--rendering {rendering}: the reports of {opts.family} are collected in a browser page.")
    simple = [("Download", {"pdf_invoice", "daily_usage", "monthly_reports"}), ("Orders", {"ordered_reports"})]
    used = [cls for cls, reports in simple if reports & set(wanted)]
    return {
        "word": word,
        "WORD": word.upper(),
        "Class": "".join(part.capitalize() for part in word.split("_")),
        "host": word.replace("_", "-"),
        "name": name,
        "family": opts.family,
        "reports": wanted,
        "browser": rendering == "browser",
        "tables": bool(set(wanted) - {"pdf_invoice"}),  # reports with rows that are read
        "months": bool({"monthly_reports", "ordered_reports"} & set(wanted)),
        "simple": ", ".join([*used, "SimplePortal"]),
    }


def usual_name(word: str) -> str:
    """Return the words of a portal's word, each with a capital letter."""
    return word.replace("_", " ").title()


def _words(given: str) -> list[str]:
    """Return the parts of `a,b`, each once."""
    return list(dict.fromkeys(part.strip() for part in given.split(",") if part.strip()))


def project_folder() -> Path:
    """Return the folder of the project's scrapy.cfg; raise Refused when there is none."""
    from scrapy.utils.conf import closest_scrapy_cfg

    found = closest_scrapy_cfg()
    if not found:
        raise Refused("No scrapy.cfg was found here or above: go to the project, or name a folder with --into.")
    return Path(found).resolve().parent


def refuse_taken(word: str, into: Path, modules: Sequence[str]) -> None:
    """Raise WrongArgument when a portal, or something else in its place, has the word already."""
    from scrapers.core.stated import portals

    own = (f"scrapers/portals/{word}", f"sandbox/{word}", f"tests/portals/{word}", f"tests/sandbox/test_{word}.py")
    taken = next((path for path in (*own, f"sandbox/{word}.py") if (into / path).exists()), None)
    if taken is not None:
        raise WrongArgument(f"{word!r} is taken: {into / taken} exists.")
    if word in portals(modules):
        raise WrongArgument(f"{word!r} is taken: there is a portal of that word.")


def render(facts: Mapping[str, Any]) -> dict[Path, str]:
    """Return the texts of the new files by their path below the project; a template that renders to nothing is no file."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(loader=FileSystemLoader(TEMPLATES), undefined=StrictUndefined, keep_trailing_newline=True)
    texts = {}
    for folder in ("common", facts["family"]):
        for template in sorted((TEMPLATES / folder).rglob("*.jinja")):
            path = template.relative_to(TEMPLATES / folder)
            if path.parts[0] != "reports":
                texts[_place(path, facts["word"])] = _rendered(environment, template, facts)
    for report in facts["reports"]:
        template = TEMPLATES / facts["family"] / "reports" / f"{report}.py.jinja"
        texts[Path("scrapers/portals", facts["word"], f"{report}.py")] = _rendered(environment, template, facts)
    return {path: texts[path] for path in sorted(texts) if texts[path]}


def _place(template: Path, word: str) -> Path:
    return Path(str(template).removesuffix(".jinja").replace(WORD, word))


def _rendered(environment: Environment, template: Path, facts: Mapping[str, Any]) -> str:
    text = environment.get_template(template.relative_to(TEMPLATES).as_posix()).render(facts).strip()
    return f"{text}\n" if text else ""


def write(into: Path, texts: Mapping[Path, str]) -> None:
    """Write all files, or none: what was made is removed again when one cannot be written."""
    made: list[Path] = []
    try:
        for path, text in texts.items():
            for folder in (into / parent for parent in reversed(path.parents)):
                if not folder.exists():
                    folder.mkdir()
                    made.append(folder)
            (into / path).write_text(text, encoding="utf-8")
            made.append(into / path)
    except OSError as error:
        remove(made)
        raise Refused(f"{error.filename} cannot be written ({error.strerror}): nothing was made.") from None


def remove(made: Collection[Path]) -> None:
    """Remove files and folders that were made."""
    for path in reversed(list(made)):
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
