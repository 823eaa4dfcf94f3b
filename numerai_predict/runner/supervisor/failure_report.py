"""A model's failure: the facts that its process sent, and what the parent knows beside them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numerai_predict.contract.limits import Limits

_MOST_LIBRARY_FRAMES = 3
_FIRST_FRAMES, _LAST_FRAMES = 5, 10


@dataclass(frozen=True)
class Failure:
    """An exception in the model's process, and what the parent knows beside it."""

    facts: dict[str, Any]
    model: Path
    dataset: str
    limits: Limits
    peak_bytes: int
    benchmarks: str = ""

    @property
    def stage(self) -> str:
        """`start`, `load`, `read`, `read benchmarks`, `predict` or `answer`."""
        return str(self.facts.get("stage"))

    @property
    def types(self) -> set[str]:
        """Names of the exception's class and its bases."""
        return {str(name) for name in _list(self.facts.get("types"))}

    @property
    def text(self) -> str:
        """The exception's message."""
        return str(self.facts.get("message"))

    @property
    def frames(self) -> list[dict[str, Any]]:
        """Stack frames after the runner's own, outermost first."""
        return [frame for frame in _list(self.facts.get("frames")) if isinstance(frame, dict)]

    @property
    def errors(self) -> list[dict[str, Any]]:
        """Errors of the system among the exception and its causes: `errno` and `path`."""
        return [error for error in _list(self.facts.get("errors")) if isinstance(error, dict)]

    @property
    def title(self) -> str:
        """Type and message on one line, as Python ends a traceback."""
        first = (self.text.strip().splitlines() or [""])[0]
        return f"{self.facts.get('type')}: {first}" if first else str(self.facts.get("type"))

    def with_traceback(self, title: str) -> str:
        """The title, then the rest of the exception's message, then the frames worth a look."""
        lines = [title, *self.text.strip().splitlines()[1:]]
        frames = _worth_a_look(self.frames)
        left_out = len(frames) - _FIRST_FRAMES - _LAST_FRAMES
        if frames:
            lines.append("Traceback of the model (most recent call last):")
        for position, frame in enumerate(frames):
            if _FIRST_FRAMES <= position < _FIRST_FRAMES + left_out:
                if position == _FIRST_FRAMES:
                    lines.append(f"  ... {left_out} more calls ...")
                continue
            place = f'File "{frame.get("file")}", line {frame.get("line")}'
            lines.append(f"  {place}, in {frame.get('function')}")
            if frame.get("text"):
                lines.append(f"    {frame['text']}")
        return "\n".join(lines)


def _worth_a_look(frames: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The model's own frames, and of a library that it called the place that raised."""
    own = [position for position, frame in enumerate(frames) if not frame.get("library")]
    if not own:
        return frames[-_MOST_LIBRARY_FRAMES:]
    tail = frames[own[-1] + 1 :]
    return frames[own[0] : own[-1] + 1] + tail[-1:]


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
