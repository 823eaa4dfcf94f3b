"""Describes an exception of the model as data that the supervisor can classify."""

from __future__ import annotations

import os
import sysconfig
import traceback
from pathlib import Path
from types import ModuleType
from typing import Any

from numerai_predict.contract.library_folders import library_folders
from numerai_predict.runner.child.databases import unopened_database
from numerai_predict.runner.failure_text import missing_attribute

_OWN_DIRECTORY = str(Path(__file__).parent)
_MAX_MESSAGE_CHARACTERS = 4_000
_MAX_TRACEBACK_CHARACTERS = 50_000
_MAX_FRAMES = 200
_MAX_CAUSES = 10
_MAX_PATH_CHARACTERS = 500
_MAX_NAME_CHARACTERS = 200
_MAX_TYPES = 100
_NO_MESSAGE = "(its message cannot be shown: __str__ raised)"
_LIBRARIES = tuple(
    {
        *(sysconfig.get_path(key) for key in ("stdlib", "platlib", "purelib")),
        *library_folders(),
    }
)


def describe(error: BaseException) -> dict[str, Any]:
    """As `_describe`; without details of an exception that raises when it is looked at."""
    try:
        return _describe(error)
    except BaseException:  # whatever it is, the model raised it
        name = type.__dict__["__name__"].__get__(type(error))[:_MAX_NAME_CHARACTERS]
        return {
            "type": name,
            "types": [name],
            "message": _NO_MESSAGE,
            "frames": [],
            "traceback": "",
            "errors": [],
            "module": None,
            "defect": None,
            "attribute": None,
            "attribute_of": None,
        }


def _describe(error: BaseException) -> dict[str, Any]:
    """The content of a FAILED frame, except `stage`: types, message, frames, what was missing.

    `frames` are those below the frames of the runner, outermost first; `library` marks a frame
    of the interpreter or of an installed package. `errors` are the OSErrors among the exception
    and its causes.
    """
    frames = [_frame(frame) for frame in traceback.extract_tb(error.__traceback__)]
    last_own = max((i for i, frame in enumerate(frames) if frame["runner"]), default=-1)
    return {
        "type": _name(type(error)),
        "types": [_bounded(kind.__name__) for kind in type(error).__mro__[:_MAX_TYPES]],
        "message": _message(error),
        "frames": frames[last_own + 1 :][-_MAX_FRAMES:],
        "traceback": "".join(_format(error))[-_MAX_TRACEBACK_CHARACTERS:],
        "errors": _system_errors(error),
        "module": _string_or_none(getattr(error, "name", None)),
        "defect": _string_or_none(getattr(error, "defect", None)),
        **_missing_attribute(error),
    }


def _system_errors(error: BaseException) -> list[dict[str, Any]]:
    """The OSErrors and unopened databases among the exception and its causes, the last first."""
    found: list[dict[str, Any]] = []
    seen: list[BaseException] = []
    current: BaseException | None = error
    while current is not None and current not in seen and len(seen) < _MAX_CAUSES:
        seen.append(current)
        if unopened := unopened_database(current):
            number, name = unopened
            found.append({"errno": number, "path": _bounded(name, _MAX_PATH_CHARACTERS)})
        if isinstance(current, OSError) and _is_error_number(current.errno):
            path = current.filename
            text = os.fsdecode(path) if isinstance(path, str | bytes) else None
            found.append(
                {"errno": current.errno, "path": text and _bounded(text, _MAX_PATH_CHARACTERS)}
            )
        current = current.__cause__ or current.__context__
    return found


def _is_error_number(value: Any) -> bool:
    return type(value) is int and 0 <= value < 2**31


def _frame(frame: traceback.FrameSummary) -> dict[str, Any]:
    return {
        "file": _bounded(frame.filename, _MAX_PATH_CHARACTERS),
        "line": frame.lineno,
        "function": _bounded(frame.name),
        "text": _bounded(frame.line or "", _MAX_PATH_CHARACTERS),
        "runner": frame.filename.startswith(_OWN_DIRECTORY),
        "library": frame.filename.startswith((*_LIBRARIES, "<frozen ")),
    }


def _missing_attribute(error: BaseException) -> dict[str, str | None]:
    """The missing attribute and its module, if that is the error."""
    attribute = module = None
    if isinstance(error, AttributeError):
        owner = getattr(error, "obj", None)
        if isinstance(owner, ModuleType):
            attribute, module = _string_or_none(error.name), _string_or_none(owner.__name__)
        elif missing := missing_attribute(_message(error)):
            attribute, module = map(_bounded, missing)
    return {"attribute": attribute, "attribute_of": module}


def _message(error: BaseException) -> str:
    try:
        return _bounded(str(error), _MAX_MESSAGE_CHARACTERS)
    except Exception:
        return _NO_MESSAGE


def _format(error: BaseException) -> list[str]:
    try:
        return traceback.format_exception(error)
    except Exception:
        return [f"{_name(type(error))}\n"]


def _name(kind: type[BaseException]) -> str:
    return _bounded(
        kind.__qualname__
        if kind.__module__ == "builtins"
        else f"{kind.__module__}.{kind.__qualname__}"
    )


def _string_or_none(value: Any) -> str | None:
    return _bounded(value) if isinstance(value, str) else None


def _bounded(text: str, max_characters: int = _MAX_NAME_CHARACTERS) -> str:
    """The start of the text, as a plain string where it is of a class of the model."""
    return str.__getitem__(text, slice(max_characters))
