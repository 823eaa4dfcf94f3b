"""SQLite files: what is written together is written whole."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Keep all that the block writes, or none of it; no other connection writes meanwhile.

    The connection is to be in autocommit mode (`isolation_level=None`).

    Raises:
        sqlite3.OperationalError: others held the file longer than the connection waits.
    """
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")
