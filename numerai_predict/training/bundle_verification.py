"""The trial of a bundle: inspected, run as users run it, and compared with the trainer."""

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
from numerai_predict.training.bundle import BundleSpec
from numerai_predict.training.predict_template import combine_by_era, load_model, predict_with
from numerai_predict.training.training_data import TrainingData, benchmark_files

_SECONDS = 900.0
_SHOWN = 3


@dataclass(frozen=True)
class VerificationData:
    """The data of the trial, and what they are."""

    live: Path
    benchmarks: Path | None
    words: str


def prepare_live_data(inputs: TrainingData, folder: Path) -> VerificationData:
    """The live data beside the others, or, where there are none, the newest era as such."""
    live = inputs.folder / "live.parquet"
    if live.is_file():
        benchmarks = inputs.folder / "live_benchmark_models.parquet"
        return VerificationData(live, benchmarks if benchmarks.is_file() else None, "live data")
    era = inputs.eras[-1]
    mask = inputs.mask([era])
    index = pd.Index(inputs.history.ids(mask), name="id")
    features = inputs.history.features(inputs.features, mask)
    frame = pd.DataFrame(features, index, inputs.features)
    frame.insert(0, "era", "X")
    frame.insert(1, "data_type", "live")
    frame[inputs.main_target] = np.float32("nan")
    frame.to_parquet(folder / "live.parquet")
    return VerificationData(
        folder / "live.parquet", _write_benchmarks(inputs, index, folder), f"era {era:04d}"
    )


def verify_bundle(
    pickle: Path, recipe: BundleSpec, place: ExecutionTarget, inputs: TrainingData
) -> dict[str, Any]:
    """Inspect and run the pickle, within the hosted limits, and compare; what the trial found.

    Raises:
        BundleRefused: it does not run, or predicts other than the trainer.
    """
    _inspect(pickle, place)
    with tempfile.TemporaryDirectory(prefix=".trial-", dir=pickle.parent) as name:
        folder = Path(name)
        data = prepare_live_data(inputs, folder)
        if recipe.neutralize and data.benchmarks is None:
            raise BundleRefused(
                f"expected the benchmark models of {data.words}, found none",
                "get them: `numerai-predict data get live_benchmark_models`",
            )
        found, record = _predict(pickle, data, place)
        _compare(found, _trainer_predictions(recipe, data))
    log_step("trial", f"{len(found):,} predictions of {data.words} are the trainer's, every bit")
    facts = {"rows": len(found), "data": data.words, "place": str(place)}
    return {
        **facts,
        "peak_memory_bytes": record.peak_memory_bytes,
        "arity": record.model.arity,
    }


def _inspect(pickle: Path, place: ExecutionTarget) -> None:
    """Go on only if an image of the bundle's Python can run it; a Python without images may."""
    found = [
        each
        for each in compatibilities(inspect_pickle(pickle))
        if each.image.python == place.python
    ]
    if found and all(each.level >= CompatibilityLevel.LACKS for each in found):
        reasons = dict.fromkeys(reason for each in found for reason in each.reasons)
        raise BundleRefused(
            f"expected a pickle that an image of Python {place.python} runs, found: "
            f"{'; '.join(reasons)}",
            "report it: the bundle is made of nothing but the trainer's library",
        )


def _predict(
    pickle: Path, data: VerificationData, place: ExecutionTarget
) -> tuple[dict[str, float], Record]:
    """The pickle's predictions by id within the hosted limits, and the record of its process."""
    labels = SourceLabels(str(pickle), str(data.live), str(data.benchmarks))
    call, deadline = ModelCall(labels), Deadline.after(_SECONDS)
    try:
        with _open_batch(pickle.absolute(), data, place, call, deadline) as batch:
            live = data.live.absolute()
            values = batch.predict(BatchCall(data.words, live, lambda: _benchmark_file(data)))
    except RunError as error:
        raise BundleRefused(
            f"expected the pickle to run in {place}, found {error.verdict.word}: {error.message}",
            error.remedy,
        ) from error
    return dict(zip(read_ids(live, labels.dataset), values, strict=True)), batch.record


def _open_batch(
    pickle: Path,
    data: VerificationData,
    place: ExecutionTarget,
    call: ModelCall,
    deadline: Deadline,
) -> Batch:
    directory = data.live.absolute().parent
    if isinstance(place, ContainerImage):
        return ContainerBatch(place, pickle, directory, call, deadline)
    inspection = preflight.inspect_model(pickle)
    preflight.check_compatibility(inspection, call.labels)
    return LocalBatch(
        InspectedModel(pickle, inspection), directory, call, deadline, harden_supervisor()
    )


def _benchmark_file(data: VerificationData) -> Path:
    if data.benchmarks is None:
        raise DatasetUnavailable(
            f"expected the benchmark models of {data.words} for a model that takes them, "
            "found none",
            "get them: `numerai-predict data get live_benchmark_models`",
        )
    return data.benchmarks.absolute()


def _trainer_predictions(recipe: BundleSpec, data: VerificationData) -> pd.Series[float]:
    """The trainer's own predictions of the live data."""
    frame = pd.read_parquet(data.live, columns=[*recipe.features, "era"])
    values = frame[list(recipe.features)].to_numpy()
    models = (load_model(recipe.kind, model.stored.body) for model in recipe.models)
    predictions = [predict_with(model, values) for model in models]
    benchmark = None
    if recipe.neutralize and recipe.benchmark and data.benchmarks:
        column = pd.read_parquet(data.benchmarks, columns=[recipe.benchmark])[recipe.benchmark]
        benchmark = column.reindex(frame.index).to_numpy(dtype=np.float64)
    final = combine_by_era(frame["era"], predictions, benchmark, recipe.neutralize)
    return pd.Series(final, frame.index)


def _compare(found: dict[str, float], expected: pd.Series[float]) -> None:
    own = dict(zip(map(str, expected.index), expected.tolist(), strict=True))
    differing = [row for row, value in own.items() if found.get(row) != value]
    if differing or len(found) != len(expected):
        some = [f"{row}: {own[row]!r}, {found.get(row)!r}" for row in differing[:_SHOWN]]
        raise BundleRefused(
            f"expected the trainer's predictions to the last bit, found {len(differing):,} of "
            f"{len(expected):,} others, such as {'; '.join(some)}",
            "train with the versions that the image has (`numerai-predict inspect` names them)",
        )


def _write_benchmarks(inputs: TrainingData, index: pd.Index[Any], folder: Path) -> Path | None:
    files: Sequence[Path] = benchmark_files(inputs.history.paths)
    if inputs.benchmark is None or not files:
        return None
    columns = [pd.read_parquet(path, columns=[inputs.benchmark]) for path in files]
    known = pd.concat(columns).reindex(index)
    known.to_parquet(folder / "live_benchmark_models.parquet")
    return folder / "live_benchmark_models.parquet"
