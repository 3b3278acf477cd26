"""Tables that are shown page by page, in a real browser."""

from __future__ import annotations

from typing import Any

import pytest

from scrapers.core.outcomes import PortalChanged
from scrapers.core.page import PortalPage
from scrapers.core.paging import each_page
from tests.pages import make_haste

pytestmark = pytest.mark.browser


@pytest.fixture(autouse=True)
def haste(monkeypatch: pytest.MonkeyPatch) -> None:
    make_haste(monkeypatch)
    monkeypatch.setenv("LATCHKEY_PAGE_WAIT", "2")


def table(*pages: str, last: str = "<span class=next>Next</span>", late: int = 200) -> str:
    """Return a table whose pages come late, each after what was clicked."""
    return f"""<p id=rows></p><div id=paging></div><script>const pages = {list(pages)}; let at = -1;
      const go = () => {{ at += 1; rows.textContent = pages[at];
        paging.innerHTML = at + 1 < pages.length ? '<a class=next href=#>Next</a>' : '{last}';
        const next = paging.querySelector('a'); if (next) next.onclick = () => setTimeout(go, {late}) }}; go();</script>"""


def read(run: Any, body: str, change: str = "") -> list[str]:
    """Return what is read of each page. change: script that runs on each one."""

    async def act(page: PortalPage) -> list[str]:
        async def rows() -> str:
            return await page.text(("#rows",))

        found = []
        async for each in each_page(page, rows, ("#paging a.next",), ("#paging span.next",)):
            found.append(each)
            if change:
                await page.raw.evaluate(change)
        return found

    read_pages: list[str] = run(body, act)
    return read_pages


@pytest.mark.parametrize("last", ["<span class=next>Next</span>", ""], ids=["a last page says so", "nothing follows"])
@pytest.mark.parametrize("pages", [("a",), ("a", "b", "c")])
def test_all_pages_are_read_in_their_order(run, pages, last):
    assert read(run, table(*pages, last=last)) == list(pages)


def test_what_is_done_with_a_page_is_not_taken_for_the_following_one(run):
    assert read(run, table("a", "b"), "rows.textContent += ' (selected)'") == ["a", "b"]


@pytest.mark.parametrize(
    ("body", "said"),
    [(table("a", "b").replace("setTimeout(go", "(() => 0)(go"), "did not come"), (table("a", "b", "a"), "came again")],
)
def test_pages_that_do_not_come_or_come_again_are_no_end(run, body, said):
    with pytest.raises(PortalChanged, match=said):
        read(run, body)
