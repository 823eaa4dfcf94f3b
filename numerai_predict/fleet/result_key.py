"""The key of a result: all that it depends on. Results with another key are never used.

This module decides which options are part of the key; a test holds that each field of the
configuration and of a manifest row is listed here, with the reason.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from enum import Enum
from typing import Any
from urllib.parse import urlsplit

import numerai_predict
from numerai_predict.contract.job import PresignedPost
from numerai_predict.fleet.config import FleetConfig
from numerai_predict.fleet.environments import Environment
from numerai_predict.fleet.live_data import LiveData
from numerai_predict.fleet.manifest import ManifestEntry

KEY_OPTIONS: Mapping[str, str] = {
    "sandbox": "a layer can make a model fail that runs without it",
    "allow_version_mismatch": "it decides whether a bundle of another data version fails",
    "hosted": "it decides whether a model fails that hosted compute would refuse",
    "limits": "a lower limit makes a model fail, a higher one lets it end; a row has its own",
}
OTHER_OPTIONS: Mapping[str, str] = {
    "output_dir": "the directory of the results that are compared",
    "dataset": "its bytes are part of the key, wherever they came from",
    "benchmarks": "their bytes are part of the key, wherever they came from",
    "dataset_folders": "where data sets are found by name; their bytes count",
    "deadline": "a model that the deadline stops is queued again",
    "concurrency": "each model has a slot of its own",
    "ray_address": "all nodes run the same environments",
    "retry_failed": "what to do with failures, not how models run",
    "only": "which models run, not how",
    "models_per_worker": "each model has a process of its own",
    "engine": "the environment is part of the key",
    "debug": "the detail of logs",
    "acceleration": "the tree engine predicts the same",
    "page": "how the progress is shown",
    "models_ahead": "how early models are fetched",
    "max_worker_growth_bytes": "when workers are replaced",
    "retries": "failures of workers, not of models",
    "id": "the ledger has one row, and so one key, for each id",
    "model": "its bytes are part of the key, wherever they came from",
    "python": "it chooses the environment, which is part of the key",
    "flavour": "it chooses the environment, which is part of the key",
    "post": "where the result goes: see `destination_id`",
    "tags": "how the report groups models",
}

# What people read about a part that changed.
_NAMES = {
    "model": "model",
    "dataset": "live data",
    "benchmarks": "benchmark models",
    "runner": "version of numerai-predict",
    "environment": "environment",
    "options": "options",
}
_OF_ALL_MODELS = ("dataset", "benchmarks", "runner")


@dataclass(frozen=True)
class ResultKey:
    """What a result depends on, as hashes and values; `None` where a part was not available.

    Attributes:
        model: SHA-256 of the model's bytes.
        dataset: SHA-256 of the live data.
        benchmarks: SHA-256 of the benchmark models' predictions.
        runner: version of this package.
        environment: the environment and what identifies its content.
        options: the options of `KEY_OPTIONS` as JSON.
    """

    model: str | None
    dataset: str | None
    benchmarks: str | None
    runner: str
    environment: str | None
    options: str

    def to_json(self) -> str:
        """The key as text: equal keys have equal texts."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str | None) -> ResultKey | None:
        """The key that `to_json` wrote; `None` if there is none, or if its parts are others."""
        content = json.loads(text) if text else None
        names = {field.name for field in fields(cls)}
        return cls(**content) if isinstance(content, dict) and set(content) == names else None

    def changes(self, other: ResultKey) -> list[str]:
        """What differs from another key, in words."""
        return self._changes(other, tuple(_NAMES))

    def shared_changes(self, other: ResultKey) -> list[str]:
        """As `changes`, of the parts that are the same for all models of a fleet run."""
        return self._changes(other, _OF_ALL_MODELS)

    def changes_before_model(self, other: ResultKey) -> list[str]:
        """As `changes`, of the parts that are known before the model is fetched."""
        return self._changes(other, (*_OF_ALL_MODELS, "options"))

    def _changes(self, other: ResultKey, parts: tuple[str, ...]) -> list[str]:
        return [_NAMES[part] for part in parts if getattr(self, part) != getattr(other, part)]


@dataclass(frozen=True)
class KeyFactory:
    """Makes the keys of one fleet run."""

    config: FleetConfig
    data: LiveData

    def shared(self) -> ResultKey:
        """The key without the parts that differ from model to model."""
        return ResultKey(
            model=None,
            dataset=self.data.facts.sha256,
            benchmarks=self.data.benchmark_facts.sha256,
            runner=numerai_predict.__version__,
            environment=None,
            options="",
        )

    def key(
        self, entry: ManifestEntry, model: str | None, environment: Environment | None
    ) -> ResultKey:
        """The key of a model's result; `model` is the SHA-256 of its bytes."""
        return replace(
            self.shared(),
            model=model,
            environment=environment.identity if environment else None,
            options=_options(self.config, entry),
        )


def _options(config: FleetConfig, entry: ManifestEntry) -> str:
    """The values of `KEY_OPTIONS`; a row's value takes precedence."""
    values = {
        name: getattr(entry, name) if hasattr(entry, name) else getattr(config, name)
        for name in KEY_OPTIONS
    }
    return json.dumps(values, sort_keys=True, default=_plain)


def _plain(value: Any) -> Any:
    return value.value if isinstance(value, Enum) else asdict(value)


def destination_id(post: PresignedPost | None) -> str:
    """Identifies where predictions go, without a secret.

    A new signature for the same object is the same destination.
    """
    if post is None:
        return "directory"
    parts = urlsplit(post.url)
    keys = [value for name, value in post.fields if name.lower() == "key"]
    return _digest([parts.scheme, parts.hostname, parts.port, parts.path, keys])


def delivery_id(key: ResultKey, destination: str, csv_sha256: str | None) -> str:
    """Identifies a delivery: these predictions, of this key, at this destination."""
    return _digest([key.to_json(), destination, csv_sha256])


def _digest(parts: list[Any]) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()
