"""The file of a database that SQLite cannot open is found for the message."""

import errno
import sqlite3

import pytest

from numerai_predict.runner.child.databases import keep_path, unopened_database


def error_of(action):
    with pytest.raises(sqlite3.Error) as raised:
        action()
    return raised.value


@pytest.mark.parametrize(
    ("name", "number"), [(".", errno.EACCES), ("missing/cache.db", errno.ENOENT)]
)
@pytest.mark.parametrize("as_path", [True, False])
def test_it_is_the_last_one_that_was_connected_to(tmp_path, name, number, as_path):
    path = tmp_path / name
    keep_path((path if as_path else str(path),))
    error = error_of(lambda: sqlite3.connect(path))
    assert unopened_database(error) == (number, str(path))


def test_another_error_has_no_file(tmp_path):
    keep_path((str(tmp_path / "a"),))
    assert unopened_database(error_of(lambda: sqlite3.connect(":memory:").execute("x"))) is None
    assert unopened_database(ValueError("unable to open database file")) is None


def test_a_descriptor_has_no_path():
    keep_path((7,))
    assert unopened_database(sqlite3.OperationalError("unable to open database file")) is None
