"""D2: the name of a file in all forms of RFC 6266 and RFC 8187, and in those that servers send all the same."""

from __future__ import annotations

import pytest
from scrapy.http import Headers

from middlewares.download.names import file_name

URL = "https://portal.example/files/of%20the%20url.pdf?id=7"


@pytest.mark.parametrize(
    ("stated", "name"),
    [
        ("attachment; filename=bill.pdf", "bill.pdf"),
        ('ATTACHMENT ; FileName = "Bill.pdf" ; size=12', "Bill.pdf"),
        ('attachment; filename="a;b, c=d.pdf"', "a;b, c=d.pdf"),
        (r'attachment; filename="a\"b.pdf"', 'a"b.pdf'),
        ("attachment; filename*=UTF-8''%e2%82%ac%20rates.pdf", "€ rates.pdf"),
        ("attachment; filename=\"EURO.pdf\"; filename*=utf-8''%e2%82%ac.pdf", "€.pdf"),
        ("attachment; filename*=utf-8'en'%e2%82%ac.pdf; filename=\"EURO.pdf\"", "€.pdf"),
        ("attachment; filename*=iso-8859-1'en'%A3.pdf", "£.pdf"),
        ("attachment; filename*=windows-1255''%f9.pdf", "ש.pdf"),
        ("attachment; filename*=UTF-8''%ff.pdf; filename=x.pdf", "x.pdf"),  # not UTF-8: the plain name
        ("attachment; filename*=invented''x.pdf; filename=b.pdf", "b.pdf"),
        ("attachment; filename*0*=UTF-8''%e2%82; filename*1*=%ac.pdf", "€.pdf"),
        ('attachment; filename*0="long"; filename*1="name.pdf"', "longname.pdf"),
        ("attachment; xfilename=a.pdf; filename=b.pdf", "b.pdf"),
        # Not of the grammar, but sent:
        ("filename=bill.pdf", "bill.pdf"),
        ("attachment; filename=my bill (2).pdf", "my bill (2).pdf"),
        ('attachment; filename="bill.pdf', "bill.pdf"),
        ("attachment; filename*=\"UTF-8''%e2%82%ac.pdf\"", "€.pdf"),
        ('attachment; filename="€.pdf"'.encode(), "€.pdf"),
        ('attachment; filename="é.pdf"'.encode("latin-1"), "é.pdf"),
        # Folders and control characters:
        ('attachment; filename="../../etc/x.pdf"', "x.pdf"),
        (r'attachment; filename="C:\bills\y.pdf"', "y.pdf"),
        ("attachment; filename*=UTF-8''a%2Fb%5Cc.pdf", "c.pdf"),
        ("attachment; filename*=UTF-8''%00%0Ax.pdf", "__x.pdf"),
        # No name:
        ('attachment; filename=".."', "download"),
        ("attachment", "of the url.pdf"),
        ('inline; filename=""', "of the url.pdf"),
        ("attachment; filename*=UTF-8''%ff.pdf", "of the url.pdf"),
        ("", "of the url.pdf"),
    ],
)
def test_d2_the_name_of_a_file(stated, name):
    assert file_name(Headers({"Content-Disposition": stated}), URL) == name


def test_d2_a_url_without_a_name_gives_one_all_the_same():
    assert file_name(Headers(), "https://portal.example/") == "download"
