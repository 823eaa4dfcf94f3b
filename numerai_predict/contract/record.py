"""The result record: one JSON object with fixed keys that describes a run."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from enum import Enum
from pathlib import Path
from typing import Any

from numerai_predict.contract.errors import RunError
from numerai_predict.contract.foreign_text import inert, printable_lines
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
    """The model as it was fetched."""

    source: str | None = None
    """File, URL or `s3://` address of the model, without a query string."""
    sha256: str | None = None
    """Hash of the model's bytes."""
    bytes: int | None = None
    """Size of the model's file."""
    python: Sequence[str] = ()
    """Pythons that the code in the pickle is valid for, like `3.12`; empty where unknown."""
    arity: int | None = None
    """Number of arguments that the model takes: 1 or 2."""


@dataclass(frozen=True)
class EnvironmentFacts:
    """The Python, the container image and the version of this package that ran the model."""

    python: str
    """Version of the Python that ran the model."""
    image: str | None
    """Name of the image; null outside of images."""
    runner: str
    """Version of this package."""


@dataclass(frozen=True)
class DataFacts:
    """A data set as the model received it."""

    source: str | None = None
    """File, URL, `s3://` address or data set name, without a query string."""
    sha256: str | None = None
    """Hash of the file's bytes."""
    rows: int | None = None
    """Number of rows."""
    columns: int | None = None
    """Number of columns, without the index."""


@dataclass(frozen=True)
class PredictionFacts:
    """The file of predictions and a summary of its values."""

    path: str | None = None
    """The CSV file."""
    sha256: str | None = None
    """Hash of the file's bytes."""
    rows: int | None = None
    """Number of predictions."""
    min: float | None = None
    """Smallest prediction."""
    max: float | None = None
    """Largest prediction."""
    std: float | None = None
    """Standard deviation of the predictions (ddof 1)."""

    def file_in(self, directory: Path) -> Path | None:
        """The file in the output directory; in `path`, what is not printable is escaped."""
        return None if self.path is None else directory / Path(self.path).name


@dataclass(frozen=True)
class Seconds:
    """Wall time of each step, in seconds; `None` where it was not reached."""

    fetch: float | None = None
    """Fetching model and data."""
    load: float | None = None
    """Starting the model process, reading the data and unpickling the model."""
    predict: float | None = None
    """Calling the model."""
    check: float | None = None
    """Validating the predictions."""
    deliver: float | None = None
    """Delivering the predictions."""
    total: float | None = None
    """The whole run."""


@dataclass(frozen=True)
class HostedFacts:
    """Whether hosted compute would accept the model and its predictions as they are."""

    accepted: bool | None = None
    """Null where the run ended before this was known."""
    reasons: Sequence[str] = ()
    """Why hosted compute would refuse them."""


@dataclass(frozen=True)
class AccelerationFacts:
    """What predicted the tree models of a run; the model process says so."""

    used: str | None = None
    """`engine`, `library` (by choice) or `fallback` (by need); null without tree models."""
    reasons: Sequence[str] = ()
    """For each of up to ten cases: the library, what predicted, and why."""


@dataclass(frozen=True, kw_only=True)
class Record:
    """What a run did and how it ended.

    `sandbox` is empty where no model process was started.
    """

    verdict: str = Verdict.INTERNAL_ERROR.word
    """How the run ended: one word."""
    exit_code: int = Verdict.INTERNAL_ERROR.exit_code
    """The exit code of the verdict."""
    message: str = ""
    """What happened: what was expected, what was found."""
    remedy: str | None = None
    """What to do next; null after success."""
    model: ModelFacts = ModelFacts()
    """The model."""
    environment: EnvironmentFacts
    """Where the model ran."""
    dataset: DataFacts = DataFacts()
    """The live data."""
    benchmarks: DataFacts = DataFacts()
    """The benchmark models; null values for a model of one argument."""
    predictions: PredictionFacts = PredictionFacts()
    """The file of predictions."""
    delivered_to: str | None = None
    """Where the predictions went, without a query string."""
    seconds: Seconds = Seconds()
    """Wall time of each step."""
    peak_memory_bytes: int | None = None
    """Peak memory of the model and all that it started."""
    sandbox: Mapping[str, str] = field(default_factory=dict)
    """For each layer: what it does, or `missing: ` and the reason, or `off`."""
    acceleration: AccelerationFacts = AccelerationFacts()
    """What predicted the tree models."""
    hosted: HostedFacts = HostedFacts()
    """What hosted compute would decide."""
    warnings: Sequence[str] = ()
    """Warnings that did not stop the run."""
    inspection: Mapping[str, Any] | None = None
    """The inspection; present after `--check` only."""

    def __post_init__(self) -> None:
        """Make all texts bounded and printable: some come from a model or a server."""
        for each in fields(self):
            value = getattr(self, each.name)
            object.__setattr__(self, each.name, _inert_field(each.name, value))

    def concluded(self, verdict: AnyVerdict, message: str, remedy: str | None = None) -> Record:
        """This record with the verdict of the run."""
        return replace(
            self,
            verdict=verdict.word,
            exit_code=verdict.exit_code,
            message=message,
            remedy=remedy,
        )

    def failed(self, error: RunError) -> Record:
        """This record with the error that ended the run."""
        return self.concluded(error.verdict, error.message, error.remedy)

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
        parts: dict[str, Any] = {
            name: part(**content.get(name, {})) for name, part in _PARTS.items()
        }
        parts["model"] = replace(parts["model"], python=tuple(parts["model"].python))
        parts["hosted"] = replace(parts["hosted"], reasons=tuple(parts["hosted"].reasons))
        reasons = tuple(parts["acceleration"].reasons)
        parts["acceleration"] = replace(parts["acceleration"], reasons=reasons)
        parts["warnings"] = tuple(content["warnings"])
        return cls(**{name: value for name, value in content.items() if name in known} | parts)


def _inert_field(name: str, value: Any) -> Any:
    if value is not None and name in _TEXTS_OF_LINES:
        return printable_lines(value)
    if name in _PARTS:
        changed = {each.name: inert(getattr(value, each.name)) for each in fields(value)}
        return replace(value, **changed)
    return inert(value)


# Their first line summarises; the others are details.
_TEXTS_OF_LINES = ("message", "remedy")

_PARTS = {
    "model": ModelFacts,
    "environment": EnvironmentFacts,
    "dataset": DataFacts,
    "benchmarks": DataFacts,
    "predictions": PredictionFacts,
    "seconds": Seconds,
    "acceleration": AccelerationFacts,
    "hosted": HostedFacts,
}
