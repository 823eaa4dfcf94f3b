"""Rejects a model that is certain to fail, before it is unpickled."""

from __future__ import annotations

import importlib.metadata
import importlib.util
from collections.abc import Collection
from pathlib import Path

from numerai_predict.contract.errors import MissingDependency, PythonMismatch
from numerai_predict.contract.model_call import SourceLabels
from numerai_predict.contract.running_python import RUNNING_PYTHON
from numerai_predict.inspection.data_version import describe_missing_features
from numerai_predict.inspection.file_type import invalid_pickle
from numerai_predict.inspection.inspect import Inspection, inspect_pickle
from numerai_predict.inspection.library_metadata import unreadable_kinds
from numerai_predict.inspection.remedies import (
    AttemptedRun,
    remedy_for_main,
    remedy_for_module,
    remedy_for_pandas,
    remedy_for_python,
)
from numerai_predict.runner.run_log import log_step
from numerai_predict.storage.named_data import is_local_file

# The rest of a pickle of millions of objects is not inspected.
_INSPECTION_SECONDS = 2.0


def inspect_model(model: Path) -> Inspection:
    """Inspect the model's pickle without unpickling it, within two seconds.

    Raises:
        InvalidPickle: the file is not a pickle, or a broken one.
    """
    return inspect_pickle(model, _INSPECTION_SECONDS)


def check_compatibility(inspection: Inspection, labels: SourceLabels) -> list[str]:
    """Reject a model that is certain to fail in this environment.

    Returns:
        Warnings about modules that the model may need and that are not installed, and that it
        was not fully inspected; logged.

    Raises:
        InvalidPickle: its code is valid for no Python.
        PythonMismatch: its code is valid only for other Pythons than the running one.
        MissingDependency: unpickling it imports a module that is not installed, or it contains
            objects that this version of pandas cannot read.
    """
    require_python(inspection, labels)
    _require_modules(inspection, _attempted_run(labels))
    _require_readable_objects(inspection, _attempted_run(labels))
    warnings = [
        f"{function} imports {module}, which is not installed in this environment"
        for module, function in inspection.imports.items()
        if not _is_installed(module)
    ]
    if inspection.partial:
        warnings.append(f"the model was {inspection.partial}")
    return _logged(warnings)


def check_columns(inspection: Inspection, columns: Collection[str]) -> list[str]:
    """Warnings about features that the model names and the data set does not have; logged."""
    warning = describe_missing_features(inspection.features, inspection.data_versions, columns)
    return _logged([warning] if warning else [])


def _logged(warnings: list[str]) -> list[str]:
    for warning in warnings:
        log_step("warning", warning)
    return warnings


def _attempted_run(labels: SourceLabels) -> AttemptedRun:
    """This run, to be repeated in an image with the data files that are on this machine."""
    sources = {"--dataset": labels.dataset, "--benchmarks": labels.benchmarks}
    data = {option: source for option, source in sources.items() if is_local_file(source)}
    return AttemptedRun(RUNNING_PYTHON, labels.model, data)


def require_python(inspection: Inspection, labels: SourceLabels) -> None:
    """Require that the model's code is valid for the running Python.

    Raises:
        InvalidPickle: its code is valid for no Python.
        PythonMismatch: its code is valid only for other Pythons.
    """
    pythons = inspection.pythons
    if not pythons.exclude(RUNNING_PYTHON):
        return
    if pythons.corrupt:
        raise invalid_pickle(Path(inspection.path), pythons.corrupt)
    raise PythonMismatch(
        f"expected a pickle made by Python {RUNNING_PYTHON}, "
        f"found functions of another Python: {pythons}",
        remedy_for_python(inspection, _attempted_run(labels)),
    )


def _require_modules(inspection: Inspection, attempt: AttemptedRun) -> None:
    if inspection.main_names:
        raise MissingDependency(
            f"expected {inspection.main_names[0]} in module __main__, found no such name",
            remedy_for_main(),
        )
    missing = [module for module in inspection.references if not _is_installed(module)]
    if missing:
        module = missing[0].partition(".")[0]
        others = dict.fromkeys(other.partition(".")[0] for other in missing)
        others.pop(module)
        more = f"; also missing: {', '.join(others)}" if others else ""
        raise MissingDependency(
            "expected every import of the model to be installed, found that module "
            f"{module} is missing{more}",
            remedy_for_module(inspection, module, attempt),
        )


def _require_readable_objects(inspection: Inspection, attempt: AttemptedRun) -> None:
    version = importlib.metadata.version("pandas")
    if kinds := unreadable_kinds(inspection.pandas_kinds, version):
        raise MissingDependency(
            f"expected objects that pandas {version} can read, found {' and '.join(kinds)}",
            remedy_for_pandas(inspection, version, attempt),
        )


def _is_installed(module: str) -> bool:
    """Whether the top-level module can be found; the search does not execute it."""
    top = module.partition(".")[0]
    try:
        return not top or importlib.util.find_spec(top) is not None
    except (ImportError, AttributeError, ValueError):
        return True  # installed but unusual: importing it will show whether it works
