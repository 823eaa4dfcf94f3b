"""What models ask of the machine: users, processors, settings; and how models end."""

from case_table import CaseTable, fails, invalid, ok
from machine_use import frame, predicts_in

TABLE = CaseTable()
predicts = predicts_in(TABLE)


@predicts()
def getuser(live):
    import getpass

    assert getpass.getuser()


@predicts()
def own_entry(live):
    import os
    import pwd

    entry = pwd.getpwuid(os.getuid())
    assert (entry.pw_uid, entry.pw_name) == (os.getuid(), pwd.getpwnam(entry.pw_name).pw_name)


@predicts()
def own_group(live):
    import grp
    import os

    assert grp.getgrgid(os.getgid()).gr_gid == os.getgid()


@predicts()
def getlogin(live):
    import os

    assert os.getlogin()


@predicts()
def whoami(live):
    import subprocess

    for command in (["whoami"], ["id"], ["id", "-un"], ["id", "-gn"]):
        shown = subprocess.run(command, check=True, capture_output=True, text=True)
        assert shown.stdout.strip()


@predicts()
def user_in_other_processes(live):
    import multiprocessing
    import subprocess
    import sys

    subprocess.run([sys.executable, "-c", "import getpass; getpass.getuser()"], check=True)
    subprocess.run([sys.executable, "-c", "import os, pwd; pwd.getpwuid(os.getuid())"], check=True)
    with multiprocessing.get_context("fork").Pool(1) as pool:
        assert pool.apply(len, ["ab"]) == 2


@predicts()
def owner_of_a_file(live):
    import pathlib

    pathlib.Path("own").write_text("x")
    assert pathlib.Path("own").owner()
    assert pathlib.Path("own").group()


@predicts()
def nproc_lscpu(live):
    import subprocess

    subprocess.run(["nproc"], check=True)
    subprocess.run(["lscpu"], check=True, capture_output=True)


@predicts()
def cpuinfo(live):
    for name in ("/proc/cpuinfo", "/proc/meminfo", "/proc/self/status"):
        with open(name) as file:
            assert file.read()


@predicts(modules=("joblib",))
def physical_cores(live):
    import warnings

    import joblib

    with warnings.catch_warnings():
        warnings.simplefilter("error")  # joblib warns where it finds none
        assert joblib.cpu_count(only_physical_cores=True) >= 1


@predicts()
def affinity(live):
    import os

    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


@predicts(modules=("psutil",))
def psutil_look(live):
    import os

    import psutil

    process = psutil.Process(os.getpid())
    assert process.memory_info().rss > 0
    assert process.username()
    assert psutil.virtual_memory().total > 0
    psutil.cpu_count(logical=False)
    psutil.cpu_percent(0.1)
    psutil.swap_memory()
    psutil.disk_usage("/")


@predicts()
def platform_info(live):
    import platform

    assert platform.platform()
    platform.processor()
    assert platform.freedesktop_os_release()["ID"]


@predicts()
def localtime(live):
    import datetime
    import time
    import zoneinfo

    time.tzset()
    datetime.datetime.now(zoneinfo.ZoneInfo("America/New_York"))


@predicts()
def locale_default(live):
    import locale

    locale.setlocale(locale.LC_ALL, "")
    assert locale.getpreferredencoding()


@predicts()
def emoji(live):
    print("\u2705 predictions ready \U0001f680")


@predicts()
def alarm(live):
    import signal

    signal.signal(signal.SIGALRM, lambda *_: None)
    signal.alarm(500)


@predicts()
def setrlimit(live):
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (16 << 30, hard))


@predicts()
def nice(live):
    import os

    os.nice(5)


@predicts()
def chdir_root_list(live):
    import os

    os.listdir(".")


@predicts()
def stdin_isatty(live):
    import sys

    assert not sys.stdin.isatty()
    assert sys.stdin.read() == ""


@predicts()
def close_stdout(live):
    import os
    import sys

    sys.stdout = open(os.devnull, "w")
    sys.stderr = sys.stdout


@predicts()
def redirect_fd(live):
    import os

    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.dup2(null, 2)


@predicts()
def mallopt_trim(live):
    import ctypes

    ctypes.CDLL("libc.so.6").malloc_trim(0)


@predicts()
def find_library(live):
    import ctypes.util

    ctypes.util.find_library("c")


@predicts()
def compile_c(live):
    import subprocess

    subprocess.run("gcc --version", shell=True, capture_output=True)


@predicts()
def proc_mounts(live):
    for name in ("/proc/mounts", "/proc/self/cgroup"):
        with open(name) as file:
            assert file.read() is not None


@predicts(expected=fails("model_error", "/proc/", "cmdline"))
def proc_other(live):
    import os

    with open(f"/proc/{os.getppid()}/cmdline") as file:
        file.read()


# The ends of models, and what they do to their input.


@TABLE.model(fails("model_error", "the model called sys.exit(0)"))
def sys_exit_zero(live):
    import sys

    sys.exit(0)


@TABLE.model(fails("model_crashed", "ended with exit status 0 before it returned predictions"))
def os_exit_zero(live):
    import os

    os._exit(0)


@TABLE.model(fails("model_crashed", "closed the pipe of its responses"))
def closefds(live):
    import os

    os.closerange(3, 256)
    return frame(live)


@TABLE.model(ok())
def random_seed_global(live):
    import random

    import numpy
    import pandas

    random.seed(0)
    numpy.random.seed(0)
    return pandas.DataFrame({"prediction": numpy.random.rand(len(live))}, index=live.index)


@predicts()
def warnings_as_errors(live):
    import warnings

    warnings.simplefilter("error")
    live = live.copy()
    live["x"] = 1


@TABLE.model(invalid("none of the", "the index holds 0, 1, 2"))
def change_input_in_place(live):
    live.drop(columns=["era"], inplace=True)
    live.index = range(len(live))
    return frame(live)


@predicts()
def fillna_in_place(live):
    live.fillna({"era": "0"}, inplace=True)


@predicts()
def pandas_options(live):
    import pandas

    pandas.set_option("mode.copy_on_write", True)
    pandas.set_option("display.max_rows", 3)
    print(live.iloc[:2, :2])


@TABLE.model(ok())
def future_infer_string(live):
    import pandas

    pandas.set_option("future.infer_string", True)
    return frame(live.copy())
