"""The result record: what a run did, as one JSON object with fixed keys."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Any

from numerai_predict.contract.verdicts import AnyVerdict, Verdict


@dataclass
class ModelFacts:
    """The model as it was fetched; `python` lists the Pythons it is legal for."""

    source: str | None = None
    sha256: str | None = None
    bytes: int | None = None
    python: list[str] = field(default_factory=list)
    arity: int | None = None


@dataclass
class EnvironmentFacts:
    """Where the run happened."""

    python: str
    image: str | None
    runner: str


@dataclass
class DataFacts:
    """A data set as the model got it; `columns` does not count the index."""

    source: str | None = None
    sha256: str | None = None
    rows: int | None = None
    columns: int | None = None


@dataclass
class PredictionFacts:
    """The file of predictions and the numbers in it."""

    path: str | None = None
    sha256: str | None = None
    rows: int | None = None
    min: float | None = None
    max: float | None = None
    std: float | None = None


@dataclass
class Seconds:
    """Wall time of each step, in seconds; `None` where it was not reached."""

    fetch: float | None = None
    load: float | None = None
    predict: float | None = None
    check: float | None = None
    deliver: float | None = None
    total: float | None = None


@dataclass(kw_only=True)
class Record:
    """What happened in a run; filled in as it goes on.

    `sandbox` has one key a layer of isolation: what it does, or `missing: ` and why,
    or `off`; it is empty where no model was started;
    `inspection` is there after a mere check of the model alone.
    """

    verdict: str = Verdict.INTERNAL_ERROR.word
    exit_code: int = Verdict.INTERNAL_ERROR.exit_code
    message: str = ""
    remedy: str | None = None
    model: ModelFacts = field(default_factory=ModelFacts)
    environment: EnvironmentFacts
    dataset: DataFacts = field(default_factory=DataFacts)
    benchmarks: DataFacts = field(default_factory=DataFacts)
    predictions: PredictionFacts = field(default_factory=PredictionFacts)
    delivered_to: str | None = None
    seconds: Seconds = field(default_factory=Seconds)
    peak_memory_bytes: int | None = None
    sandbox: dict[str, str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    inspection: dict[str, Any] | None = None

    def conclude(self, verdict: AnyVerdict, message: str, remedy: str | None = None) -> None:
        """Say how the run ended."""
        self.verdict, self.exit_code = verdict.word, verdict.exit_code
        self.message, self.remedy = message, remedy

    def as_json(self) -> str:
        """The record as indented JSON with a final newline."""
        facts = asdict(self)
        if self.inspection is None:
            del facts["inspection"]
        return json.dumps(facts, indent=2, allow_nan=False) + "\n"
