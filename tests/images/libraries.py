"""Models that use a library for real; run inside an image, this writes a pickle of each.

python libraries.py DIRECTORY
"""

import importlib.util
import sys
from pathlib import Path

import cloudpickle

NAMES = ["feature_sample_0000", "feature_sample_0001", "feature_sample_0002"]


def ranked(values, live_features):
    import pandas as pd

    ranks = pd.Series(values, index=live_features.index).rank(pct=True, method="first")
    return ranks.to_frame("prediction")


def lightgbm(live_features):
    import lightgbm

    features = live_features[NAMES].astype("float32")
    model = lightgbm.LGBMRegressor(n_estimators=5, n_jobs=2, verbose=-1)
    model.fit(features, features.sum(axis=1))
    return ranked(model.predict(features), live_features)


def xgboost(live_features):
    import xgboost

    features = live_features[NAMES].astype("float32")
    model = xgboost.XGBRegressor(n_estimators=5, nthread=2)
    model.fit(features, features.sum(axis=1))
    return ranked(model.predict(features), live_features)


def catboost(live_features):
    import catboost

    features = live_features[NAMES].astype("float32")
    model = catboost.CatBoostRegressor(iterations=5, thread_count=2, verbose=False)
    model.fit(features, features.sum(axis=1))
    return ranked(model.predict(features), live_features)


def sklearn(live_features):
    """Processes of joblib's, and the threads of a forest."""
    import joblib
    from sklearn.ensemble import RandomForestRegressor

    features = live_features[NAMES].astype("float32")
    model = RandomForestRegressor(10, n_jobs=2).fit(features, features.sum(axis=1))
    halves = [features.iloc[::2], features.iloc[1::2]]
    with joblib.parallel_config("loky", n_jobs=2):
        predicted = joblib.Parallel()(joblib.delayed(model.predict)(half) for half in halves)
    assert [len(each) for each in predicted] == [len(half) for half in halves]
    return ranked(model.predict(features), live_features)


def torch(live_features):
    import torch

    torch.set_num_threads(2)
    data = torch.tensor(live_features[NAMES].to_numpy("float32"))
    network = torch.nn.Sequential(torch.nn.Linear(3, 64), torch.nn.ReLU(), torch.nn.Linear(64, 1))
    optimizer = torch.optim.Adam(network.parameters())
    for _ in range(5):
        optimizer.zero_grad()
        loss = (network(data)[:, 0] - data.sum(dim=1)).square().mean()
        loss.backward()
        optimizer.step()
    return ranked(network(data)[:, 0].detach().numpy(), live_features)


def tensorflow(live_features):
    import tensorflow

    data = live_features[NAMES].to_numpy("float32")
    layers = tensorflow.keras.layers
    network = tensorflow.keras.Sequential([layers.Dense(8, activation="relu"), layers.Dense(1)])
    network.compile("adam", "mse")
    network.fit(data, data.sum(axis=1), epochs=1, verbose=0)
    return ranked(network.predict(data, verbose=0)[:, 0], live_features)


def jaxlib(live_features):
    import jax

    values = jax.jit(lambda data: jax.numpy.tanh(data).sum(axis=1))(
        live_features[NAMES].to_numpy("float32")
    )
    import numpy as np

    return ranked(np.asarray(values), live_features)


def numba(live_features):
    import numba
    import numpy as np

    @numba.njit(parallel=True)
    def total(data):
        values = np.zeros(len(data))
        for row in numba.prange(len(data)):
            values[row] = data[row].sum()
        return values

    return ranked(total(live_features[NAMES].to_numpy("float64")), live_features)


def polars(live_features):
    import polars

    frame = polars.DataFrame({name: live_features[name].to_numpy() for name in NAMES})
    sums = frame.lazy().select(polars.sum_horizontal(NAMES)).collect().to_series()
    return ranked(sums.to_numpy(), live_features)


def matplotlib(live_features):
    import tempfile

    import matplotlib

    matplotlib.use("agg")
    import matplotlib.pyplot as plt

    plt.hist(live_features[NAMES[0]])
    plt.title("rank")
    with tempfile.NamedTemporaryFile(suffix=".png") as picture:
        plt.savefig(picture.name)
    return ranked(live_features[NAMES[0]], live_features)


def multiprocessing(live_features):
    import multiprocessing
    from multiprocessing import shared_memory

    context = multiprocessing.get_context("fork")
    queue, lock = context.Queue(), context.Lock()

    def work(name):
        with lock:
            queue.put((name, int(live_features[name].sum())))

    workers = [context.Process(target=work, args=(name,)) for name in NAMES]
    for worker in workers:
        worker.start()
    found = dict(queue.get(timeout=30) for _ in workers)
    for worker in workers:
        worker.join()
    assert found == {name: int(live_features[name].sum()) for name in NAMES}
    with context.Pool(2) as pool:
        assert sum(pool.map(abs, range(-9, 0))) == 45
    block = shared_memory.SharedMemory(create=True, size=1024)
    block.buf[:5] = b"share"
    block.close()
    block.unlink()
    return ranked(live_features[NAMES[0]], live_features)


MODELS = [
    lightgbm,
    xgboost,
    catboost,
    sklearn,
    torch,
    tensorflow,
    jaxlib,
    numba,
    polars,
    matplotlib,
    multiprocessing,
]


def main():
    for model in MODELS:
        if importlib.util.find_spec(model.__name__):
            Path(sys.argv[1], f"{model.__name__}.pkl").write_bytes(cloudpickle.dumps(model))


if __name__ == "__main__":
    main()
