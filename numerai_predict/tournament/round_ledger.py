"""Ledger of one round and model: the completed steps, so that an interrupted round can resume.

One JSON file per round and model, replaced atomically at each step, and a lock file beside it.
It holds no URL: presigned URLs are secrets, and they expire.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from numerai_predict.contract.deadline import Deadline
from numerai_predict.contract.errors import SaveFailed
from numerai_predict.storage.file_lock import LockHeld, file_lock
from numerai_predict.storage.files import PART_SUFFIX, atomic_write
from numerai_predict.tournament.entities import Submission

_LOCK_STEP = "wait for another run of this round"


@dataclass(frozen=True)
class RoundEntry:
    """The completed steps; `None` for those that are not.

    `predictions` is the file that the model's run saved, from `model_sha256` and
    `live_sha256`. `uploaded_as` is the name under which `uploaded_sha256` was uploaded, and
    `submission` the id of the submission created from it. `finished` is a time in UTC.
    """

    round: int
    model: str
    predictions: str | None = None
    predictions_sha256: str | None = None
    model_sha256: str | None = None
    live_sha256: str | None = None
    uploaded_as: str | None = None
    uploaded_sha256: str | None = None
    submission: str | None = None
    figures: dict[str, float] | None = None
    finished: str | None = None

    def has_sent(self, submission: Submission) -> bool:
        """Whether the submission was uploaded from here: `uploaded_sha256` is its content."""
        return submission.filename == self.uploaded_as or submission.id == self.submission

    def model_of(self, submission: Submission) -> str | None:
        """The hash of the pickle that made the submission; `None` if that is not known here."""
        is_of_model = self.uploaded_sha256 == self.predictions_sha256
        return self.model_sha256 if is_of_model and self.has_sent(submission) else None


@dataclass(frozen=True)
class RoundLedger:
    """The ledger of one round and model, in a separate directory."""

    folder: Path
    round: int
    model: str

    @classmethod
    def at(cls, state: Path, number: int, model_id: str) -> RoundLedger:
        """The ledger below the state directory."""
        return cls(state / "rounds" / f"{number}-{model_id}", number, model_id)

    def read(self) -> RoundEntry:
        """The current entry; an empty one if the file is missing or not a ledger."""
        try:
            entry = RoundEntry(**json.loads(self._path.read_bytes()))
        except (OSError, ValueError, TypeError):
            return RoundEntry(self.round, self.model)
        is_ours = (entry.round, entry.model) == (self.round, self.model)
        return entry if is_ours else RoundEntry(self.round, self.model)

    def update(self, **changes: Any) -> RoundEntry:
        """Change fields of the entry and write it.

        Raises:
            SaveFailed: it cannot be written.
        """
        entry = replace(self.read(), **changes)
        try:
            with atomic_write(self._path) as handle:
                handle.write((json.dumps(asdict(entry), indent=2) + "\n").encode())
        except OSError as error:
            raise _cannot_write(self._path, error) from error
        return entry

    @contextmanager
    def locked(self, deadline: Deadline) -> Iterator[None]:
        """Exclude other runs of this round and model, after waiting for theirs to end.

        Raises:
            SaveFailed: the directory cannot be created or locked.
            DeadlinePassed: the other run did not end in time.
        """
        with ExitStack() as stack:
            try:
                self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                stack.enter_context(file_lock(self.folder / ".lock", deadline))
            except LockHeld:
                deadline.check(_LOCK_STEP)
                raise
            except OSError as error:
                raise _cannot_write(self.folder, error) from error
            for part in self.folder.glob(f".*{PART_SUFFIX}"):
                part.unlink(missing_ok=True)
            yield

    @property
    def _path(self) -> Path:
        return self.folder / "ledger.json"


def _cannot_write(path: Path, error: OSError) -> SaveFailed:
    return SaveFailed(
        f"expected to write the round's ledger in {path}, found: {error.strerror}",
        "free disk space, or choose another directory with XDG_STATE_HOME",
    )
