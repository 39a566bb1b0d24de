"""Bodies are held against the schemas that are published for them."""

from typing import Any

import jsonschema  # type: ignore[import-untyped]
from referencing import Registry
from referencing.jsonschema import DRAFT202012
from starlette.testclient import TestClient

BASE = "http://goniec.example"


def fetched(client: TestClient, url: str) -> Any:
    answer = client.get(url.removeprefix(BASE))
    assert answer.status_code == 200, answer.text
    return answer.json()


def check(client: TestClient, schema: str, value: Any) -> None:
    """Hold a value against a published schema, given by its address, anchor included."""
    address = schema.partition("#")[0]
    document = fetched(client, address)
    assert document["$id"] == address
    jsonschema.Draft202012Validator.check_schema(document)
    known = Registry().with_resource(address, DRAFT202012.create_resource(document))
    jsonschema.Draft202012Validator(
        {"$ref": schema}, registry=known, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER
    ).validate(value)
