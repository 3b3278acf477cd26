"""The OpenAPI document: what flask-openapi3 writes, with errors in the form in which they are answered."""

from __future__ import annotations

from typing import Any

from flask_openapi3.openapi import OpenAPI
from pydantic import BaseModel

_schemas: dict[tuple[Any, ...], dict[str, Any]] = {}
PROBLEMS = ("Problem", "InvalidFields")  # models of `webhook.api`, answered as RFC 9457 has them


class Model(BaseModel):
    """Base of what the API takes and answers: flask-openapi3 asks for schemas at each route and request; each is made once."""

    @classmethod
    def model_json_schema(cls, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Return the schema."""
        asked = (cls, args, *kwargs.items())
        if asked not in _schemas:
            _schemas[asked] = super().model_json_schema(*args, **kwargs)
        return _schemas[asked]


class Documented(OpenAPI):
    """The application with its document at /docs."""

    def generate_spec_json(self) -> None:
        """Make the document."""
        super().generate_spec_json()
        for methods in self.spec_json["paths"].values():
            for operation in methods.values():
                for response in operation["responses"].values():
                    _correct(response.get("content") or {})


def _correct(content: dict[str, Any]) -> None:
    """Name the content type of problems; what is wrong with parameters is an object, and no list of them."""
    answer = content.get("application/json")
    if answer is None:
        return
    schema = answer["schema"]
    if schema.get("type") == "array" and "$ref" in schema.get("items", {}):
        answer["schema"] = schema = schema["items"]
    if schema.get("$ref", "").rpartition("/")[2] in PROBLEMS:
        content["application/problem+json"] = content.pop("application/json")
