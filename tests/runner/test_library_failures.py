"""The remedy for a failure of a known library leads out of it, not in a circle."""

import subprocess
from pathlib import Path

import pytest

from numerai_predict.contract.limits import Limits
from numerai_predict.runner.child.exception_report import describe
from numerai_predict.runner.protocol import Stage
from numerai_predict.runner.supervisor.failure_report import Failure
from numerai_predict.runner.supervisor.failure_rules import classify_failure


def raised(call):
    with pytest.raises(BaseException) as caught:  # noqa: PT011 - any error of the library
        call()
    return caught.value


def classified(error, stage=Stage.PREDICT):
    content = {**describe(error), "stage": stage.value}
    return classify_failure(Failure(content, Path("model.pkl"), "live", Limits(), 0))


def lightgbm():
    import lightgbm

    lightgbm.Booster(model_file="/nowhere/model.txt")


def xgboost():
    import xgboost

    xgboost.Booster(model_file="/nowhere/model.txt")


def catboost():
    import catboost

    catboost.CatBoostRegressor().load_model("/nowhere/model.txt")


def stand_in(kind, text):
    """Raise the error of a library that the tests do not have, with its own words."""

    def call():
        raise kind(text)

    return call


OF_OTHERS = {
    "keras": stand_in(
        ValueError,
        "File not found: filepath=/nowhere/model.txt. Please ensure the file is an accessible "
        "`.keras` zip file.",
    ),
    "jit": stand_in(ValueError, "The provided filename /nowhere/model.txt does not exist"),
    "saved_model": stand_in(
        OSError,
        "SavedModel file does not exist at: /nowhere/model.txt/{saved_model.pbtxt|saved_model.pb}",
    ),
    "h5py": stand_in(
        OSError,
        "Unable to synchronously open file (unable to open file: name = '/nowhere/model.txt', "
        "errno = 2, error message = 'No such file or directory')",
    ),
    "catboost_denied": stand_in(
        RuntimeError, 'util/system/file.cpp:918: can\'t open "/nowhere/model.txt" with mode RdOnly'
    ),
}


@pytest.mark.parametrize(
    "call", [lightgbm, xgboost, catboost, *OF_OTHERS.values()], ids=lambda call: call.__qualname__
)
@pytest.mark.parametrize("stage", [Stage.LOAD, Stage.PREDICT])
def test_a_file_that_a_library_cannot_open_is_named_with_what_to_do(call, stage):
    error = classified(raised(call), stage)
    assert error.verdict.word == "model_error"
    assert "tried to open /nowhere/model.txt, which is missing or denied" in error.message
    assert "let the function use the loaded model" in error.remedy


@pytest.mark.parametrize(
    "text",
    [
        "Attempting to deserialize object on a CUDA device but torch.cuda.is_available() is False.",
        "Found no NVIDIA driver on your system. Please check that you have an NVIDIA GPU",
        "Torch not compiled with CUDA enabled",
        "No CUDA GPUs are available",
        "CUDA error: no kernel image is available for execution on the device",
    ],
)
def test_a_model_on_a_gpu_is_to_be_moved_before_pickling(text):
    for stage in (Stage.LOAD, Stage.PREDICT):
        error = classified(RuntimeError(text), stage)
        assert error.verdict.word == "model_error"
        assert "hosted models have no GPU" in error.remedy
        assert "model.cpu()" in error.remedy


def test_torch_compile_is_named_where_no_compiler_is():
    class InvalidCxxCompiler(RuntimeError):
        pass

    error = classified(InvalidCxxCompiler("No working C++ compiler found"))
    assert "torch.compile needs a C++ compiler" in error.message
    assert error.remedy == "pickle the model without torch.compile"


def test_objects_of_pandas_3_are_to_be_pickled_with_pandas_2():
    text = "(CategoricalDtype(categories=['a'], categories_dtype=str), array([0], dtype=int8))"
    for found in (text, "(dtype('<M8[us]'), array(['2020-01-01'], dtype='datetime64[us]'))"):
        error = classified(NotImplementedError(found), Stage.LOAD)
        assert error.verdict.word == "missing_dependency"
        assert "pickle it with pandas 2.3" in error.remedy


@pytest.mark.parametrize(
    "command",
    ["pip install xgboost", ["python", "-m", "pip", "install", "x"], ["uv", "pip", "install", "x"]],
    ids=str,
)
def test_an_installation_by_the_model_says_that_models_have_no_network(command):
    error = classified(subprocess.CalledProcessError(1, command))
    assert "models have no network" in error.message
    assert "embed its code" in error.remedy


def test_another_command_that_fails_is_no_installation():
    error = classified(subprocess.CalledProcessError(1, ["lscpu"]))
    assert "the model raised subprocess.CalledProcessError" in error.message


@pytest.mark.parametrize("path", ["nvidia-smi", "/usr/bin/nvidia-smi"])
def test_a_search_for_a_gpu_is_to_be_guarded(path):
    error = classified(FileNotFoundError(2, "No such file or directory", path))
    assert "looked for a GPU" in error.message
    assert 'shutil.which("nvidia-smi")' in error.remedy


def test_a_socket_that_the_sandbox_denies_has_an_alternative():
    error = classified(OSError(97, "Address family not supported by protocol"))
    assert "a socket: models have no network" in error.message
    assert "threads or n_jobs=1" in error.remedy


def test_a_pickle_of_dill_is_to_be_written_by_cloudpickle():
    error = classified(ModuleNotFoundError("No module named 'dill'", name="dill._dill"), Stage.LOAD)
    assert error.verdict.word == "missing_dependency"
    assert "cloudpickle.dump(predict, file)" in error.remedy


@pytest.mark.parametrize("text", ["could not open the door", "a CPU is available", "StringDtypes"])
def test_other_messages_are_not_taken_for_these(text):
    assert "the model raised ValueError" in classified(ValueError(text)).message
