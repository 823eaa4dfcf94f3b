"""A table fits its terminal, whatever its width, and nothing in it is cut off."""

import pytest

from numerai_predict.terminal.cells import cell_width
from numerai_predict.terminal.table import Column, TextTable

MESSAGE = "the model raised KeyError: 42 of 42 features missing, such as feature_a, feature_b"
TABLE = TextTable(
    (Column("verdict", state=True), Column("models", right=True), Column("example", wraps=True)),
    [("ok", "9,876", "a"), ("model_error", "12", MESSAGE)],
)
NUMBERS = TextTable(
    (Column("", wraps=True), *(Column(f"number {n}", right=True) for n in range(5))),
    [("windows target_20", "0.0123", "-0.0123 to 0.0456", "1.23", "0.12 to 2.34", "-0.1234")],
)


def test_without_a_width_each_row_is_one_line():
    assert TABLE.lines() == [
        "verdict      models  example",
        "ok            9,876  a",
        f"model_error      12  {MESSAGE}",
    ]


@pytest.mark.parametrize("width", [200, 80, 40, 20])
@pytest.mark.parametrize("table", [TABLE, NUMBERS], ids=["texts", "numbers"])
def test_every_word_and_number_is_shown_at_any_width(table, width):
    shown = "\n".join(table.lines(width))
    for row in table.rows:
        assert all(word in shown for cell in row for word in cell.split())


@pytest.mark.parametrize("width", [200, 80, 40])
def test_lines_fit_the_width(width):
    assert all(cell_width(line) <= width for line in TABLE.lines(width))


def test_the_text_of_a_narrow_table_wraps_below_itself():
    lines = TABLE.lines(60)
    assert lines[2].startswith("model_error     12 the model raised")
    assert lines[3].startswith(" " * 19 + "feature")


def test_a_table_that_cannot_wrap_becomes_blocks():
    assert NUMBERS.lines(40) == [
        "windows target_20",
        "  number 0: 0.0123",
        "  number 1: -0.0123 to 0.0456",
        "  number 2: 1.23",
        "  number 3: 0.12 to 2.34",
        "  number 4: -0.1234",
    ]


def test_wide_characters_take_two_columns():
    table = TextTable((Column("name"), Column("n", right=True)), [("模型", "1"), ("abcd", "2")])
    assert table.lines() == ["name  n", "模型  1", "abcd  2"]


@pytest.mark.parametrize("width", [80, 40])
def test_wide_characters_wrap_within_the_width(width):
    table = TextTable((Column("name", wraps=True), Column("n")), [("模型" * 40, "1")])
    assert all(cell_width(line) <= width for line in table.lines(width))


def test_only_states_have_colours():
    lines = TABLE.lines(colours=True)
    assert lines[0] == TABLE.lines()[0]
    assert lines[1] == "\x1b[32mok\x1b[0m            9,876  a"
    assert lines[2].startswith("\x1b[31mmodel_error\x1b[0m      12  the model")


def test_a_table_without_rows_has_its_titles():
    assert TextTable((Column("round"), Column("state")), []).lines(40) == ["round  state"]
