"""Reads an event that anybody may have written: of any size, depth and type.

A user who can write to the directory or bucket of a registry can write events. An event that is
read has the types that its class states, and each text in it is bounded and printable.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, NoReturn, TypeVar

from numerai_predict.contract.foreign_text import inert, one_line
from numerai_predict.contract.trained_eras import PICKLE
from numerai_predict.registry.events import EventKind, RegistryEvent, StoredFile
from numerai_predict.registry.reference import is_alias, is_name

MAX_EVENT_BYTES = 1024**2
MAX_SCORE = 1e9

_MAX_SHOWN = 300
_MAX_NUMBER = 99_999_999  # the digits of an event's file name
_MAX_FILE_BYTES = 2**50
_FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,100}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_T = TypeVar("_T")


def parse_event(content: bytes) -> RegistryEvent:
    """The event in a file.

    Raises:
        ValueError: it is none.
    """
    if len(content) > MAX_EVENT_BYTES:
        raise ValueError(f"more than {MAX_EVENT_BYTES:,} bytes")
    try:
        found = json.loads(content, parse_constant=_refuse_constant)
    except RecursionError:
        raise ValueError("JSON that is nested too deep") from None
    return _event(inert(_mapping(found, "the event")))


def _event(found: Mapping[str, Any]) -> RegistryEvent:
    kind = EventKind(_text(found.get("kind"), "kind"))
    files = _mapping(found.get("files"), "files")
    event = RegistryEvent(
        number=_integer(found.get("number"), "number", 1, _MAX_NUMBER),
        id=_text(found.get("id"), "id"),
        kind=kind,
        time=_text(found.get("time"), "time"),
        user=_text(found.get("user"), "user"),
        version=_integer(found.get("version"), "version", 1, _MAX_NUMBER),
        alias=_optional(found.get("alias"), "alias", _alias),
        reason=_optional(found.get("reason"), "reason", _text),
        files={_file_name(name): _stored(each) for name, each in files.items()},
        facts=_facts(_mapping(found.get("facts"), "facts")),
        tags={
            _tag_name(key): _text(value, f"the tag {key}")
            for key, value in _mapping(found.get("tags"), "tags").items()
        },
    )
    if kind is EventKind.ADDED and sum(name.startswith(PICKLE) for name in event.files) != 1:
        raise _unexpected("one pickle among the files", list(event.files))
    return event


def _facts(found: Mapping[str, Any]) -> dict[str, Any]:
    """The facts of a version; those of a later release stay as they are."""
    pythons = found.get("python", [])
    if not isinstance(pythons, list):
        raise _unexpected("a list as facts.python", pythons)
    scores = _mapping(found.get("scores", {}), "facts.scores")
    features = found.get("features")
    return {
        **found,
        "python": [_text(each, "facts.python") for each in pythons],
        "data_version": _optional(found.get("data_version"), "facts.data_version", _text),
        "features": _optional(features, "facts.features", _count),
        "scores": {name: _finite(mean, f"facts.scores.{name}") for name, mean in scores.items()},
    }


def _file_name(text: str) -> str:
    """A name without a directory: an event may come from a directory that others write to."""
    if not _FILE_NAME.fullmatch(text):
        raise _unexpected("the name of a file", text)
    return text


def _stored(entry: Any) -> StoredFile:
    fields = _mapping(entry, "a file")
    sha256 = _text(fields.get("sha256"), "sha256")
    if not _SHA256.fullmatch(sha256):
        raise _unexpected("a SHA-256", sha256)
    return StoredFile(sha256, _integer(fields.get("bytes"), "bytes", 0, _MAX_FILE_BYTES))


def _tag_name(text: str) -> str:
    if not is_name(text):
        raise _unexpected("the name of a tag", text)
    return text


def _alias(value: Any, what: str) -> str:
    text = _text(value, what)
    if not is_alias(text):
        raise _unexpected("the name of an alias", text)
    return text


def _text(value: Any, what: str) -> str:
    if not isinstance(value, str):
        raise _unexpected(f"a text as {what}", value)
    return value


def _count(value: Any, what: str) -> int:
    return _integer(value, what, 0, _MAX_NUMBER)


def _integer(value: Any, what: str, least: int, most: int) -> int:
    if type(value) is not int or not least <= value <= most:
        raise _unexpected(f"a number from {least} to {most} as {what}", value)
    return value


def _finite(value: Any, what: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > MAX_SCORE:
        raise _unexpected(f"a number as {what}", value)
    return float(value)


def _mapping(value: Any, what: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise _unexpected(f"an object as {what}", value)
    return value


def _optional(value: Any, what: str, read: Callable[[Any, str], _T]) -> _T | None:
    return None if value is None else read(value, what)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"the number {name}")


def _unexpected(expected: str, found: Any) -> ValueError:
    return ValueError(f"expected {expected}, found {one_line(repr(found)[:_MAX_SHOWN])}")
