"""The manifest: one row per model, all validated before anything runs."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from numerai_predict.contract.brief_text import brief
from numerai_predict.contract.job import PresignedPost, parse_presigned_post
from numerai_predict.contract.limits import Limits, parse_seconds, parse_size
from numerai_predict.contract.path_access import barred_by, exists, is_file
from numerai_predict.fleet.environments import LOCAL, Environment
from numerai_predict.fleet.errors import InvalidManifest
from numerai_predict.fleet.manifest_rows import MAX_ID_LENGTH, read_rows
from numerai_predict.inspection.images import supported_pythons
from numerai_predict.storage.sources import LocalFile, source_of

COLUMNS = ("id", "model", "python", "flavour", "memory", "timeout", "post_url", "post_data", "tags")
_REQUIRED_COLUMNS = COLUMNS[:2]
_FILLED = "give a manifest with a row per model, or a directory with files like model.pkl"
_TAG = re.compile(r"\w[\w.:=+/-]{0,39}")
_MAX_TAGS = 20
_ID = re.compile(rf"[A-Za-z0-9_][A-Za-z0-9._-]{{0,{MAX_ID_LENGTH - 1}}}")


@dataclass(frozen=True)
class ManifestEntry:
    """One model of a fleet run; `model` and `post` may contain secrets."""

    id: str
    model: str = field(repr=False)
    limits: Limits
    python: str | None = None
    flavour: str | None = None
    post: PresignedPost | None = None
    tags: tuple[str, ...] = ()


def read_fleet_manifest(
    path: Path,
    limits: Limits,
    environments: Sequence[Environment],
    locate: Callable[[str], str] = str,
) -> list[ManifestEntry]:
    """The models in a CSV, JSON Lines or Parquet file, or the pickles in a directory.

    A row without limits gets `limits`; `environments` are those that can run models. `locate`
    turns the model of a row into a source; it raises `ValueError` for one that it cannot find.

    Raises:
        InvalidManifest: a column is missing, or rows are invalid; the message names all of them.
    """
    rows = list(read_rows(path))
    if not rows:
        raise InvalidManifest([f"expected at least one model in {path}, found none: {_FILLED}"])
    _check_columns(path, [row for _, row in rows if row is not None])
    entries, problems, first_rows = list[ManifestEntry](), list[str](), dict[str, str]()
    for row_name, row in rows:
        try:
            entry = _parse_entry(_located(row, locate), path, limits, environments)
        except ValueError as error:
            problems.append(f"{row_name}: {error}")
            continue
        key = entry.id.lower()  # files are named after ids, and a disk may ignore case
        if key in first_rows:
            problems.append(f"{row_name}: the id {entry.id!r} is already used by {first_rows[key]}")
        first_rows.setdefault(key, row_name)
        entries.append(entry)
    if problems:
        raise InvalidManifest(problems)
    return entries


def _located(
    row: Mapping[str, Any] | None, locate: Callable[[str], str]
) -> Mapping[str, Any] | None:
    if row is None or "model" not in row:
        return row
    return {**row, "model": locate(str(row["model"]))}


def _check_columns(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Check that the rows have all required columns, and no unknown ones.

    Raises:
        InvalidManifest: they have not.
    """
    names = list(dict.fromkeys(name for row in rows for name in row))
    missing = [name for name in _REQUIRED_COLUMNS if name not in names]
    if rows and missing:
        raise InvalidManifest(
            [f"{path}: expected the columns id and model, found {', '.join(names) or 'none'}: "
             f"{', '.join(missing)} is missing"]
        )  # fmt: skip
    if unknown := sorted(set(names) - set(COLUMNS)):
        raise InvalidManifest(
            [f"{path}: expected the columns {', '.join(COLUMNS)}, found {', '.join(unknown)}"]
        )


def _parse_entry(
    row: Mapping[str, Any] | None,
    manifest: Path,
    limits: Limits,
    environments: Sequence[Environment],
) -> ManifestEntry:
    """The entry of a row.

    Raises:
        ValueError: a field is invalid; the message contains no secret.
    """
    if row is None:
        raise ValueError("expected an object with id and model")
    if absent := [name for name in _REQUIRED_COLUMNS if name not in row]:
        raise ValueError(f"expected a value for {' and '.join(absent)}, found none")
    python, flavour = _text(row, "python"), _text(row, "flavour")
    _check_environment(environments, python, flavour)
    return ManifestEntry(
        _parse_id(_text(row, "id")),
        _parse_model(str(row["model"]), manifest),
        _parse_limits(row, limits),
        python,
        flavour,
        _parse_post(row),
        _parse_tags(row),
    )


def _parse_id(text: str | None) -> str:
    if text is None or not _ID.fullmatch(text):
        raise ValueError(
            f"expected an id of at most {MAX_ID_LENGTH} letters, digits, '_', '.' and '-' that "
            f"starts with neither '.' nor '-', found {text!r}: files are named after it"
        )
    return text


def _parse_limits(row: Mapping[str, Any], default: Limits) -> Limits:
    memory, seconds = _text(row, "memory"), _text(row, "timeout")
    return Limits(
        default.memory_bytes if memory is None else parse_size(memory),
        default.seconds if seconds is None else parse_seconds(seconds),
    )


def _text(row: Mapping[str, Any], name: str) -> str | None:
    value = row.get(name)
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # pandas stores a column of integers with gaps as floats
    return None if value is None else str(value).strip()


def _parse_model(text: str, manifest: Path) -> str:
    """The model's source; a relative path may be relative to the manifest."""
    source = source_of(text)
    if not isinstance(source, LocalFile):
        return text
    path = source.path if source.path.is_absolute() else manifest.parent / source.path
    path = path if exists(path) else source.path
    if barred := barred_by(path):
        raise ValueError(f"expected a pickle at {path}, found {barred.found}: {barred.remedy}")
    if not is_file(path):
        raise ValueError(f"expected a pickle at {path}, found no file there")
    if not os.access(path, os.R_OK):
        raise ValueError(f"expected a readable pickle, found no permission to read {path}")
    return str(path.absolute())


def _check_environment(
    environments: Sequence[Environment], python: str | None, flavour: str | None
) -> None:
    no_requirement = python is None and flavour is None
    if no_requirement or any(each.matches(python, flavour) for each in environments):
        return
    required = " ".join(filter(None, (f"Python {python}" if python else None, flavour)))
    if environments and all(each.flavour == LOCAL for each in environments):
        raise ValueError(
            f"expected a container image of {required}, found only the local Python "
            f"{environments[0].python}: start Docker and build the image, or remove the column"
        )
    available = ", ".join(f"{each.python} {each.flavour}" for each in environments) or "none"
    if python and python not in supported_pythons():
        remedy = f"images exist for Python {', '.join(supported_pythons())}"
    else:
        remedy = f"build it with `make build{'_' + python.replace('.', '_') if python else ''}`"
    raise ValueError(f"expected an image of {required}, found: {available}; {remedy}")


def _parse_post(row: Mapping[str, Any]) -> PresignedPost | None:
    names = ("post_url", "post_data")
    return parse_presigned_post(_text(row, names[0]), _text(row, names[1]), names)


def _parse_tags(row: Mapping[str, Any]) -> tuple[str, ...]:
    """The tags of a row: a list, or a text with spaces or commas between them."""
    value = row.get("tags", "")
    tags = list(value) if isinstance(value, list) else re.split(r"[,\s]+", str(value).strip())
    found = tuple(dict.fromkeys(str(tag) for tag in tags if tag != ""))
    if len(found) > _MAX_TAGS or not all(_TAG.fullmatch(tag) for tag in found):
        raise ValueError(
            f"expected at most {_MAX_TAGS} tags of at most 40 letters, digits, '_', '.', ':', "
            f"'=', '+', '/' and '-' with spaces or commas between them, found {brief(repr(value))}"
        )
    return found
