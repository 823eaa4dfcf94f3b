"""Readers of values in frames: each accepts one type, within limits, or raises."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from numerai_predict.contract.foreign_text import MAX_NAME_CHARACTERS, one_line

_MAX_INTEGER = 2**53
_Value = TypeVar("_Value")
Read = Callable[[Any, str], _Value]


class MalformedFrame(Exception):
    """The bytes are not a frame, or too large, or its content breaks the schema."""


def read_string(value: Any, name: str, max_characters: int = MAX_NAME_CHARACTERS) -> str:
    """The string as one printable line.

    Raises:
        MalformedFrame: it is not a string.
    """
    if type(value) is not str:
        raise MalformedFrame(f"{name} that is not a string")
    return one_line(value, max_characters)


def read_optional_string(value: Any, name: str) -> str | None:
    """The string as one printable line, or `None`.

    Raises:
        MalformedFrame: it is neither.
    """
    return None if value is None else read_string(value, name)


def read_integer(value: Any, name: str) -> int:
    """The integer, from 0 to 2^53.

    Raises:
        MalformedFrame: it is not such an integer.
    """
    if type(value) is not int or not 0 <= value <= _MAX_INTEGER:
        raise MalformedFrame(f"{name} that is not a count")
    return value


def read_seconds(value: Any, name: str) -> float:
    """The duration: a finite float of at least 0.

    Raises:
        MalformedFrame: it is not such a float.
    """
    if type(value) is not float or not 0 <= value < float("inf"):
        raise MalformedFrame(f"{name} that is no number of seconds")
    return value


def read_list(value: Any, name: str, most: int, read: Read[_Value]) -> list[_Value]:
    """The list of at most `most` items, each read by `read`.

    Raises:
        MalformedFrame: it is not such a list.
    """
    if type(value) is not list or len(value) > most:
        raise MalformedFrame(f"{name} that is not a list of at most {most}")
    return [read(item, name) for item in value]


def read_mapping(value: Any, name: str) -> dict[str, str]:
    """The object whose values are strings.

    Raises:
        MalformedFrame: it is not such an object.
    """
    if type(value) is not dict:
        raise MalformedFrame(f"{name} that is not an object")
    return {read_string(key, name): read_string(text, name, 4_000) for key, text in value.items()}


def require_keys(content: Mapping[str, Any], keys: frozenset[str], name: str) -> None:
    """Check that an object has exactly these keys.

    Raises:
        MalformedFrame: it has others.
    """
    if content.keys() != keys:
        raise MalformedFrame(f"{name} with unexpected or missing keys")


def read_header(line: bytes, max_payload: int) -> dict[str, Any]:
    """The header of a frame: an object of kind, content and the bytes of its payload.

    Raises:
        MalformedFrame: it is no such object, or announces more bytes than `max_payload`.
    """
    try:
        header = json.loads(line)
    except (ValueError, RecursionError):
        raise MalformedFrame("a header that is not JSON") from None
    if not isinstance(header, dict) or header.keys() != {"kind", "content", "bytes"}:
        raise MalformedFrame("a header without kind, content and bytes")
    if not isinstance(header["kind"], str) or not isinstance(header["content"], dict):
        raise MalformedFrame("a header whose kind or content has the wrong type")
    size = header["bytes"]
    if type(size) is not int or not 0 <= size <= max_payload:
        raise MalformedFrame(f"a payload that is not of 0 to {max_payload} bytes")
    return header
