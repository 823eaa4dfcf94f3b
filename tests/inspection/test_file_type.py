"""Files that are not pickles are identified by their first bytes."""

import bz2
import gzip
import io
import lzma
import pickle
import subprocess
import sys
import zipfile

import pytest
import zstandard

from numerai_predict.contract.errors import InvalidPickle
from numerai_predict.inspection.file_type import describe_file, invalid_pickle
from numerai_predict.inspection.inspect import inspect_pickle


def zipped(*names):
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name in names:
            archive.writestr(name, b"content")
    return target.getvalue()


@pytest.mark.parametrize(
    ("data", "description"),
    [
        (b"", "an empty file"),
        (b"\n\n\n", "text"),
        (b"hello\nworld", "text"),
        (b"import pandas as pd\n" * 50, "text"),
        ("übergroß ".encode() * 60, "text"),
        (b"  <html><body>", "a web page or a server error"),
        (b"<?xml version='1.0'?><Error>", "a web page or a server error"),
        (b"<!DOCTYPE html>", "a web page or a server error"),
        (zipped("a"), "a zip archive"),
        (gzip.compress(b"x", mtime=0), "gzip data"),
        (bz2.compress(b"x"), "bzip2 data"),
        (lzma.compress(b"x"), "xz data"),
        (zstandard.ZstdCompressor().compress(b"x"), "zstandard data"),
        (b"\x89HDF\r\n\x1a\n", "an HDF5 file"),
        (b"PAR1\x15\x04", "a parquet file"),
        (b"\x7fELF\x02", "a program"),
        (pickle.dumps({})[:-1], "a corrupt pickle"),
        (b"ARROW1\0\0" + b"\xff" * 30, "a Feather file"),
        (b"\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09", "binary data of an unknown format"),
    ],
    ids=lambda value: repr(value)[:20] if isinstance(value, bytes) else None,
)
def test_a_file_is_identified_by_its_first_bytes(tmp_path, data, description):
    (tmp_path / "file").write_bytes(data)
    assert describe_file(tmp_path / "file").startswith(description)


@pytest.mark.parametrize(
    ("data", "found", "remedy"),
    [
        (b"id,prediction\na,0.5\n", "text", "`numerai-predict submit` takes a CSV"),
        (b"hello\nworld\n", "text", "cloudpickle.dump(predict, file)"),
        (b"(lp0\nhello", "text", "cloudpickle.dump(predict, file)"),
        (b"PAR1" + bytes(100), "a parquet file", "cloudpickle.dump(predict, file)"),
        (b'{"cells": []}', "a JSON file, such as a notebook", "cloudpickle.dump(predict, file)"),
        (b"<html><body>Log in", "a web page or a server error", "address may need a login"),
        (b"version https://git-lfs.github.com/spec/v1\n", "a pointer of Git LFS", "git lfs pull"),
        (b"", "an empty file", "close it"),
    ],
)
def test_another_file_is_named_with_what_to_do_and_no_defect_of_a_pickle(
    tmp_path, data, found, remedy
):
    (tmp_path / "model.pkl").write_bytes(data)
    with pytest.raises(InvalidPickle) as refused:
        inspect_pickle(tmp_path / "model.pkl")
    assert refused.value.message.startswith(f"expected a pickle, found {found}")
    assert "opcode" not in refused.value.message
    assert remedy in refused.value.remedy


def saved(save):
    """What a function of a library writes."""
    target = io.BytesIO()
    save(target)
    return target.getvalue()


def xgboost_model(kind):
    import numpy as np
    import xgboost

    data = xgboost.DMatrix(np.eye(4), [0, 1, 0, 1])
    return bytes(xgboost.train({"nthread": 1}, data, 1).save_raw(kind))


def joblib_dump(target, **options):
    import joblib
    import numpy as np

    joblib.dump({"weights": np.arange(9.0)}, target, **options)


def lightgbm_text():
    import lightgbm
    import numpy as np

    data = lightgbm.Dataset(np.eye(60), np.arange(60))
    options = {"verbose": -1, "num_threads": 1, "min_data_in_leaf": 1}
    return lightgbm.train(options, data, 1).model_to_string().encode()


def numpy_save(target):
    import numpy as np

    np.save(target, np.arange(3))


def numpy_savez(target):
    import numpy as np

    np.savez(target, np.arange(3))


MODEL_FILES = {
    "lightgbm": (lightgbm_text, "a LightGBM model", "lightgbm.Booster(model_file=path)"),
    "xgboost_json": (lambda: xgboost_model("json"), "an XGBoost model", "load_model(path)"),
    "xgboost_ubj": (lambda: xgboost_model("ubj"), "an XGBoost model", "load_model(path)"),
    "catboost": (lambda: b"CBM1\x10\x00\x00\x00", "a CatBoost model", "load_model(path)"),
    "joblib": (lambda: saved(joblib_dump), "a file that joblib.dump wrote", "joblib.load(path)"),
    "joblib_compressed": (
        lambda: saved(lambda target: joblib_dump(target, compress=3)),
        "a file that joblib.dump wrote",
        "joblib.load(path)",
    ),
    "torch": (
        lambda: zipped("model/data.pkl", "model/version"),
        "a file that torch.save wrote",
        "torch.load(path, weights_only=False).cpu()",
    ),
    "torch_legacy": (
        lambda: pickle.dumps(0x1950A86A20F9469CFC6C, protocol=2) + pickle.dumps(1001, protocol=2),
        "a file that torch.save wrote",
        "torch.load(path",
    ),
    "torch_script": (
        lambda: zipped("model/data.pkl", "model/code/__torch__.py"),
        "a TorchScript model",
        "torch.jit.load(path",
    ),
    "keras": (
        lambda: zipped("metadata.json", "config.json", "model.weights.h5"),
        "a Keras model",
        "keras.models.load_model(path)",
    ),
    "hdf5": (lambda: b"\x89HDF\r\n\x1a\n", "an HDF5 file", "keras.models.load_model(path)"),
    "onnx": (lambda: b"\x08\x08\x12\x07pytorch", "an ONNX model", "onnx.reference"),
    "numpy": (lambda: saved(numpy_save), "an array that numpy.save wrote", "numpy.load(path)"),
    "numpy_archive": (lambda: saved(numpy_savez), "arrays that numpy.savez", "numpy.load(path)"),
    "safetensors": (
        lambda: (64).to_bytes(8, "little") + b'{"weight":{}}',
        "a file of safetensors",
        "load_state_dict",
    ),
}


@pytest.mark.parametrize("name", MODEL_FILES)
def test_a_model_file_of_a_library_is_named_with_the_lines_to_write(tmp_path, name):
    make, description, load = MODEL_FILES[name]
    (tmp_path / "model.pkl").write_bytes(make())
    error = invalid_pickle(tmp_path / "model.pkl", "a defect")
    assert f"expected a pickle, found {description}" in error.message
    assert load in error.remedy
    assert "cloudpickle.dump(predict, file)" in error.remedy


def test_a_pickle_is_no_model_file_of_a_library(tmp_path):
    (tmp_path / "model.pkl").write_bytes(pickle.dumps({"weights": [1.0]})[:-1])
    assert describe_file(tmp_path / "model.pkl") == "a corrupt pickle"


def test_no_byte_of_the_file_is_quoted(tmp_path):
    for data in (b"SECRET text", b"\x00\x01SECRET", b"<html>SECRET"):
        (tmp_path / "file").write_bytes(data)
        assert "SECRET" not in describe_file(tmp_path / "file")


@pytest.mark.process
def test_the_inspection_needs_the_standard_library_alone():
    code = (
        "import sys, numerai_predict.inspection.compression, numerai_predict.inspection.file_type; "
        "print(sorted({'numpy', 'pandas', 'zstandard', 'requests'} & set(sys.modules)))"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=60)
    assert ended.stdout == b"[]\n"
