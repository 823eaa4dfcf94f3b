"""Accepts from the model process only the frame that is due, or a failure of a possible stage."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from numerai_predict.runner.frame_schema import MalformedFrame
from numerai_predict.runner.protocol import Frame, FrameKind, Stage
from numerai_predict.runner.supervisor.failure_schema import read_failure


class ModelFailed(Exception):
    """The model process reported an exception; `file` is the data that it was reading."""

    def __init__(self, content: dict[str, Any], file: Path | None) -> None:
        super().__init__(content["type"])
        self.content = content
        self.file = file


def expect_frame(kind: FrameKind, frame: Frame, stages: Mapping[Stage, Path | None]) -> Frame:
    """The frame if it is of the kind that is due.

    `stages` are those in which the process may fail now, with the files that they read.

    Raises:
        ModelFailed: the process reported an exception.
        MalformedFrame: it sent anything else.
    """
    if frame.kind == kind:
        return frame
    if frame.kind == FrameKind.FAILED:
        content = read_failure(frame.content, stages)
        raise ModelFailed(content, stages[Stage(content["stage"])])
    raise MalformedFrame(f"{frame.kind!r} where {kind.value!r} was due")
