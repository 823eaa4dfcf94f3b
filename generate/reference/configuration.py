"""Configuration files and their keys, from the models that read them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel

from generate.reference import markdown
from generate.reference.markdown import code, table
from numerai_predict.contract.environment_variables import TRAIN_PREFIX, VARIABLES
from numerai_predict.tournament.settings import KeysFile
from numerai_predict.training.config import TrainingConfig

_COLUMNS = ("key", "type", "default", "meaning")
_TYPES = {"integer": "integer", "number": "number", "string": "text", "boolean": "true or false"}
_LIMITS = {
    "minimum": "from {}",
    "exclusiveMinimum": "above {}",
    "maximum": "to {}",
    "exclusiveMaximum": "below {}",
}


def page() -> str:
    """The page."""
    return markdown.page(
        "the models of train.yaml and keys.env",
        "Configuration",
        "## train.yaml",
        "The configuration of `numerai-predict train`. Every key is optional; an unknown key is an "
        "error. `numerai-predict train --print-defaults` prints this as a commented file. "
        f"Environment variables override keys by name: `{TRAIN_PREFIX}ROUNDS=100`, "
        f"`{TRAIN_PREFIX}LIGHTGBM__NUM_LEAVES=31`; lists and sections are JSON.",
        *_sections(TrainingConfig, ""),
        "## keys.env",
        "Lines of `NAME=value`, in a file outside of any repository that you alone can read. "
        "Environment variables of the same names override them. An unknown name is an error.",
        table(("name", "default", "meaning"), _keys()),
    )


def _sections(model: type[BaseModel], prefix: str) -> Iterator[str]:
    """A table of the model's own keys, then the tables of its sections."""
    properties = model.model_json_schema()["properties"]
    definitions = model.model_json_schema().get("$defs", {})
    rows, nested = [], []
    for name, field in model.model_fields.items():
        default = field.get_default(call_default_factory=True)
        meaning = field.description or ""
        if isinstance(default, BaseModel):
            nested.append((name, type(default), meaning))
        else:
            kind = _kind(properties[name], definitions)
            rows.append(
                (code(prefix + name), kind, code(json.dumps(default, default=str)), meaning)
            )
    yield table(_COLUMNS, rows)
    for name, section, meaning in nested:
        yield f"### {name}"
        yield meaning
        yield from _sections(section, f"{prefix}{name}.")


def _kind(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> str:
    """The type of a value and its bounds, in words."""
    if "anyOf" in schema:
        kinds = [_kind(each, definitions) for each in schema["anyOf"] if each != {"type": "null"}]
        return " or ".join(kinds)
    if "enum" in schema:
        return ", ".join(code(value) for value in schema["enum"])
    if schema.get("type") == "array":
        return f"list of {_kind(schema['items'], definitions)}"
    if schema.get("type") == "object":
        return f"mapping to {_kind(schema['additionalProperties'], definitions)}"
    limits = [template.format(schema[key]) for key, template in _LIMITS.items() if key in schema]
    return " ".join([_TYPES.get(schema.get("type", ""), "value"), *limits])


def _keys() -> Iterator[tuple[str, str, str]]:
    known = {variable.name: variable for variable in VARIABLES}
    for field in KeysFile.model_fields.values():
        variable = known[str(field.alias)]
        yield code(variable.name), variable.default, variable.meaning
