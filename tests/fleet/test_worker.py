"""A worker gives every model its own process, and the same result as a single run."""

import contextlib
import os
import signal
import stat
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from fleets import wait_until

from numerai_predict.contract.limits import Limits
from numerai_predict.fleet.pool.actor import TaskLost
from numerai_predict.fleet.worker.preload import preload
from numerai_predict.resources.process_tree import descendants
from numerai_predict.runner.supervisor.launch import minimal_environment


def ranks(live):
    values = live["feature_sample_0000"].rank(pct=True, method="first")
    return values.to_frame("prediction")


def predict(live_features):
    return ranks(live_features)


def predict_with_benchmarks(live_features, live_benchmark_models):
    own = live_features.index
    return live_benchmark_models.iloc[:, 0].reindex(own).rank(pct=True).to_frame("prediction")


def prints(function):
    """A model that prints what the function returns."""

    def predict(live_features):
        print("PRINTED", function(live_features), flush=True)
        return ranks(live_features)

    return predict


def printed(outcome):
    lines = outcome.log.decode().splitlines()
    return [line.partition("PRINTED ")[2] for line in lines if "PRINTED " in line]


@pytest.mark.parametrize("model", [predict, predict_with_benchmarks])
def test_predictions_are_those_of_a_single_run(run, run_model, model):
    outcome = run(model)
    assert outcome.record["verdict"] == "ok", outcome
    single = run_model(model)
    single.succeeds()
    assert outcome.csv == single.predictions[0].read_bytes()
    same = ("min", "max", "std", "rows", "sha256")
    for key in same:
        assert outcome.record["predictions"][key] == single.record["predictions"][key]
    assert outcome.record["model"]["arity"] == single.record["model"]["arity"]


@pytest.mark.process
def test_preloaded_frames_equal_those_that_pandas_reads(sample):
    paths = [str(sample / "live.parquet"), str(sample / "live_benchmark_models.parquet")]
    script = (
        "import sys, pandas as pd\n"
        "from numerai_predict.fleet.worker.preload import preload\n"
        "loaded = preload(*sys.argv[1:])\n"
        "for path in sys.argv[1:]:\n"
        "    pd.testing.assert_frame_equal(loaded.frames[path], pd.read_parquet(path))\n"
    )
    one = minimal_environment(os.environ, threads=1)
    subprocess.run([sys.executable, "-c", script, *paths], check=True, env=one)


def test_every_sandbox_layer_of_a_single_run_is_engaged(run, run_model):
    single = run_model(predict)
    ours = run(predict).record["sandbox"]
    assert ours.keys() == single.record["sandbox"].keys()
    missing = [name for name, words in ours.items() if "missing" in words]
    assert missing == [n for n, w in single.record["sandbox"].items() if "missing" in w]


def test_a_model_cannot_change_the_live_data_of_others(run):
    def spoil(live_features):
        predictions = ranks(live_features)
        live_features.iloc[:, 2:] = 0
        live_features.index = range(len(live_features))
        return predictions

    before = run(predict).csv
    assert run(spoil).csv == before
    assert run(predict).csv == before


def test_changes_to_the_model_process_do_not_reach_the_next_model(run):
    def leave_traces(live_features):
        import builtins
        import os
        import sys
        import tempfile

        import numpy as np

        os.environ["TRACE"] = builtins.TRACE = np.trace_left = "trace"
        sys.modules["trace_left"] = np
        pd.DataFrame.rank = None
        Path(tempfile.gettempdir(), "trace").write_text("trace")
        Path("/dev/shm/trace-left").write_text("trace")
        values = np.arange(len(live_features)) / len(live_features)
        return pd.DataFrame({"prediction": values}, index=live_features.index)

    def look(_live):
        import builtins
        import os
        import sys
        import tempfile

        import numpy as np

        found = [hasattr(builtins, "TRACE"), hasattr(np, "trace_left"), "TRACE" in os.environ]
        files = [*Path(tempfile.gettempdir()).iterdir(), *Path("/dev/shm").glob("trace*")]
        names = {file.name for file in files} - {"faults.txt", ".tmp", ".var-tmp"}
        return found, "trace_left" in sys.modules, sorted(n for n in names if "readable" not in n)

    assert run(leave_traces).record["verdict"] == "ok"
    assert printed(run(prints(look))) == ["([False, False, False], False, [])"]


def test_each_model_has_its_own_process_and_random_numbers(run):
    def numbers(_live):
        import random
        from pathlib import Path

        import numpy as np

        # In a PID namespace of its own each model process has the same number.
        begun = Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19]
        return begun, random.random(), np.random.random()

    one, other = (printed(run(prints(numbers)))[0][1:-1].split(", ") for _ in range(2))
    assert all(mine != others for mine, others in zip(one, other, strict=True))


def test_models_that_run_at_the_same_time_have_different_users(run):
    if os.geteuid() != 0:
        pytest.skip("only root can give models users")

    def who(_live):
        import os
        import time

        time.sleep(0.5)
        return os.getuid()

    found = []

    def ask(name):
        found.extend(printed(run(prints(who), name=name)))

    both = [threading.Thread(target=ask, args=(name,)) for name in ("one.pkl", "other.pkl")]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()
    assert len(set(found)) == 2
    assert "0" not in found


def test_a_model_has_one_cpu(run):
    def processors(_live):
        import os

        return len(os.sched_getaffinity(0)), os.environ["OMP_NUM_THREADS"]

    assert printed(run(prints(processors))) == ["(1, '1')"]


def raise_an_error(live_features):
    raise ValueError("no")


def crash(live_features):
    os.kill(os.getpid(), signal.SIGSEGV)


def end(live_features):
    os._exit(3)


def take_memory(live_features):
    held = []
    for _ in range(200):
        held.append(bytearray(10_000_000))
        time.sleep(0.005)


def take_time(live_features):
    while True:
        time.sleep(1)


def nothing(live_features):
    return None


def half(live_features):
    return ranks(live_features).iloc[::2]


def write_without_end(live_features):
    with open("big", "wb") as file:
        while True:
            file.write(bytes(1 << 20))


def need_a_module(live_features):
    import not_there_at_all  # noqa: F401


def reach_out(live_features):
    import socket

    socket.create_connection(("example.com", 80))


BROKEN = {
    "model_error": raise_an_error,
    "model_crashed": crash,
    "model_crashed by its exit": end,
    "out_of_memory": take_memory,
    "timeout": take_time,
    "invalid_predictions": nothing,
    "invalid_predictions of half": half,
    "missing_dependency": need_a_module,
    "model_error by the network": reach_out,
    "invalid_pickle": b"\x80\x05broken",
    "invalid_model": 42,
}
VERDICTS_OF_EXCESS = ("model_crashed", "out_of_memory", "timeout", "model_error")
SMALL = Limits(memory_bytes=700 * 1024**2, seconds=60.0)
SHORT = replace(SMALL, seconds=3.0)


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_model_ends_as_in_a_single_run(run, run_model, name):
    # Only the model that takes time reaches a limit of it, however loaded the machine is.
    limits = SHORT if name == "timeout" else SMALL
    outcome = run(BROKEN[name], limits)
    options = ("--memory", str(limits.memory_bytes), "--timeout", str(limits.seconds))
    single = run_model(BROKEN[name], *options).record
    assert outcome.record["verdict"] == single["verdict"] == name.split()[0]
    assert without_numbers(outcome.record["message"]) == without_numbers(single["message"])
    assert outcome.record["remedy"] == single["remedy"]
    assert run(predict).record["verdict"] == "ok"


def without_numbers(message):
    """The first line, without sizes and without the part that depends on what noticed first."""
    first = message.splitlines()[0].partition(", then requested more")[0]
    return "".join(letter for letter in first if not letter.isdigit())


def test_a_killed_worker_loses_its_models_and_is_replaced(new_actor, run):
    actor = new_actor()
    first = run(predict, by=actor)
    router = actor._worker._process.pid
    lost = []
    thread = threading.Thread(target=lambda: lost.append(run(take_time, by=actor)))
    thread.start()
    wait_until(lambda: len(descendants(router).processes) >= 3)  # zygote, supervisor, model
    model = descendants(router).processes
    os.kill(router, signal.SIGKILL)
    thread.join(20)
    assert isinstance(lost[0], TaskLost)
    again = run(predict, by=actor)
    assert again.csv == first.csv
    assert again.worker != first.worker
    wait_until(lambda: not any(map(is_alive, model)), 10)


def is_alive(pid):
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def test_a_killed_supervisor_loses_only_its_model_with_its_process_tree(new_actor, run):
    def start_others(live_features):
        import subprocess

        for _ in range(3):
            subprocess.Popen(["sleep", "600"], start_new_session=True)
        time.sleep(600)

    actor = new_actor()
    run(predict, by=actor)
    lost = []
    thread = threading.Thread(target=lambda: lost.append(run(start_others, by=actor)))
    thread.start()
    router = actor._worker._process.pid
    wait_until(lambda: sum(map(is_sleep, descendants(router).processes)) == 3)
    (zygote,) = children(router)
    (supervisor,) = children(zygote)
    started = descendants(supervisor).processes
    assert sum(map(is_sleep, started)) == 3
    os.kill(supervisor, signal.SIGKILL)
    thread.join(20)
    assert isinstance(lost[0], TaskLost)
    wait_until(lambda: not any(map(is_alive, started)), 10)
    assert run(predict, by=actor).worker == lost[0].worker


def is_sleep(pid):
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/comm").read_text() == "sleep\n"
    return False


def children(pid):
    path = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(child) for child in path.read_text().split()]


def test_a_worker_is_replaced_after_a_number_of_models(new_actor, run):
    actor = new_actor(models_per_worker=2)
    workers = [run(predict, by=actor).worker for _ in range(5)]
    assert len(set(workers)) == 3


def test_a_model_that_exceeds_limits_does_not_affect_models_beside_it(run, pickle_model):
    def fork_without_end(live_features):
        while True:
            try:
                if os.fork() == 0:
                    time.sleep(600)
            except OSError:
                time.sleep(0.01)

    good = run(predict)
    for bad in (fork_without_end, take_memory, write_without_end):
        ended = []
        limits = Limits(memory_bytes=1024**3, seconds=6)
        path = pickle_model(bad, "bad.pkl")  # only one thread may pickle
        thread = threading.Thread(
            target=lambda path=path, ended=ended, limits=limits: ended.append(run(path, limits))
        )
        thread.start()
        while thread.is_alive():
            neighbour = run(predict)
            assert neighbour.csv == good.csv, neighbour
            assert neighbour.ended - neighbour.started < 10
        assert ended[0].record["verdict"] in VERDICTS_OF_EXCESS, ended


def test_unreadable_data_is_reported_at_the_start(tmp_path):
    with pytest.raises(Exception, match="arquet"):
        preload(str(tmp_path / "none.parquet"), None)


def test_models_can_reach_their_directory_as_their_own_users(new_actor):
    by = new_actor()
    by.prepare()
    (scratch,) = by._directory.path.glob("files/scratch-*")
    closed = [f for f in (scratch, *scratch.parents) if not f.stat().st_mode & stat.S_IXOTH]
    assert not closed
    # They cannot list the files of other models.
    assert not by._directory.path.stat().st_mode & stat.S_IROTH
