"""The upper bound of a fleet: predictions of one process with libraries, data and models loaded.

python bench/bare.py PACKAGE LIVE CONCURRENCY MODEL...

Prints the seconds of all predictions, CONCURRENCY at a time, each on one thread. PACKAGE is the
directory that holds numerai_predict, whose tree engine predicts; `-` for the libraries themselves.
"""

import os

os.environ["OMP_NUM_THREADS"] = "1"

import pickle
import sys
import time

import lightgbm  # noqa: F401
import pandas as pd

package, live_path, concurrency_text, *paths = sys.argv[1:]
if package != "-":
    sys.path.insert(0, package)
    from numerai_predict.acceleration.accelerator import Accelerator
    from numerai_predict.acceleration.interception import install

    install(Accelerator())
live = pd.read_parquet(live_path)
models = []
for path in paths:
    with open(path, "rb") as file:
        models.append(pickle.load(file))
concurrency = int(concurrency_text)
started = time.perf_counter()
children = []
for part in range(concurrency):
    pid = os.fork()
    if pid == 0:
        for predict in models[part::concurrency]:
            predict(live)
        os._exit(0)
    children.append(pid)
for pid in children:
    if os.waitpid(pid, 0)[1]:
        sys.exit("a model failed")
print(time.perf_counter() - started)
