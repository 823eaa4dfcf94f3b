"""The files of results in an output directory.

A fleet run moves the files of earlier results aside before it does anything else, and moves those
back that it found to be current. So a run that is killed never leaves the predictions of other
data where its own are expected.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from numerai_predict.fleet.report.html_report import FILE as REPORT

_KINDS = {"predictions": "csv", "records": "json", "logs": "log"}
_ASIDE = ".unchecked"


@dataclass(frozen=True)
class ResultFiles:
    """The predictions, records and logs of models in the output directory `folder`."""

    folder: Path

    def make_folders(self) -> None:
        """Create the directories of all kinds of files."""
        for kind in _KINDS:
            for parent in (self.folder, self.folder / _ASIDE):
                (parent / kind).mkdir(parents=True, exist_ok=True)

    def csv_aside(self, model_id: str) -> Path:
        """Where the predictions of an earlier result are while they are not checked."""
        return self.folder / _ASIDE / "predictions" / f"{model_id}.csv"

    def set_aside(self, model_id: str) -> None:
        """Move the files of a model aside; a run that was killed may have done so before."""
        for path, aside in self._files(model_id):
            if path.exists():
                path.replace(aside)

    def restore(self, model_id: str) -> None:
        """Move the files of a model back."""
        for path, aside in self._files(model_id):
            if aside.exists():
                aside.replace(path)

    def discard(self, model_id: str) -> None:
        """Remove the files of a model."""
        for each in self._files(model_id):
            for path in each:
                path.unlink(missing_ok=True)

    def discard_report(self) -> None:
        """Remove the report of an earlier fleet run."""
        (self.folder / REPORT).unlink(missing_ok=True)

    def _files(self, model_id: str) -> Iterator[tuple[Path, Path]]:
        """Each file of a model: its path, and the path aside."""
        for kind, suffix in _KINDS.items():
            name = Path(kind) / f"{model_id}.{suffix}"
            yield self.folder / name, self.folder / _ASIDE / name
