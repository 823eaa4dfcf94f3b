"""A holdout that takes in eras which an earlier training scored is no untouched one: a warning."""

import json

import pytest

from numerai_predict.training.earlier_scores import describe_earlier_scores

HOLDOUT = range(57, 67)


def write_scores(output, eras):
    content = {"per_era": {"windows": {str(era): {"corr": 0.1} for era in eras}, "holdout": None}}
    (output / "scores.json").write_text(json.dumps(content))


def test_a_first_training_warns_of_nothing(tmp_path):
    assert describe_earlier_scores(tmp_path, HOLDOUT) == []


def test_the_same_holdout_warns_of_nothing(tmp_path):
    write_scores(tmp_path, range(40, 57))
    assert describe_earlier_scores(tmp_path, HOLDOUT) == []


@pytest.mark.parametrize("form", [int, "{:04}".format])
def test_a_larger_holdout_names_the_eras_that_windows_scored(tmp_path, form):
    write_scores(tmp_path, map(form, range(40, 59)))
    (warning,) = describe_earlier_scores(tmp_path, HOLDOUT)
    assert warning.startswith("2 of the 10 eras of the holdout (0057 to 0058) were scored")


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"{}", b'{"per_era": {"windows": {"x": 1}}}', b"[" * 10**5]
)
def test_a_file_of_another_form_warns_of_nothing(tmp_path, content):
    (tmp_path / "scores.json").write_bytes(content)
    assert describe_earlier_scores(tmp_path, HOLDOUT) == []
