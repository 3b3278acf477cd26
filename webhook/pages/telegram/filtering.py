"""The filters of a source in a form: each is a field whose name begins with `filter_`."""

from __future__ import annotations

import re
from typing import Any

from pydantic import ValidationError
from werkzeug.datastructures import MultiDict

from scrapers.families.messaging.filters import Filters
from webhook.pages.forms import WHOLE, Form, sentence
from webhook.pages.telegram.shown import FILTER_FIELDS, SINGLE

PREFIX = "filter_"
SINGLE_LINE = 300  # characters


def with_filters(form: Form[Any], given: MultiDict[str, str]) -> Form[Any]:
    """Return a form with the filters that were sent beside its fields; what is wrong with one stands beside it."""
    values: dict[str, Any] = {}
    for name in (*FILTER_FIELDS, "albums"):
        text = given.get(PREFIX + name, "").strip()
        form.values[PREFIX + name] = text
        if text:
            values[name] = text if name in SINGLE else [part for part in re.split(r"\s*[,\n]\s*", text) if part]
    try:
        filters = Filters(**values)
    except ValidationError as error:
        for each in error.errors(include_input=False, include_url=False, include_context=False):
            form.refuse(PREFIX + str(each["loc"][0]) if each["loc"] else WHOLE, sentence(each["msg"]))
        return form
    if form.body is not None:
        form.body.filters = filters
        form.body.__pydantic_fields_set__.add("filters")
    return form
