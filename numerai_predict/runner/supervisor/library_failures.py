"""Recognises failures of known libraries by their messages, and says what to do about each.

Heuristics: these libraries raise one type for everything, or keep the path in the message alone.
"""

from __future__ import annotations

import errno
import re
from collections.abc import Callable

from numerai_predict.contract.errors import MissingDependency, ModelError, RunError
from numerai_predict.contract.foreign_text import one_line
from numerai_predict.runner.protocol import Stage
from numerai_predict.runner.supervisor.failure_report import Failure

# LightGBM, XGBoost (two), CatBoost (two), Keras, torch.jit, TensorFlow, h5py: a file that cannot be
# opened.
_UNOPENED = re.compile(
    r"Could not open (?P<lightgbm>\S.*)"
    r"|Opening (?P<xgboost>\S.*?) failed: "
    r"|LocalFileSystem::Open \"(?P<dmlc>[^\"]+)\""
    r"|Model file doesn't exist: (?P<catboost>\S.*)"
    r"|can't open \"(?P<util>[^\"]+)\" with mode"
    r"|File not found: filepath=(?P<keras>\S.*?)\. Please"
    r"|The provided filename (?P<jit>\S.*?) does not exist"
    r"|SavedModel file does not exist at: (?P<tensorflow>\S.*?)/?\{"
    r"|[Uu]nable to (?:synchronously )?open file \(.*?name = '(?P<h5py>[^']+)'"
)
_CUDA = re.compile(
    r"deserialize object on (a )?CUDA|NVIDIA driver|not compiled with CUDA|No CUDA GPUs|CUDA error"
    r"|CUDA (driver|is not available)|device.*cuda.*not available"
)
_GPU_TOOL = "nvidia-smi"
_COMPILER_TYPES = {"InvalidCxxCompiler", "BackendCompilerFailed", "InductorError"}
_PIP = re.compile(r"\b(pip3?|uv|conda|apt(-get)?)\b.*\b(install|download|add)\b", re.DOTALL)
# What pandas 2 raises for categories, dates and other objects that pandas 3 pickled: the state that
# it cannot read.
_PANDAS_3 = re.compile(r"^\((CategoricalDtype|dtype\('<[Mm]8)|StringDtype|NamedAgg|PeriodDtype")


def unopened_model_file(failure: Failure) -> RunError | None:
    """A file of a model that a library cannot open, because it is missing or denied."""
    if failure.stage not in (Stage.LOAD, Stage.PREDICT):
        return None
    found = _UNOPENED.search(failure.text)
    if found is None:
        return None
    path = next(value for value in found.groups() if value)
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
    if failure.stage not in (Stage.LOAD, Stage.PREDICT) or not _CUDA.search(failure.text):
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
    compiles = failure.types & _COMPILER_TYPES or "C++ compiler" in failure.text
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
    started = "CalledProcessError" in failure.types and _PIP.search(failure.text)
    if failure.stage not in (Stage.LOAD, Stage.PREDICT) or not started:
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
    is_other = failure.types & {"TypeError", "AttributeError", "NotImplementedError"}
    if failure.stage != Stage.LOAD or not is_other or not _PANDAS_3.search(failure.text):
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
