"""A reader of scripted portals without a browser: does what their page script does, and refuses what a person could not do."""

from __future__ import annotations

import copy
import json
import re
import urllib.parse
from dataclasses import dataclass, field
from typing import Any, Self

import lxml.html
from lxml.html import HtmlElement

from tests.project import wait_for
from tests.sandbox.person import Answer, Person

BOX = "[data-backdrop]"
CLOSES = re.compile(r"not now|later|close|dismiss|^no\b|skip|fermer|plus tard|✕|×", re.I)


class NotThere(AssertionError):
    """No element of a page fits, or it is hidden or covered."""


@dataclass
class Reader:
    """
    One tab of a browser.

    around: the page whose frame this is. page: the page that is drawn; url: of the last document; status: of the last document or call; files: (name, body).
    closes: dialogs over a page are closed by their own control. pieces: the HTML that was drawn. What a perturbed portal has come
    late is there at once.
    """

    person: Person = field(default_factory=lambda: Person(""))
    url: str = ""
    status: int = 0
    title: str = ""
    files: list[tuple[str, bytes]] = field(default_factory=list)
    closes: bool = False
    pieces: list[str] = field(default_factory=list)
    around: Reader | None = None

    def __post_init__(self) -> None:
        self.page: HtmlElement = lxml.html.document_fromstring("<p></p>")
        self._csrf, self._pending = "", {}

    # Documents and calls

    def open(self, url: str) -> Self:
        """Open a document, follow where it leads, and draw it."""
        for _ in range(12):
            self.url = urllib.parse.urljoin(self.url, url)
            answer = self.person.ask(self.url)
            if answer.status not in (301, 302, 303):
                break
            url = answer.location
        self._pending.clear()
        self.status = answer.status
        if "html" in answer.headers.get("Content-Type", ""):
            self.page = lxml.html.document_fromstring(answer.text or "<p></p>")
            self.pieces.append(answer.text)
            self.title = self.page.findtext(".//title") or ""
        if self.page.get("data-base") is not None and answer.status == 200:
            self._base, where = self.page.get("data-base"), self.url.partition("://")[2].partition("/")[2]
            self._where = "/" + where
            self._apply(self._call("GET", "/api/page?path=" + urllib.parse.quote(self._where, safe="")))
        return self

    def _call(self, method: str, path: str, values: dict[str, Any] | None = None) -> dict[str, Any]:
        root = "/".join(self.url.split("/")[:3])
        said = {"X_CSRF_Token": self._csrf, "X_Page": self._where}
        body = None if method == "GET" else json.dumps(values or {}).encode()
        answer: Answer = self.person.ask(root + self._base + path, body=body, **said)
        self.status = answer.status
        if answer.status == 503:
            return {"go": f"{self._base}/Unavailable"}
        return json.loads(answer.text) if answer.status == 200 else {}

    def _apply(self, reply: dict[str, Any]) -> None:
        self._csrf = reply.get("csrf") or self._csrf
        self.title = reply.get("title", self.title)
        overlays = [reply["overlay"]["html"]] if "overlay" in reply else []
        self.pieces += [reply.get("body", ""), *reply.get("show", {}).values(), *overlays]
        if "body" in reply:
            self.page = lxml.html.document_fromstring(f"<html><body>{reply['body']}</body></html>")
        for each in self.all(reply["closes"]) if "closes" in reply else ():
            each.drop_tree()
        for css, html in reply.get("show", {}).items():
            for place in self.page.cssselect(css)[:1]:
                _fill(place, html)
        if "overlay" in reply:
            self.page.find("body").append(lxml.html.fragment_fromstring(reply["overlay"]["html"]))
        self._settle()
        if "download" in reply:
            self._fetch(reply["download"])
        if "again" in reply:
            self._pending[reply["again"]["act"]] = reply["again"].get("values", {})
        if "open" in reply:
            self.open(reply["open"])
        if "go" in reply:
            self.open(reply["go"])
        if "parent" in reply and self.around is not None:
            self.around._apply(reply["parent"])

    def frame(self, selector: str = "iframe") -> Reader:
        """Return what stands in a frame of the page; its files and pieces are those of the tab."""
        source = urllib.parse.urljoin(self.url, self.find(selector).get("src"))
        inner = Reader(person=self.person, files=self.files, closes=self.closes, pieces=self.pieces, around=self)
        return inner.open(source)

    def _settle(self) -> None:
        """Have everything there that comes late, and nothing of former lists."""
        while (template := self.page.find(".//template")) is not None:
            template.drop_tag()
        for former in self.page.xpath("//*[@data-former]"):
            former.drop_tree()

    def _fetch(self, path: str) -> None:
        answer = self.person.ask(urllib.parse.urljoin(self.url, path))
        self.status = answer.status
        name = answer.headers.get("Content-Disposition", "").partition('filename="')[2].rstrip('"')
        self.files.append((name, answer.body))

    def look_again(self) -> None:
        """Do what the page would ask by itself in a moment."""
        pending, self._pending = self._pending, {}
        for act, values in pending.items():
            self._apply(self._call("POST", f"/api/act/{act}", values))

    # What a person sees and does

    def all(self, selector: str) -> list[HtmlElement]:
        """Return the elements of a selector (an XPath begins with a slash or a bracket)."""
        if selector.startswith(("/", "(")):
            return list(self.page.getroottree().xpath(selector))
        return list(self.page.cssselect(selector))

    def find(self, selector: str, text: str = "") -> HtmlElement:
        """Return the first visible element of a selector, which may come later."""

        def look() -> HtmlElement | None:
            found = [each for each in self.all(selector) if text in said_in(each) and not _hidden(each)]
            if not found:
                self.look_again()
            return found[0] if found else None

        try:
            element: HtmlElement | None = wait_for(lambda: [each] if (each := look()) is not None else [], seconds=4)[0]
        except TimeoutError:
            element = None
        if element is None:
            raise NotThere(
                f"{selector} {text!r} is not in the page {self.title!r} ({self.status}): {self.said()[:400]}"
            )
        return element

    def sees(self, selector: str, text: str = "") -> bool:
        """Whether an element is visible now."""
        return any(text in said_in(each) and not _hidden(each) for each in self.all(selector))

    def said(self, selector: str = "/html/body") -> str:
        """Return the visible text of an element."""
        return " ".join(said_in(each) for each in self.all(selector))

    def click(self, selector: str | HtmlElement, text: str = "") -> Self:
        """Click: an element that is hidden, disabled or under an overlay cannot be clicked."""
        element = self.find(selector, text) if isinstance(selector, str) else selector
        chain = [element, *element.iterancestors()]
        boxes = self.all(BOX)
        while self.closes and boxes and not any(each in boxes for each in chain):
            self._close(boxes[-1])
            boxes = self.all(BOX)
        if boxes and not any(each in boxes for each in chain):
            raise NotThere(f"{selector} is under {said_in(boxes[-1])!r}")
        inner = [
            each for each in element.iterdescendants() if not _hidden(each)
        ]  # what the pointer meets in the middle
        target = next((each for each in (*chain, *inner) if _hooks(each)), None)
        if target is None or target.get("disabled") is not None:
            raise NotThere(f"{selector} {text!r} does nothing")
        values = self._values(target)
        for css in filter(None, [target.get("data-hides")]):
            for each in self.all(css):
                each.set("hidden", "hidden")
        if target.get("data-close"):
            box = next(each for each in chain if each.get("data-backdrop") is not None)
            box.getparent().remove(box)
            if target.get("data-act"):
                self._apply(self._call("POST", f"/api/act/{target.get('data-act')}", values))
        elif target.get("data-toggle"):
            self._toggle(target)
        elif target.get("data-go"):
            self.open(target.get("data-go"))
        elif target.get("data-act"):
            self._apply(self._call("POST", f"/api/act/{target.get('data-act')}", values))
        elif target.get("href", "#") != "#":
            self.open(target.get("href"))
        return self

    def _close(self, box: HtmlElement) -> None:
        controls = [each for each in box.iter("button", "a") if each.get("data-close")]
        named = [each for each in controls if CLOSES.search(f"{said_in(each)} {each.get('aria-label', '')}".strip())]
        if not named:
            raise NotThere(f"{said_in(box)!r} has nothing that closes it")
        self.click(named[0])

    def _toggle(self, target: HtmlElement) -> None:
        place = self.all(target.get("data-toggle"))[0]
        hidden = place.get("hidden") is None
        place.attrib.pop("hidden", None)
        if hidden:
            place.set("hidden", "hidden")
        if target.get("aria-expanded"):
            target.set("aria-expanded", str(not hidden).lower())

    def type(self, selector: str, text: str, keys: bool = True) -> Self:
        """Type into a field; keys: by key presses."""
        box = self.find(selector)
        box.set("value", text)
        if box.get("data-keys") is not None and keys:
            box.set("data-keyed", text)
            for button in self.all("[data-needs-keys]"):
                button.attrib.pop("disabled", None)
        for button in self.all("[data-after-keys]"):
            button.attrib.pop("disabled", None)
        for button in self.all(box.get("data-enables")) if box.get("data-enables") else ():
            button.attrib.pop("disabled", None)  # a click on it takes the focus from the field
        if box.get("data-asks"):
            self._apply(self._call("POST", f"/api/act/{box.get('data-asks')}", self._values(box)))
        self._wake(box, changed=True)
        return self

    def _wake(self, field: HtmlElement, changed: bool) -> None:
        """Take the class `disabled` from the button of a form in which something was changed."""
        form = next((each for each in field.iterancestors() if each.get("data-wakes")), None)
        for button in form.cssselect(form.get("data-wakes")) if form is not None and changed else ():
            button.set("class", " ".join(each for each in button.get("class", "").split() if each != "disabled"))

    def tick(self, selector: str) -> Self:
        """Tick a radio or check box by its own element or its label."""
        element = self.find(selector)
        box = element if element.tag == "input" else element.find(".//input")
        if box is None:
            box = self.all(f"[id='{element.get('for')}']")[0]
        if box.get("type") == "radio":
            for each in self.all(f"input[name={box.get('name')}]"):
                each.attrib.pop("checked", None)
        box.set("checked", "checked")
        if box.get("data-change"):
            self._apply(self._call("POST", f"/api/act/{box.get('data-change')}", self._values(box)))
        return self

    def choose(self, selector: str, value: str) -> Self:
        """Choose an option by its value, or else by the beginning of it."""
        inner = f"{selector}//option" if selector.startswith(("/", "(")) else f"{selector} option"
        options = [each for each in self.find(inner).getparent() if each.get("value", "").startswith(value)]
        if not options:
            raise NotThere(f"{selector} has no option {value}")
        option = next((each for each in options if each.get("value") == value), options[0])
        field = option.getparent()
        self._wake(field, changed=_chosen(field) != option.get("value"))
        for each in field:
            each.attrib.pop("selected", None)
        option.set("selected", "selected")
        if field.get("data-change"):
            self._apply(self._call("POST", f"/api/act/{field.get('data-change')}", self._values(field)))
        return self

    def chosen(self, selector: str) -> str:
        """Return the value that a list has."""
        return str(_chosen(self.find(selector)))

    def _values(self, element: HtmlElement) -> dict[str, Any]:
        scope = next((each for each in (element, *element.iterancestors()) if each.get("data-form") is not None), None)
        found: dict[str, Any] = {}
        for each in (self.page if scope is None else scope).xpath(".//input[@name] | .//select[@name]"):
            name, kind = each.get("data-name") or each.get("name"), each.get("type")
            if kind == "checkbox":
                found.setdefault(name, [])
                found[name] += [each.get("value", "on")] if each.get("checked") is not None else []
            elif kind != "radio" or each.get("checked") is not None:
                found[name] = _chosen(each) if each.tag == "select" else each.get("value", "")
            if each.get("data-keys") is not None:
                found[f"{name}_keyed"] = each.get("data-keyed", "")
        if element.get("data-value") is not None:
            found["value"] = element.get("data-value")
        return found


def _chosen(field: HtmlElement) -> str:
    options = list(field.iter("option"))
    picked = [each for each in options if each.get("selected") is not None] or options[:1]
    return picked[-1].get("value", "") if picked else ""


def _hooks(element: HtmlElement) -> bool:
    names = ("data-act", "data-go", "data-toggle", "data-close")
    return any(element.get(name) is not None for name in names) or (
        element.tag == "a" and element.get("href", "#") != "#"
    )


def _hidden(element: HtmlElement) -> bool:
    return any(each.get("hidden") is not None for each in (element, *element.iterancestors()))


def said_in(element: HtmlElement) -> str:
    """Return an element's text without that of what is hidden in it; that of a hidden element as a whole."""
    if not _hidden(element) and element.xpath(".//*[@hidden]"):
        element = copy.deepcopy(element)
        for each in element.xpath(".//*[@hidden]"):
            each.drop_tree()
    return " ".join(element.text_content().split())


def _fill(place: HtmlElement, html: str) -> None:
    for each in list(place):
        place.remove(each)
    place.text = None
    if not html.strip():
        return
    tag = place.tag if place.tag in ("select", "table") else "div"
    drawn = lxml.html.document_fromstring(f"<html><body><{tag} id='drawn-piece'>{html}</{tag}></body></html>")
    piece = drawn.xpath("//*[@id='drawn-piece']")[0]
    place.text = piece.text
    place.extend(list(piece))
