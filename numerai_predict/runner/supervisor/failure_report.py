"""A failure of the model: the data that its process sent, and what the supervisor knows."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numerai_predict.contract.brief_text import brief
from numerai_predict.contract.limits import Limits

_MAX_LIBRARY_FRAMES = 3
_FIRST_FRAMES, _LAST_FRAMES = 5, 10


@dataclass(frozen=True)
class Failure:
    """An exception in the model process.

    `content` is untrusted: it comes from the process that ran the model; its keys are those of
    `child.exception_report.describe` and `stage`. `dataset` and `benchmarks` are names to show;
    `features` are those that the pickle names.
    """

    content: dict[str, Any]
    model: Path
    dataset: str
    limits: Limits
    peak_bytes: int
    benchmarks: str = ""
    features: Collection[str] = ()

    @property
    def stage(self) -> str:
        """What the model process was doing: the value of a `protocol.Stage`."""
        return str(self.content.get("stage"))

    @property
    def types(self) -> set[str]:
        """Names of the exception's class and its base classes."""
        return {str(name) for name in _list(self.content.get("types"))}

    @property
    def text(self) -> str:
        """The exception's message."""
        return str(self.content.get("message"))

    @property
    def frames(self) -> list[dict[str, Any]]:
        """Stack frames below those of the runner, outermost first."""
        return [frame for frame in _list(self.content.get("frames")) if isinstance(frame, dict)]

    @property
    def errors(self) -> list[dict[str, Any]]:
        """`errno` and `path` of each OSError among the exception and its causes."""
        return [error for error in _list(self.content.get("errors")) if isinstance(error, dict)]

    @property
    def title(self) -> str:
        """Type and brief message on one line, as in the last line of a traceback."""
        first = brief(self._lines[0])
        return f"{self.type}: {first}" if first else self.type

    @property
    def type(self) -> str:
        """Name of the exception's class, with its module unless it is a built-in."""
        return str(self.content.get("type"))

    @property
    def _lines(self) -> list[str]:
        return self.text.strip().split("\n")

    def with_traceback(self, title: str) -> str:
        """The title, what it leaves out of the exception's message, and the relevant frames."""
        shown = self._lines[0] in title
        lines = [title, *(f"  {line}" for line in self._lines[shown:])]
        frames = _relevant_frames(self.frames)
        left_out = len(frames) - _FIRST_FRAMES - _LAST_FRAMES
        if frames:
            lines.append("Traceback of the model (most recent call last):")
        for position, frame in enumerate(frames):
            if _FIRST_FRAMES <= position < _FIRST_FRAMES + left_out:
                if position == _FIRST_FRAMES:
                    lines.append(f"  ... {left_out} more calls ...")
                continue
            location = f'File "{frame.get("file")}", line {frame.get("line")}'
            lines.append(f"  {location}, in {frame.get('function')}")
            if frame.get("text"):
                lines.append(f"    {frame['text']}")
        return "\n".join(lines)


def _relevant_frames(frames: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The model's own frames, and the innermost frame of a library that it called."""
    own = [position for position, frame in enumerate(frames) if not frame.get("library")]
    if not own:
        return frames[-_MAX_LIBRARY_FRAMES:]
    tail = frames[own[-1] + 1 :]
    return frames[own[0] : own[-1] + 1] + tail[-1:]


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
