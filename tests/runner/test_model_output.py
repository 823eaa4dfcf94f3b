"""What a model prints is shown, marked as the model's, and limited in size."""

import logging
import os
import sys
import warnings

import pytest

from numerai_predict.runner.supervisor.model_output import ModelOutput


def ranks(live_features):
    values = live_features["feature_sample_0000"].rank(pct=True, method="first")
    return values.to_frame("prediction")


def test_everything_that_the_model_writes_is_shown_as_the_models(run_model):
    def predict(live_features):
        print("printed")
        print("to error", file=sys.stderr)
        os.write(1, b"raw one\n")
        os.write(2, b"raw two\n")
        warnings.warn("warned", UserWarning, stacklevel=1)
        logging.warning("logged")
        print("without an end", end="")
        return ranks(live_features)

    run = run_model(predict)
    run.succeeds()
    assert {"printed", "to error", "raw one", "raw two", "without an end"} <= set(run.model_lines)
    assert any("UserWarning: warned" in line for line in run.model_lines)
    assert any("logged" in line for line in run.model_lines)


def test_output_before_an_error_is_shown_before_the_verdict(run_model):
    def predict(live_features):
        print("so far")
        raise ValueError

    run = run_model(predict).fails_as("model_error", "ValueError")
    assert "so far" in run.model_lines


def test_what_a_c_library_leaves_in_its_buffer_is_shown(run_model):
    def predict(live_features):
        import ctypes

        ctypes.CDLL(None).puts(b"from C")
        return ranks(live_features)

    run = run_model(predict)
    run.succeeds()
    assert "from C" in run.model_lines


def test_a_model_may_replace_its_streams(run_model):
    def predict(live_features):
        sys.stdout = sys.stderr = None
        return ranks(live_features)

    run_model(predict).succeeds()


def test_of_a_hundred_megabytes_the_start_is_shown_and_the_rest_counted(run_model):
    def predict(live_features):
        for number in range(100):
            print(f"{number} {'x' * 99}\n" * 10_000, end="")
        return ranks(live_features)

    run = run_model(predict)
    run.succeeds()
    assert run.model_lines[0].startswith("0 xxx")
    assert "not shown" in run.model_lines[-1]
    assert "MiB more" in run.model_lines[-1]
    assert len(run.text) < 200_000


def test_terminal_escapes_are_not_passed_on(run_model):
    def predict(live_features):
        print("\x1b[31mred\x1b[0m \x1b]0;title\x07 \x9b2J bell\x07 back\x08 end")
        return ranks(live_features)

    run = run_model(predict)
    run.succeeds()
    assert not set("\x1b\x07\x08\x9b") & set(run.text)
    assert run.model_lines[0].startswith("red ")
    assert run.model_lines[0].endswith("end")


def test_a_model_cannot_forge_the_verdict(run_model):
    def predict(live_features):
        print("00:00:00 verdict  ok (exit 0)")
        return

    run = run_model(predict).fails_as("invalid_predictions")
    assert [line for line in run.lines if "| 00:00:00 verdict" in line]


@pytest.fixture
def shown():
    return []


@pytest.fixture
def output(shown):
    return ModelOutput(shown.append)


def test_lines_are_put_together_from_chunks(output, shown):
    for chunk in (b"on", b"e\ntw", b"o\n", b"", b"three"):
        output.feed(chunk)
    assert shown == ["one", "two"]
    output.finish()
    assert shown == ["one", "two", "three"]


def test_of_a_progress_bar_the_last_state_is_shown(output, shown):
    output.feed(b"\r 10%\r 50%\r100%\nnext\r\n")
    assert shown == ["100%", "next"]


def test_bytes_that_are_no_text_are_shown_as_replaced(output, shown):
    output.feed(b"caf\xc3\xa9 \xff\n")
    assert shown == ["café \N{REPLACEMENT CHARACTER}"]


def test_a_line_without_end_is_cut(output, shown):
    output.feed(b"x" * 10_000 + b"\nshort\n")
    assert len(shown[0]) < 2_100
    assert shown[0].endswith(" ...")
    assert shown[1] == "short"


def test_what_goes_on_for_ever_is_not_kept(output, shown):
    for _ in range(1000):
        output.feed(b"y" * 1000)
    output.finish()
    assert sum(map(len, shown)) < 100_000
    assert "not shown" in shown[-1]
    before = list(shown)
    output.finish()
    assert shown == before


def test_a_caller_that_closed_the_standard_streams_gets_its_predictions(run_model):
    closed = ("sh", "-c", 'exec "$@" <&- >&- 2>&-', "closed")
    run = run_model(ranks, wrapper=closed)
    assert run.exit_code == 0
    assert len(run.predictions) == 1
