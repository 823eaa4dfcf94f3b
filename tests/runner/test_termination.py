"""SIGTERM ends a run at once, at any point, and leaves neither processes nor temporary files.

Each point would last for minutes if the signal were not obeyed: the tests need no exact times.
`make bench_termination` measures them.
"""

import contextlib
import lzma
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from numerai_predict.resources.process_tree import descendants

pytestmark = [pytest.mark.server, pytest.mark.process]

ROOT = Path(__file__).parents[2]
COMMAND = "from numerai_predict.cli.main import main; raise SystemExit(main())"
SECONDS = 5  # of a loaded machine; without the signal each of them takes minutes
FLEET_SECONDS = 20  # Ray's processes end too


class SleepsWhenLoaded:
    """A pickle that sleeps while it is unpickled."""

    def __reduce__(self):
        return time.sleep, (600,)


def ranks(live_features):
    values = live_features["feature_sample_0000"].rank(pct=True, method="first")
    return values.to_frame("prediction")


def sleeps(live_features):
    print("running", flush=True)
    time.sleep(600)


def ignores_signals(live_features):
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    os.fork()
    print("running", flush=True)
    while True:
        time.sleep(1)


@pytest.fixture
def silent():
    """A server that takes connections and never responds; an event for the first one."""
    reached, connections = threading.Event(), []
    listener = socket.create_server(("127.0.0.1", 0))

    def accept():
        with contextlib.suppress(OSError):
            while True:
                connections.append(listener.accept()[0])
                connections[-1].recv(1)
                reached.set()

    threading.Thread(target=accept, daemon=True).start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}", reached
    listener.close()
    for connection in connections:
        connection.close()


@pytest.fixture
def terminated(clean_environment, tmp_path):
    """Start a command, wait until it is where it should be, send SIGTERM; what it printed."""

    def run(argv, is_there, seconds=SECONDS, **environment):
        process = subprocess.Popen(
            list(map(str, argv)),
            env={**clean_environment, **environment},
            stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            text=True,
            cwd=tmp_path,
        )
        lines = []
        reader = threading.Thread(target=lambda: lines.extend(process.stderr))
        reader.start()
        until = time.monotonic() + 60
        while not is_there(lines):
            assert process.poll() is None, lines
            assert time.monotonic() < until, lines
            time.sleep(0.02)
        started = descendants(process.pid).processes
        process.terminate()
        ended = process.wait(timeout=seconds)
        assert ended in (-signal.SIGTERM, 128 + signal.SIGTERM), lines
        reader.join(seconds)
        process.stderr.close()
        assert [each for each in started if is_running(each)] == []
        return "".join(lines)

    return run


def is_running(number):
    try:
        state = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in "ZX"


@pytest.fixture
def left(clean_environment, tmp_path):
    """The names of what a run left: temporary files and predictions."""
    folders = (Path(clean_environment["TMPDIR"]), tmp_path / "output")
    return lambda: [sorted(path.name for path in folder.iterdir()) for folder in folders]


def reached(event):
    return lambda _: event.is_set()


def printed(words):
    return lambda lines: any(words in line for line in lines)


def test_while_the_model_is_fetched(command, terminated, left, silent):
    url, event = silent
    terminated(command(f"{url}/m.pkl"), reached(event))
    assert left() == [[], []]


def test_while_a_body_drips(command, terminated, left, web):
    web.replies["/m.pkl"] = web.reply(headers={"Content-Length": "9999"}, drip_seconds=0.1)
    terminated(command(f"{web.url}/m.pkl"), lambda _: bool(web.requests))
    assert left() == [[], []]


def test_while_an_object_of_s3_is_fetched(command, terminated, left, silent):
    url, event = silent
    keys = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", "AWS_ENDPOINT_URL_S3": url}
    keys["AWS_DEFAULT_REGION"] = "us-east-1"
    terminated(command("s3://bucket/m.pkl"), reached(event), **keys)
    assert left() == [[], []]


def test_while_live_data_are_fetched(command, terminated, left, silent):
    url, event = silent
    terminated(command(ranks, "--dataset", f"{url}/live.parquet"), reached(event))
    assert left() == [[], []]


def test_while_the_model_is_unpickled(command, terminated, left):
    terminated(command(SleepsWhenLoaded()), printed("sandbox"))
    assert left() == [[], []]


@pytest.mark.parametrize("model", [sleeps, ignores_signals])
def test_while_the_model_runs(command, terminated, left, model):
    terminated(command(model), printed("running"))
    assert left() == [[], []]


@pytest.mark.slow
@pytest.mark.parametrize("moment", range(12))
def test_at_any_moment_of_a_run(command, clean_environment, left, moment):
    """Also while it is inspected, while predictions are validated and while they are saved."""
    process = subprocess.Popen(command(ranks), env=clean_environment, stderr=subprocess.DEVNULL)
    time.sleep(0.15 * moment)
    started = descendants(process.pid).processes
    process.terminate()
    assert process.wait(timeout=SECONDS) in (-signal.SIGTERM, 0)
    assert [each for each in started if is_running(each)] == []
    assert left()[0] == []


def test_while_a_packed_pickle_of_terabytes_is_unpacked(command, terminated, left, tmp_path):
    path = tmp_path / "bomb.pkl.xz"
    path.write_bytes(lzma.compress(b"\x80\x05" + b"]0" * 50_000_000, preset=1))
    terminated(command(path, "--memory", "2g"), printed("fetch"))
    assert left() == [[], []]


def test_while_predictions_are_uploaded(command, terminated, left, silent):
    url, event = silent
    upload = ("--post_url", f"{url}/bucket", "--post_data", "key=p.csv")
    terminated(command(ranks, *upload), reached(event))
    temporary, saved = left()
    assert temporary == []
    assert len(saved) == 1, "the predictions are saved before the upload"


def test_a_round_that_waits_for_the_tournament(terminated, silent, pickle_model):
    url, event = silent
    keys = {"NUMERAI_API_URL": url, "NUMERAI_PUBLIC_ID": "A", "NUMERAI_SECRET_KEY": "B"}
    argv = [sys.executable, "-c", COMMAND, "round", pickle_model(ranks), "--model-name", "m"]
    terminated(argv, reached(event), **keys)


def test_a_delivery_that_waits_for_the_server(terminated, silent, tmp_path):
    url, event = silent
    (tmp_path / "p.csv").write_text("id,prediction\na,0.5\n")
    argv = [sys.executable, "-c", COMMAND, "deliver", tmp_path / "p.csv"]
    argv += ["--post-url", f"{url}/bucket", "--post-data", "key=p.csv"]
    terminated(argv, reached(event))


@pytest.mark.ray
@pytest.mark.slow
@pytest.mark.timeout(180)
def test_a_fleet_whose_model_runs(terminated, clean_environment, pickle_model, sample, tmp_path):
    model = pickle_model(sleeps)
    (tmp_path / "manifest.jsonl").write_text(f'{{"id": "m", "model": "{model}"}}\n')
    argv = [sys.executable, "-c", COMMAND, "fleet", "run", tmp_path / "manifest.jsonl"]
    argv += ["--output-dir", tmp_path / "out", "--dataset", sample / "live.parquet"]
    argv += ["--benchmarks", sample / "live_benchmark_models.parquet"]
    (tmp_path / "out").mkdir()
    shown = terminated(argv, printed("running"), FLEET_SECONDS, TMPDIR="/tmp")
    assert "stopped  by SIGTERM" in shown
