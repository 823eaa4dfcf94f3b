"""The tables of a fleet run's ledger, and what older ledgers need to have them."""

from __future__ import annotations

import sqlite3

from numerai_predict.storage.sqlite import transaction

_TABLES = """
CREATE TABLE IF NOT EXISTS models (
    id TEXT PRIMARY KEY, state TEXT NOT NULL, verdict TEXT, message TEXT, place TEXT,
    worker TEXT, attempts INTEGER NOT NULL DEFAULT 0, started REAL, ended REAL,
    seconds REAL, peak_bytes INTEGER, sha256 TEXT, record TEXT
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS by_state ON models (state);
CREATE TABLE IF NOT EXISTS facts (
    number INTEGER PRIMARY KEY, model TEXT NOT NULL, fact TEXT NOT NULL, at REAL NOT NULL,
    attempt INTEGER NOT NULL, worker TEXT, words TEXT
);
CREATE INDEX IF NOT EXISTS by_model ON facts (model, fact);
CREATE TABLE IF NOT EXISTS deliveries (
    model TEXT NOT NULL, destination TEXT NOT NULL, delivery TEXT NOT NULL,
    PRIMARY KEY (model, destination)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS round (name TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;
"""
# Columns that ledgers of older versions do not have: the key of the result (`result_key`), where
# the result goes, and the tags with spaces between them. The table `deliveries` has what was
# delivered last at each destination.
_NEW_COLUMNS = ("key", "destination", "tags")


def create_tables(connection: sqlite3.Connection) -> None:
    """Create the tables, or add the columns that an older version did not have."""
    connection.executescript(_TABLES)
    with transaction(connection):
        present = {row[1] for row in connection.execute("PRAGMA table_info(models)")}
        for name in _NEW_COLUMNS:
            if name not in present:
                connection.execute(f"ALTER TABLE models ADD COLUMN {name} TEXT")
