"""Recognises files that other functions than `cloudpickle.dump` write, by their first bytes."""

from __future__ import annotations

import re
from dataclasses import dataclass

_ZIP = b"PK\x03\x04"
_ZIP_NAME_LENGTH, _ZIP_NAME = slice(26, 28), 30
_TORCH_LEGACY = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."
_TREES = re.compile(rb"tree\nversion=")
_XGBOOST = re.compile(rb'\{\s*"learner"\s*:|\{L\x00{7}\x07learner')
_CATBOOST = re.compile(rb"CBM1")
_NUMPY = re.compile(rb"\x93NUMPY")
_HDF5 = re.compile(rb"\x89HDF")
# The fields `ir_version` and `producer_name` of a ModelProto.
_ONNX = re.compile(rb"\x08[\x01-\x20]\x12[\x01-\x40][\w.\- ]")
_SAFETENSORS = re.compile(rb'.{4}\x00{4}\{"', re.DOTALL)
_JOBLIB = b"joblib.numpy_pickle"


def function_of(model: str) -> str:
    """The line that makes a function of an expression for predicted values and pickles it."""
    return (
        f"predict = lambda live: pd.DataFrame({{'prediction': {model}}}, index=live.index); "
        "cloudpickle.dump(predict, file)"
    )


_PREDICTED = "model.predict(live[features])"
_OF_TORCH = "model(torch.tensor(live[features].to_numpy('float32'))).detach().numpy().ravel()"


@dataclass(frozen=True)
class ModelFile:
    """A kind of file: what it is, how to load it, and the expression of its predictions."""

    description: str
    load: str
    predicted: str = _PREDICTED

    @property
    def remedy(self) -> str:
        """The lines that make a pickle of the file."""
        return f"load it and pickle a function: {self.load}; {function_of(self.predicted)}"


_BY_START = {
    _TREES: ModelFile(
        "a LightGBM model that Booster.save_model wrote",
        "model = lightgbm.Booster(model_file=path)",
    ),
    _XGBOOST: ModelFile(
        "an XGBoost model that save_model wrote",
        "model = xgboost.XGBRegressor(); model.load_model(path)",
    ),
    _CATBOOST: ModelFile(
        "a CatBoost model that save_model wrote",
        "model = catboost.CatBoostRegressor().load_model(path)",
    ),
    _NUMPY: ModelFile(
        "an array that numpy.save wrote", "weights = numpy.load(path)", "live[features] @ weights"
    ),
    _HDF5: ModelFile(
        "an HDF5 file, such as model.save of Keras writes",
        "model = keras.models.load_model(path)",
        "model.predict(live[features]).ravel()",
    ),
    _ONNX: ModelFile(
        "an ONNX model",
        "model = onnx.reference.ReferenceEvaluator(path)",
        "model.run(None, {'input': live[features].to_numpy('float32')})[0].ravel()",
    ),
    _SAFETENSORS: ModelFile(
        "a file of safetensors",
        "model.load_state_dict(safetensors.torch.load_file(path))",
        _OF_TORCH,
    ),
}
_TORCH = ModelFile(
    "a file that torch.save wrote", "model = torch.load(path, weights_only=False).cpu()", _OF_TORCH
)
_TORCH_SCRIPT = ModelFile(
    "a TorchScript model", "model = torch.jit.load(path, map_location='cpu')", _OF_TORCH
)
_KERAS = ModelFile(
    "a Keras model",
    "model = keras.models.load_model(path)",
    "model.predict(live[features]).ravel()",
)
_NUMPY_ARCHIVE = ModelFile(
    "arrays that numpy.savez wrote",
    "weights = numpy.load(path)['arr_0']",
    "live[features] @ weights",
)
_JOBLIB_FILE = ModelFile("a file that joblib.dump wrote", "model = joblib.load(path)")


def model_file(head: bytes) -> ModelFile | None:
    """The kind of file that starts with these bytes; `None` for a pickle or an unknown file."""
    for start, kind in _BY_START.items():
        if start.match(head):
            return kind
    if head.startswith(_ZIP):
        return _in_zip(head)
    if head.startswith(_TORCH_LEGACY):
        return _TORCH
    return _JOBLIB_FILE if _JOBLIB in head or _is_compressed_by_joblib(head) else None


def _in_zip(head: bytes) -> ModelFile | None:
    length = int.from_bytes(head[_ZIP_NAME_LENGTH], "little")
    first = head[_ZIP_NAME : _ZIP_NAME + length]
    if first.endswith(b".npy"):
        return _NUMPY_ARCHIVE
    if first in (b"metadata.json", b"config.json", b"model.weights.h5"):
        return _KERAS
    if first.endswith(b"/data.pkl"):
        return _TORCH_SCRIPT if b"/code/" in head or b"__torch__" in head else _TORCH
    return None


def _is_compressed_by_joblib(head: bytes) -> bool:
    """Whether it starts as zlib does, which joblib uses for `compress=`."""
    return head[:2] in (b"x\x01", b"x\x5e", b"x\x9c", b"x\xda")
