"""`numerai-predict submit`: one submission a round and model, and a message for what is wrong."""

import json

import numpy as np
import pytest


def test_a_csv_becomes_the_rounds_submission_and_the_same_bytes_nothing_more(
    practice, numerai, csv
):
    name = practice.model()
    first = numerai("submit", csv(), "--model-name", name)
    assert first.code == 0, first.log
    assert "submitted to round" in first.verdict
    again = numerai(
        "submit", csv(), "--model-name", name, XDG_STATE_HOME="/nonexistent/../tmp/other"
    )
    assert again.code == 0, again.log
    assert "nothing was done" in again.verdict
    assert len(practice.submissions(name)) == 1


def test_other_bytes_need_replace(practice, numerai, csv):
    name = practice.model()
    assert numerai("submit", csv(), "--model-name", name).code == 0
    other = csv("other.csv", scale=0.5)
    refused = numerai("submit", other, "--model-name", name)
    assert refused.code == 84
    assert "--replace" in refused.verdict
    assert len(practice.submissions(name)) == 1
    replaced = numerai("submit", other, "--model-name", name, "--replace")
    assert replaced.code == 0, replaced.log
    assert [row["selected"] for row in practice.submissions(name)] == [True, False]


def test_a_result_record_is_as_good_as_its_csv(practice, numerai, csv, tmp_path):
    import hashlib

    path, name = csv(), practice.model()
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    record = tmp_path / "result.json"
    record.write_text(json.dumps({"predictions": {"path": str(path), "sha256": sha256}}))
    assert numerai("submit", record, "--model-name", name).code == 0
    assert practice.submissions(name)[0]["sha256"] == sha256


def test_an_unknown_model_lists_those_of_the_account_before_any_upload(practice, numerai, csv):
    before = practice.store.row("SELECT COUNT(*) AS n FROM tickets")
    ended = numerai("submit", csv(), "--model-name", "practice_on")
    assert ended.code == 83
    assert "practice_one" in ended.verdict
    assert "practice_two" in ended.verdict
    assert practice.store.row("SELECT COUNT(*) AS n FROM tickets") == before


def test_a_closed_round_is_reported_before_any_work(practice, numerai, csv):
    path, name = csv(), practice.model()
    practice.open_weekday_round()
    practice.advance(hours=1)
    before = practice.store.row("SELECT COUNT(*) AS n FROM tickets")
    ended = numerai("submit", path, "--model-name", name)
    assert ended.code == 81
    assert "closed at" in ended.verdict
    assert "data " not in ended.log
    assert practice.store.row("SELECT COUNT(*) AS n FROM tickets") == before


def test_predictions_of_another_round_are_stopped_by_the_gates(practice, numerai, csv):
    path, name = csv(), practice.model()
    practice.open_round()
    ended = numerai("submit", path, "--model-name", name)
    assert ended.code == 80
    assert "round: none of the 1,000 live ids of this round has a prediction" in ended.log
    assert practice.submissions(name) == []


def test_the_reasons_of_all_gates_that_block_are_reported_at_once(practice, numerai, csv, live):
    name = practice.model()
    values = live["feature_sample_0007"].to_numpy(float).copy() / 4
    values[0], values[1] = np.nan, np.inf
    ended = numerai("submit", csv(values=values), "--model-name", name)
    assert ended.code == 80
    assert "DRIFT_GUARD_ABORT" in ended.verdict
    for reason in ("NaN: 1 of", "infinity: 1", "coverage: 99", "exposure: 1.000 to feature_"):
        assert reason in ended.log
    assert practice.submissions(name) == []


@pytest.mark.parametrize(
    ("content", "words"),
    [("", "expected a CSV"), ("{}", "expected a CSV"), ("id,prediction\n", "coverage: 0.00%")],
)
def test_a_file_without_predictions_is_reported(practice, numerai, tmp_path, content, words):
    path = tmp_path / "bad.csv"
    path.write_text(content)
    ended = numerai("submit", path, "--model-name", "practice_one")
    assert ended.code in (80, 85)
    assert words in ended.log


def test_a_pickle_is_answered_with_the_command_that_runs_it(practice, numerai, tmp_path):
    path = tmp_path / "my.pkl"
    path.write_bytes(b"no csv")
    ended = numerai("submit", path, "--model-name", practice.model())
    assert ended.code == 85
    assert f"numerai-predict round {path} --model-name NAME" in ended.verdict
