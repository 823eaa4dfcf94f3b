"""Runs of predict.py and what the contract promises of each: exit codes, record, files."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

# The contract's table, copied: the code must agree with it, not the reverse.
EXIT_CODES = {
    "ok": 0,
    "usage": 2,
    "model_unavailable": 10,
    "invalid_pickle": 11,
    "python_mismatch": 12,
    "missing_dependency": 13,
    "invalid_model": 14,
    "dataset_unavailable": 15,
    "model_error": 20,
    "model_crashed": 21,
    "out_of_memory": 22,
    "timeout": 23,
    "invalid_predictions": 30,
    "upload_failed": 40,
    "save_failed": 41,
    "deadline": 50,
    "sandbox_unavailable": 60,
    "internal_error": 70,
}

# The keys of the result record, in the contract's words.
_DATA_KEYS = {"source", "sha256", "rows", "columns"}
RECORD_KEYS: dict[str, set[str] | None] = {
    "verdict": None,
    "exit_code": None,
    "message": None,
    "remedy": None,
    "model": {"source", "sha256", "bytes", "python", "arity"},
    "environment": {"python", "image", "runner"},
    "dataset": _DATA_KEYS,
    "benchmarks": _DATA_KEYS,
    "predictions": {"path", "sha256", "rows", "min", "max", "std"},
    "delivered_to": None,
    "seconds": {"fetch", "load", "predict", "check", "deliver", "total"},
    "peak_memory_bytes": None,
    "sandbox": None,
    "acceleration": {"used", "reasons"},
    "hosted": {"accepted", "reasons"},
    "warnings": None,
}


def clean_variables(folder: Path) -> dict[str, str]:
    """Variables for a process: no proxy, no setting, directories of its own in `folder`."""
    temporary = folder / "temporary"
    temporary.mkdir(exist_ok=True)
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.lower().endswith("_proxy") and not name.startswith("NUMERAI_")
    }
    no_engine = {"DOCKER": "false"}
    own = {"TMPDIR": str(temporary), "XDG_CACHE_HOME": str(folder / "cache")}
    return {**kept, **no_engine, **own, "NO_PROXY": "*"}


@dataclass
class PredictRun:
    """The result of a run of predict.py and the files that it left.

    `leftovers` names all files of the output directory, `temporary` those of the directory for
    temporary files.
    """

    exit_code: int
    record: dict[str, Any]
    lines: list[str]
    stdout: str
    predictions: list[Path]
    leftovers: list[str]
    temporary: list[str]

    @property
    def text(self) -> str:
        """All lines of standard error."""
        return "\n".join(self.lines)

    @property
    def model_lines(self) -> list[str]:
        """The lines that the model printed, without time and mark."""
        mark = " model    | "
        return [line.partition(mark)[2] for line in self.lines if mark in line]

    def fails_as(self, verdict: str, *parts: str, saved: bool = False) -> PredictRun:
        """Assert that the run failed with the verdict; message and remedy contain the parts."""
        assert (self.exit_code, self.record.get("verdict")) == (EXIT_CODES[verdict], verdict), (
            self.text
        )
        assert self.record["message"], "no message"
        assert self.record["remedy"], "no remedy"
        message = f"{self.record['message']} -> {self.record['remedy']}"
        for part in parts:
            assert part in message
        if not saved:
            assert self.leftovers == []
            assert self.record["predictions"]["path"] is None
        self._is_well_formed(verdict)
        return self

    def succeeds(self) -> pd.DataFrame:
        """Assert that the run succeeded; the predictions as the file has them."""
        assert (self.exit_code, self.record.get("verdict")) == (0, "ok"), self.text
        self._is_well_formed("ok")
        (path,) = self.predictions
        assert self.leftovers == [path.name]
        assert self.record["predictions"]["path"] == str(path)
        assert path.read_bytes().startswith(b"id,prediction\n")
        return pd.read_csv(path, float_precision="round_trip", dtype={"id": str})

    def _is_well_formed(self, verdict: str) -> None:
        assert self.stdout == ""
        assert self.temporary == [], "temporary files were left behind"
        assert f"verdict  {verdict} (exit {EXIT_CODES[verdict]})" in self.lines[-1]
        assert self.record["exit_code"] == EXIT_CODES[verdict]
        assert self.record.keys() == RECORD_KEYS.keys()
        for key, inner in RECORD_KEYS.items():
            assert inner is None or self.record[key].keys() == inner
