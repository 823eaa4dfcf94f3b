"""A table is stored column by column, for the script and without one."""

from numerai_predict.pages.table import CellKind, DataTable, RowFile, TableColumn

TABLE = DataTable(
    "model",
    [TableColumn("model", "Model"), TableColumn("verdict", "Verdict", CellKind.STATE, filter=True),
     TableColumn("note", "Note", details_only=True)],
    {"model": ["a", "b/c", "d"], "verdict": ["ok"] * 3, "note": ["x", "y", None]},
    [RowFile("log", "logs/{}.log", frozenset({0, 1}))],
    {1: "last line"},
)  # fmt: skip


def test_equal_values_are_stored_once():
    data = TABLE.as_data()
    assert data["values"]["verdict"] == {"distinct": ["ok"], "numbers": [0, 0, 0]}
    assert data["values"]["model"] == ["a", "b/c", "d"]


def test_rows_that_have_a_file_are_stored_as_runs():
    rows = frozenset({0, 1, 2, 5, 7, 8})
    table = DataTable("model", TABLE.columns, TABLE.values, [RowFile("log", "{}.log", rows)])
    assert table.as_data()["files"][0]["rows"] == [0, 2, 5, 5, 7, 8]


def test_the_address_of_a_file_is_relative_and_quoted():
    assert TABLE.files_of(1) == [("log", "logs/b%2Fc.log")]
    assert TABLE.files_of(2) == []


def test_columns_of_the_details_are_not_in_the_table():
    assert [column.key for column in TABLE.shown_columns] == ["model", "verdict"]
    assert TABLE.as_data()["columns"][2]["details_only"] is True
