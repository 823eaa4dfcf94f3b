"""Verifies a bundle: inspect it, run it as users do, compare it with the trained models."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from numerai_predict.contract.deadline import Deadline
from numerai_predict.contract.errors import DatasetUnavailable, RunError
from numerai_predict.contract.model_call import ModelCall, SourceLabels
from numerai_predict.contract.record import Record
from numerai_predict.contract.training_errors import BundleRefused
from numerai_predict.data.columns import column_names
from numerai_predict.data.era_selection import era_name
from numerai_predict.data.view import read_view
from numerai_predict.inspection.compatibility import CompatibilityLevel, compatibilities
from numerai_predict.inspection.inspect import inspect_pickle
from numerai_predict.runner import preflight
from numerai_predict.runner.batch import Batch, BatchCall, LocalBatch
from numerai_predict.runner.container.batch_client import ContainerBatch
from numerai_predict.runner.container.target import ContainerImage, ExecutionTarget
from numerai_predict.runner.live_data import read_ids
from numerai_predict.runner.run_log import log_step
from numerai_predict.runner.supervisor.session import InspectedModel
from numerai_predict.sandbox.hide_supervisor import harden_supervisor
from numerai_predict.scoring.exposures import Exposure, exposure_by_chance, largest_exposure
from numerai_predict.scoring.rank_spread import rank_spread
from numerai_predict.training.bundle import BundleSpec
from numerai_predict.training.predict_template import (
    load_model,
    predict_with,
    predictions_by_era,
)
from numerai_predict.training.training_data import TrainingData, benchmark_files

_DEADLINE_SECONDS = 900.0
_MAX_SHOWN = 3


@dataclass(frozen=True)
class VerificationData:
    """Live data to verify with; `description` names them in messages and in the manifest."""

    live: Path
    benchmarks: Path | None
    description: str


@dataclass(frozen=True)
class Trial:
    """What the gates of a submission look at, of the pickle's predictions of live data.

    `exposure` is the largest to any feature of those data, `None` if it is undefined, and
    `exposure_by_chance` what noise reaches on them; `spread` is the standard deviation of the
    ranks, scaled to 0 to 1 (ddof 1).
    """

    spread: float
    exposure: Exposure | None
    exposure_by_chance: float


@dataclass(frozen=True)
class Verification:
    """The result: the number of rows, the data, where the pickle ran, and its record."""

    trial: Trial
    rows: int
    data: str
    environment: str
    record: Record

    def facts(self) -> dict[str, Any]:
        """The manifest's entry `trial`."""
        return {
            "rows": self.rows,
            "data": self.data,
            "place": self.environment,
            "peak_memory_bytes": self.record.peak_memory_bytes,
        }


def verify_bundle(
    pickle: Path, spec: BundleSpec, environment: ExecutionTarget, data: TrainingData
) -> Verification:
    """Inspect the pickle, run it within the hosted limits, and compare its predictions.

    Raises:
        BundleRefused: it does not run, or its predictions differ from the trained models'.
    """
    _inspect(pickle, environment)
    with tempfile.TemporaryDirectory(prefix=".trial-", dir=pickle.parent) as name:
        live = prepare_live_data(data, Path(name))
        if spec.uses_benchmark and live.benchmarks is None:
            raise BundleRefused(
                f"expected the benchmark models of {live.description}, found none",
                "get them with `numerai-predict data get live_benchmark_models`",
            )
        predictions, record = _predict(pickle, live, environment)
        _compare(predictions, _trainer_predictions(spec, live))
        trial = _trial(predictions, live.live)
    rows = len(predictions)
    log_step("trial", f"{rows:,} predictions of {live.description} equal the trained models'")
    return Verification(trial, rows, live.description, str(environment), record)


def prepare_live_data(data: TrainingData, directory: Path) -> VerificationData:
    """The live data of the training data's directory, else its newest era in that form.

    The files of the newest era are written to `directory`.
    """
    live = data.directory / "live.parquet"
    if live.is_file():
        benchmarks = data.directory / "live_benchmark_models.parquet"
        return VerificationData(live, benchmarks if benchmarks.is_file() else None, "live data")
    era = data.eras[-1]
    mask = data.mask([era])
    index = pd.Index(data.history.ids(mask), name="id")
    others = [name for group in data.groups.values() for name in group]
    names = list(dict.fromkeys([*data.features, *others]))
    frame = pd.DataFrame(data.history.features(names, mask), index, names)
    frame.insert(0, "era", "X")
    frame.insert(1, "data_type", "live")
    frame[data.main_target] = np.float32("nan")
    frame.to_parquet(directory / "live.parquet")
    benchmarks_of_era = _write_benchmarks(data, index, directory)
    return VerificationData(directory / "live.parquet", benchmarks_of_era, f"era {era_name(era)}")


def _inspect(pickle: Path, environment: ExecutionTarget) -> None:
    """Require that an image of the bundle's Python can run it, if there are such images."""
    results = [
        each
        for each in compatibilities(inspect_pickle(pickle))
        if each.image.python == environment.python
    ]
    if results and all(each.level >= CompatibilityLevel.LACKS for each in results):
        reasons = dict.fromkeys(reason for each in results for reason in each.reasons)
        raise BundleRefused(
            f"expected a pickle that an image of Python {environment.python} can run, found: "
            f"{'; '.join(reasons)}",
            "please report this: a bundle needs only the trainer's library",
        )


def _predict(
    pickle: Path, data: VerificationData, environment: ExecutionTarget
) -> tuple[dict[str, float], Record]:
    """The pickle's predictions by id within the hosted limits, and the record of its process."""
    call = ModelCall(SourceLabels(str(pickle), str(data.live)))
    live, deadline = data.live.absolute(), Deadline.after(_DEADLINE_SECONDS)
    try:
        with _open_batch(pickle.absolute(), live.parent, environment, call, deadline) as batch:
            values = batch.predict(BatchCall(data.description, live, lambda: _benchmark_file(data)))
    except RunError as error:
        raise BundleRefused(
            f"expected the pickle to run in {environment}, found {error.verdict.word}: "
            f"{error.message}",
            error.remedy,
        ) from error
    return dict(zip(read_ids(live, call.labels.dataset), values, strict=True)), batch.record


def _open_batch(
    pickle: Path,
    directory: Path,
    environment: ExecutionTarget,
    call: ModelCall,
    deadline: Deadline,
) -> Batch:
    if isinstance(environment, ContainerImage):
        return ContainerBatch(environment, pickle, directory, call, deadline)
    inspection = preflight.inspect_model(pickle)
    preflight.check_compatibility(inspection, call.labels)
    model = InspectedModel(pickle, inspection)
    return LocalBatch(model, directory, call, deadline, harden_supervisor())


def _benchmark_file(data: VerificationData) -> Path:
    if data.benchmarks is None:
        raise DatasetUnavailable(
            f"expected the benchmark models of {data.description} for a model that takes them, "
            "found none",
            "get them with `numerai-predict data get live_benchmark_models`",
        )
    return data.benchmarks.absolute()


def _trainer_predictions(spec: BundleSpec, data: VerificationData) -> pd.Series[float]:
    """The trained models' predictions of the live data, float64 by id."""
    columns = dict.fromkeys([*spec.features, *spec.blend.features, "era"])
    frame = pd.read_parquet(data.live, columns=list(columns))
    features = frame[list(spec.features)].to_numpy()
    models = (load_model(spec.kind, model.stored.body) for model in spec.models)
    outputs = [predict_with(model, features) for model in models]
    benchmark = None
    if spec.uses_benchmark and spec.benchmark and data.benchmarks:
        column = pd.read_parquet(data.benchmarks, columns=[spec.benchmark])[spec.benchmark]
        benchmark = column.reindex(frame.index).to_numpy(dtype=np.float64)
    predictions = predictions_by_era(
        frame["era"],
        outputs,
        benchmark,
        frame[list(spec.blend.features)].to_numpy(),
        features,
        spec.prediction_spec(),
    )
    return pd.Series(predictions, frame.index)


def _trial(predictions: dict[str, float], live: Path) -> Trial:
    """The figures of the predictions that the gates of a submission limit."""
    names = sorted(name for name in column_names(live) if name.startswith("feature_"))
    view = read_view(live, names, targets=())
    values = pd.Series(predictions).reindex(view.ids.to_pylist())
    exposure = largest_exposure(values, view.features, view.feature_names)
    by_chance = exposure_by_chance(len(values), len(view.feature_names))
    return Trial(rank_spread(values), exposure, by_chance)


def _compare(actual: dict[str, float], predictions: pd.Series[float]) -> None:
    expected = dict(zip(map(str, predictions.index), predictions.tolist(), strict=True))
    differing = [id_ for id_, value in expected.items() if actual.get(id_) != value]
    if differing or len(actual) != len(expected):
        shown = [f"{id_}: {expected[id_]!r}, {actual.get(id_)!r}" for id_ in differing[:_MAX_SHOWN]]
        raise BundleRefused(
            f"expected exactly the trained models' predictions, found {len(differing):,} of "
            f"{len(expected):,} different, such as {'; '.join(shown)}",
            "train with the library versions of the image (`numerai-predict inspect` lists them)",
        )


def _write_benchmarks(data: TrainingData, index: pd.Index[Any], directory: Path) -> Path | None:
    files: Sequence[Path] = benchmark_files(data.history.paths)
    if data.benchmark is None or not files:
        return None
    columns = [pd.read_parquet(path, columns=[data.benchmark]) for path in files]
    path = directory / "live_benchmark_models.parquet"
    pd.concat(columns).reindex(index).to_parquet(path)
    return path
