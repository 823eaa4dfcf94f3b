"""Which files a diagnosis is made from: a validation file, and what lies beside it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from numerai_predict.contract.errors import DatasetUnavailable
from numerai_predict.data import feature_sets as feature_sets

VALIDATION = "validation.parquet"
META_MODEL = "meta_model.parquet"


@dataclass(frozen=True)
class DiagnosisFiles:
    """Files of the tournament; `benchmarks` and `meta_model` may be unknown."""

    validation: Path
    features: Path
    benchmarks: Path | None
    meta_model: Path | None


def find_data_files(
    validation: Path,
    features: Path | None = None,
    benchmarks: Path | None = None,
    meta_model: Path | None = None,
) -> DiagnosisFiles:
    """The files that belong to a validation file, or to the one in a folder.

    What is not named is looked for beside it, under the tournament's names.

    Raises:
        DatasetUnavailable: there is no validation file or features.json, or not what was named.
    """
    path = validation / VALIDATION if validation.is_dir() else validation
    _require_file(
        path, "get it with `numerai-predict data get validation`, or name it by --validation"
    )
    beside = path.with_name(f"{path.stem}_benchmark_models.parquet")
    features = features or path.with_name(feature_sets.NAME)
    _require_file(
        features, "get it with `numerai-predict data get features`, or name it by --features"
    )
    return DiagnosisFiles(
        path.absolute(),
        features.absolute(),
        _given_or_adjacent(benchmarks, beside),
        _given_or_adjacent(meta_model, path.with_name(META_MODEL)),
    )


def _given_or_adjacent(named: Path | None, usual: Path) -> Path | None:
    if named is not None:
        _require_file(named, "name one that is there, or leave the option out")
        return named.absolute()
    return usual.absolute() if usual.is_file() else None


def _require_file(path: Path, remedy: str) -> None:
    if not path.is_file():
        found = "a folder" if path.is_dir() else "no such file"
        raise DatasetUnavailable(f"expected a file at {path}, found {found}", remedy)
