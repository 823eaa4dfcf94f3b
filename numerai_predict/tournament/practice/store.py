"""The practice server's database: accounts, keys, models, submissions, pickles, scores, stakes."""

from __future__ import annotations

import hashlib
import secrets
import sqlite3
import threading
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numerai_predict.storage.sqlite import transaction

SCOPES = ("read_user_info", "read_submission_info", "upload_submission", "stake")
TOURNAMENT = 8

_SCHEMA = """
CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS accounts (
    id TEXT PRIMARY KEY, username TEXT UNIQUE NOT NULL, inserted TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS keys (
    public_id TEXT PRIMARY KEY, account TEXT NOT NULL REFERENCES accounts, name TEXT NOT NULL,
    secret TEXT NOT NULL, scopes TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS models (
    id TEXT PRIMARY KEY, account TEXT NOT NULL REFERENCES accounts, name TEXT UNIQUE NOT NULL);
CREATE TABLE IF NOT EXISTS tickets (
    filename TEXT PRIMARY KEY, kind TEXT NOT NULL, account TEXT NOT NULL, model TEXT,
    sha256 TEXT);
CREATE TABLE IF NOT EXISTS submissions (
    id TEXT PRIMARY KEY, model TEXT NOT NULL REFERENCES models, round INTEGER NOT NULL,
    filename TEXT UNIQUE NOT NULL, sha256 TEXT NOT NULL, inserted TEXT NOT NULL,
    late INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS pickles (
    id TEXT PRIMARY KEY, model TEXT, account TEXT NOT NULL, filename TEXT UNIQUE NOT NULL,
    image TEXT NOT NULL, version TEXT NOT NULL, status TEXT NOT NULL, inserted TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS pickle_log (
    number INTEGER PRIMARY KEY, pickle TEXT NOT NULL REFERENCES pickles, status TEXT NOT NULL,
    description TEXT NOT NULL, inserted TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS daily_scores (
    submission TEXT NOT NULL REFERENCES submissions, day INTEGER NOT NULL, name TEXT NOT NULL,
    value REAL NOT NULL, PRIMARY KEY (submission, day, name));
CREATE TABLE IF NOT EXISTS stakes (
    model TEXT NOT NULL REFERENCES models, moment TEXT NOT NULL, amount REAL NOT NULL);
"""


@dataclass(frozen=True)
class Caller:
    """The account that a request authenticates as, and the key that it uses."""

    account: str
    public_id: str
    scopes: tuple[str, ...]


class PracticeStore:
    """The SQLite database; one connection, used by one thread at a time."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.RLock()
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._connection.row_factory = sqlite3.Row
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA busy_timeout=10000")
        with self._lock:
            self._connection.executescript(_SCHEMA)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit all of the block or nothing; other threads wait."""
        with self._lock, transaction(self._connection):
            yield

    def rows(self, query: str, *values: Any) -> list[dict[str, Any]]:
        """The result of a query, one dictionary per row."""
        with self._lock:
            return [dict(row) for row in self._connection.execute(query, values)]

    def row(self, query: str, *values: Any) -> dict[str, Any] | None:
        """The first row of a query's result."""
        return next(iter(self.rows(query, *values)), None)

    def insert(self, table: str, **values: Any) -> None:
        """Add a row; table and column names must be constants of this program."""
        columns, marks = ", ".join(values), ", ".join("?" * len(values))
        self.rows(f"INSERT INTO {table} ({columns}) VALUES ({marks})", *values.values())  # noqa: S608

    def setting(self, name: str, default: str = "") -> str:
        """The value of a setting."""
        found = self.row("SELECT value FROM settings WHERE name = ?", name)
        return str(found["value"]) if found else default

    def set(self, name: str, value: str) -> None:
        """Store a setting."""
        self.rows("INSERT OR REPLACE INTO settings (name, value) VALUES (?, ?)", name, value)

    def add_account(self, username: str, inserted: str) -> str:
        """The id of the account of that name; a missing account is created."""
        found = self.row("SELECT id FROM accounts WHERE username = ?", username)
        if found:
            return str(found["id"])
        identity = str(uuid.uuid4())
        self.insert("accounts", id=identity, username=username, inserted=inserted)
        return identity

    def add_key(self, account: str, name: str, scopes: Sequence[str] = SCOPES) -> tuple[str, str]:
        """Create a key: its public id and its secret, of which only a hash is stored."""
        public_id = secrets.token_hex(16).upper()
        secret = secrets.token_hex(32).upper()
        self.insert(
            "keys",
            public_id=public_id,
            account=account,
            name=name,
            secret=_hash(secret),
            scopes=" ".join(scopes),
        )
        return public_id, secret

    def caller(self, public_id: str, secret: str) -> Caller | None:
        """The owner of the key; `None` if the key is wrong."""
        found = self.row("SELECT * FROM keys WHERE public_id = ?", public_id)
        if not found or not secrets.compare_digest(found["secret"], _hash(secret)):
            return None
        return Caller(found["account"], public_id, tuple(found["scopes"].split()))

    def add_model(self, account: str, name: str) -> str:
        """The id of the account's model of that name; a missing model is created.

        Raises:
            ValueError: another account has a model of that name.
        """
        found = self.row("SELECT id, account FROM models WHERE name = ?", name)
        if found and found["account"] != account:
            raise ValueError(f"the name {name} is taken")
        if found:
            return str(found["id"])
        identity = str(uuid.uuid4())
        self.insert("models", id=identity, account=account, name=name)
        return identity

    def models(self, account: str) -> list[dict[str, Any]]:
        """The models of an account, by name."""
        return self.rows("SELECT * FROM models WHERE account = ? ORDER BY name", account)

    def model(self, identity: str | None) -> dict[str, Any] | None:
        """The model of that id."""
        return self.row("SELECT * FROM models WHERE id = ?", identity)

    def submissions(self, model: str) -> list[dict[str, Any]]:
        """A model's submissions, newest first; the newest of each round is `selected`."""
        found = self.rows("SELECT * FROM submissions WHERE model = ? ORDER BY rowid DESC", model)
        rounds: set[int] = set()
        for each in found:
            each["selected"] = each["round"] not in rounds
            rounds.add(each["round"])
        return found


def _hash(secret: str) -> str:
    """The secret's hash: 256 random bits need no salt and no slow hash."""
    return hashlib.sha256(secret.encode()).hexdigest()
