"""The templates of a portal and the addresses of its pages."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from sandbox.aliases import Aliases
from sandbox.perturb import Perturbation

SHARED = Path(__file__).parent


class Site:
    """
    Templates, static files and addresses.

    folders: where `templates/` and `static/` are looked for, the portal's own first; those of this room come last. bases:
    first part of every path of an origin ("" for none). aliases: the pages of each origin, and their other addresses.
    """

    def __init__(self, bases: Mapping[str, str], aliases: Mapping[str, Aliases], *folders: Path) -> None:
        self.bases, self.aliases = bases, aliases
        self.folders = (*folders, SHARED)
        loader = FileSystemLoader([folder / "templates" for folder in self.folders])
        self._templates = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True)

    def render(self, template: str, **values: Any) -> Markup:
        """Return a template's HTML; `template` is its name without `.html`."""
        return Markup(self._templates.get_template(f"{template}.html").render(**values))

    def static(self, name: str) -> Path | None:
        """Return the file of a script or a style sheet; None where there is none."""
        found = (folder / "static" / name for folder in self.folders)
        return next((path for path in found if path.exists()), None)

    def address(self, origin: str, name: str, perturbation: Perturbation) -> str:
        """Return the path of a page, with its query if it has one."""
        return f"{self.bases[origin]}/{self.aliases[origin].shown(perturbation, name)}"

    def name(self, origin: str, path: str) -> str:
        """Return the page at a path, with a query or without; "" where there is none."""
        return self.aliases[origin].name(path.partition("?")[0].removeprefix(self.bases[origin] + "/"))

    def dialog(self, name: str, title: str, text: str, *buttons: tuple[str, str]) -> Markup:
        """Return an overlay with a backdrop that intercepts clicks; buttons are (text, spoken label or "")."""
        macros: Any = self._templates.get_template("parts.html").module
        return Markup(macros.dialog(name, title, text, buttons))
