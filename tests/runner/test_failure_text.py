"""A model that asks for missing columns gets their number and three of them."""

import pandas as pd
import pytest

from numerai_predict.runner.failure_text import describe_missing_columns

NAMES = [f"feature_{number:04}" for number in range(150)]
FIRST = "such as feature_0000, feature_0001, feature_0002"


def text_of(columns, wanted):
    with pytest.raises(KeyError) as caught:
        pd.DataFrame(columns=columns)[wanted]
    return str(caught.value)


@pytest.mark.parametrize("count", [42, 150])
def test_all_are_missing(count):
    text = text_of(["era"], NAMES[:count])
    assert describe_missing_columns(text, ()) == f"{count} of {count} features missing, {FIRST}"


def test_some_are_missing_of_those_that_the_pickle_names():
    text = text_of(NAMES[42:44], NAMES[:44])
    assert describe_missing_columns(text, NAMES[:44]) == f"42 of 44 features missing, {FIRST}"


def test_some_are_missing_of_an_unknown_number():
    text = text_of(NAMES[42:44], NAMES[:44])
    assert describe_missing_columns(text, ["feature_x"]) == f"42 features missing, {FIRST}"


def test_a_message_that_was_cut_off_gives_a_lower_bound():
    text = text_of(NAMES[149:], NAMES)[:300]
    shown = describe_missing_columns(text, NAMES)
    assert shown.startswith("at least 18 features missing, such as feature_0000")


def test_other_columns_are_called_columns():
    text = text_of(["x"], ["era", "target", "data_type", "feature_x"])
    shown = describe_missing_columns(text, ())
    assert shown == "4 of 4 columns missing, such as era, target, data_type"


@pytest.mark.parametrize("text", ["'feature_x'", "\"['a', 'b', 'c'] not in index\"", "", "['"])
def test_what_is_short_or_no_list_stays(text):
    assert describe_missing_columns(text, ()) is None
