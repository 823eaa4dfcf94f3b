"""Checkpoints: each piece of finished work in a file, under a key made of all that decides it.

A file has a first line of JSON (the facts behind the key, what is told of the work, the hash of
what follows) and the bytes of the work. It appears whole or not at all. Work whose facts changed
has another key: it is done anew, and the facts of what lies there tell why.
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

_FORM = 1
_ENDING = ".checkpoint"
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]")


@dataclass(frozen=True)
class StoredResult:
    """Finished work: what is told of it, as JSON has it, and its bytes."""

    facts: dict[str, Any]
    result: dict[str, Any]
    body: bytes

    @property
    def sha256(self) -> str:
        """The hash of its bytes."""
        return hashlib.sha256(self.body).hexdigest()


@dataclass(frozen=True)
class Checkpoints:
    """The finished work in one folder."""

    folder: Path

    def get(self, label: str, facts: dict[str, Any]) -> StoredResult | None:
        """The work of that label with just these facts; `None` where it is to be done."""
        return _read_checkpoint(self._path(label, facts), facts)

    def put(
        self, label: str, facts: dict[str, Any], told: dict[str, Any], body: bytes
    ) -> StoredResult:
        """Keep finished work.

        Raises:
            OSError: it cannot be written; nothing is left behind.
        """
        stored = StoredResult(json.loads(_canonical_json(facts)), told, body)
        header = {"form": _FORM, "facts": facts, "told": told, "sha256": stored.sha256}
        with atomic_write(self._path(label, facts)) as handle:
            handle.write(_canonical_json(header) + b"\n")
            handle.write(body)
        return stored

    def changes(self, label: str, facts: dict[str, Any]) -> list[str]:
        """How these facts differ from those of the newest work of that label; none, if none."""
        paths = self.folder.glob(f"{_safe_name(label)}-{'[0-9a-f]' * 16}{_ENDING}")
        for path in sorted(paths, key=lambda path: path.stat().st_mtime, reverse=True):
            if header := _read_header(path):
                before = _flatten(header.get("facts"))
                now = _flatten(json.loads(_canonical_json(facts)))
                names = [n for n in {**before, **now} if before.get(n) != now.get(n)]
                return [f"{n} was {before.get(n)}, is {now.get(n)}" for n in names]
        return []

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Be the only training in the folder; the system frees the lock of a killed one.

        Raises:
            TrainingBusy: another one is at work.
            OSError: the folder cannot be made or written.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        with ExitStack() as stack:
            try:
                stack.enter_context(file_lock(self.folder / ".lock"))
            except LockHeld:
                raise TrainingBusy(
                    f"expected to be alone in {self.folder.parent}, found another training there",
                    "wait for it, or choose another `output`",
                ) from None
            for part in self.folder.glob(f".*{PART_SUFFIX}"):  # of one that was killed
                part.unlink(missing_ok=True)
            yield

    def _path(self, label: str, facts: dict[str, Any]) -> Path:
        key = hashlib.sha256(_canonical_json({"form": _FORM, "facts": facts})).hexdigest()[:16]
        return self.folder / f"{_safe_name(label)}-{key}{_ENDING}"


def _read_checkpoint(path: Path, facts: dict[str, Any]) -> StoredResult | None:
    """What the file holds, if it is whole and has these facts."""
    header = _read_header(path)
    wanted = json.loads(_canonical_json(facts))
    if header is None or header.get("form") != _FORM or header.get("facts") != wanted:
        return None
    with contextlib.suppress(OSError), open(path, "rb") as file:
        file.readline()
        stored = StoredResult(wanted, header["told"], file.read())
        return stored if stored.sha256 == header.get("sha256") else None
    return None


def _read_header(path: Path) -> dict[str, Any] | None:
    try:
        with open(path, "rb") as file:
            header = json.loads(file.readline())
    except (OSError, ValueError):
        return None
    return header if isinstance(header, dict) else None


def _canonical_json(facts: dict[str, Any]) -> bytes:
    return json.dumps(facts, sort_keys=True, separators=(",", ":")).encode()


def _flatten(facts: Any, name: str = "") -> dict[str, Any]:
    """Nested facts by names like `parameters.num_leaves`."""
    if not isinstance(facts, dict):
        return {name: facts}
    parts = (_flatten(value, f"{name}.{key}" if name else key) for key, value in facts.items())
    return {key: value for part in parts for key, value in part.items()}


def _safe_name(label: str) -> str:
    return _UNSAFE.sub("_", label)
