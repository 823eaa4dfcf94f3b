"""The error of a model that raises quotes its own lines and says what to do next."""

import numpy as np
import pandas as pd
import pytest


def ranks(live_features):
    values = live_features["feature_sample_0000"].rank(pct=True, method="first")
    return values.to_frame("prediction")


def helper(value):
    raise ValueError(f"cannot use {value}")


def test_a_model_that_raises_is_shown_its_own_lines_alone(run_model):
    def predict(live_features):
        return helper("this")

    run = run_model(predict).fails_as(
        "model_error", "ValueError: cannot use this", "Traceback of the model", "--debug"
    )
    message = run.record["message"]
    assert f'"{__file__}", line ' in message
    assert "in predict" in message
    assert "in helper" in message
    assert message.count("  File ") == 2
    for runners in ("numerai_predict", "child", "_timed", "pickle.py"):
        assert runners not in message.replace(__file__, "")
    assert all(line in run.text for line in message.splitlines()[1:])


def test_debug_shows_the_whole_traceback(run_model):
    def predict(live_features):
        return helper("this")

    run = run_model(predict, "--debug").fails_as("model_error", "cannot use this")
    assert "Traceback (most recent call last)" in run.text
    assert "child/main.py" in run.text


def test_of_a_library_that_raises_one_frame_is_shown_under_the_models_own(run_model):
    def predict(live_features):
        return pd.concat([])

    message = run_model(predict).fails_as("model_error", "No objects").record["message"]
    assert message.count("  File ") == 2
    assert "pandas" in message.splitlines()[-2]


def test_a_message_of_many_lines_is_shown_whole(run_model):
    def predict(live_features):
        raise RuntimeError("first\nsecond\nthird")

    run = run_model(predict).fails_as("model_error", "first", "second", "third")
    assert "first" in run.lines[-1]


@pytest.mark.parametrize(
    "use",
    [
        pytest.param(lambda f: f[["feature_of_another_version"]], id="a list"),
        pytest.param(lambda f: f["feature_of_another_version"], id="one"),
    ],
)
def test_a_feature_that_the_data_lacks_points_to_the_version_of_the_data(run_model, use):
    def predict(live_features):
        return use(live_features)

    run_model(predict).fails_as(
        "model_error", "feature_of_another_version", "data version", "--dataset"
    )


def test_a_list_of_missing_features_is_counted_on_the_verdict_line_and_whole_in_the_record(
    run_model,
):
    names = [f"feature_of_2019_{number:03}" for number in range(42)]

    def predict(live_features):
        return live_features[names]

    ended = run_model(predict)
    ended.fails_as("model_error", "42 of 42 features missing, such as feature_of_2019_000, ")
    assert names[41] in ended.record["message"]
    assert names[41] not in ended.text
    with_debug = run_model(predict, "--debug")
    assert names[41] in with_debug.text


def test_a_lightgbm_model_of_other_features_points_to_the_version_of_the_data(run_model, sample):
    import lightgbm

    train = pd.read_parquet(sample / "train.parquet").filter(like="feature_")
    data = lightgbm.Dataset(train, np.arange(len(train)))
    model = lightgbm.train({"verbose": -1, "num_threads": 1}, data, num_boost_round=2)

    def predict(live_features):
        return model.predict(live_features[["feature_sample_0000", "feature_sample_0001"]])

    run_model(predict).fails_as("model_error", "features", "data version")


@pytest.mark.parametrize("status", [0, 1])
def test_a_call_of_sys_exit_is_an_error(run_model, status):
    def predict(live_features):
        import sys

        sys.exit(status)

    run_model(predict).fails_as("model_error", f"sys.exit({status})", "remove the call")


def test_an_exception_that_cannot_be_shown_is_an_error_like_another(run_model):
    class Shy(Exception):
        def __str__(self):
            raise RuntimeError

    def predict(live_features):
        raise Shy

    run_model(predict).fails_as("model_error", "Shy", "cannot be shown")


def test_a_recursion_without_end_is_an_error_with_a_short_traceback(run_model):
    def predict(live_features):
        return predict(live_features)

    run = run_model(predict).fails_as("model_error", "RecursionError")
    assert len(run.lines) < 1000


def test_an_interrupt_that_the_model_raises_is_the_models_error(run_model):
    def predict(live_features):
        raise KeyboardInterrupt

    run_model(predict).fails_as("model_error", "KeyboardInterrupt")


def test_terminal_escapes_in_an_exception_do_not_reach_the_terminal(run_model):
    def predict(live_features):
        raise ValueError("\x1b[2J\x1b]0;owned\x07\x9b31m gone")

    run = run_model(predict).fails_as("model_error", "gone")
    assert not set("\x1b\x07\x9b") & set(run.text)


def test_terminal_escapes_in_returned_values_do_not_reach_the_terminal(run_model):
    def predict(live_features):
        return pd.DataFrame({"\x1b[2Ja": 1, "b": 2}, index=live_features.index)

    run = run_model(predict).fails_as("invalid_predictions", "2 columns")
    assert "\x1b" not in run.text


def test_characters_that_utf_8_lacks_break_nothing(run_model):
    def predict(live_features):
        raise ValueError("half a pair \ud800")

    run_model(predict).fails_as("model_error", "half a pair")
