"""The schema of the content of a FAILED frame: what `child.exception_report` describes."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from numerai_predict.contract.foreign_text import printable_lines
from numerai_predict.runner.frame_schema import (
    MalformedFrame,
    read_integer,
    read_list,
    read_optional_string,
    read_string,
    require_keys,
)
from numerai_predict.runner.protocol import Stage

_MAX_TYPES = 100
_MAX_FRAMES = 200
_MAX_ERRORS = 10
_MAX_MESSAGE_CHARACTERS = 4_000
_MAX_TRACEBACK_CHARACTERS = 50_000
_MAX_PATH_CHARACTERS = 500
_KEYS = frozenset(
    ("type", "types", "message", "frames", "traceback", "errors", "module", "attribute",
     "attribute_of", "defect", "stage")
)  # fmt: skip
_FRAME_KEYS = frozenset(("file", "line", "function", "text", "runner", "library"))
_ERROR_KEYS = frozenset(("errno", "path"))


def read_failure(content: Mapping[str, Any], stages: Collection[Stage]) -> dict[str, Any]:
    """The content of the frame, its texts bounded and printable.

    Args:
        content: of the frame.
        stages: those that the supervisor's last request can have led to.

    Raises:
        MalformedFrame: it breaks the schema, or names another stage.
    """
    require_keys(content, _KEYS, "a failure")
    if content["stage"] not in [stage.value for stage in stages]:
        raise MalformedFrame("a failure of a stage that was not due")
    return {
        "type": read_string(content["type"], "a type"),
        "types": read_list(content["types"], "types", _MAX_TYPES, read_string),
        "message": _read_lines(content["message"], _MAX_MESSAGE_CHARACTERS),
        "frames": read_list(content["frames"], "a traceback", _MAX_FRAMES, _read_frame),
        "traceback": _read_lines(content["traceback"], _MAX_TRACEBACK_CHARACTERS),
        "errors": read_list(content["errors"], "errors", _MAX_ERRORS, _read_error),
        "module": read_optional_string(content["module"], "a module"),
        "attribute": read_optional_string(content["attribute"], "an attribute"),
        "attribute_of": read_optional_string(content["attribute_of"], "a module"),
        "defect": read_optional_string(content["defect"], "a defect"),
        "stage": content["stage"],
    }


def _read_lines(value: Any, max_characters: int) -> str:
    if type(value) is not str:
        raise MalformedFrame("a message that is not a string")
    return printable_lines(value, max_characters)


def _read_frame(value: Any, name: str) -> dict[str, Any]:
    if type(value) is not dict:
        raise MalformedFrame("a stack frame that is not an object")
    require_keys(value, _FRAME_KEYS, "a stack frame")
    return {
        "file": read_string(value["file"], name, _MAX_PATH_CHARACTERS),
        "line": None if value["line"] is None else read_integer(value["line"], "a line"),
        "function": read_string(value["function"], name),
        "text": read_string(value["text"], name, _MAX_PATH_CHARACTERS),
        "runner": value["runner"] is True,
        "library": value["library"] is True,
    }


def _read_error(value: Any, name: str) -> dict[str, Any]:
    if type(value) is not dict:
        raise MalformedFrame("an error that is not an object")
    require_keys(value, _ERROR_KEYS, "an error")
    path = value["path"]
    return {
        "errno": read_integer(value["errno"], "an error number"),
        "path": None if path is None else read_string(path, name, _MAX_PATH_CHARACTERS),
    }
