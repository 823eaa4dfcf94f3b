"""Reads the rows of a manifest: from a CSV, JSON Lines or Parquet file, or a directory."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from numerai_predict.contract.path_access import barred_by, exists, is_directory, is_file
from numerai_predict.fleet.errors import InvalidManifest

MAX_ID_LENGTH = 100
_INVALID_ID_CHARACTERS = re.compile(r"[^A-Za-z0-9._-]+")
_PICKLE_SUFFIX = re.compile(r"\.(pkl|pickle)(\.(gz|bz2|xz|zst|zip))?$", re.IGNORECASE)


def read_rows(path: Path) -> Iterator[tuple[str, Mapping[str, Any] | None]]:
    """Each row, without empty fields, after its name; `None` if it is not an object."""
    if barred := barred_by(path / "any"):
        raise InvalidManifest(
            [f"expected a manifest in {path}, found {barred.found}: {barred.remedy}"]
        )
    if not exists(path):
        raise InvalidManifest(
            [f"expected a manifest or a directory of pickles at {path}, found nothing there: "
             "check the path"]
        )  # fmt: skip
    if is_directory(path):
        yield from _pickle_rows(path)
        return
    readers: dict[str, Callable[[Path], Iterable[tuple[str, Any]]]] = {
        ".csv": _csv_rows,
        ".jsonl": _json_rows,
        ".ndjson": _json_rows,
        ".parquet": _parquet_rows,
    }
    read = readers.get(path.suffix.lower())
    if read is None:
        raise InvalidManifest(
            [f"expected a manifest in {', '.join(readers)} or a directory of pickles, found {path}"]
        )
    try:
        for row_name, row in read(path):
            yield row_name, _without_empty_fields(row) if isinstance(row, Mapping) else None
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InvalidManifest([f"expected a readable manifest in {path}, found: {error}"]) from None


def _without_empty_fields(row: Mapping[Any, Any]) -> dict[str, Any]:
    return {str(name): value for name, value in row.items() if not _is_empty(value)}


def _is_empty(value: Any) -> bool:
    return value is None or value == "" or value != value  # NaN is not equal to itself


def _pickle_rows(directory: Path) -> Iterator[tuple[str, dict[str, str]]]:
    for file in sorted(directory.iterdir()):
        if is_file(file) and (suffix := _PICKLE_SUFFIX.search(file.name)):
            yield file.name, {"id": _id_from(file.name[: suffix.start()]), "model": str(file)}


def _id_from(name: str) -> str:
    """The name of a file as an id: `_` replaces what an id cannot contain, like a space."""
    return _INVALID_ID_CHARACTERS.sub("_", name).lstrip(".-")[:MAX_ID_LENGTH]


def _csv_rows(path: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    with open(path, newline="", encoding="utf-8-sig") as lines:
        for number, row in enumerate(csv.DictReader(lines, restkey="(too many fields)"), 1):
            yield f"row {number}", row


def _json_rows(path: Path) -> Iterator[tuple[str, Any]]:
    with open(path, encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            if line.strip():
                yield f"row {number}", _parse_json(line)


def _parse_json(line: str) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _parquet_rows(path: Path) -> Iterator[tuple[str, Any]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        rows = pq.read_table(path).to_pylist()
    except pa.ArrowException as error:
        raise OSError(str(error).splitlines()[0]) from None
    yield from ((f"row {number}", row) for number, row in enumerate(rows, 1))
