"""Reads the configuration of a training: a YAML file, overridden by environment variables."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError
from pydantic_settings import SettingsError

from numerai_predict.contract.training_errors import BadConfiguration
from numerai_predict.training.config import DELIMITER, PREFIX, TrainingConfig
from numerai_predict.training.trainers.parameters import InvalidValue


def read_training_config(
    file: Path | None, environment: Mapping[str, str] = os.environ
) -> TrainingConfig:
    """The configuration of the file, or the defaults, with overrides from the environment.

    Raises:
        BadConfiguration: the file cannot be read, or a key or value is invalid.
    """
    values = {} if file is None else _read_mapping(file)
    _reject_unknown_variables(environment)
    try:
        return TrainingConfig(**values)
    except ValidationError as error:
        lines = [f"  - {_describe_mistake(each)}" for each in error.errors(include_url=False)]
        where = "the environment" if file is None else f"{file} or the environment"
        raise BadConfiguration(
            "\n".join(
                [f"expected a configuration in {where}, found {len(lines)} mistake(s)", *lines]
            ),
            "correct them; `numerai-predict train --print-defaults` lists the keys",
        ) from None
    except SettingsError as error:
        raise BadConfiguration(
            f"expected JSON for a list or section in the environment, found: {error}",
            f"write it like {PREFIX}SEEDS='[42, 1337]'",
        ) from None


def _reject_unknown_variables(environment: Mapping[str, str]) -> None:
    names = {name.upper() for name in TrainingConfig.model_fields}
    for variable in environment:
        first = variable.upper().removeprefix(PREFIX).split(DELIMITER)[0]
        if variable.upper().startswith(PREFIX) and first not in names:
            raise BadConfiguration(
                f"expected a variable of a known key, found {variable}",
                "correct or unset it; `numerai-predict train --print-defaults` lists the keys",
            )


def _read_mapping(file: Path) -> dict[str, Any]:
    try:
        content = yaml.load(file.read_bytes(), _UniqueKeyLoader)  # noqa: S506 - a subclass of SafeLoader
    except OSError as error:
        raise BadConfiguration(
            f"expected a configuration at {file}, found: {error.strerror}",
            "check the path; `numerai-predict train --print-defaults > train.yaml` writes one",
        ) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise BadConfiguration(
            f"expected YAML in {file}, found: {' '.join(str(error).split())}", "correct it"
        ) from None
    if not isinstance(content, dict) or not all(isinstance(key, str) for key in content):
        kind = "nothing" if content is None else f"a {type(content).__name__}"
        raise BadConfiguration(
            f"expected keys with values in {file}, found {kind}",
            "write lines like `features: small`; `numerai-predict train --print-defaults` lists "
            "the keys",
        )
    return content


class _UniqueKeyLoader(yaml.SafeLoader):  # type: ignore[misc]
    """A safe YAML loader that rejects duplicate keys."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Construct a mapping; PyYAML itself would silently use the last of equal keys."""
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        if duplicates := [key for key in keys if keys.count(key) > 1]:
            line = node.start_mark.line + 1
            raise yaml.YAMLError(f"the key {duplicates[0]} twice, in the section at line {line}")
        mapping: dict[Any, Any] = super().construct_mapping(node, deep)
        return mapping


def _describe_mistake(details: Any) -> str:
    """One line for one of pydantic's error details: key, what was expected, what was found."""
    # pydantic also names the members of a union, like `constrained-str`.
    parts = [str(part) for part in details["loc"] if not set("-[") & set(str(part))]
    key = ".".join(parts) or "configuration"
    if details["type"] == "extra_forbidden":
        near = get_close_matches(parts[-1], _known_keys(parts[:-1]), n=1)
        hint = f": did you mean {near[0]}?" if near else ""
        return f"{key}: expected a known key, found an unknown one{hint}"
    if details["type"] == "tuple_type":
        return f"{key}: expected a list like [{details['input']}], found {details['input']!r}"
    cause = details.get("ctx", {}).get("error")
    if isinstance(cause, InvalidValue):
        return f"{key}: {cause}"
    message = details["msg"]
    return f"{key}: {message[0].lower()}{message[1:]}, found {details['input']!r}"


def _known_keys(section: Sequence[str]) -> list[str]:
    """The keys of the configuration, or of a section of it."""
    kind: Any = TrainingConfig
    for name in section:
        kind = kind.model_fields[name].annotation
    return list(kind.model_fields)
