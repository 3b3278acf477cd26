"""Controls that lead to another page by a form."""

from __future__ import annotations

import pytest
from scrapy.http import HtmlResponse
from scrapy.selector import Selector

from scrapers.core.outcomes import PortalChanged
from scrapers.reading.forms import submitted
from scrapers.reading.layouts import ListPage, Paging

NEXT = "<button aria-label='Next'>›</button>"
PAGE = ListPage(
    name="list", layouts=(), empty=(), empty_text="", paging=Paging(buttons=("button[aria-label*=next i]",))
)


@pytest.mark.parametrize(
    ("html", "address"),
    [
        (f"<form action='/list'><input type='hidden' name='mark' value='a b'>{NEXT}</form>", "/list?mark=a+b"),
        (f"<form><input name='q'><input name='n' value='25'>{NEXT}</form>", "?q=&n=25"),
        (f"<form action='/list?old=1'><input name='n' value='1' disabled>{NEXT}</form>", "/list"),
        (
            "<form><button name='page' value='2'>Next</button><button name='page' value='1'>First</button></form>",
            "?page=2",
        ),
        ("<form><input type='submit' name='go' value='Next'></form>", "?go=Next"),
        ("<form action='/a'><button formaction='/b' name='p' value='2'>Next</button></form>", "/b?p=2"),
        ("<form id='f' action='/list'><input name='n' value='2'></form><button form='f'>Next</button>", "/list?n=2"),
        (
            "<form><select name='s'><option>10</option><option selected value='25'>25 rows</option></select>"
            f"<input type='checkbox' name='all'><input type='radio' name='r' value='x' checked>{NEXT}</form>",
            "?s=25&r=x",
        ),
        (f"<form method='post' action='/list'>{NEXT}</form>", None),
        ("<form><button formmethod='post'>Next</button></form>", None),
        ("<form><button type='button'>Next</button></form>", None),
        (NEXT, None),
    ],
)
def test_the_address_is_that_of_a_browser(html, address):
    control = Selector(text=html).css("button, input[type=submit]")[0]
    assert submitted(control) == address


def test_a_list_goes_on_behind_a_form_that_asks():
    def following(html):
        return PAGE.following(HtmlResponse("http://fleet.example/list?mark=1", body=html, encoding="utf-8"))

    form = f"<form action='/list'><input type='hidden' name='mark' value='2'>{NEXT}</form>"
    assert following(form) == "http://fleet.example/list?mark=2"
    assert following(form.replace("<button", "<button disabled")) is None
    with pytest.raises(PortalChanged):
        following(form.replace("<form", "<form method='post'"))
