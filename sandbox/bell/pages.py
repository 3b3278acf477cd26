"""The templates of the imitation and the first path part of its origins."""

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

FOLDER = Path(__file__).parent
BASE = {
    "": "/corporateselfserve",
    "ereports": "/ereports",
    "enterprise_centre": "/ec",
    "business_portal": "/idp",
}
FOREVER = 86_400

_environment = Environment(
    loader=FileSystemLoader(FOLDER / "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
)


def render(template: str, **values: Any) -> Markup:
    """Return a template's HTML; `template` is its name without `.html`."""
    return Markup(_environment.get_template(f"{template}.html").render(**values))


def dialog(name: str, title: str, text: str, *buttons: tuple[str, str]) -> Markup:
    """Return an overlay with a backdrop that intercepts clicks; buttons are (text, spoken label or "")."""
    macros: Any = _environment.get_template("macros.html").module
    return Markup(macros.dialog(name, title, text, buttons))
