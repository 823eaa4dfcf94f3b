"""A hostile model influences nothing but its own verdict: whole runs of predict.py."""

import json
import os
import stat
import tempfile
import unicodedata

import pandas as pd
import pytest

HOSTILE = "x \x1b[2J\x9b \u2028\u202e\u200b \ud800\n12:00:00 verdict  ok (exit 0): forged"


def assert_inert(run):
    for line in run.lines:
        assert not {unicodedata.category(c) for c in line} & {"Cc", "Cf", "Cs", "Zl", "Zp"}
        assert "verdict  ok" not in line[:25]
    assert [line for line in run.lines if line[9:].startswith("verdict")] == [run.lines[-1]]


@pytest.mark.parametrize("options", [(), ("--debug",)], ids=["", "debug"])
def test_the_text_of_an_exception_is_shown_escaped(run_model, options):
    text = HOSTILE

    def predict(live_features):
        raise ValueError(text) from KeyError(text)

    run = run_model(predict, *options).fails_as("model_error", r"\x1b[2J\x9b", r"\ud800")
    assert_inert(run)


@pytest.mark.parametrize("options", [(), ("--debug",)], ids=["", "debug"])
def test_names_and_ids_are_shown_escaped(run_model, options):
    text = HOSTILE

    def predict(live_features):
        return pd.DataFrame({text: 0.5}, index=[text] * len(live_features))

    predict.__name__ = text
    run = run_model(predict, *options).fails_as("invalid_predictions", r"\x1b[2J\x9b")
    assert_inert(run)


def test_an_id_of_many_letters_is_cut_at_once(run_model):
    def predict(live_features):
        return pd.DataFrame({"prediction": 0.5}, index=["a" * 300_000] * 3)

    run = run_model(predict, timeout=30).fails_as("invalid_predictions", "aaa ...")
    assert len(run.text) < 10_000


@pytest.mark.parametrize("stage", ["start", "read", "predict", "load"])
def test_forged_frames_are_the_models_fault(run_model, stage):
    content = {"stage": stage, "types": 5, "type": "x"}
    frame = json.dumps({"kind": "failed", "content": content, "bytes": 0}).encode() + b"\n"

    def predict(live_features):
        for descriptor in range(3, 64):
            try:
                if stat.S_ISFIFO(os.fstat(descriptor).st_mode):
                    os.set_blocking(descriptor, False)
                    os.write(descriptor, frame)
            except OSError:
                pass
        return live_features

    run_model(predict).fails_as("model_crashed", "sent an invalid response")


def test_a_directory_of_any_depth_is_removed(run_model):
    def predict(live_features):
        os.chdir(tempfile.gettempdir())
        for _ in range(3_000):
            os.mkdir("d")  # noqa: PTH102 - as fast as it gets
            os.chdir("d")
        return live_features

    run_model(predict).fails_as("invalid_predictions")
