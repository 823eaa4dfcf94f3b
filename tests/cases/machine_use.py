"""What models do to the machine around them."""

from case_table import CaseTable, fails, ok

TABLE = CaseTable()


def frame(live):
    """A good prediction."""
    values = live.filter(like="feature_").mean(axis=1).rank(pct=True, method="first")
    return (values * 0.9).to_frame("prediction")


NO_TEMPORARY = "tempfile.gettempdir()"


def denied(path, *words):
    """Where no directory of its own is mounted there, the path and the alternative are named."""
    return fails("model_error", path, NO_TEMPORARY, *words)


def predicts_in(table):
    """A decorator of functions whose models predict after they did their work."""

    def predicts(**more):
        expected = more.pop("expected", ok())

        def register(function):
            def predict(live):
                function(live)
                return frame(live)

            table.add(function.__name__, lambda: predict, expected, **more)
            return function

        return register

    return predicts


predicts = predicts_in(TABLE)


# Files below fixed paths.


@predicts(shared=denied("/tmp/my_model.txt"))
def write_tmp_by_name(live):
    with open("/tmp/my_model.txt", "w") as file:
        file.write("x")
    with open("/tmp/my_model.txt") as file:
        assert file.read() == "x"


@predicts(shared=denied("/tmp/model.bin"))
def pathlib_in_tmp(live):
    import pathlib

    pathlib.Path("/tmp/model.bin").write_bytes(bytes(9))


@predicts(shared=denied("/tmp/model.log"))
def logging_to_tmp(live):
    import logging

    logging.basicConfig(filename="/tmp/model.log", force=True)
    logging.warning("working")


@predicts(shared=denied("/tmp/work"))
def mkdir_tmp(live):
    import os

    os.makedirs("/tmp/work", exist_ok=True)


@predicts(shared=denied("/tmp/cache.db"))
def sqlite_in_tmp(live):
    import sqlite3

    with sqlite3.connect("/tmp/cache.db") as connection:
        connection.execute("create table if not exists a (b int)")


@predicts(shared=denied("/tmp/live.parquet"))
def parquet_in_tmp(live):
    live.iloc[:, :3].to_parquet("/tmp/live.parquet")


@predicts(shared=denied("/tmp/weights.npy"))
def numpy_in_tmp(live):
    import numpy

    numpy.save("/tmp/weights.npy", numpy.ones(3))
    assert numpy.load("/tmp/weights.npy").sum() == 3


@predicts(shared=denied("/tmp/hist.png"), modules=("matplotlib",))
def figure_in_tmp(live):
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    pyplot.hist([1, 2])
    pyplot.savefig("/tmp/hist.png")


@predicts(shared=denied("/var/tmp/x"))
def var_tmp(live):
    with open("/var/tmp/x", "w") as file:
        file.write("x")


@predicts(shared=denied("/dev/shm/work"))
def dev_shm_dir(live):
    import os

    os.makedirs("/dev/shm/work", exist_ok=True)
    with open("/dev/shm/work/a", "w") as file:
        file.write("x")


@predicts(shared=denied("/tmp"))
def temporary_file_in_tmp(live):
    import tempfile

    with tempfile.NamedTemporaryFile(dir="/tmp") as file:
        file.write(b"x")


@predicts()
def change_dir(live):
    import os

    os.chdir("/tmp")


@predicts(shared=denied("/tmp"))
def list_tmp(live):
    import os

    assert os.listdir("/tmp") is not None


@predicts()
def dev_stdout(live):
    for name in ("/dev/stdout", "/dev/stderr", "/dev/null"):
        with open(name, "w") as file:
            file.write("hello\n")


@predicts()
def devices_that_are_read(live):
    for name in ("/dev/urandom", "/dev/random", "/dev/zero"):
        with open(name, "rb") as file:
            assert len(file.read(4)) == 4


@predicts()
def urandom(live):
    with open("/dev/urandom", "rb") as file:
        file.read(4)


# Files in the working directory.


@predicts()
def write_cwd(live):
    with open("debug.csv", "w") as file:
        file.write("x")


@predicts()
def sqlite_cwd(live):
    import sqlite3

    with sqlite3.connect("cache.db") as connection:
        connection.execute("create table if not exists a (b int)")


@predicts()
def logging_to_cwd(live):
    import logging

    logging.basicConfig(filename="model.log", force=True)
    logging.warning("working")


@predicts()
def tempfile_cwd(live):
    import tempfile

    with tempfile.NamedTemporaryFile(dir=".") as file:
        file.write(b"x")


@predicts()
def tempfile_default(live):
    import tempfile

    with tempfile.TemporaryDirectory() as folder, open(f"{folder}/x", "w") as file:
        file.write("x")


@predicts()
def home_dir(live):
    import pathlib

    (pathlib.Path.home() / ".mymodel").mkdir(exist_ok=True)
    pathlib.Path("~/.mymodel/weights").expanduser().write_text("x")


@predicts()
def cache_by_variable(live):
    import os
    import pathlib

    folder = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache"))
    (folder / "mymodel").mkdir(parents=True)


@predicts()
def mmap_file(live):
    import numpy

    mapped = numpy.memmap("big.dat", dtype="float32", mode="w+", shape=(1000, 10))
    mapped[:] = 1
    mapped.flush()


@predicts()
def parquet_cwd(live):
    import pandas

    live.iloc[:, :5].to_parquet("small.parquet")
    pandas.read_parquet("small.parquet")


@predicts()
def hardlink_symlink(live):
    import os

    with open("a", "w") as file:
        file.write("x")
    os.symlink("a", "b")
    os.link("a", "c")
    os.rename("c", "d")


@predicts()
def chmod_file(live):
    import os

    with open("a", "w") as file:
        file.write("x")
    os.chmod("a", 0o600)
    os.utime("a")


@predicts()
def shutil_copy(live):
    import os
    import shutil

    with open("a", "w") as file:
        file.write("x")
    shutil.copy2("a", "b")
    os.mkdir("folder")
    shutil.make_archive("archive", "zip", "folder")


@predicts()
def fifo_in_cwd(live):
    import os
    import threading

    os.mkfifo("pipe")
    writer = threading.Thread(target=lambda: open("pipe", "w").close())
    writer.start()
    with open("pipe") as file:
        assert file.read() == ""
    writer.join()


@predicts()
def file_lock(live):
    import fcntl

    with open("lock", "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        fcntl.lockf(file, fcntl.LOCK_EX)


@predicts()
def glob_own_directory(live):
    import glob
    import os

    glob.glob("*")
    list(os.walk("."))
    os.path.exists("/content/drive")


@predicts(modules=("joblib",))
def joblib_memory(live):
    from joblib import Memory

    Memory("./joblib_cache", verbose=0).cache(frame)(live.iloc[:, -3:])


@predicts(modules=("matplotlib",))
def matplotlib_figure(live):
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    pyplot.hist([1, 2])
    pyplot.savefig("hist.png")


# Files that are missing, or not the model's.

MISSING = ("does not exist", "put its content into the pickle")


@predicts(expected=fails("model_error", "weights/model.txt", *MISSING))
def missing_file(live):
    open("weights/model.txt")


@predicts(expected=fails("model_error", "/content/drive/MyDrive/model.pkl", *MISSING))
def missing_file_of_a_notebook(live):
    import pandas

    pandas.read_pickle("/content/drive/MyDrive/model.pkl")


@predicts(expected=fails("model_error", "v5.0/features.json", *MISSING))
def missing_features(live):
    import json

    with open("v5.0/features.json") as file:
        json.load(file)


@predicts(expected=fails("model_error", "scaler.npy", *MISSING))
def missing_array(live):
    import numpy

    numpy.load("scaler.npy")


@predicts(expected=fails("model_error", "missing.pt", *MISSING), modules=("joblib",))
def missing_file_of_joblib(live):
    import joblib

    joblib.load("missing.pt")


OF_LIBRARY = ("missing or denied", "load the file where you make the model")


@predicts(expected=fails("model_error", "model.txt", *OF_LIBRARY), modules=("lightgbm",))
def missing_file_of_lightgbm(live):
    import lightgbm

    lightgbm.Booster(model_file="model.txt")


@predicts(expected=fails("model_error", "model.json", *OF_LIBRARY), modules=("xgboost",))
def missing_file_of_xgboost(live):
    import xgboost

    xgboost.XGBRegressor().load_model("model.json")


@predicts(expected=fails("model_error", "model.cbm", *OF_LIBRARY), modules=("catboost",))
def missing_file_of_catboost(live):
    import catboost

    catboost.CatBoostRegressor().load_model("model.cbm")


@predicts(expected=fails("model_error", "/etc/shadow", "denied"))
def file_of_the_machine(live):
    open("/etc/shadow")


@predicts(expected=fails("model_error", "/usr/local/model.txt", "writes only to"))
def write_beside_python(live):
    open("/usr/local/model.txt", "w")
