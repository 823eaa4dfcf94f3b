"""How models are written to files."""

import bz2
import gzip
import io
import lzma
import pickle
import zipfile

import cloudpickle
import numpy as np
import pandas as pd
from case_table import CaseTable, fails, ok

TABLE = CaseTable()


def frame(live):
    """A good prediction."""
    values = live.filter(like="feature_").mean(axis=1).rank(pct=True, method="first")
    return (values * 0.9).to_frame("prediction")


class Weighted:
    """A model with an array, in a class."""

    def __init__(self):
        self.weights = np.linspace(0.5, 1, 7, dtype=np.float32)
        self.table = pd.Series([0.1, 0.2], ["a", "b"])

    def predict(self, live_features):
        """The prediction."""
        return frame(live_features) * float(self.weights[-1])


def zipped(data, *others):
    """An archive of one pickle, and of what else an archiver writes."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in others:
            archive.writestr(name, b"" if name.endswith("/") else b"Mac OS X")
        archive.writestr("model/model.pkl" if others else "model.pkl", data)
    return target.getvalue()


for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
    TABLE.add(f"protocol{protocol}", lambda: frame, ok(), protocol=protocol)
    TABLE.add(f"method_of_protocol{protocol}", lambda: Weighted().predict, ok(), protocol=protocol)
for suffix, compress in (
    ("pkl.gz", gzip.compress),
    ("pkl.bz2", bz2.compress),
    ("pkl.xz", lzma.compress),
    ("pkl.zip", zipped),
):
    TABLE.add(
        f"protocol0_in_{suffix.replace('.', '_')}",
        lambda compress=compress: compress(cloudpickle.dumps(frame, protocol=0)),
        ok(),
        suffix=suffix,
        is_file=True,
    )
TABLE.add(
    "archive_of_macos",
    lambda: zipped(cloudpickle.dumps(frame), "model/", "__MACOSX/", "__MACOSX/model/._model.pkl"),
    ok(),
    suffix="pkl.zip",
    is_file=True,
)


def saved_array(save, *arrays, **named):
    """The bytes of a file of NumPy."""
    target = io.BytesIO()
    save(target, *arrays, **named)
    return target.getvalue()


def saved_by_joblib():
    """The bytes of a file of joblib, with an array in it."""
    import joblib

    target = io.BytesIO()
    joblib.dump(Weighted(), target)
    return target.getvalue()


def saved_booster():
    """The text of a LightGBM model."""
    import lightgbm

    options = {"verbose": -1, "min_data_in_leaf": 1, "min_data_in_bin": 1}
    data = lightgbm.Dataset(np.arange(40.0).reshape(20, 2), np.arange(20.0))
    return lightgbm.train(options, data, num_boost_round=1).model_to_string().encode()


def saved_xgboost():
    """An XGBoost model, as `save_model` writes it."""
    import xgboost

    data = xgboost.DMatrix(np.arange(40.0).reshape(20, 2), np.arange(20.0))
    return bytes(xgboost.train({}, data, num_boost_round=1).save_raw("ubj"))


for name, make, found in (
    ("array_of_numpy", lambda: saved_array(np.save, np.ones(3)), "numpy.save"),
    ("arrays_of_numpy", lambda: saved_array(np.savez, a=np.ones(3)), "numpy.save"),
    ("booster_text", saved_booster, "LightGBM"),
    ("booster_ubj", saved_xgboost, "XGBoost"),
    ("file_of_joblib", saved_by_joblib, "joblib"),
    ("web_page", lambda: b"<!DOCTYPE html><html><body>Sign in</body></html>", "a web page"),
    ("notebook", lambda: b'{"cells": [], "metadata": {}, "nbformat": 4}', "a JSON file"),
    (
        "pointer_of_lfs",
        lambda: b"version https://git-lfs.github.com/spec/v1\n",
        "git lfs pull",
    ),
    ("empty_file", lambda: b"", "empty"),
    (
        "table_of_pandas",
        lambda: saved_array(lambda f: pd.DataFrame({"a": [1]}).to_parquet(f)),
        "arquet",
    ),
    ("text", lambda: b"hello\n", "pickle"),
):
    TABLE.add(name, make, fails("invalid_pickle", found), is_file=True)
TABLE.add(
    "half_of_a_pickle",
    lambda: cloudpickle.dumps(frame)[:-200],
    fails("invalid_pickle", "before the STOP opcode"),
    is_file=True,
)
