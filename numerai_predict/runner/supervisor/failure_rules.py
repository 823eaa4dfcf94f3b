"""Why a model failed: the facts that the child sent, as an error with a verdict.

A list of small functions, each of which knows one cause; the first that
recognises the facts names the error. Facts come from a process that a stranger's
program ran in: they are shown, and decide nothing but the words and the verdict.
"""

from __future__ import annotations

import errno
import re
from collections.abc import Callable, Container
from typing import Any

from numerai_predict.contract.errors import (
    DatasetUnavailable,
    InternalError,
    InvalidModel,
    MissingDependency,
    ModelError,
    OutOfMemory,
    RunError,
)
from numerai_predict.contract.limits import format_size
from numerai_predict.inspection.file_type import invalid_pickle
from numerai_predict.inspection.remedies import remedy_by_value, remedy_for_main
from numerai_predict.resources.violations import out_of_memory
from numerai_predict.runner.supervisor.failure_report import Failure

_DENIED = {errno.EACCES, errno.EPERM, errno.EROFS}
_BROKEN_DATA = {
    "UnpicklingError",
    "EOFError",
    "BadGzipFile",
    "LZMAError",
    "BadZipFile",
    "ZstdError",
}
_COLUMN_TROUBLE = re.compile(
    r"not in index|are in the \[(columns|index)\]|feature[_ ]names|number of features"
    r"|expecting \d+ features|not in (the )?columns|should match",
    re.IGNORECASE,
)


def classify_failure(failure: Failure) -> RunError:
    """The error that a failed child stands for."""
    for cause in FAILURE_RULES:
        if error := cause(failure):
            return error
    return ModelError(
        failure.with_traceback(f"the model raised {failure.title}"),
        "mend the model and pickle it again; --debug shows the whole traceback",
    )


def _broken_environment(failure: Failure) -> RunError | None:
    if failure.stage != "start":
        return None
    return InternalError(
        failure.with_traceback(
            f"the runner's own libraries do not work in the model's process: {failure.title}"
        ),
        "report it; the model is not to blame, but the image or the environment",
    )


def _memory(failure: Failure) -> RunError | None:
    if "MemoryError" not in failure.types:
        return None
    limit = failure.limits.memory_bytes
    if limit is None:
        message, remedy = (
            f"the model asked for more memory than this machine has: {failure.title}",
            "use less at once, or a larger machine",
        )
    else:
        message, remedy = out_of_memory(limit, failure.peak_bytes)
        message = f"{message}, then asked for more: {failure.title}"
    return OutOfMemory(failure.with_traceback(message), remedy)


def _unreadable_data(failure: Failure) -> RunError | None:
    sources = {"read": failure.dataset, "read benchmarks": failure.benchmarks}
    if failure.stage not in sources:
        return None
    source = sources[failure.stage]
    return DatasetUnavailable(
        f"expected a parquet file that pandas can read in {source}, found {failure.title}",
        "fetch the data set again; a copy may have been cut short",
    )


def _not_a_model(failure: Failure) -> RunError | None:
    if failure.stage != "load" or "NotAModel" not in failure.types:
        return None
    return InvalidModel(
        "expected a function predict(live_features) or "
        f"predict(live_features, live_benchmark_models), {failure.text}",
        "pickle the function itself: cloudpickle.dump(predict, file)",
    )


def _broken_pickle(failure: Failure) -> RunError | None:
    if failure.stage != "load":
        return None
    own_frames = any(not frame.get("library") for frame in failure.frames)
    if own_frames or not failure.types & _BROKEN_DATA:
        return None
    return invalid_pickle(failure.model, failure.title)


def _missing_module(failure: Failure) -> RunError | None:
    if "ImportError" not in failure.types:
        return None
    module = str(failure.facts.get("module") or "")
    if module == "__main__" or not module:
        found = f"found {failure.title}"
    else:
        found = (
            f"found that module {module} is missing"
            if _is_missing(failure)
            else (f"found that module {module} lacks something: {failure.title}")
        )
    return MissingDependency(
        failure.with_traceback(f"expected everything that the model imports to be here, {found}"),
        f"use a library that the image has, or, {remedy_by_value(module.partition('.')[0])}",
    )


def _missing_attribute(failure: Failure) -> RunError | None:
    module, attribute = failure.facts.get("attribute_of"), failure.facts.get("attribute")
    if not module:
        return None
    if module == "__main__":
        remedy = remedy_for_main()
    else:
        remedy = (
            f"the model was made with another version of {str(module).partition('.')[0]}: "
            "install the image's version where it is made, then pickle it again"
        )
    return MissingDependency(
        failure.with_traceback(f"expected {attribute} in module {module}, found no such name"),
        remedy,
    )


def _denied_file(failure: Failure) -> RunError | None:
    denied = _first(failure, _DENIED)
    if denied is None:
        return None
    return ModelError(
        failure.with_traceback(
            f"the model tried to open {denied.get('path')}, which it may not: models run with the "
            f"data and nothing else, and write to their temporary folder alone: {failure.title}"
        ),
        "put what it reads into the pickle, and write to tempfile.gettempdir() if at all",
    )


def _denied_call(failure: Failure) -> RunError | None:
    numbers = {error.get("errno") for error in failure.errors}
    if failure.stage not in ("load", "predict") or not numbers & _DENIED:
        return None
    return ModelError(
        failure.with_traceback(
            f"the model asked the system for what models may not have: {failure.title}"
        ),
        "keep to one process where its workers would talk through sockets "
        "(num_workers=0 of a DataLoader, no multiprocessing.Manager); pools and threads work",
    )


def _absent_file(failure: Failure) -> RunError | None:
    absent = _first(failure, {errno.ENOENT})
    if absent is None:
        return None
    return ModelError(
        failure.with_traceback(
            f"the model looked for the file {absent.get('path')}, which is not here: models run "
            f"with the data and nothing else: {failure.title}"
        ),
        "read the file where the model is made, and put what was read into the pickle",
    )


def _passed_limit(failure: Failure) -> RunError | None:
    numbers = {error.get("errno") for error in failure.errors}
    limits = failure.limits
    if errno.EMFILE in numbers:
        found, remedy = f"{limits.open_files:,} open files", "close files once they are read"
    elif numbers & {errno.EFBIG, errno.ENOSPC}:
        found = f"{format_size(limits.scratch_bytes)} of files, or of what the disk has left"
        remedy = "write less: keep what is needed in memory or in the pickle"
    elif errno.EAGAIN in numbers or "can't start new thread" in failure.text:
        found = f"{limits.processes:,} processes and threads"
        remedy = "start fewer: n_jobs or num_threads at most the number of CPUs"
    else:
        return None
    title = f"the model passed its limit of {found}: {failure.title}"
    return ModelError(failure.with_traceback(title), remedy)


def _first(failure: Failure, numbers: Container[int]) -> dict[str, Any] | None:
    """The first error of the system's with a path and one of the numbers."""
    found = (e for e in failure.errors if e.get("errno") in numbers and e.get("path"))
    return next(found, None) if failure.stage in ("load", "predict") else None


def _exit_call(failure: Failure) -> RunError | None:
    if "SystemExit" not in failure.types:
        return None
    return ModelError(
        failure.with_traceback(
            f"the model called sys.exit({failure.text}) instead of returning predictions"
        ),
        "take the call out: a model must return a DataFrame",
    )


def _other_columns(failure: Failure) -> RunError | None:
    missing_key = "KeyError" in failure.types and "feature" in failure.text
    if failure.stage != "predict" or not (missing_key or _COLUMN_TROUBLE.search(failure.text)):
        return None
    return ModelError(
        failure.with_traceback(f"the model raised {failure.title}"),
        f"the model wants other columns than {failure.dataset} has: run it on the data version "
        "that it was trained on (--dataset and --benchmarks), or train it on this one",
    )


FAILURE_RULES: tuple[Callable[[Failure], RunError | None], ...] = (
    _broken_environment,
    _memory,
    _unreadable_data,
    _not_a_model,
    _broken_pickle,
    _missing_module,
    _missing_attribute,
    _exit_call,
    _denied_file,
    _denied_call,
    _absent_file,
    _passed_limit,
    _other_columns,
)


def _is_missing(failure: Failure) -> bool:
    return "ModuleNotFoundError" in failure.types
