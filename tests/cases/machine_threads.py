"""Threads, processors and priorities that models and their libraries choose."""

from case_table import CaseTable, fails
from machine_use import predicts_in

TABLE = CaseTable()
predicts = predicts_in(TABLE)


@predicts()
def affinity_of_a_thread(live):
    import ctypes
    import os
    import threading

    libc = ctypes.CDLL(None)
    libc.pthread_self.restype = ctypes.c_ulong
    mask = (ctypes.c_ulong * 16)(1 << min(os.sched_getaffinity(0)))
    results = []

    def pin():
        thread = ctypes.c_ulong(libc.pthread_self())
        results.append(libc.pthread_setaffinity_np(thread, ctypes.sizeof(mask), mask))

    thread = threading.Thread(target=pin)
    thread.start()
    thread.join()
    assert results == [0]


@predicts()
def affinity_of_a_child(live):
    import os
    import subprocess

    with subprocess.Popen(["sleep", "60"]) as process:
        os.sched_setaffinity(process.pid, os.sched_getaffinity(0))
        process.kill()


@predicts(modules=("psutil",))
def affinity_by_psutil(live):
    import psutil

    process = psutil.Process()
    process.cpu_affinity(process.cpu_affinity())
    process.ionice(psutil.IOPRIO_CLASS_IDLE)
    process.nice(max(process.nice(), 10))


@predicts()
def scheduler_for_batches(live):
    import os

    os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))


@predicts(modules=("threadpoolctl",))
def threads_of_blas(live):
    import numpy
    import threadpoolctl

    square = numpy.random.default_rng(0).random((400, 400))
    with threadpoolctl.threadpool_limits(2):
        square @ square
    numpy.linalg.svd(square)


@predicts(modules=("sklearn",))
def forest_of_every_cpu(live):
    from sklearn.ensemble import RandomForestRegressor

    values = live.filter(like="feature_").iloc[:, :5].to_numpy(float)
    RandomForestRegressor(10, n_jobs=-1).fit(values, values[:, 0]).predict(values)


@predicts(modules=("lightgbm",))
def threads_of_lightgbm(live):
    import lightgbm
    import numpy

    values = numpy.random.default_rng(0).random((500, 4))
    data = lightgbm.Dataset(values, values[:, 0])
    booster = lightgbm.train({"num_threads": 4, "verbosity": -1}, data, 3)
    booster.predict(values, num_threads=3)


@predicts(modules=("xgboost",))
def threads_of_xgboost(live):
    import numpy
    import xgboost

    values = numpy.random.default_rng(0).random((500, 4))
    xgboost.XGBRegressor(n_estimators=3, n_jobs=-1).fit(values, values[:, 0]).predict(values)


@predicts()
def threads_of_pyarrow(live):
    import pyarrow

    pyarrow.set_cpu_count(3)
    pyarrow.set_io_thread_count(2)
    pyarrow.Table.from_pandas(live.iloc[:, :9]).to_pandas(use_threads=True)


@predicts(modules=("joblib",))
def array_shared_by_joblib(live):
    import numpy
    from joblib import Parallel, delayed

    large = numpy.zeros((200, 30_000))  # joblib maps it from a file
    sums = Parallel(n_jobs=2, backend="multiprocessing")(delayed(numpy.sum)(large) for _ in "ab")
    assert sums == [0, 0]


@predicts()
def pool_of_threads(live):
    from multiprocessing.pool import ThreadPool

    with ThreadPool(4) as pool:
        assert pool.map(abs, range(9)) == list(range(9))


@predicts(expected=fails("model_crashed", "SIGALRM", "a timer that the model set", "--timeout"))
def timer_without_a_function(live):
    import signal
    import time

    signal.setitimer(signal.ITIMER_REAL, 0.05)
    time.sleep(60)


@predicts(expected=fails("model_error", "OddCause"))
def exception_that_raises_when_looked_at(live):
    class OddCause(Exception):
        @property
        def __cause__(self):
            raise ValueError("no cause")

    raise OddCause("x")
