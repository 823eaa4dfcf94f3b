"""The result record: its keys, types and meanings, from the dataclasses that it is made of."""

from __future__ import annotations

import ast
import inspect
import json
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any, get_type_hints

from pydantic import TypeAdapter

from generate.reference import markdown
from generate.reference.markdown import code, table
from numerai_predict.contract.record import Record

_OPTIONAL_KEY = "inspection"
_TYPES = {
    "integer": "integer",
    "number": "number",
    "string": "text",
    "object": "object",
    "null": "null",
    "array": "list",
    "boolean": "true or false",
}


def page() -> str:
    """The page."""
    return markdown.page(
        "contract/record.py",
        "The result record",
        "`--result FILE` writes one JSON object that describes the run, also if it failed. The "
        "keys are always present; a value is null if its step was not reached. "
        "[result-record.schema.json](result-record.schema.json) is the same as JSON Schema. "
        "A key is never renamed or removed.",
        table(("key", "type", "meaning"), _rows(Record, "")),
    )


def schema() -> str:
    """The JSON Schema of the record."""
    content = TypeAdapter(Record).json_schema(mode="serialization")
    _describe(Record, content["properties"])
    for name, part in content["$defs"].items():
        _describe(_parts()[name], part["properties"])
        part["required"] = sorted(part["properties"])
    content["required"] = sorted(set(content["properties"]) - {_OPTIONAL_KEY})
    note = "Made by 'make generate' from contract/record.py: do not edit."
    return json.dumps({"$comment": note, **content}, indent=2) + "\n"


def _rows(kind: type, prefix: str) -> Iterator[tuple[str, str, str]]:
    """A row for each key, and for the keys within it."""
    properties = TypeAdapter(kind).json_schema(mode="serialization")["properties"]
    hints, meanings = get_type_hints(kind), _meanings(kind)
    for field in fields(kind):
        inner = hints[field.name]
        nested = is_dataclass(inner)
        shown = "object" if nested else _type(properties[field.name])
        yield code(prefix + field.name), shown, meanings[field.name]
        if nested:
            yield from _rows(inner, f"{prefix}{field.name}.")


def _type(schema: dict[str, Any]) -> str:
    if "anyOf" in schema:
        return " or ".join(_type(each) for each in schema["anyOf"])
    kind = _TYPES[schema["type"]]
    return f"list of {_type(schema['items'])}" if kind == "list" else kind


def _meanings(kind: type) -> dict[str, str]:
    """The text below each field of a dataclass."""
    (definition,) = ast.parse(inspect.getsource(kind)).body
    assert isinstance(definition, ast.ClassDef)
    meanings = {}
    for field, text in zip(definition.body, definition.body[1:], strict=False):
        if isinstance(field, ast.AnnAssign) and isinstance(text, ast.Expr):
            assert isinstance(field.target, ast.Name)
            meanings[field.target.id] = str(ast.literal_eval(text.value))
    return meanings


def _describe(kind: type, properties: dict[str, Any]) -> None:
    for name, meaning in _meanings(kind).items():
        properties[name]["description"] = meaning


def _parts() -> dict[str, type]:
    """The dataclasses within the record, by name."""
    kinds = get_type_hints(Record).values()
    return {kind.__name__: kind for kind in kinds if isinstance(kind, type) and is_dataclass(kind)}
