"""Models for the reliability suite: valid ones that all differ, and broken ones of every kind.

python kinds.py DIRECTORY GOOD BROKEN

Runs in the image of the Python that the pickles are for, and writes VERDICT-NUMBER.pkl.
"""

import os
import signal
import sys
import time
from pathlib import Path

import cloudpickle
import numpy as np
import pandas as pd


def good(number):
    def predict(live_features):
        columns = [name for name in live_features.columns if name.startswith("feature_")]
        weights = np.random.default_rng(number).normal(size=len(columns))
        scores = live_features[columns].to_numpy(dtype=np.float64) @ weights
        ranks = pd.Series(scores, live_features.index).rank(pct=True, method="first")
        return ranks.to_frame("prediction")

    def predict_with_benchmarks(live_features, live_benchmark_models):
        own = predict(live_features)["prediction"]
        benchmark = live_benchmark_models.iloc[:, 0].reindex(own.index)
        return (own + benchmark.rank(pct=True)).rank(pct=True).to_frame("prediction")

    return predict_with_benchmarks if number % 3 == 0 else predict


def raises(_live_features):
    raise ValueError("no")


def segfaults(_live_features):
    os.kill(os.getpid(), signal.SIGSEGV)


def exits(_live_features):
    os._exit(3)


def takes_memory(_live_features):
    held = []
    while True:
        held.append(np.ones(5_000_000))
        time.sleep(0.02)


def takes_time(_live_features):
    while True:
        time.sleep(1)


def forks(_live_features):
    import subprocess

    for _ in range(20):
        subprocess.Popen(["sleep", "600"], start_new_session=True)
    raise RuntimeError("left twenty behind")


def fills_its_scratch(_live_features):
    with open("big", "wb") as file:
        for _ in range(300):
            file.write(bytes(1 << 20))
    raise RuntimeError("left 300 MB behind")


def not_a_number(live_features):
    return pd.DataFrame({"prediction": np.nan}, index=live_features.index)


def constant(live_features):
    return pd.DataFrame({"prediction": 0.5}, index=live_features.index)


def half_of_the_ids(live_features):
    return good(1)(live_features).iloc[::2]


def no_frame(_live_features):
    return None


def three_arguments(_one, _two, _three):
    return None


def needs_a_module(_live_features):
    import not_there_at_all  # noqa: F401


BROKEN = {
    "model_error": [raises, forks, fills_its_scratch],
    "model_crashed": [segfaults, exits],
    "out_of_memory": [takes_memory],
    "timeout": [takes_time],
    "invalid_predictions": [not_a_number, constant, half_of_the_ids, no_frame],
    "invalid_model": [three_arguments, 42],
    "missing_dependency": [needs_a_module],
    "invalid_pickle": [b"", b"hello\n", b"\x80\x05\x95" + b"\xff" * 30],
}


def broken():
    """All kinds of broken models, repeated without end."""
    while True:
        for verdict, models in BROKEN.items():
            for model in models:
                yield verdict, model


def main(folder, count_good, count_broken):
    cloudpickle.register_pickle_by_value(sys.modules["__main__"])
    for number in range(count_good):
        (folder / f"ok-{number:03}.pkl").write_bytes(cloudpickle.dumps(good(number)))
    for number, (verdict, model) in zip(range(count_broken), broken(), strict=False):
        data = model if isinstance(model, bytes) else cloudpickle.dumps(model)
        (folder / f"{verdict}-{number:03}.pkl").write_bytes(data)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
