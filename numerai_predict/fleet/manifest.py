"""The manifest: a row a model, all of them judged before anything runs."""

from __future__ import annotations

import csv
import json
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from numerai_predict.contract.job import PresignedPost
from numerai_predict.contract.limits import Limits, parse_seconds, parse_size
from numerai_predict.fleet.environments import LOCAL, Environment
from numerai_predict.inspection.images import supported_pythons
from numerai_predict.storage.sources import LocalFile, source_of

COLUMNS = ("id", "model", "python", "flavour", "memory", "timeout", "post_url", "post_data")
_REQUIRED = COLUMNS[:2]
_LONGEST_ID = 100
_ID = re.compile(rf"[A-Za-z0-9_][A-Za-z0-9._-]{{0,{_LONGEST_ID - 1}}}")
_NOT_IN_ID = re.compile(r"[^A-Za-z0-9._-]+")
_PICKLE_ENDING = re.compile(r"\.(pkl|pickle)(\.(gz|bz2|xz|zst|zip))?$", re.IGNORECASE)
_MOST_SHOWN = 20


class InvalidManifest(Exception):
    """What is wrong with a manifest, a line for each row."""

    def __init__(self, problems: Sequence[str]) -> None:
        shown = list(problems[:_MOST_SHOWN])
        if more := len(problems) - len(shown):
            shown.append(f"... and {more} more")
        super().__init__("\n".join(shown))


@dataclass(frozen=True)
class ManifestEntry:
    """One model of a round; `model` and `post` may hold secrets."""

    id: str
    model: str = field(repr=False)
    limits: Limits
    python: str | None = None
    flavour: str | None = None
    post: PresignedPost | None = None


def read_fleet_manifest(
    path: Path, limits: Limits, places: Sequence[Environment]
) -> list[ManifestEntry]:
    """The models in a CSV, JSON Lines or Parquet file, or the pickles in a directory.

    `limits` hold where a row has none, `places` are where models can run.

    Raises:
        BadManifest: a column is missing, or rows are wrong; all of them are named.
    """
    rows = list(_rows(path))
    if not rows:
        raise InvalidManifest([f"expected at least one model in {path}, found none"])
    _require_columns(path, [row for _, row in rows if row is not None])
    entries, problems, seen = list[ManifestEntry](), list[str](), dict[str, str]()
    for where, row in rows:
        try:
            entry = _entry(row, path, limits, places)
        except ValueError as error:
            problems.append(f"{where}: {error}")
            continue
        key = entry.id.lower()  # two files of one name where a disk does not tell cases apart
        if key in seen:
            problems.append(f"{where}: the id {entry.id!r} is taken by {seen[key]}")
        seen.setdefault(key, where)
        entries.append(entry)
    if problems:
        raise InvalidManifest(problems)
    return entries


def _require_columns(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Go on only if the rows, where there are any, have the columns that they need and no others.

    Raises:
        BadManifest: they have not.
    """
    names = list(dict.fromkeys(name for row in rows for name in row))
    missing = [name for name in _REQUIRED if name not in names]
    if rows and missing:
        raise InvalidManifest(
            [f"{path}: expected the columns id and model, found {', '.join(names) or 'none'}: "
             f"{', '.join(missing)} is missing"]
        )  # fmt: skip
    if unknown := sorted(set(names) - set(COLUMNS)):
        raise InvalidManifest(
            [f"{path}: unknown columns {', '.join(unknown)}: there are {', '.join(COLUMNS)}"]
        )


def _rows(path: Path) -> Iterator[tuple[str, Mapping[str, Any] | None]]:
    """Each row with the words for where it stands, `None` for what is none; no empty fields."""
    if path.is_dir():
        yield from _pickles(path)
        return
    kinds: dict[str, Callable[[Path], Iterable[tuple[str, Any]]]] = {
        ".csv": _csv_rows,
        ".jsonl": _json_rows,
        ".ndjson": _json_rows,
        ".parquet": _parquet_rows,
    }
    read = kinds.get(path.suffix.lower())
    if read is None:
        raise InvalidManifest(
            [f"expected a manifest in {', '.join(kinds)} or a directory of pickles, found {path}"]
        )
    try:
        for where, row in read(path):
            yield where, _given(row) if isinstance(row, Mapping) else None
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InvalidManifest([f"expected a readable manifest in {path}, found: {error}"]) from None


def _given(row: Mapping[Any, Any]) -> dict[str, Any]:
    return {str(name): value for name, value in row.items() if _is_given(value)}


def _is_given(value: Any) -> bool:
    return value is not None and value != "" and value == value  # a NaN is not itself


def _pickles(folder: Path) -> Iterator[tuple[str, dict[str, str]]]:
    for file in sorted(folder.iterdir()):
        if file.is_file() and (ending := _PICKLE_ENDING.search(file.name)):
            yield file.name, {"id": _id_of(file.name[: ending.start()]), "model": str(file)}


def _id_of(name: str) -> str:
    """The file's name with what an id must not have made `_`, like that of `my model.pkl`."""
    return _NOT_IN_ID.sub("_", name).lstrip(".-")[:_LONGEST_ID]


def _csv_rows(path: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    with open(path, newline="", encoding="utf-8-sig") as lines:
        for number, row in enumerate(csv.DictReader(lines, restkey="(too many fields)"), 1):
            yield f"row {number}", row


def _json_rows(path: Path) -> Iterator[tuple[str, Any]]:
    with open(path, encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            if line.strip():
                yield f"row {number}", _json(line)


def _json(line: str) -> Any:
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


def _entry(
    row: Mapping[str, Any] | None, manifest: Path, limits: Limits, places: Sequence[Environment]
) -> ManifestEntry:
    """The model that a row means.

    Raises:
        ValueError: a field is wrong; nothing secret is in its words.
    """
    if row is None:
        raise ValueError("expected an object with id and model")
    if absent := [required for required in _REQUIRED if required not in row]:
        raise ValueError(f"expected a value for {' and '.join(absent)}, found none")
    name, python, flavour = _text(row, "id"), _text(row, "python"), _text(row, "flavour")
    if name is None or not _ID.fullmatch(name):
        raise ValueError(
            f"expected an id of at most {_LONGEST_ID} letters, digits, '_', '.' and '-', the "
            f"first none of the last two, found {name!r}: files are named after it, choose another"
        )
    memory, seconds = _text(row, "memory"), _text(row, "timeout")
    own = Limits(
        limits.memory_bytes if memory is None else parse_size(memory),
        limits.seconds if seconds is None else parse_seconds(seconds),
    )
    _require_place(places, python, flavour)
    model = _model(str(row["model"]), manifest)
    return ManifestEntry(name, model, own, python, flavour, _post(row))


def _text(row: Mapping[str, Any], name: str) -> str | None:
    value = row.get(name)
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # a column of numbers with gaps is one of floats
    return None if value is None else str(value).strip()


def _model(text: str, manifest: Path) -> str:
    """The model's source; a file is looked for beside the manifest, too."""
    source = source_of(text)
    if not isinstance(source, LocalFile):
        return text
    path = source.path if source.path.is_absolute() else manifest.parent / source.path
    path = path if path.exists() else source.path
    if not path.is_file():
        raise ValueError(f"expected a pickle at {path}, found no file there")
    if not os.access(path, os.R_OK):
        raise ValueError(f"expected a readable pickle, found no permission to read {path}")
    return str(path.absolute())


def _require_place(places: Sequence[Environment], python: str | None, flavour: str | None) -> None:
    if python is None and flavour is None:
        return
    if any(python in (None, place.python) and flavour in (None, place.flavour) for place in places):
        return
    asked = " ".join(filter(None, (f"Python {python}" if python else None, flavour)))
    if places and places[0].flavour == LOCAL:
        raise ValueError(
            f"{asked}: no Docker engine answers, and the Python here is {places[0].python}"
        )
    have = ", ".join(f"{place.python} {place.flavour}" for place in places) or "none"
    if python and python not in supported_pythons():
        remedy = f"the Pythons that have images are {', '.join(supported_pythons())}"
    else:
        remedy = f"`make build{'_' + python.replace('.', '_') if python else ''}` makes it"
    raise ValueError(f"no image of {asked} is here (there are: {have}); {remedy}")


def _post(row: Mapping[str, Any]) -> PresignedPost | None:
    url, data = _text(row, "post_url"), _text(row, "post_data")
    if (url is None) != (data is None):
        raise ValueError("expected post_url and post_data, or neither")
    if url is None or data is None:
        return None
    try:
        parts = urlsplit(url)
        fields = parse_qsl(data, keep_blank_values=True, strict_parsing=True)
    except ValueError:
        raise ValueError(
            "expected urlencoded fields in post_data, like key=...&policy=..."
        ) from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("expected an http(s):// URL in post_url")
    return PresignedPost(url, tuple(fields))
