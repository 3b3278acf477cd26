"""Perturbed HTML: one layer for all portals. What a portal's `known.py` lists stays as it is; the rest may change."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import lxml.html
from lxml.html import HtmlElement

from sandbox.known import Known
from sandbox.perturb import Perturbation
from sandbox.wording import SAME_MEANING

CONTROLS = ("a", "button", "label", "summary")
FIELDS = ("input", "select", "textarea")
TEXT_ATTRIBUTES = ("placeholder", "aria-label", "title", "alt")
REFERENCES = (
    "data-toggle",
    "data-hides",
    "data-narrows",
    "data-all",
    "data-robbed",
    "href",
)  # `#id` or `[name=x]` in a selector
ID_REFERENCES = ("for", "aria-labelledby", "aria-controls", "aria-describedby")  # an id alone
# Elements that stand where their parent wants them.
STRUCTURE = frozenset(
    "html head body tr td th thead tbody caption li option optgroup legend dt dd script style link meta title template "
    "main header form nav iframe span".split()
)
FURTHER_OPTIONS = ("All calls", "All roaming", "Not listed here", "Former entries")
NAMESAKES = ("{} (former)", "{} guide", "About {}")
FORMER_DIGITS = str.maketrans("0123456789", "7408316952")


class Markup:
    """
    One piece of HTML, parsed, and what is changed in it.

    scripted: whether pages of this portal run scripts, so that things can come late.
    """

    def __init__(self, html: str, perturbation: Perturbation, known: Known, scripted: bool) -> None:
        self.perturbation, self.known, self.scripted = perturbation, known, scripted
        self.whole = html.lstrip()[:9].lower() == "<!doctype"
        text = html if self.whole else f"<html><body><div>{html}</div></body></html>"
        self.tree: HtmlElement = lxml.html.document_fromstring(text)
        self.root: HtmlElement = self.tree.body if self.whole else self.tree.body[0]
        self.chain = self._chain()
        self.labelled = self._all_of("labelled")
        self.seen = self._all_of("visible")
        self.own_text = self._all_of("own text")
        self.ordered = self._all_of("order")
        self.first = self._all_of("first")

    def _all_of(self, kind: str) -> list[HtmlElement]:
        return [element for css in self.known.of(kind) for element in self.root.cssselect(css)]

    def _chain(self) -> list[HtmlElement]:
        """Return what stands on a known path, from its anchor to what it leads to."""
        chain = []
        for path in self.known.of("path"):
            for element in self._led_to(path):
                anchor = None if path.startswith("/html") else next(iter(element.iterancestors("nav", "search")), None)
                for each in (element, *element.iterancestors()):
                    if each is self.root or each is anchor:
                        break
                    chain.append(each)
        return chain

    def _led_to(self, path: str) -> list[HtmlElement]:
        """Return what a path leads to; of an absolute one, as far as it goes: a script may put the rest there later."""
        found = places(self.root, path)
        while not found and path.startswith("/html") and path.count("/") > 3:
            path = path.rpartition("/")[0]
            found = places(self.root, path)
        return found

    def elements(self, *tags: str) -> list[HtmlElement]:
        """Return the elements of these tags, in their order; templates and scripts apart."""
        return [each for each in self.root.iter(*tags) if not any(True for _ in each.iterancestors("template"))]

    def text(self) -> str:
        """Return the HTML."""
        if self.whole:
            return "<!doctype html>" + str(lxml.html.tostring(self.tree, encoding="unicode"))
        inner = [self.root.text or ""]
        inner[0] = lxml.html.tostring(_text_only(inner[0]), encoding="unicode")[6:-7] if inner[0] else ""
        return "".join([*inner, *(lxml.html.tostring(each, encoding="unicode") for each in self.root)])

    def apply(self) -> None:
        """Change what the perturbation wants."""
        for step in STEPS:
            step(self)

    def touches(self, dimension: str, element: HtmlElement) -> bool:
        """Whether a dimension changes this element."""
        return self.perturbation.touches(dimension, key_of(element))

    def can_wrap(self, element: HtmlElement) -> bool:
        """Whether an element may stand in another one without a known path losing it."""
        parent = element.getparent()
        return (
            element.tag not in STRUCTURE
            and parent is not None
            and (self.whole or parent is not self.root)  # where a piece is put is not known here
            and parent.tag not in ("select", "tr", "ul")
            and (element not in self.chain and not any(each in self.chain for each in parent))
        )


def _text_only(text: str) -> HtmlElement:
    element = lxml.html.Element("span")
    element.text = text
    return element


def key_of(element: HtmlElement) -> str:
    """Return what names an element the same way each time: id, name, label or text, never a value of data."""
    said = element.get("id") or element.get("name") or element.get("data-act") or element.get("href")
    said = said or " ".join(element.text_content().split())[:40]
    return f"{element.tag} {re.sub(r'[0-9]+', '#', said)}"


def places(root: HtmlElement, path: str) -> list[HtmlElement]:
    """Return what an XPath leads to in a piece of HTML; an absolute one is followed from the piece's root as the body."""
    for body in ("/html[1]/body[1]/", "/html/body/"):
        if path.startswith(body):
            return list(root.xpath("./" + path.removeprefix(body)))
    return list(root.xpath("." + path))


def perturbed(html: str, perturbation: Perturbation, known: Known, scripted: bool) -> str:
    """Return a page or a piece of one with what is free in it changed; empty text as it is."""
    if not perturbation or not html.strip():
        return html
    markup = Markup(html, perturbation, known, scripted)
    markup.apply()
    return markup.text()


# Entries beside the right ones


def namesakes(markup: Markup) -> None:
    """Add options, rows and menu entries that are almost called the same."""
    for select in markup.elements("select"):
        for option in [each for each in select if each.get("value")]:
            if markup.touches("namesakes", option) and not _is_month(option):
                twin = copy.deepcopy(option)
                twin.attrib.pop("selected", None)
                twin.text = markup.perturbation.choose("namesakes", key_of(option), NAMESAKES).format(option.text)
                twin.set("value", f"x-{option.get('value')}")
                (option.addnext if markup.perturbation.number("namesakes", "side", below=2) else option.addprevious)(
                    twin
                )
    for row in markup.elements("tr"):
        number = row.cssselect("td[data-table-col=banId]")
        if number and markup.touches("namesakes", row):
            twin = copy.deepcopy(row)
            own = number[0].text.strip()
            for each in twin.iter():
                for name, value in each.attrib.items():
                    each.set(name, value.replace(own, own + "0"))
                for name in ("text", "tail"):
                    if getattr(each, name):
                        setattr(each, name, getattr(each, name).replace(own, own + "0"))
            row.addprevious(twin)
    for entry in markup.elements("li"):
        link = entry.find("a")
        if entry in markup.chain and link is not None and link.get("data-go") and markup.touches("namesakes", entry):
            twin = lxml.html.fromstring(f"<li><a href='#'><span>{link.text_content()} guide</span></a></li>")
            entry.getparent().append(twin)


def further(markup: Markup) -> None:
    """Add options, selects and tables of the same kind before the right ones."""
    perturbation = markup.perturbation
    for select in markup.elements("select"):
        if not markup.touches("further", select):
            continue
        known = markup.known.words
        named = [each for each in select if each.text in known or _is_month(each)]
        options = [] if not named or _is_month(named[0]) else FURTHER_OPTIONS
        for number, said in enumerate(options[: 1 + perturbation.number("further", key_of(select), below=3)]):
            option = lxml.html.Element("option", value=f"further-{number}")
            option.text = said
            named[0].addprevious(option)
    for table in markup.elements("table"):
        if markup.touches("further", table):
            _before(table, "<aside><table><tbody><tr><td>Hours</td><td>9 to 5</td></tr></tbody></table></aside>")
    for select in markup.elements("select"):
        if not markup.first and markup.touches("further", select):
            rows = "<option>10 rows</option><option>25 rows</option>"
            _before(select, f"<aside><select aria-label='Rows shown'>{rows}</select></aside>")


def _before(element: HtmlElement, html: str) -> None:
    """Put something before an element, at the beginning of the page's content: no known path and no form counts it."""
    piece = lxml.html.fromstring(html)
    holder = next(iter(element.iterancestors("main", "body")), None)
    top = next((each for each in (element, *element.iterancestors()) if each.getparent() in (None, holder)), element)
    if holder is not None and top.getparent() is holder:
        _insert_first(holder, piece)


def _insert_first(holder: HtmlElement, piece: HtmlElement) -> None:
    piece.tail, holder.text = holder.text, None
    holder.insert(0, piece)


def _is_month(element: HtmlElement) -> bool:
    return bool(re.search(r"(19|20)\d\d", element.text_content()))


# Order


def order(markup: Markup) -> None:
    """Put entries into another order where none is known."""
    for holder in markup.elements("select", "tbody", "fieldset", "ul"):
        kinds = {"select": ("option",), "tbody": ("tr",), "fieldset": ("label", "span"), "ul": ("li",)}[holder.tag]
        entries = [each for each in holder if each.tag in kinds and each.get("value") != ""]
        if len(entries) < 2 or not markup.touches("order", holder) or holder in markup.ordered:
            continue
        if any(each in markup.chain for each in entries) and holder.tag != "tbody":
            continue
        tails = [each.tail for each in entries]
        spots = [_spot(each) for each in entries]
        changed = markup.perturbation.shuffled("order", key_of(holder), entries)
        for spot, entry, tail in zip(spots, changed, tails, strict=True):
            spot.getparent().replace(spot, entry)
            entry.tail = tail
    for table in markup.elements("table"):
        _columns(markup, table)


def _spot(element: HtmlElement) -> HtmlElement:
    spot = lxml.html.Element("span")
    element.addprevious(spot)
    return spot


def _columns(markup: Markup, table: HtmlElement) -> None:
    rows = list(table.iter("tr"))
    widths = {len(row) for row in rows}
    pairs = all({cell.tag for cell in row} == {"th", "td"} for row in rows)  # a head before each value
    if pairs or len(widths) != 1 or widths < {2} or not markup.touches("order", table):
        return
    if any(cell.get("colspan") or (cell in markup.chain and _counted(markup, cell)) for row in rows for cell in row):
        return
    order_of = markup.perturbation.shuffled("order", f"columns {key_of(table)}", range(widths.pop()))
    for row in rows:
        cells = list(row)
        for cell in cells:
            row.remove(cell)
        row.extend(cells[index] for index in order_of)


def _counted(markup: Markup, cell: HtmlElement) -> bool:
    """Whether a known path counts the cell's place in its row."""
    return any(re.search(r"\btd\[\d", path) and cell in _parts(markup, path) for path in markup.known.of("path"))


def _parts(markup: Markup, path: str) -> list[HtmlElement]:
    return [each for place in places(markup.root, path) for each in (place, *place.iterancestors())]


# Fields and their labels


def labels(markup: Markup) -> None:
    """Tie labels to their fields in another way."""
    for field in markup.elements(*FIELDS):
        label = label_of(markup, field)
        if label is None or not markup.touches("label-forms", field):
            continue
        forms = ["for", "around", "aria-label", "aria-labelledby"]
        nested = label in list(field.iterancestors())
        rigid = field in markup.chain or label in markup.chain
        if rigid:
            forms = ["around"] if nested else ["for", "aria-label", "aria-labelledby"]
        if field in markup.labelled:
            forms = [form for form in forms if form in ("for", "around")]
        if field.get("type") in ("radio", "checkbox"):
            forms = [form for form in forms if form in ("for", "around")]  # else nothing is there to be clicked
        forms = [form for form in forms if form != ("around" if nested else "for")]
        if nested and field.getnext() is not None:
            continue  # a drawn one: box and text belong together
        if forms:
            _tie(markup, field, label, nested, markup.perturbation.choose("label-forms", key_of(field), forms))


def label_of(markup: Markup, field: HtmlElement) -> HtmlElement | None:
    """Return the label element of a field."""
    around = next(iter(field.iterancestors("label")), None)
    if around is not None:
        return around
    own = field.get("id")
    return next((each for each in markup.elements("label") if own and each.get("for") == own), None)


def _tie(markup: Markup, field: HtmlElement, label: HtmlElement, nested: bool, form: str) -> None:
    said = " ".join(label.text_content().split()) if field.tag != "select" or not nested else (label.text or "").strip()
    if form == "around":
        label.attrib.pop("for", None)
        holder = field.getparent()
        if label.getparent() is holder or not any(each.tag in FIELDS for each in label.getparent().iter()):
            tail, field.tail = field.tail, None
            holder.remove(field)
            if tail and tail.strip():
                holder.text = (holder.text or "") + tail
            label.append(field)
        else:
            label.set("for", field.get("id", ""))
        return
    if nested:
        _unnest(field, label)
    own = field.get("id") or f"field-{markup.perturbation.number(key_of(field), field.get('value'), below=10**9)}"
    field.set("id", own)
    if form == "for":
        label.set("for", own)
        return
    label.tag = "span"
    label.attrib.pop("for", None)
    if form == "aria-label":
        field.set("aria-label", said)
    else:
        label.set("id", f"{own}-label")
        field.set("aria-labelledby", f"{own}-label")


def _unnest(field: HtmlElement, label: HtmlElement) -> None:
    """Put a field before its label instead of into it."""
    tail, field.tail = field.tail or "", None
    before = field.getprevious()
    if before is not None:
        before.tail = (before.tail or "") + tail
    else:
        label.text = (label.text or "") + tail
    label.remove(field)
    label.addprevious(field)


def drawn(markup: Markup) -> None:
    """Draw radios and check boxes beside hidden ones, in their labels."""
    for field in markup.elements("input"):
        if field.get("type") not in ("radio", "checkbox") or field in markup.seen or field in markup.chain:
            continue
        label = label_of(markup, field)
        if label is None or "covered" in field.get("class", "") or not markup.touches("drawn-inputs", field):
            continue
        box = lxml.html.fromstring(
            '<i aria-hidden="true" style="display:inline-block;width:1em;height:1em;border:1px solid"></i>'
        )
        if label is field.getparent():
            box.tail, field.tail = field.tail, None
            field.addnext(box)
        else:
            box.tail, label.text = label.text, None
            label.insert(0, box)
        hidden = markup.perturbation.choose(
            "drawn-inputs",
            field.get("name", ""),
            ("display:none", "position:absolute;opacity:0;width:1px;height:1px;pointer-events:none"),
        )
        field.set("style", hidden)


# Words


def words(markup: Markup) -> None:
    """Say free words in another way. Only words that the imitation says are changed, never values of data."""

    def said(text: str | None) -> str | None:
        return markup.perturbation.word(text, markup.known.words) if text and text.strip() in SAME_MEANING else text

    for element in list(markup.root.iter()):
        if not isinstance(element.tag, str) or element.tag in ("script", "style"):
            continue
        element.text, element.tail = said(element.text), said(element.tail)
        for name in TEXT_ATTRIBUTES:
            if name in element.attrib:
                element.set(name, said(element.get(name)) or "")


# Elements around and beside


def wrapped_text(markup: Markup) -> None:
    """Put the text of controls into elements of their own."""
    for control in markup.elements(*CONTROLS):
        if not markup.touches("wrapped-text", control) or control in markup.own_text:
            continue
        tags = markup.perturbation.choose(
            "wrapped-text", key_of(control), (("b",), ("em", "b"), ("bdi",), ("b", "bdi"))
        )
        if control.text and control.text.strip():
            outer = _nested(tags, control.text)
            control.text = None
            control.insert(0, outer)
        for child in list(control):
            if child.tail and child.tail.strip() and child.tag not in ("b", "em", "bdi"):
                outer = _nested(tags, child.tail)
                child.tail = None
                child.addnext(outer)


def _nested(tags: tuple[str, ...], text: str) -> HtmlElement:
    outer = inner = lxml.html.Element(tags[0])
    for tag in tags[1:]:
        inner.append(lxml.html.Element(tag))
        inner = inner[0]
    inner.text = text
    return outer


def wrappers(markup: Markup) -> None:
    """Put elements into further ones."""
    for element in markup.elements("section", "table", "button", "select", "input", "p", "fieldset", "ul", "a", "h1"):
        inline = element.tag in ("button", "select", "input", "a")
        if element.get("type") == "hidden" or not markup.can_wrap(element) or not markup.touches("wrappers", element):
            continue
        if element.getparent().tag in ("label", "p", "li", "td") and not inline:
            continue
        wrapper = lxml.html.Element("span" if inline else "div")
        tail, element.tail = element.tail, None
        element.addprevious(wrapper)
        wrapper.append(element)
        wrapper.tail = tail


def decoys(markup: Markup) -> None:
    """Put elements without a meaning, and hidden copies of controls, beside the others; paths do not count `aside` and `i`."""
    for control in markup.elements("a", "button", "h1"):
        parent = control.getparent()
        if parent is None or parent.tag in ("td", "p", "label", "select") or not markup.touches("decoys", control):
            continue
        if any(True for _ in control.iterancestors("logout", "table", "form")) or control.get("role") == "dialog":
            continue
        twin = copy.deepcopy(control)
        for each in twin.iter():
            for name in list(each.attrib):
                if name.startswith("data-") or name in ("id", "name", "class", "for", "target"):
                    del each.attrib[name]
            if each.tag == "a":
                each.set("href", "#")
            if each.get("type") == "submit":
                each.set("type", "button")
        twin.tail = None
        holder = lxml.html.Element("aside", hidden="hidden")
        holder.append(twin)
        control.addprevious(holder)
    for holder in markup.elements("main", "section", "fieldset"):
        if markup.touches("decoys", holder):
            holder.append(lxml.html.Element("i", attrib={"aria-hidden": "true"}))


# Things that come late, by the script that static/perturb.js is


def moments(markup: Markup) -> None:
    """Have lists, menus and controls come late."""
    if not markup.scripted:
        return
    for form in (each for each in markup.elements() if each.get("data-form") is not None):
        if markup.touches("refilled", form):
            form.set("data-refills", str(150 + markup.perturbation.number("refilled", key_of(form), below=350)))
        fields = [each for each in form.iter("input") if each.get("type", "text") in ("text", "password")]
        acts = [each for each in form.iter("button") if each.get("data-act")]
        if len(acts) != 1 or not any(_form_of(each) is form and _is_shown(each) for each in fields):
            continue
        if _is_plain(acts[0]) and markup.touches("keys", acts[0]):
            acts[0].set("disabled", "disabled")
            acts[0].set("data-after-keys", str(120 + markup.perturbation.number("keys", key_of(acts[0]), below=200)))
    for menu in (each for each in markup.elements() if each.get("data-menu") is not None):
        if markup.touches("hover", menu):
            _template(menu, **{"data-hover": "1"})
    for holder in markup.elements("select", "tbody"):
        _late_list(markup, holder)
    for control in markup.elements("button", "a", "select"):
        if control.getparent() is None or any(
            True for _ in control.iterancestors("li", "td", "label", "nav", "template")
        ):
            continue
        alike = [each for each in control.getparent() if each.tag == control.tag]
        if control.get("data-needs-keys") is not None or (
            len(alike) > 1 and any(each in markup.chain for each in alike)
        ):
            continue  # the keys are pressed before it, or a known path counts it
        if control.get("data-after-keys") is None and markup.touches("late-controls", control):
            wait = 200 + markup.perturbation.number("late-controls", key_of(control), below=900)
            _template(control, **{"data-late": str(wait)})


def _form_of(field: HtmlElement) -> HtmlElement | None:
    return next((each for each in field.iterancestors() if each.get("data-form") is not None), None)


def _is_shown(element: HtmlElement) -> bool:
    return not any(each.get("hidden") is not None for each in (element, *element.iterancestors()))


def _is_plain(button: HtmlElement) -> bool:
    return (
        button.get("data-needs-keys") is None and button.get("data-close") is None and button.get("data-value") is None
    )


def _late_list(markup: Markup, holder: HtmlElement) -> None:
    entries = [each for each in holder if each.tag in ("option", "tr")]
    late, steps, former = (markup.touches(name, holder) for name in ("late-lists", "two-steps", "former-rows"))
    if not entries or not (late or steps or former):
        return
    wait = 150 + markup.perturbation.number("late-lists", key_of(holder), below=700)
    template = lxml.html.Element("template", attrib={"data-late": str(wait)})
    if steps:
        template.set("data-half", str(max(1, len(entries) // 2)))
    kept = []
    if holder.tag == "select" and entries[0].get("value") == "":
        kept = [entries.pop(0)]
    if former and entries:
        kept += [_former(each, index) for index, each in enumerate(entries[:2])]
    for each in [*entries]:
        holder.remove(each)
        template.append(each)
    for each in kept:
        holder.append(each)
    holder.append(template)


def _former(entry: HtmlElement, number: int) -> HtmlElement:
    """Return a row or option of a former list: other digits, nothing to be clicked."""
    twin = copy.deepcopy(entry)
    for each in [twin, *twin.iterdescendants()]:
        for name in (
            "id",
            "data-act",
            "data-value",
            "data-table-col",
            "data-selection",
            "aria-label",
            "selected",
            "href",
        ):
            each.attrib.pop(name, None)
        if each.tag in ("input", "button", "a"):
            each.tag = "span"
            each.attrib.pop("name", None)
        each.text = each.text.translate(FORMER_DIGITS) if each.text else each.text
    if twin.tag == "option":
        twin.set("value", f"former-{number}")
        twin.text = "Loading" if not number else "\N{HORIZONTAL ELLIPSIS}"
    twin.set("data-former", "1")
    return twin


def _template(element: HtmlElement, **attributes: str) -> None:
    """Put an element into a template, which a script replaces by what it holds."""
    template = lxml.html.Element("template", attrib=attributes)
    tail, element.tail = element.tail, None
    element.addprevious(template)
    template.append(element)
    template.tail = tail


# Names


def renamed(markup: Markup) -> None:
    """Give ids, classes, test ids and names that are not known others, and follow them where they are used."""
    if not markup.perturbation.on("renamed"):
        return
    rename, of = markup.perturbation.rename, markup.known.of
    kept = [said.partition("*=") for said in of("attribute") if "*=" in said]

    def rename_in(attribute: str, own: str, kind: str) -> str:
        return own if any(name == attribute and part in own for name, _, part in kept) else rename(own, of(kind))

    def rename_id(own: str) -> str:
        return rename_in("id", own, "id")

    patterns: tuple[tuple[re.Pattern[str], Callable[[str], str]], ...] = (
        (re.compile(r"#([A-Za-z][\w-]*)"), lambda found: "#" + rename_id(found)),
        (re.compile(r"\[name=([\w-]+)\]"), lambda found: f"[name={rename(found, of('name'))}]"),
    )
    for element in markup.root.iter():
        if not isinstance(element.tag, str):
            continue
        for name in ("id", *ID_REFERENCES):
            if name in element.attrib:
                told = " ".join(rename_id(each) for each in element.get(name).split())
                element.set(name, told)
        if "class" in element.attrib:
            element.set("class", " ".join(rename(each, of("class")) for each in element.get("class").split()))
        if "data-testid" in element.attrib:
            element.set("data-testid", rename_in("data-testid", element.get("data-testid"), "test id"))
        own = element.get("name")
        sent_by_browser = any(each.get("action") for each in element.iterancestors("form"))  # no script gives it back
        renamable = markup.scripted and not sent_by_browser and element.tag in (*FIELDS, "button")
        if own and own not in of("name") and renamable:
            element.set("data-name", own)
            element.set("name", rename(own))
        for name in REFERENCES:
            said = element.get(name, "")
            if said.startswith(("#", "[", ".")) and len(said) > 1:
                for pattern, changed in patterns:
                    said = pattern.sub(partial(_of_match, changed), said)
                element.set(name, said)


def _of_match(changed: Callable[[str], str], matched: re.Match[str]) -> str:
    return changed(matched[1])


STEPS: tuple[Callable[[Markup], Any], ...] = (
    namesakes,
    further,
    order,
    drawn,
    labels,
    words,
    wrapped_text,
    wrappers,
    decoys,
    moments,
    renamed,
)


def known_places(html: str, known: Known) -> Iterator[tuple[str, str, int]]:
    """Give each known id, name, component, class, attribute, text and path, and how often it is in a piece of HTML."""
    markup = Markup(html, Perturbation(), known, scripted=False)
    root = markup.root
    for kind, count in {
        "id": lambda value: len(root.xpath(".//*[@id=$value]", value=value)),
        "name": lambda value: len(root.xpath(".//*[@name=$value]", value=value)),
        "test id": lambda value: len(root.xpath(".//*[@data-testid=$value]", value=value)),
        "class": lambda value: len(
            root.xpath(".//*[contains(concat(' ', @class, ' '), concat(' ', $value, ' '))]", value=value)
        ),
        "component": lambda value: sum(1 for _ in root.iter(value)),
        "path": lambda value: len(places(root, value)),
    }.items():
        for value in sorted(known.of(kind)):
            yield kind, value, count(value)
