"""Recognises failures of known libraries, and says what to do about each."""

from __future__ import annotations

import errno
from collections.abc import Callable

from numerai_predict.contract.errors import MissingDependency, ModelError, RunError
from numerai_predict.contract.foreign_text import one_line
from numerai_predict.runner import failure_text
from numerai_predict.runner.protocol import Stage
from numerai_predict.runner.supervisor.failure_report import Failure

_GPU_TOOL = "nvidia-smi"
_COMPILER_TYPES = {"InvalidCxxCompiler", "BackendCompilerFailed", "InductorError"}


def unopened_model_file(failure: Failure) -> RunError | None:
    """A file of a model that a library cannot open, because it is missing or denied."""
    if failure.stage not in (Stage.LOAD, Stage.PREDICT):
        return None
    path = failure_text.unopened_file(failure.text)
    if path is None:
        return None
    return ModelError(
        failure.with_traceback(
            f"the model tried to open {one_line(path)}, which is missing or denied to it: a model "
            f"gets the data and nothing else: {failure.title}"
        ),
        "load the file where you make the model, and let the function use the loaded model: "
        "cloudpickle.dump(predict, file) then stores it in the pickle",
    )


def tensors_of_a_gpu(failure: Failure) -> RunError | None:
    """Tensors that were saved on a GPU, or a request for one."""
    if failure.stage not in (Stage.LOAD, Stage.PREDICT) or not failure_text.needs_gpu(failure.text):
        return None
    return ModelError(
        failure.with_traceback(f"the model needs a GPU, but models have none: {failure.title}"),
        "hosted models have no GPU: move it to the CPU before pickling, model.cpu(), and request "
        "no device but the CPU in predict",
    )


def missing_gpu_tool(failure: Failure) -> RunError | None:
    """A start of the tool that lists GPUs, which is not there."""
    missing = [error for error in failure.errors if error.get("errno") == errno.ENOENT]
    names = {str(error.get("path")).rpartition("/")[2] for error in missing}
    if failure.stage not in (Stage.LOAD, Stage.PREDICT) or _GPU_TOOL not in names:
        return None
    return ModelError(
        failure.with_traceback(
            f"the model looked for a GPU, but models have none: {_GPU_TOOL} does not exist: "
            f"{failure.title}"
        ),
        f'start it only where it exists: if shutil.which("{_GPU_TOOL}")',
    )


def torch_compile_unavailable(failure: Failure) -> RunError | None:
    """`torch.compile`, which needs a C++ compiler."""
    compiles = failure.types & _COMPILER_TYPES or failure_text.needs_compiler(failure.text)
    if failure.stage not in (Stage.LOAD, Stage.PREDICT) or not compiles:
        return None
    return ModelError(
        failure.with_traceback(
            f"torch.compile needs a C++ compiler, but there is none here: {failure.title}"
        ),
        "pickle the model without torch.compile",
    )


def package_install_attempt(failure: Failure) -> RunError | None:
    """A package manager that the model started."""
    started = "CalledProcessError" in failure.types
    is_installer = started and failure_text.names_package_manager(failure.text)
    if failure.stage not in (Stage.LOAD, Stage.PREDICT) or not is_installer:
        return None
    return ModelError(
        failure.with_traceback(
            f"the model tried to install a package, but models have no network: {failure.title}"
        ),
        "use a library that the image has, ask Numerai for the package, or embed its code in the "
        "pickle: cloudpickle.register_pickle_by_value(module) before cloudpickle.dump",
    )


def pickled_by_another_pandas(failure: Failure) -> RunError | None:
    """Objects of pandas 3 in pandas 2."""
    is_other = bool(failure.types & {"TypeError", "AttributeError", "NotImplementedError"})
    is_other = is_other and failure_text.names_pandas_3_state(failure.text)
    if failure.stage != Stage.LOAD or not is_other:
        return None
    return MissingDependency(
        failure.with_traceback(
            f"the pickle holds objects of another version of pandas: {failure.title}"
        ),
        "pickle it with pandas 2.3, the version of the images: pip install 'pandas==2.3.*'",
    )


LIBRARY_RULES: tuple[Callable[[Failure], RunError | None], ...] = (
    pickled_by_another_pandas,
    torch_compile_unavailable,
    tensors_of_a_gpu,
    missing_gpu_tool,
    unopened_model_file,
    package_install_attempt,
)
