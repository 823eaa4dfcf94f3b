"""Checkpoints: finished work in files, under a key made of everything that determines it.

A file has one line of JSON (the facts that make the key, the result, the hash of the body) and
then the body. It is written atomically. If a fact changes, the key changes: the work is done
again, and the facts in the older file show what changed.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numerai_predict.contract.training_errors import TrainingBusy
from numerai_predict.storage.file_lock import LockHeld, file_lock
from numerai_predict.storage.files import PART_SUFFIX, atomic_write

_FORMAT = 1
_SUFFIX = ".checkpoint"
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]")


@dataclass(frozen=True)
class StoredResult:
    """Finished work: the facts of its key, its result, both as JSON, and its bytes."""

    facts: dict[str, Any]
    result: dict[str, Any]
    body: bytes

    @property
    def sha256(self) -> str:
        """The hash of the body."""
        return hashlib.sha256(self.body).hexdigest()


@dataclass(frozen=True)
class Checkpoints:
    """The checkpoints in one directory."""

    directory: Path

    def get(self, label: str, facts: dict[str, Any]) -> StoredResult | None:
        """The finished work with this label and exactly these facts; `None` if there is none."""
        return _read_checkpoint(self._path(label, facts), facts)

    def put(
        self, label: str, facts: dict[str, Any], result: dict[str, Any], body: bytes
    ) -> StoredResult:
        """Store finished work.

        Raises:
            OSError: the file cannot be written; no part of it is left.
        """
        stored = StoredResult(json.loads(_canonical_json(facts)), result, body)
        header = {"form": _FORMAT, "facts": facts, "told": result, "sha256": stored.sha256}
        with atomic_write(self._path(label, facts)) as handle:
            handle.write(_canonical_json(header) + b"\n")
            handle.write(body)
        return stored

    def changes(self, label: str, facts: dict[str, Any]) -> list[str]:
        """How these facts differ from those of the newest checkpoint with this label."""
        paths = self.directory.glob(f"{_safe_name(label)}-{'[0-9a-f]' * 16}{_SUFFIX}")
        for path in sorted(paths, key=lambda path: path.stat().st_mtime, reverse=True):
            if header := _read_header(path):
                before = _flatten(header.get("facts"))
                now = _flatten(json.loads(_canonical_json(facts)))
                names = [n for n in {**before, **now} if before.get(n) != now.get(n)]
                return [f"{n} was {before.get(n)}, is {now.get(n)}" for n in names]
        return []

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Create the directory and lock it; the system releases the lock of a killed process.

        Raises:
            TrainingBusy: another training has the lock.
            OSError: the directory cannot be created or written.
        """
        self.directory.mkdir(parents=True, exist_ok=True)
        with ExitStack() as stack:
            try:
                stack.enter_context(file_lock(self.directory / ".lock"))
            except LockHeld:
                raise TrainingBusy(
                    f"expected no other training in {self.directory.parent}, found one running",
                    "wait until it ends, or choose another `output`",
                ) from None
            for part in self.directory.glob(f".*{PART_SUFFIX}"):  # of a killed training
                part.unlink(missing_ok=True)
            yield

    def _path(self, label: str, facts: dict[str, Any]) -> Path:
        key = hashlib.sha256(_canonical_json({"form": _FORMAT, "facts": facts})).hexdigest()[:16]
        return self.directory / f"{_safe_name(label)}-{key}{_SUFFIX}"


def _read_checkpoint(path: Path, facts: dict[str, Any]) -> StoredResult | None:
    """The content of the file if it is complete and has exactly these facts."""
    header = _read_header(path)
    expected = json.loads(_canonical_json(facts))
    if header is None or header.get("form") != _FORMAT or header.get("facts") != expected:
        return None
    with contextlib.suppress(OSError), open(path, "rb") as file:
        file.readline()
        stored = StoredResult(expected, header["told"], file.read())
        return stored if stored.sha256 == header.get("sha256") else None
    return None


def _read_header(path: Path) -> dict[str, Any] | None:
    try:
        with open(path, "rb") as file:
            header = json.loads(file.readline())
    except (OSError, ValueError):
        return None
    return header if isinstance(header, dict) else None


def _canonical_json(content: dict[str, Any]) -> bytes:
    return json.dumps(content, sort_keys=True, separators=(",", ":")).encode()


def _flatten(facts: Any, name: str = "") -> dict[str, Any]:
    """Nested facts by names like `parameters.num_leaves`."""
    if not isinstance(facts, dict):
        return {name: facts}
    parts = (_flatten(value, f"{name}.{key}" if name else key) for key, value in facts.items())
    return {key: value for part in parts for key, value in part.items()}


def _safe_name(label: str) -> str:
    return _UNSAFE.sub("_", label)
