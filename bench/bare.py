"""The limit: predictions in one process that has libraries, data and models in memory.

python bench/bare.py LIVE AT_ONCE MODEL...

Prints the seconds that all predictions took, so many at a time, each on one thread.
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
at_once = int(sys.argv[2])
started = time.perf_counter()
children = []
for part in range(at_once):
    pid = os.fork()
    if pid == 0:
        for predict in models[part::at_once]:
            predict(live)
        os._exit(0)
    children.append(pid)
for pid in children:
    if os.waitpid(pid, 0)[1]:
        sys.exit("a model failed")
print(time.perf_counter() - started)
