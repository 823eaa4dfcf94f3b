"""`numerai-predict practice` and `data`, as they are typed."""

import json
import os
import signal
import subprocess
import sys

import pytest

PROGRAM = "from numerai_predict.cli.main import main; raise SystemExit(main())"


@pytest.fixture
def command(clean_environment, tmp_path):
    folder = tmp_path / "practice"

    def run(*words, **variables):
        return subprocess.run(
            [sys.executable, "-c", PROGRAM, *map(str, words)],
            capture_output=True,
            text=True,
            timeout=110,
            cwd=tmp_path,
            env={**clean_environment, "XDG_STATE_HOME": str(tmp_path), **variables},
        )

    yield lambda name, *words: run("practice", name, "--state-dir", folder, *words)
    run("practice", "stop", "--state-dir", folder)


SMALL = ("--port", 0, "--live-rows", 50, "--rows", 10, "--train-eras", 2, "--feature-count", 50)


def test_it_is_started_driven_and_stopped(command, tmp_path):
    started = command("start", *SMALL, "--model-name", "mine")
    assert started.returncode == 0, started.stderr
    assert "is open until" in started.stderr
    assert "models   mine" in started.stderr
    again = command("start", *SMALL)
    assert again.returncode == 0
    assert "was already running without practice_one" in again.stderr
    folder = tmp_path / "practice"
    assert command("env").stdout == (
        f"set -a; . {folder}/practice.env; NUMERAI_DATA_DIR={folder}/snapshots; set +a\n"
    )
    closed = command("clock", "--advance", "2d")
    assert " closed 20" in closed.stderr or "is open" in closed.stderr
    assert "is open until" in command("clock", "--open").stderr
    summer, here = command("clock", "--to", "2030-07-02T12:30").stderr.splitlines()[:2]
    assert "2030-07-02 12:30 UTC is the server's time: round " in summer
    assert "is open until 2030-07-02 13:00 UTC, the next opens 2030-07-03 12:00 UTC" in summer
    assert "by this machine's clock, as in `rounds`: round " in here
    assert "2030-07-0" not in here
    real = command("clock", "--real").stderr
    assert "by this machine's clock" not in real
    assert '"kind": "5xx"' in command("fault", "5xx", "--share", "0.5").stderr
    assert "no fault is on" in command("fault", "off").stderr
    facts = json.loads(command("status", "--json").stdout)
    assert (facts["models"], facts["fault"]) == (["mine"], None)
    assert "stakes   mine 2.5000 NMR" in command("stake", "2.5").stderr
    unknown = command("stake", "2.5", "--model-name", "yours")
    assert unknown.returncode == 83
    assert "expected models among mine, found yours" in unknown.stderr
    assert command("stop").returncode == 0
    completed = command("status")
    assert completed.returncode == 87
    assert completed.stdout == ""
    assert "practice start" in completed.stderr


def test_one_that_was_killed_is_started_again(command, tmp_path):
    assert command("start", *SMALL).returncode == 0
    pid = json.loads((tmp_path / "practice/server.json").read_text())["pid"]
    os.kill(pid, signal.SIGKILL)
    assert command("status").returncode == 87
    assert command("start", *SMALL).returncode == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("start", "--feature-count", "3"), "expected at least 42 features"),
        (("clock", "--advance", "soon"), "expected a span like 30m"),
        (("clock", "--to", "tomorrow"), "expected a time like"),
        (("fault", "nonsense"), "invalid choice"),
        (("restart",), "did you mean start?"),
    ],
)
def test_bad_options_are_said(command, words, said):
    ended = command(*words)
    assert ended.returncode in (2, 87)
    assert said in ended.stderr
