"""`numerai-predict round`: from nothing to a valid submission, from any moment on again."""

import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time

import pandas as pd
import pytest

PROGRAM = "from numerai_predict.cli.main import main; raise SystemExit(main())"


def copies_one_feature(live_features):
    return live_features[["feature_sample_0003"]].rank(pct=True)


def returns_nan(live_features):
    frame = live_features[["feature_sample_0003"]].rank(pct=True)
    frame.iloc[3] = float("nan")
    return frame


def predicts_less(live_features):
    return (live_features.filter(like="feature_").mean(axis=1).rank(pct=True) / 2).to_frame("p")


def wants_more(live_features):
    return live_features[["feature_of_tomorrow_0001"]]


def test_a_round_is_done_and_recorded_and_done_again_does_nothing(
    practice, numerai, pickled, tmp_path
):
    name = practice.model()
    first = numerai("round", pickled(), "--model-name", name)
    assert first.code == 0, first.log
    (row,) = practice.submissions(name)
    assert row["late"] == 0
    (ledger,) = (tmp_path / "state").glob("numerai-predict/rounds/*/ledger.json")
    entry = json.loads(ledger.read_text())
    assert (entry["submission"], entry["round"]) == (row["id"], row["round"])
    assert entry["finished"].endswith("UTC")
    assert entry["figures"]["coverage"] == 1
    assert re.search(
        r"gates +passed: std 0\.\d+ of at least 1e-06, .* of at most 0\.\d+\n", first.log
    )
    record = json.loads((ledger.parent / "record.json").read_text())
    assert record["verdict"] == "ok"
    assert "seccomp" in record["sandbox"]
    again = numerai("round", pickled(), "--model-name", name)
    assert again.code == 0
    assert "already" in again.verdict
    assert "warning" not in again.log
    assert len(practice.submissions(name)) == 1


def test_of_another_pickle_it_says_that_nothing_was_sent_until_it_replaces(
    practice, numerai, pickled
):
    name = practice.model()
    assert numerai("round", pickled(), "--model-name", name).code == 0
    fixed = pickled(predicts_less, "fixed.pkl")
    kept = numerai("round", fixed, "--model-name", name)
    assert kept.code == 0
    assert "is of another pickle, not of fixed.pkl" in kept.log
    assert "ok (exit 0): nothing was sent: round" in kept.verdict
    assert "--replace sends this one" in kept.verdict
    assert len(practice.submissions(name)) == 1
    assert numerai("round", fixed, "--model-name", name, "--replace").code == 0
    assert "already" in numerai("round", fixed, "--model-name", name).verdict
    assert len(practice.submissions(name)) == 2


def test_a_submission_from_elsewhere_may_be_of_another_pickle(practice, numerai, pickled, tmp_path):
    name = practice.model()
    assert numerai("round", pickled(), "--model-name", name).code == 0
    shutil.rmtree(tmp_path / "state")
    kept = numerai("round", pickled(), "--model-name", name)
    assert kept.code == 0
    assert "nothing was sent" in kept.verdict
    assert "of an unknown pickle" in kept.verdict


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        (copies_one_feature, "exposure: 1.000 to feature_sample_0003"),
        (returns_nan, "NaN"),
    ],
)
def test_a_gate_that_blocks_submits_nothing_and_has_an_exit_code_of_its_own(
    practice, numerai, pickled, model, reason
):
    name = practice.model()
    ended = numerai("round", pickled(model), "--model-name", name)
    assert ended.code == 80
    assert "DRIFT_GUARD_ABORT" in ended.verdict
    assert reason in ended.log
    assert practice.submissions(name) == []


def test_the_limits_of_the_gates_can_be_moved(practice, numerai, pickled):
    name = practice.model()
    pickle = pickled(copies_one_feature)
    ended = numerai("round", pickle, "--model-name", name, MAX_ABS_EXPOSURE="1.01")
    assert ended.code == 0, ended.log


def test_a_model_that_fails_ends_as_it_does_with_predict_py(practice, numerai, pickled):
    ended = numerai("round", pickled(wants_more), "--model-name", practice.model())
    assert ended.code == 20
    assert "feature_of_tomorrow_0001" in ended.log


def test_the_wait_for_an_opening_is_bounded(practice, numerai, pickled):
    practice.open_weekday_round()
    practice.advance(hours=1)
    started = time.monotonic()
    ended = numerai("round", pickled(), "--model-name", practice.model(), "--wait", 2)
    assert ended.code == 81
    assert "waited 2 s" in ended.verdict
    assert time.monotonic() - started < 60


def test_a_round_that_opens_during_the_wait_is_done(practice, environment, pickled, tmp_path):
    practice.open_weekday_round()
    practice.advance(hours=1)
    name = practice.model()
    words = ["round", pickled(), "--model-name", name, "--wait", "60"]
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *map(str, words)],
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        cwd=tmp_path,
    ) as process:
        for line in process.stderr:
            if "waiting for" in line:
                practice.open_round()
                break
        process.communicate(timeout=100)
    assert process.returncode == 0
    assert len(practice.submissions(name)) == 1


@pytest.mark.parametrize("seed", range(3))
def test_killed_at_any_moment_it_ends_with_one_valid_submission(
    practice, environment, numerai, pickled, tmp_path, seed
):
    name, pickle = practice.model(), pickled()
    words = [sys.executable, "-c", PROGRAM, "round", str(pickle), "--model-name", name]
    process = subprocess.Popen(
        words, stderr=subprocess.DEVNULL, env=environment, cwd=tmp_path, start_new_session=True
    )
    time.sleep(random.Random(seed).uniform(0.3, 4))
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    ended = numerai("round", pickle, "--model-name", name)
    assert ended.code == 0, ended.log
    assert len(practice.submissions(name)) == 1


@pytest.mark.parametrize(
    ("fault", "settings"),
    [
        ("5xx", {"share": 0.3, "seed": 2}),
        ("lost", {"contains": "create_submission", "count": 1}),
        ("lost", {"place": "upload", "count": 1}),
        ("graphql", {"share": 0.2, "seed": 3}),
        ("session", {"count": 2}),
        ("slow", {"seconds": 1, "share": 0.3}),
    ],
)
def test_faults_that_pass_end_in_one_submission(practice, numerai, pickled, fault, settings):
    name = practice.model()
    practice.fault(fault, **settings)
    ended = numerai("round", pickled(), "--model-name", name, "--deadline", 90)
    practice.fault(None)
    assert ended.code == 0, ended.log
    assert len(practice.submissions(name)) == 1


@pytest.mark.parametrize(
    ("fault", "code", "words"),
    [
        ("5xx", 87, "deadline"),
        ("graphql", 87, "Internal server error"),
        ("session", 82, "session is invalid or expired"),
    ],
)
def test_permanent_faults_are_reported_and_submit_nothing(
    practice, numerai, pickled, fault, code, words
):
    name = practice.model()
    practice.fault(fault)
    ended = numerai("round", pickled(), "--model-name", name, "--deadline", 8)
    practice.fault(None)
    assert words in ended.log
    assert ended.code in (code, 50)
    assert practice.submissions(name) == []


def publish_live_data_of(practice, old, new):
    """Make the server's live data of a round those of an earlier one."""
    data = practice.folder / "data/live"
    for folder in data.glob(f"{old}-*"):
        shutil.copytree(folder, data / folder.name.replace(str(old), str(new), 1))


@pytest.mark.parametrize("command", ["round", "submit"])
def test_live_data_of_an_earlier_round_are_refused_before_the_upload(
    practice, numerai, pickled, live, command, tmp_path
):
    name = practice.model()
    csv = tmp_path / "predictions.csv"
    ranks = live["feature_sample_0003"].rank(pct=True, method="first") * 0.99
    ranks.sample(frac=1, random_state=1).set_axis(live.index).to_csv(
        csv, header=["prediction"], index_label="id"
    )
    old = practice.tournament().current_round().number
    assert numerai("data", "get", "live", "live_benchmark_models").code == 0
    publish_live_data_of(practice, old, old + 1)
    practice.open_round()
    assert practice.tournament().current_round().number == old + 1
    argument = pickled() if command == "round" else csv
    ended = numerai(command, argument, "--model-name", name)
    assert ended.code == 15, ended.log
    said = f"expected v5.2/live.parquet of round {old + 1}, found the data of round {old}"
    assert said in ended.verdict
    assert f"wait until the tournament has the live data of round {old + 1}" in ended.log
    assert practice.submissions(name) == []
    practice.open_round()  # whose live data are right again


def test_predictions_of_the_round_before_are_refused_before_the_upload(
    practice, numerai, pickled, live, tmp_path
):
    name, csv = practice.model(), tmp_path / "predictions.csv"
    pd.Series(range(len(live)), live.index).div(len(live)).to_csv(
        csv, header=["prediction"], index_label="id"
    )
    practice.open_round()
    ended = numerai("submit", csv, "--model-name", name, MIN_COVERAGE="0.01")
    assert ended.code == 80, ended.log
    assert "round: none of the 1,000 live ids of this round has a prediction" in ended.log
    assert practice.submissions(name) == []
