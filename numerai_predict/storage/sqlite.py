"""Transactions of SQLite files."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Commit all that the block writes, or nothing; other connections wait to write.

    The connection must be in autocommit mode (`isolation_level=None`).

    Raises:
        sqlite3.OperationalError: another connection held the lock longer than the busy timeout.
    """
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")
