"""An exception of the model, as facts that the parent can judge."""

from __future__ import annotations

import os
import re
import sysconfig
import traceback
from pathlib import Path
from types import ModuleType
from typing import Any

_HERE = str(Path(__file__).parent)
_LONGEST_MESSAGE = 4_000
_LONGEST_TRACEBACK = 50_000
_MOST_FRAMES = 200
_MOST_CAUSES = 10
_LONGEST_PATH = 500
_GONE_ATTRIBUTE = re.compile(r"Can't get attribute '([^']*)' on <module '([^']*)'")
_LIBRARIES = tuple({sysconfig.get_path(key) for key in ("stdlib", "platlib", "purelib")})


def describe(error: BaseException) -> dict[str, Any]:
    """What is known of the exception: its types, message, frames and what was missing.

    `frames` are those after the runner's own, outermost first; `library` says of
    a frame that it belongs to the interpreter or an installed package.
    """
    frames = [_frame(frame) for frame in traceback.extract_tb(error.__traceback__)]
    last_own = max((i for i, frame in enumerate(frames) if frame["runner"]), default=-1)
    return {
        "type": _name(type(error)),
        "types": [kind.__name__ for kind in type(error).__mro__],
        "message": _message(error),
        "frames": frames[last_own + 1 :][-_MOST_FRAMES:],
        "traceback": "".join(_formatted(error))[-_LONGEST_TRACEBACK:],
        "errors": _system_errors(error),
        "module": _text_or_none(getattr(error, "name", None)),
        **_missing_attribute(error),
    }


def _system_errors(error: BaseException) -> list[dict[str, Any]]:
    """Errors of the system among the exception and those that led to it, the last first."""
    found: list[dict[str, Any]] = []
    seen: list[BaseException] = []
    now: BaseException | None = error
    while now is not None and now not in seen and len(seen) < _MOST_CAUSES:
        seen.append(now)
        if isinstance(now, OSError) and isinstance(now.errno, int):
            path = now.filename
            text = os.fsdecode(path) if isinstance(path, str | bytes) else None
            found.append({"errno": now.errno, "path": text and text[:_LONGEST_PATH]})
        now = now.__cause__ or now.__context__
    return found


def _frame(frame: traceback.FrameSummary) -> dict[str, Any]:
    return {
        "file": frame.filename,
        "line": frame.lineno,
        "function": frame.name,
        "text": frame.line or "",
        "runner": frame.filename.startswith(_HERE),
        "library": frame.filename.startswith((*_LIBRARIES, "<frozen ")),
    }


def _missing_attribute(error: BaseException) -> dict[str, str | None]:
    """The attribute that a module lacks, and the module, where that is the error."""
    attribute = module = None
    if isinstance(error, AttributeError):
        owner = getattr(error, "obj", None)
        if isinstance(owner, ModuleType):
            attribute, module = _text_or_none(error.name), owner.__name__
        elif gone := _GONE_ATTRIBUTE.match(_message(error)):  # the unpickler sets no `obj`
            attribute, module = gone[1], gone[2]
    return {"attribute": attribute, "attribute_of": module}


def _message(error: BaseException) -> str:
    try:
        return str(error)[:_LONGEST_MESSAGE]
    except Exception:
        return "(its message cannot be shown: __str__ raised)"


def _formatted(error: BaseException) -> list[str]:
    try:
        return traceback.format_exception(error)
    except Exception:
        return [f"{_name(type(error))}\n"]


def _name(kind: type[BaseException]) -> str:
    return (
        kind.__qualname__
        if kind.__module__ == "builtins"
        else f"{kind.__module__}.{kind.__qualname__}"
    )


def _text_or_none(value: Any) -> str | None:
    return value if isinstance(value, str) else None
