"""A model process that crashes or does not exit ends the run with a verdict, and cleanly."""

import contextlib
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest


def ranks(live_features):
    values = live_features["feature_sample_0000"].rank(pct=True, method="first")
    return values.to_frame("prediction")


class Calling:
    """An object whose unpickling calls a function."""

    def __init__(self, function, *arguments):
        self.reduced = (function, arguments)

    def __reduce__(self):
        return self.reduced


def name_process(name):
    """Name the process for the outside: in a PID namespace its number is another one."""
    import ctypes

    ctypes.CDLL(None).prctl(15, name.encode())  # PR_SET_NAME


def living(name):
    """The ids of all living processes of that name."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            stat = (process / "stat").read_text()
            if f"({name})" in stat and "Z" not in stat.rpartition(")")[2]:
                found.append(int(process.name))
    return found


def says_its_name(live_features):
    name_process("stays")
    print("this is the model", flush=True)
    time.sleep(3600)


def wait_until_named(started):
    """Wait until the model of a run has a name; its process is alive then."""
    assert any("this is the model" in line for line in started.stderr)
    assert living("stays")


def wait_for(condition):
    for _ in range(500):
        if condition():
            return True
        time.sleep(0.02)
    return False


@pytest.mark.parametrize("status", [0, 3])
def test_os_exit_is_a_crash_that_names_the_status(run_model, status):
    run_model(lambda live_features: os._exit(status)).fails_as(
        "model_crashed", f"exit status {status}", "os._exit"
    )


def test_os_exit_while_the_pickle_loads_is_a_crash(run_model):
    run = run_model(pickle.dumps(Calling(os._exit, 0)))
    run.fails_as("model_crashed", "exit status 0")
    assert run.record["model"]["arity"] is None


def test_sys_exit_while_the_pickle_loads_is_the_models_error(run_model):
    run_model(pickle.dumps(Calling(sys.exit, 0))).fails_as("model_error", "sys.exit(0)")


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (signal.SIGSEGV, ["SIGSEGV", "another Python", "image"]),
        (signal.SIGKILL, ["SIGKILL", "memory"]),
        (signal.SIGABRT, ["SIGABRT", "aborted", "last lines"]),
        (signal.SIGBUS, ["SIGBUS", "--shm-size"]),
        (signal.SIGALRM, ["SIGALRM", "a timer that the model set", "--timeout"]),
        (signal.SIGXCPU, ["SIGXCPU", "CPU time"]),
        (signal.SIGTERM, ["SIGTERM", "the model or another process", "os.kill"]),
    ],
)
def test_a_crash_by_a_signal_names_it_and_the_most_likely_cause(run_model, number, words):
    run_model(lambda live_features: os.kill(os.getpid(), number)).fails_as(
        "model_crashed", "most likely cause", *words
    )


def test_closed_standard_streams_do_no_harm(run_model):
    def predict(live_features):
        for descriptor in range(3):
            os.close(descriptor)
        return ranks(live_features)

    run_model(predict).succeeds()


def test_a_model_that_closes_every_descriptor_is_reported(run_model):
    def predict(live_features):
        os.closerange(0, 1000)
        return ranks(live_features)

    run_model(predict).fails_as("model_crashed", "descriptors")


def test_a_model_that_closes_every_descriptor_and_keeps_running_is_reported(run_model):
    def predict(live_features):
        os.closerange(0, 1000)
        time.sleep(3600)

    run_model(predict).fails_as("model_crashed", "closed the pipe", "descriptors")


def test_garbage_on_the_runners_pipe_is_a_crash_with_a_reason(run_model):
    def predict(live_features):
        for descriptor in range(3, 30):
            with contextlib.suppress(OSError):
                os.write(descriptor, b"garbage\n")
        return ranks(live_features)

    run_model(predict).fails_as("model_crashed", "not JSON", "descriptors")


def test_threads_that_never_end_do_not_hold_the_run_up(run_model):
    def predict(live_features):
        threading.Thread(target=time.sleep, args=(3600,)).start()
        return ranks(live_features)

    run_model(predict).succeeds()


def test_exit_hooks_of_the_model_are_not_run(run_model):
    def predict(live_features):
        import atexit

        atexit.register(time.sleep, 3600)
        return ranks(live_features)

    run_model(predict).succeeds()


@pytest.mark.parametrize("new_session", [False, True], ids=["in its group", "in its own session"])
def test_a_descendant_that_holds_the_pipes_neither_delays_nor_outlives_the_run(
    run_model, new_session
):
    def predict(live_features):
        started, written = os.pipe()
        if not os.fork():
            name_process("descendant")
            if new_session:
                os.setsid()
            os.write(written, b"started")
            time.sleep(3600)
        os.read(started, 7)
        return ranks(live_features)

    run_model(predict).succeeds()
    try:
        assert wait_for(lambda: not living("descendant")), "the descendant is still alive"
    finally:
        for pid in living("descendant"):
            os.kill(pid, signal.SIGKILL)


@pytest.fixture
def interruptible():
    """Have what the test starts listen to Ctrl-C, also where the suite runs in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_run_the_model_and_its_temporary_files(
    command, clean_environment, tmp_path, number, interruptible
):
    started = subprocess.Popen(
        command(says_its_name), stderr=subprocess.PIPE, text=True, env=clean_environment
    )
    with started:
        wait_until_named(started)
        started.send_signal(number)
        _, stderr = started.communicate(timeout=30)
    assert started.returncode == -number
    assert number.name in stderr.splitlines()[-1]
    assert not living("stays")
    assert list(Path(clean_environment["TMPDIR"]).iterdir()) == []
    assert list((tmp_path / "output").iterdir()) == []


def test_the_model_process_ends_with_a_runner_that_is_killed(command, clean_environment):
    with subprocess.Popen(
        command(says_its_name), stderr=subprocess.PIPE, text=True, env=clean_environment
    ) as started:
        wait_until_named(started)
        started.kill()
    assert wait_for(lambda: not living("stays"))


def test_secrets_of_the_environment_are_not_the_models(run_model):
    def predict(live_features):
        for name, value in sorted(os.environ.items()):
            print(name, value)
        print("home", Path.home(), "here", Path.cwd())
        return ranks(live_features)

    run = run_model(
        predict,
        environment={
            "AWS_SECRET_ACCESS_KEY": "SECRET",
            "NUMERAI_SECRET_KEY": "SECRET",
            "NUMERAI_PUBLIC_ID": "SECRET",
            "PYTHONPATH": "SECRET",
            "OMP_NUM_THREADS": "1",
        },
    )
    run.succeeds()
    names = {line.split()[0] for line in run.model_lines}
    assert {"OMP_NUM_THREADS", "HOME", "TMPDIR", "PATH"} <= names
    assert not any(name.startswith(("AWS_", "NUMERAI_", "PYTHON")) for name in names)
    assert "SECRET" not in run.text
    assert "numerai-model-" in run.model_lines[-1].partition(" here ")[2]


def test_the_model_cannot_import_from_beside_the_runner(run_model, contract):
    """A file of the repository must not stand in for a library of the model's."""

    def predict(live_features):
        import sys

        print("last", sys.path[-1], "here" if "" in sys.path else "elsewhere")
        return ranks(live_features)

    run = run_model(predict)
    run.succeeds()
    assert run.model_lines[-1].endswith(f"last {contract.root} elsewhere")


def test_standard_input_is_empty_and_does_not_block_the_model(run_model):
    def predict(live_features):
        import sys

        print("read", repr(sys.stdin.read()))
        return ranks(live_features)

    run = run_model(predict)
    run.succeeds()
    assert run.model_lines[-1].endswith("read ''")
