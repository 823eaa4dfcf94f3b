"""All keys of the configuration with defaults and descriptions, as YAML."""

from __future__ import annotations

import json
from typing import Any

from pydantic import BaseModel

from numerai_predict.training.config import PREFIX, TrainingConfig


def defaults_as_yaml() -> str:
    """The defaults as commented YAML, which is a valid configuration file."""
    head = [
        "# The configuration of `numerai-predict train`: every key with its default.",
        f"# Overrides by variables: {PREFIX}ROUNDS=100, {PREFIX}LIGHTGBM__NUM_LEAVES=31.",
    ]
    return "\n".join([*head, *_section_lines(TrainingConfig, "")]) + "\n"


def _section_lines(section: type[BaseModel], indent: str) -> list[str]:
    lines = []
    for name, field in section.model_fields.items():
        lines.append(f"{indent}# {field.description}")
        default = field.get_default(call_default_factory=True)
        if isinstance(default, BaseModel):
            lines += [f"{indent}{name}:", *_section_lines(type(default), indent + "  ")]
        else:
            lines.append(f"{indent}{name}: {_value(default)}")
    return lines


def _value(value: Any) -> str:
    """The value as JSON, which is valid YAML in one line."""
    return json.dumps(value, default=str)
