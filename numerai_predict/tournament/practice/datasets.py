"""The practice server's files: a sample data set per version, and live data per round."""

from __future__ import annotations

import functools
import json
import secrets
import shutil
import threading
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import pandas as pd

from numerai_predict.data.sample_shape import FILES, SampleShape
from numerai_predict.data.synthetic import (
    Era,
    draw_round,
    draw_target,
    write_live,
    write_sample,
)
from numerai_predict.storage.files import atomic_write
from numerai_predict.tournament.practice.defaults import DEFAULT_SHAPE

LIVE_FILES = ("live.parquet", "live_benchmark_models.parquet")
QUANTUM_FEATURES = 20

_SHAPE_FILE = "shape.json"
_FIRST_ROUND = "first_round"


def shapes_by_version(shape: SampleShape) -> dict[str, SampleShape]:
    """The shape of each version: v5.3 has the set `quantum`."""
    return {"v5.2": shape, "v5.3": replace(shape, quantum=QUANTUM_FEATURES)}


@dataclass(frozen=True)
class PracticeDatasets:
    """The files in a directory; live data are written once per round, the others once."""

    folder: Path
    versions: dict[str, SampleShape]
    first_round: int | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @classmethod
    def open(cls, folder: Path, shape: SampleShape | None, first_round: int) -> PracticeDatasets:
        """Open the data of the directory; they are generated if there are none.

        Then `first_round` begins an era after the last validation era: their targets overlap.
        """
        folder.mkdir(parents=True, exist_ok=True)
        shape_file = folder / _SHAPE_FILE
        stored = json.loads(shape_file.read_text()) if shape_file.is_file() else {}
        first = stored.pop(_FIRST_ROUND, None) if stored else first_round
        shape = SampleShape(**stored) if stored else shape or DEFAULT_SHAPE
        datasets = cls(folder, shapes_by_version(shape), first)
        for version, version_shape in datasets.versions.items():
            if not (folder / version).is_dir():
                write_sample(folder / version, version_shape)
        with atomic_write(shape_file) as handle:
            handle.write(json.dumps({**asdict(shape), _FIRST_ROUND: first}).encode())
        return datasets

    def names(self) -> list[str]:
        """All files, like `v5.2/train.parquet`."""
        return [f"{version}/{name}" for version in self.versions for name in FILES]

    def path(self, name: str, number: int) -> Path | None:
        """The path of a file of a round; `None` if there is none of that name."""
        if name not in self.names():
            return None
        version, _, file = name.partition("/")
        if file not in LIVE_FILES:
            return self.folder / version / file
        return self._live_folder(version, number) / file

    def era(self, version: str, number: int) -> Era:
        """The live era of a round, with the targets that its scores need."""
        return _draw(self.versions[version], number, self.first_round)

    def target(self, version: str, number: int, days: int) -> pd.Series[float]:
        """The target of a round, by id, of the first days alone; 20 give the final one."""
        return draw_target(self.versions[version], number, days, self.first_round)

    def _live_folder(self, version: str, number: int) -> Path:
        """The directory of a round's live data, which appears once it is complete."""
        folder = self.folder / "live" / f"{number}-{version}"
        with self._lock:
            if folder.is_dir():
                return folder
            part = folder.with_name(f".{folder.name}.{secrets.token_hex(4)}.part")
            part.mkdir(parents=True)
            try:
                write_live(part, self.era(version, number))
                part.rename(folder)
            except BaseException:
                shutil.rmtree(part, ignore_errors=True)
                raise
        return folder


@functools.lru_cache(maxsize=4)
def _draw(shape: SampleShape, number: int, first_round: int | None) -> Era:
    return draw_round(shape, number, first_round)
