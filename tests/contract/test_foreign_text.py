"""Foreign text becomes bounded, printable text, in time proportional to its length."""

import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from numerai_predict.contract.errors import RunError
from numerai_predict.contract.foreign_text import inert, one_line, printable_lines
from numerai_predict.contract.redaction import redact, redact_text
from numerai_predict.runner.supervisor.model_output import ModelOutput

ANY_TEXT = st.text(st.characters(codec=None), max_size=200)


def is_inert(line):
    line.encode()
    kinds = {unicodedata.category(character)[0] + "" for character in line}
    separators = {c for c in line if unicodedata.category(c) in ("Zl", "Zp", "Zs") and c != " "}
    return "C" not in kinds and not separators


@given(ANY_TEXT)
def test_any_text_becomes_one_printable_line_that_can_be_encoded(text):
    line = one_line(text)
    assert is_inert(line)
    assert line.isprintable()


@given(ANY_TEXT)
def test_a_line_stays_as_it_is_when_it_is_made_inert_again(text):
    assert one_line(one_line(text)) == one_line(text)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain text, ünïcödé 日本", "plain text, ünïcödé 日本"),
        ("\x1b[31mred", r"\x1b[31mred"),
        ("a\nb\tc\r", r"a\nb\tc\r"),
        ("\x9b2J", r"\x9b2J"),
        ("a\u2028b\u2029", r"a\u2028b\u2029"),
        ("\u202etxt\u2066\u200f", r"\u202etxt\u2066\u200f"),
        ("a\u200bb\ufeff\u2060", r"a\u200bb\ufeff\u2060"),
        ("\ud800", r"\ud800"),
        ("\u3164\ufe0f", r"\u3164\ufe0f"),
        ("x\U000e0041", r"x\U000e0041"),
    ],
)
def test_what_is_not_printable_is_escaped(text, shown):
    assert one_line(text) == shown


@pytest.mark.parametrize("text", ["x" * 10**6, "\u200b" * 10**6, "\ud800" * 10**6])
def test_a_long_text_is_cut(text):
    assert len(one_line(text, 100)) <= 105
    assert one_line(text, 100).endswith(" ...")
    assert len(printable_lines(text)) < 70_000


def test_only_a_line_feed_ends_a_line():
    assert printable_lines("a\nb\x85c\u2028d") == "a\nb\\x85c\\u2028d"


def test_nested_data_become_inert_in_keys_and_values():
    deep = []
    for _ in range(100_000):
        deep = [deep]
    shown = inert({"a\n": ["b\x1b", ("c\u2028", 1, None)], "d": deep})
    assert list(shown) == [r"a\n", "d"]
    assert shown[r"a\n"] == [r"b\x1b", (r"c\u2028", 1, None)]


def test_an_error_quotes_foreign_text_bounded_and_printable():
    error = RunError("first \x1b line\n" + "x" * 10**6 + "\ud800", "do \u202e this")
    assert all(map(is_inert, error.message.split("\n")))
    assert error.message.startswith("first \\x1b line\nxxx")
    assert len(error.message) < 70_000
    assert is_inert(error.remedy)


UNIT_BYTES = 40_000
FACTOR = 16


@pytest.mark.parametrize(
    "unit",
    ["a", "a.", "1+-.", "://", "a://", "a://b@", "@", "?", "\x1b[", "\x1b[0;", "\u200b", "\ud800",
     "a\n", "\r", "a://b?c#", "é", " ", "feature_names", "expecting 1", "9"],
)  # fmt: skip
@pytest.mark.parametrize(
    "function",
    [redact, redact_text, one_line, printable_lines, lambda t: RunError(t, t), lambda t: show(t)],
    ids=["redact", "redact_text", "one_line", "printable_lines", "RunError", "ModelOutput"],
)
def test_the_time_grows_no_faster_than_the_text(function, unit):
    small = unit * (UNIT_BYTES // len(unit))
    large = small * FACTOR
    base = max(min(seconds(function, small) for _ in range(5)), 1e-4)
    for _ in range(5):  # a quadratic function needs 256 times as long
        if seconds(function, large) < base * FACTOR * 4:
            return
    pytest.fail("16 times the text takes more than 64 times as long")


def seconds(function, text):
    started = time.process_time()
    function(text)
    return time.process_time() - started


def show(text):
    output = ModelOutput(lambda line: None)
    output.feed(text.encode(errors="replace"))
    output.finish()
