"""Forms that only ask for another page: the address to which a browser would send them."""

from __future__ import annotations

from urllib.parse import urlencode, urljoin, urlsplit

from scrapy.selector import Selector

CHECKED = frozenset({"checkbox", "radio"})
NO_VALUE = frozenset({"submit", "button", "image", "reset", "file"})  # not sent, unless it is the control that is used


def submitted(control: Selector) -> str | None:
    """
    Return the address, relative to the page, to which a control's form is sent with GET.

    None for a control that sends no form, and for a form with another method.

    >>> page = Selector(text="<form action='/list'><input type=hidden name=at value=15><button>Next</button></form>")
    >>> submitted(page.css("button")[0])
    '/list?at=15'
    """
    kind = control.attrib.get("type", "").strip().lower()
    if (control.root.tag, kind) not in (("button", ""), ("button", "submit"), ("input", "submit")):
        return None
    named = control.attrib.get("form")
    forms = control.xpath("//form[@id=$id]", id=named) if named else control.xpath("ancestor::form[1]")
    if not forms:
        return None
    form = forms[0]
    method = control.attrib.get("formmethod") or form.attrib.get("method") or "get"
    if method.strip().lower() != "get":
        return None
    pairs = [pair for field in form.css("input, select, textarea") for pair in _sent(field)]
    if name := control.attrib.get("name"):
        pairs.append((name, control.attrib.get("value", "")))
    action = (control.attrib.get("formaction") or form.attrib.get("action") or "").strip()
    return urljoin(action, f"{urlsplit(action).path}?{urlencode(pairs)}")


def _sent(field: Selector) -> list[tuple[str, str]]:
    """Return name and value of each value of a field."""
    name, kind = field.attrib.get("name"), field.attrib.get("type", "text").strip().lower()
    if not name or field.xpath(
        "ancestor-or-self::*[self::fieldset or self::input or self::select or self::textarea][@disabled]"
    ):
        return []
    if field.root.tag == "select":
        options = field.xpath(".//option[@selected]") or field.xpath(
            "self::*[not(@multiple)]//option[not(@disabled)][1]"
        )
        return [(name, option.attrib.get("value", option.xpath("string()").get("").strip())) for option in options]
    if field.root.tag == "textarea":
        return [(name, field.xpath("string()").get(""))]
    if kind in NO_VALUE or (kind in CHECKED and "checked" not in field.attrib):
        return []
    return [(name, field.attrib.get("value", "on" if kind in CHECKED else ""))]
