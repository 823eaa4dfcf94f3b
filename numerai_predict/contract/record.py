"""The result record: one JSON object with fixed keys that describes a run."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from enum import Enum
from typing import Any

from numerai_predict.contract.verdicts import AnyVerdict, Verdict


class Step(Enum):
    """A measured step of a run; the value is its key in the record's `seconds`."""

    FETCH = "fetch"
    LOAD = "load"
    PREDICT = "predict"
    CHECK = "check"
    DELIVER = "deliver"
    TOTAL = "total"


@dataclass(frozen=True)
class ModelFacts:
    """The model as it was fetched; `python` lists the Pythons that its code is valid for."""

    source: str | None = None
    sha256: str | None = None
    bytes: int | None = None
    python: Sequence[str] = ()
    arity: int | None = None


@dataclass(frozen=True)
class EnvironmentFacts:
    """The Python, the container image and the version of this package that ran the model."""

    python: str
    image: str | None
    runner: str


@dataclass(frozen=True)
class DataFacts:
    """A data set as the model received it; `columns` does not count the index."""

    source: str | None = None
    sha256: str | None = None
    rows: int | None = None
    columns: int | None = None


@dataclass(frozen=True)
class PredictionFacts:
    """The file of predictions and a summary of its values; `std` has ddof 1."""

    path: str | None = None
    sha256: str | None = None
    rows: int | None = None
    min: float | None = None
    max: float | None = None
    std: float | None = None


@dataclass(frozen=True)
class Seconds:
    """Wall time of each step, in seconds; `None` where it was not reached."""

    fetch: float | None = None
    load: float | None = None
    predict: float | None = None
    check: float | None = None
    deliver: float | None = None
    total: float | None = None


@dataclass(frozen=True, kw_only=True)
class Record:
    """What a run did and how it ended.

    `sandbox` has one key per isolation layer: what the layer does, or `missing: ` and the
    reason, or `off`; it is empty where no model process was started. `inspection` is present
    after an inspection without a run only.
    """

    verdict: str = Verdict.INTERNAL_ERROR.word
    exit_code: int = Verdict.INTERNAL_ERROR.exit_code
    message: str = ""
    remedy: str | None = None
    model: ModelFacts = ModelFacts()
    environment: EnvironmentFacts
    dataset: DataFacts = DataFacts()
    benchmarks: DataFacts = DataFacts()
    predictions: PredictionFacts = PredictionFacts()
    delivered_to: str | None = None
    seconds: Seconds = Seconds()
    peak_memory_bytes: int | None = None
    sandbox: Mapping[str, str] = field(default_factory=dict)
    warnings: Sequence[str] = ()
    inspection: Mapping[str, Any] | None = None

    def concluded(self, verdict: AnyVerdict, message: str, remedy: str | None = None) -> Record:
        """This record with the verdict of the run."""
        return replace(
            self,
            verdict=verdict.word,
            exit_code=verdict.exit_code,
            message=message,
            remedy=remedy,
        )

    def as_json(self) -> str:
        """The record as indented JSON with a final newline."""
        content = asdict(self)
        if self.inspection is None:
            del content["inspection"]
        return json.dumps(content, indent=2, allow_nan=False) + "\n"

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Record:
        """The record that `dataclasses.asdict`, or `as_json` of this or an older version, wrote."""
        known = {field.name for field in fields(cls)}
        parts: dict[str, Any] = {name: part(**content[name]) for name, part in _PARTS.items()}
        parts["model"] = replace(parts["model"], python=tuple(parts["model"].python))
        parts["warnings"] = tuple(content["warnings"])
        return cls(**{name: value for name, value in content.items() if name in known} | parts)


_PARTS = {
    "model": ModelFacts,
    "environment": EnvironmentFacts,
    "dataset": DataFacts,
    "benchmarks": DataFacts,
    "predictions": PredictionFacts,
    "seconds": Seconds,
}
