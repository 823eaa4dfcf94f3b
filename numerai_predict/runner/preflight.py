"""What is certain before a model is unpickled: another Python's code, a module not here."""

from __future__ import annotations

import importlib.util
from collections.abc import Collection
from pathlib import Path

from numerai_predict.contract.errors import MissingDependency, PythonMismatch
from numerai_predict.contract.job import Job
from numerai_predict.contract.record import Record
from numerai_predict.contract.redaction import redact
from numerai_predict.contract.running_python import RUNNING_PYTHON
from numerai_predict.inspection.data_version import describe_missing_features
from numerai_predict.inspection.file_type import invalid_pickle
from numerai_predict.inspection.inspect import Inspection, inspect_pickle
from numerai_predict.inspection.remedies import (
    AttemptedRun,
    remedy_for_main,
    remedy_for_module,
    remedy_for_python,
)
from numerai_predict.runner.run_log import log_step

# Pickles of millions of objects are looked at for so long; what comes after is not known.
_SECONDS = 2.0


def inspect_model(job: Job, record: Record, model: Path) -> Inspection:
    """Inspect the model and end the run if it is certain that it would fail.

    Raises:
        InvalidPickle: the file is no pickle, or a broken one.
        RunError: as `check_compatibility`.
    """
    inspection = inspect_pickle(model, _SECONDS)
    if inspection.partial:
        log_step("inspect", inspection.partial)
    check_compatibility(inspection, job, record)
    return inspection


def check_compatibility(inspection: Inspection, job: Job, record: Record) -> None:
    """Go on only if nothing that the inspection found makes a run fail for certain.

    The record gets the Pythons of the model, and warnings of what may be missing.

    Raises:
        InvalidPickle: it has code that is legal for no Python.
        PythonMismatch: its code is legal for other Pythons than this one alone.
        MissingDependency: it takes something from a module that is not here.
    """
    record.model.python = list(inspection.pythons.legal or ())
    attempt = _attempt(job)
    _require_python(inspection, attempt)
    _require_modules(inspection, attempt)
    for module, function in inspection.imports.items():
        if not _is_here(module):
            _warn(record, f"{function} imports the module {module}, which is not here")


def warn_missing_columns(inspection: Inspection, record: Record, columns: Collection[str]) -> None:
    """Say which features the model names and the data set does not have."""
    words = describe_missing_features(inspection.features, inspection.data_versions, columns)
    if words:
        _warn(record, words)


def _warn(record: Record, words: str) -> None:
    record.warnings.append(words)
    log_step("warning", words)


def _attempt(job: Job) -> AttemptedRun:
    """This run, to be made again in an image: with the data that lies on this machine."""
    sources = {"--dataset": job.dataset, "--benchmarks": job.benchmarks}
    data = {option: source for option, source in sources.items() if Path(source).is_file()}
    return AttemptedRun(RUNNING_PYTHON, redact(job.model), data)


def _require_python(inspection: Inspection, attempt: AttemptedRun) -> None:
    pythons = inspection.pythons
    if not pythons.exclude(RUNNING_PYTHON):
        return
    if pythons.corrupt:
        raise invalid_pickle(Path(inspection.path), pythons.corrupt)
    raise PythonMismatch(
        f"expected a pickle made by Python {RUNNING_PYTHON}, "
        f"found functions of another Python: {pythons}",
        remedy_for_python(inspection, attempt),
    )


def _require_modules(inspection: Inspection, attempt: AttemptedRun) -> None:
    if inspection.main_names:
        raise MissingDependency(
            f"expected {inspection.main_names[0]} in module __main__, found no such name",
            remedy_for_main(),
        )
    missing = [module for module in inspection.references if not _is_here(module)]
    if missing:
        module = missing[0].partition(".")[0]
        others = dict.fromkeys(other.partition(".")[0] for other in missing)
        others.pop(module)
        more = f"; missing too: {', '.join(others)}" if others else ""
        raise MissingDependency(
            "expected everything that the model imports to be here, found that module "
            f"{module} is missing{more}",
            remedy_for_module(inspection, module, attempt),
        )


def _is_here(module: str) -> bool:
    """Whether the top-level module can be found; looking for it runs nothing of it."""
    top = module.partition(".")[0]
    try:
        return not top or importlib.util.find_spec(top) is not None
    except (ImportError, AttributeError, ValueError):
        return True  # it is there, and odd: the import itself will tell
