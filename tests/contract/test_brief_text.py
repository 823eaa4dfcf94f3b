"""Foreign text on one line is brief: long lists of names are cut to three, then all is cut."""

import time

import pytest

from numerai_predict.contract.brief_text import brief, brief_message

NAMES = [f"feature_{number:04}" for number in range(42)]


def test_a_short_text_stays():
    assert brief("ValueError: bad ['a', 'b']") == "ValueError: bad ['a', 'b']"


def test_a_text_is_cut_at_300_characters():
    shown = brief("x" * 1000)
    assert len(shown) == 300
    assert shown.endswith(" ...")


@pytest.mark.parametrize("separator", [", ", ",", ",\n       ", ",\\n       "])
def test_a_long_list_of_names_is_cut_to_three(separator):
    listed = separator.join(map(repr, NAMES))
    shown = brief(f"feature_names mismatch: [{listed}] ['x']")
    assert "and 39 more] ['x']" in shown
    assert len(shown) < 150


def test_a_list_of_five_stays():
    listed = ", ".join(map(repr, NAMES[:5]))
    assert brief(listed) == listed


def test_a_title_keeps_its_end_and_details_are_cut():
    title = f"saved to /{'d' * 400}/x.csv"
    first, second = brief_message(f"{title}\n{'y' * 400}").split("\n")
    assert first == title
    assert len(second) == 300


@pytest.mark.parametrize(
    "text", ["'" * 4000, "'a'," * 1000, "'a', " + " " * 4000, "\"'" * 2000, "'a',\\n" * 700]
)
def test_no_text_takes_long(text):
    started = time.perf_counter()
    brief(text)
    assert time.perf_counter() - started < 0.5
