"""The record of looks at a holdout: which models' scores on which eras were shown.

The best of several models looks good by chance alone, so their number must be known. The record is
a file of JSON lines in the user's state directory; lines are only added. Eras that several holdouts
share count for each of them, as the newest eras of a data set do every week. Eras are known again
by the server and the version of their data, or by marks of what they contain, in whatever file.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from numerai_predict.contract.errors import SaveFailed
from numerai_predict.storage.file_lock import LockHeld, file_lock

NAME = "holdout-looks.jsonl"

_WAIT_SECONDS = 10.0
_ALIASES = {"target": "target_ender_20"}


@dataclass(frozen=True)
class Holdout:
    """Eras that no choice used: numbers of the first and the last, and the data they are of.

    `data` identifies the data set by any of several names: its server and version, hashes of its
    files. `target` is the target of the scores. `marks` are the marks of the eras' rows, each with
    that of their targets: see `data.era_marks`.
    """

    data: Sequence[str]
    target: str
    first: int
    last: int
    marks: Mapping[str, str] = field(default_factory=dict)

    def shares_eras(self, other: Holdout) -> bool:
        """Whether both have eras in common, and the same target by name or by content."""
        same_target = _main_name(self.target) == _main_name(other.target)
        same_data = bool(set(self.data) & set(other.data))
        same_numbers = self.first <= other.last and other.first <= self.last
        if same_data and same_numbers and same_target:
            return True
        common = self.marks.keys() & other.marks.keys()
        return any(same_target or self.marks[each] == other.marks[each] for each in common)


def _main_name(target: str) -> str:
    """The name of a target; the main target has two."""
    return _ALIASES.get(target, target)


def data_set_names(server: str | None, version: str | None, hashes: Iterable[str]) -> list[str]:
    """What identifies a data set: its server and version if both are known, and file hashes."""
    return [*([f"{server} {version}"] if server and version else []), *hashes]


def describe_looks(models: int | None, eras: str, *, corrected: bool) -> str:
    """How many models were scored on some of the eras, and what that means; a sentence.

    `corrected`: rows of the table say what is left of the scores.
    """
    if models is None:
        return f"looks at {eras} are not counted"
    if models == 1:
        return f"first look at {eras}"
    shown = f"{models} models were scored on some of {eras}"
    if not corrected:
        return f"{shown}: the best one may be best by chance, and these eras are too few to tell"
    return (
        f"{shown}; 'best of {models}' corrects a score and its interval for the selection of the "
        "best of them"
    )


@dataclass(frozen=True)
class LookRecord:
    """The record in a directory."""

    directory: Path

    @property
    def path(self) -> Path:
        """The file."""
        return self.directory / NAME

    def count(self, holdout: Holdout) -> int:
        """The number of models whose scores on some of the holdout's eras were shown.

        Raises:
            SaveFailed: the record exists and cannot be read.
        """
        return len(set(self._models(holdout)))

    def add(self, holdout: Holdout, model: str) -> int:
        """Record that the scores of a model are shown; returns the number of models so far.

        `model` is a hash of everything that determines the scores: a second look at the same
        model shows nothing new and is not recorded.

        Raises:
            SaveFailed: the look cannot be recorded.
        """
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
            with file_lock(self.path.with_suffix(".lock"), _WAIT_SECONDS):
                known = set(self._models(holdout))
                if model not in known:
                    self._append(holdout, model)
        except (OSError, LockHeld) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is locked"
            raise _unusable(self.path, f"found that it cannot be written: {reason}") from error
        return len(known | {model})

    def _models(self, holdout: Holdout) -> Iterator[str]:
        for look in self._lines():
            found = _holdout_of(look)
            if found is not None and found.shares_eras(holdout):
                yield str(look["model"])

    def _lines(self) -> Iterator[Any]:
        """The looks; a line that an interrupted write left incomplete is skipped."""
        try:
            text = self.path.read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            return
        except OSError as error:
            raise _unusable(self.path, f"found that it cannot be read: {error.strerror}") from error
        for line in text.split("\n"):
            try:
                yield json.loads(line)
            except (ValueError, RecursionError):
                continue

    def _append(self, holdout: Holdout, model: str) -> None:
        look = {
            "time": f"{datetime.now(timezone.utc):%Y-%m-%dT%H:%M:%SZ}",
            "data": list(holdout.data),
            "target": holdout.target,
            "first": holdout.first,
            "last": holdout.last,
            "marks": dict(holdout.marks),
            "model": model,
        }
        with open(self.path, "a+b") as file:
            # A line that an interrupted write left incomplete must not take this one with it.
            start = b"" if _ends_a_line(self.path) else b"\n"
            file.write(start + json.dumps(look).encode() + b"\n")


def _ends_a_line(path: Path) -> bool:
    body = path.read_bytes()
    return not body or body.endswith(b"\n")


def _holdout_of(look: Any) -> Holdout | None:
    """The holdout of a line; `None` if the line is no look."""
    try:
        data = [str(each) for each in look["data"]]
        marks = {str(rows): str(target) for rows, target in dict(look.get("marks", {})).items()}
        first, last = int(look["first"]), int(look["last"])
        holdout = Holdout(data, str(look["target"]), first, last, marks)
        return holdout if look["model"] else None
    except (TypeError, KeyError, ValueError, AttributeError):
        return None


def _unusable(path: Path, found: str) -> SaveFailed:
    return SaveFailed(
        f"expected the record of looks at holdouts at {path}, {found}",
        "make it readable and writable, or name another state directory with XDG_STATE_HOME",
    )
