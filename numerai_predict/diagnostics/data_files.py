"""The data files of a diagnosis: a validation file and the files in its directory."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from numerai_predict.contract.errors import DatasetUnavailable
from numerai_predict.contract.path_access import barred_by, is_directory, is_file
from numerai_predict.data import feature_sets as feature_sets

VALIDATION = "validation.parquet"
META_MODEL = "meta_model.parquet"


@dataclass(frozen=True)
class DiagnosisFiles:
    """Files of the tournament; `benchmarks` and `meta_model` are optional."""

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
    """The files that belong to a validation file, or to the one in a directory.

    Files that are not given are searched in the directory of the validation file, under the
    tournament's names.

    Raises:
        DatasetUnavailable: the validation file, features.json or a given file is missing.
    """
    path = validation / VALIDATION if is_directory(validation) else validation
    _require_file(path, "get it with `numerai-predict data get validation`, or use --validation")
    benchmarks_path = path.with_name(f"{path.stem}_benchmark_models.parquet")
    features = features or path.with_name(feature_sets.NAME)
    _require_file(
        features, "get it with `numerai-predict data get features`, or use --features-file"
    )
    return DiagnosisFiles(
        path.absolute(),
        features.absolute(),
        _given_or_adjacent(benchmarks, benchmarks_path),
        _given_or_adjacent(meta_model, path.with_name(META_MODEL)),
    )


def _given_or_adjacent(given: Path | None, adjacent: Path) -> Path | None:
    if given is not None:
        _require_file(given, "name an existing file, or leave the option out")
        return given.absolute()
    return adjacent.absolute() if is_file(adjacent) else None


def _require_file(path: Path, remedy: str) -> None:
    if barred := barred_by(path):
        raise DatasetUnavailable(f"expected a file at {path}, found {barred.found}", barred.remedy)
    if not is_file(path):
        found = "a directory" if is_directory(path) else "no such file"
        raise DatasetUnavailable(f"expected a file at {path}, found {found}", remedy)
