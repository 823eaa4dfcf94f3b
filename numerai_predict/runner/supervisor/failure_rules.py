"""Turns a failure in the model process into an error with a verdict.

Each rule is a small function that knows one cause; the first one that recognises the failure
makes the error. The failure data come from a process that ran untrusted code: they are shown,
and decide only message and verdict. This is the only module that decides on the text of foreign
exceptions, where their type says too little, beside `library_failures`: see the heuristics below.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Container
from typing import Any

from numerai_predict.contract.brief_text import brief
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
from numerai_predict.contract.running_python import RUNNING_PYTHON
from numerai_predict.inspection.file_type import invalid_pickle
from numerai_predict.inspection.remedies import remedy_for_import, remedy_for_main
from numerai_predict.resources.violations import out_of_memory
from numerai_predict.runner import failure_text
from numerai_predict.runner.model_defect import ModelDefect
from numerai_predict.runner.protocol import Stage
from numerai_predict.runner.supervisor.failure_report import Failure
from numerai_predict.runner.supervisor.library_failures import LIBRARY_RULES

_DENIED = {errno.EACCES, errno.EPERM, errno.EROFS}
# The stages that run code of the model.
_MODEL_STAGES = (Stage.LOAD, Stage.PREDICT)
# Exceptions of the unpickler and of decompressors for damaged data.
_DAMAGED_DATA = {
    "UnpicklingError",
    "EOFError",
    "BadGzipFile",
    "LZMAError",
    "BadZipFile",
    "ZstdError",
}


def classify_failure(failure: Failure) -> RunError:
    """The error for an exception in the model process."""
    for rule in FAILURE_RULES:
        if error := rule(failure):
            return error
    return ModelError(
        failure.with_traceback(f"the model raised {failure.title}"),
        "fix the model and pickle it again; use --debug for the full traceback",
    )


def _broken_environment(failure: Failure) -> RunError | None:
    if failure.stage != Stage.START:
        return None
    return InternalError(
        failure.with_traceback(
            f"the runner's own libraries do not work in the model process: {failure.title}"
        ),
        "please report this: it is a bug in the image or the environment, not in the model",
    )


def _memory(failure: Failure) -> RunError | None:
    if "MemoryError" not in failure.types:
        return None
    limit = failure.limits.memory_bytes
    if limit is None:
        message, remedy = (
            f"the model requested more memory than this machine has: {failure.title}",
            "use less memory at once, or a larger machine",
        )
    else:
        message, remedy = out_of_memory(limit, failure.peak_bytes)
        message = f"{message}, then requested more: {failure.title}"
    return OutOfMemory(failure.with_traceback(message), remedy)


def _unreadable_data(failure: Failure) -> RunError | None:
    sources = {
        Stage.READ.value: failure.dataset,
        Stage.READ_BENCHMARKS.value: failure.benchmarks,
    }
    source = sources.get(failure.stage)
    if source is None:
        return None
    return DatasetUnavailable(
        f"expected a parquet file that pandas can read in {source}, found {failure.title}",
        "fetch the data set again; the copy may be truncated",
    )


def failed_read(failure: Failure) -> RunError:
    """The error if the model process could not read data that the supervisor can read."""
    return ModelError(
        failure.with_traceback(
            "the model process could not read the data, which are readable outside of it: "
            f"{failure.title}"
        ),
        "allow the model more memory and time, and remove what changes pandas or pyarrow in it",
    )


def _not_a_model(failure: Failure) -> RunError | None:
    if failure.stage != Stage.LOAD or "NotAModel" not in failure.types:
        return None
    return InvalidModel(
        "expected a function predict(live_features) or "
        f"predict(live_features, live_benchmark_models), {brief(failure.text)}",
        _defect(failure).remedy,
    )


def _defect(failure: Failure) -> ModelDefect:
    try:
        return ModelDefect(failure.content.get("defect"))
    except ValueError:
        return ModelDefect.OTHER


def _broken_pickle(failure: Failure) -> RunError | None:
    if failure.stage != Stage.LOAD:
        return None
    own_frames = any(not frame.get("library") for frame in failure.frames)
    if own_frames or not failure.types & _DAMAGED_DATA:
        return None
    return invalid_pickle(failure.model, failure.title)


def _missing_module(failure: Failure) -> RunError | None:
    if "ImportError" not in failure.types:
        return None
    module = str(failure.content.get("module") or "")
    if module == "__main__" or not module:
        found = f"found {failure.title}"
    else:
        found = (
            f"found that module {module} is missing"
            if _is_missing(failure)
            else (f"found that module {module} lacks a name: {failure.title}")
        )
    return MissingDependency(
        failure.with_traceback(f"expected every import of the model to be installed, {found}"),
        remedy_for_import(RUNNING_PYTHON, module.partition(".")[0]),
    )


def _missing_attribute(failure: Failure) -> RunError | None:
    module, attribute = failure.content.get("attribute_of"), failure.content.get("attribute")
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
    denied = _first(failure, _DENIED) or _hidden_file(failure)
    if denied is None:
        return None
    return ModelError(
        failure.with_traceback(
            f"the sandbox denied the model access to {denied.get('path')}: a model gets the data "
            f"and nothing else, and writes only to its scratch directory: {failure.title}"
        ),
        "put what it reads into the pickle, and write only to tempfile.gettempdir()",
    )


def _denied_call(failure: Failure) -> RunError | None:
    numbers = {error.get("errno") for error in failure.errors}
    if failure.stage in _MODEL_STAGES and errno.EAFNOSUPPORT in numbers:
        return ModelError(
            failure.with_traceback(
                f"the sandbox denied the model a socket: models have no network: {failure.title}"
            ),
            "use threads or n_jobs=1 in place of servers and workers that communicate through "
            "sockets; pools of processes work",
        )
    if failure.stage not in _MODEL_STAGES or not numbers & _DENIED:
        return None
    return ModelError(
        failure.with_traceback(f"the sandbox denied a system call of the model: {failure.title}"),
        "if its workers would communicate through sockets (bind, listen, connect), use one process "
        "(n_jobs=1, num_workers=0 of a DataLoader, no multiprocessing.Manager) or threads; "
        "multiprocessing.Pool works",
    )


def _absent_file(failure: Failure) -> RunError | None:
    absent = _first(failure, {errno.ENOENT})
    if absent is None:
        return None
    return ModelError(
        failure.with_traceback(
            f"the model tried to open {absent.get('path')}, which does not exist: a model gets the "
            f"data and nothing else: {failure.title}"
        ),
        "read the file where you make the model, and put its content into the pickle",
    )


def _exceeded_limit(failure: Failure) -> RunError | None:
    numbers = {error.get("errno") for error in failure.errors}
    limits = failure.limits
    if errno.EMFILE in numbers:
        found, remedy = f"{limits.open_files:,} open files", "close files after reading them"
    elif numbers & {errno.EFBIG, errno.ENOSPC}:
        found = f"{format_size(limits.scratch_bytes)} of files, or the free space of the disk"
        remedy = "write less: keep what is needed in memory or in the pickle"
    elif errno.EAGAIN in numbers or failure_text.cannot_start_thread(failure.text):
        found = f"{limits.processes:,} processes and threads"
        remedy = "start fewer: n_jobs or num_threads at most the number of CPUs"
    else:
        return None
    title = f"the model exceeded its limit of {found}: {failure.title}"
    return ModelError(failure.with_traceback(title), remedy)


def _first(failure: Failure, numbers: Container[int]) -> dict[str, Any] | None:
    """The first OSError with a path and one of the numbers, raised by code of the model."""
    found = (e for e in failure.errors if e.get("errno") in numbers and e.get("path"))
    return next(found, None) if failure.stage in _MODEL_STAGES else None


def _hidden_file(failure: Failure) -> dict[str, Any] | None:
    """The missing file that exists outside the private root of the model."""
    absent = _first(failure, {errno.ENOENT})
    path = "" if absent is None else str(absent["path"])
    return absent if path.startswith("/") and os.path.lexists(path) else None


def _exit_call(failure: Failure) -> RunError | None:
    if "SystemExit" not in failure.types:
        return None
    return ModelError(
        failure.with_traceback(
            f"the model called sys.exit({brief(failure.text)}) instead of returning predictions"
        ),
        "remove the call: a model must return a DataFrame",
    )


def _other_columns(failure: Failure) -> RunError | None:
    missing_key = "KeyError" in failure.types and failure_text.names_a_feature(failure.text)
    mismatch = missing_key or failure_text.names_other_columns(failure.text)
    if failure.stage != Stage.PREDICT or not mismatch:
        return None
    missing = failure_text.describe_missing_columns(failure.text, failure.features)
    found = f"{failure.type}: {missing}" if missing and missing_key else failure.title
    return ModelError(
        failure.with_traceback(f"the model raised {found}"),
        f"the model needs other columns than {failure.dataset} has: run it on the data version "
        "that it was trained on (--dataset and --benchmarks), or train it on this one",
    )


FAILURE_RULES: tuple[Callable[[Failure], RunError | None], ...] = (
    _broken_environment,
    _memory,
    _unreadable_data,
    _not_a_model,
    *LIBRARY_RULES,
    _broken_pickle,
    _missing_module,
    _missing_attribute,
    _exit_call,
    _denied_file,
    _denied_call,
    _absent_file,
    _exceeded_limit,
    _other_columns,
)


def _is_missing(failure: Failure) -> bool:
    return "ModuleNotFoundError" in failure.types
