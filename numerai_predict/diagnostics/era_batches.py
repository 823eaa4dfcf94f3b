"""Opens batches of calls of the diagnosed model, in a container or in the local Python."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from pathlib import Path

from numerai_predict.contract.deadline import Deadline
from numerai_predict.contract.errors import PythonMismatch
from numerai_predict.contract.model_call import ModelCall, SourceLabels
from numerai_predict.contract.redaction import redact
from numerai_predict.contract.running_python import RUNNING_PYTHON
from numerai_predict.diagnostics.config import DiagnosisConfig
from numerai_predict.inspection.bundle_manifest import BundleManifest
from numerai_predict.runner import preflight
from numerai_predict.runner.batch import Batch, LocalBatch
from numerai_predict.runner.bundle_check import check_python
from numerai_predict.runner.container.batch_client import ContainerBatch
from numerai_predict.runner.container.target import ContainerImage, LocalPython, choose_target
from numerai_predict.runner.run_log import log_step
from numerai_predict.runner.supervisor.session import InspectedModel
from numerai_predict.sandbox.hide_supervisor import harden_supervisor

# Opens a batch; the argument is whether a batch of the same model ran before.
OpenBatch = Callable[[bool], Batch]


def batch_opener(
    config: DiagnosisConfig,
    bundle: BundleManifest | None,
    model: Path,
    directory: Path,
    features: Collection[str],
    deadline: Deadline,
) -> OpenBatch:
    """Choose where the model runs, and return the function that opens a batch there.

    `bundle` is the manifest of the model's bundle, `model` is the pickle's file, `directory` holds
    the files of all calls, `features` are the names of the features in the data.

    Raises:
        RunError: the model cannot run in the chosen environment.
    """
    target = LocalPython("as requested") if config.local else choose_target(str(model))
    log_step("place", target.announcement)
    call = _model_call(config)
    check_python(bundle, target.python)
    if isinstance(target, ContainerImage):
        return lambda repeated: ContainerBatch(
            target, model, directory, call, deadline, repeated=repeated
        )
    inspected = _inspect(model, call, target, features)
    layers = harden_supervisor()
    return lambda repeated: LocalBatch(
        inspected, directory, call, deadline, layers, repeated=repeated
    )


def _inspect(
    model: Path, call: ModelCall, target: LocalPython, features: Collection[str]
) -> InspectedModel:
    inspection = preflight.inspect_model(model)
    try:
        warnings = preflight.check_compatibility(inspection, call.labels)
    except PythonMismatch as error:
        raise PythonMismatch(
            error.message,
            f"make the pickle with Python {RUNNING_PYTHON}, or diagnose it in the image of its "
            f"Python; it ran in the local Python because {target.reason}",
        ) from error
    warnings += preflight.check_columns(inspection, features)
    return InspectedModel(model, inspection, tuple(warnings))


def _model_call(config: DiagnosisConfig) -> ModelCall:
    labels = SourceLabels(redact(config.model), str(config.files.validation))
    if config.files.benchmarks is not None:
        labels = replace(labels, benchmarks=str(config.files.benchmarks))
    return ModelCall(
        labels, config.limits, config.sandbox, config.debug, acceleration=config.acceleration
    )
