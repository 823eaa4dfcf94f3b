"""The upper bound of a fleet: predictions of one process with libraries, data and models loaded.

python bench/bare.py LIVE CONCURRENCY MODEL...

Prints the seconds of all predictions, CONCURRENCY at a time, each on one thread.
"""

import os

os.environ["OMP_NUM_THREADS"] = "1"

import pickle
import sys
import time

import lightgbm  # noqa: F401
import pandas as pd

live = pd.read_parquet(sys.argv[1])
models = []
for path in sys.argv[3:]:
    with open(path, "rb") as file:
        models.append(pickle.load(file))
concurrency = int(sys.argv[2])
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
