"""Library versions and feature names that libraries store in their models, and pandas objects."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from numerai_predict.inspection.placeholders import Blob, Global

_MAX_HEADER_BYTES = 512 * 1024
_MAX_FEATURES = 20_000
_MAX_VERSION_CHARACTERS = 100
_VERSION_KEY = re.compile(r"_{0,2}([a-z][a-z-]*(?:_lightning)?)[-_]version_{0,2}")
_VERSION = re.compile(r"\d+\.\d+[\w.+-]{0,40}")
_TREES_HEADER = b"tree\nversion="
_UBJSON_OBJECT = b"{L"
_UBJSON_VERSION = re.compile(rb"version\[#L\x00{7}\x03i(.)i(.)i(.)", re.DOTALL)
_UBJSON_NAMES = b"feature_names[#L"
_TAIL_BYTES = 256

# Import names that differ from the word before `version`.
_IMPORT_NAMES = {"pytorch-lightning": "pytorch_lightning"}

_PANDAS_3 = frozenset({"pandas", "pandas.arrays"})
_PANDAS_2 = re.compile(
    r"pandas\.core\.(frame\.DataFrame|series\.Series|indexes\.\w+\.\w*Index|arrays\.\w+\.\w+Array)"
)
_LATER = (1_000,)


@dataclass(frozen=True)
class _Kind:
    """Pandas objects by the name that their pickle imports, or the class that it restores.

    The versions of pandas from `since` on and before `until` can read them.
    """

    name: str
    since: tuple[int, ...] = (0,)
    until: tuple[int, ...] = _LATER


# pandas 3 gives its public classes the module `pandas`. It and pandas 2 read most objects of each
# other. They do not read these, as pickles of 2.3.3 and 3.0.5 in pandas 2.2, 2.3 and 3.0 showed.
_KINDS = {
    "categories of pandas 3": _Kind("array pandas.Categorical", since=(3,)),
    "periods of pandas 3": _Kind("array pandas.arrays.PeriodArray", since=(3,)),
    "strings of pandas 3": _Kind("pandas.StringDtype", since=(2, 3)),
    "NaT of pandas 3": _Kind("pandas._libs.tslibs.nattype._nat_unpickle", since=(3,)),
    "NaT of pandas 2": _Kind("pandas._libs.tslibs.nattype.__nat_unpickle", until=(3,)),
}

Metadata = tuple[dict[str, str], list[str]]


def versions_in_item(key: str, value: Any) -> dict[str, str]:
    """The version from a dict entry like `_sklearn_version: 1.6.1`, by import name."""
    if len(key) > _MAX_VERSION_CHARACTERS or not isinstance(value, str):
        return {}
    found = (
        _VERSION_KEY.fullmatch(key) if key.endswith(("version", "version_", "version__")) else None
    )
    if not found or len(value) > _MAX_VERSION_CHARACTERS or not _VERSION.fullmatch(value):
        return {}
    return {_IMPORT_NAMES.get(found[1], found[1]): value}


def versions_in_blob(blob: Blob) -> Metadata:
    """Versions by import name, and feature names, from a model in a library's format."""
    start = blob.part(0, len(_TREES_HEADER))
    for prefix, read in _FORMATS.items():
        if start.startswith(prefix):
            return read(blob)
    return {}, []


def _lightgbm(blob: Blob) -> Metadata:
    header = blob.part(0, min(blob.size, _MAX_HEADER_BYTES)).partition(b"\n\n")[0]
    fields = dict(line.partition(b"=")[::2] for line in header.split(b"\n")[1:])
    names = fields.get(b"feature_names", b"").decode(errors="replace").split()
    return {}, names[:_MAX_FEATURES]


def _xgboost(blob: Blob) -> Metadata:
    tail = blob.part(max(0, blob.size - _TAIL_BYTES), min(blob.size, _TAIL_BYTES))
    found = _UBJSON_VERSION.search(tail)
    versions = {"xgboost": ".".join(str(part[0]) for part in found.groups())} if found else {}
    return versions, _ubjson_names(blob)


def _ubjson_names(blob: Blob) -> list[str]:
    """The strings of the UBJSON array `feature_names`: each is `S`, `L`, its length, its bytes."""
    names: list[str] = []
    for data in (blob.part(0, min(blob.size, _MAX_HEADER_BYTES)), _tail(blob)):
        position = data.find(_UBJSON_NAMES)
        if position < 0:
            continue
        position += len(_UBJSON_NAMES) + 8
        while data[position : position + 2] == b"SL" and len(names) < _MAX_FEATURES:
            (length,) = struct.unpack(">q", data[position + 2 : position + 10].rjust(8, b"\xff"))
            if length < 0:
                break
            names.append(data[position + 10 : position + 10 + length].decode(errors="replace"))
            position += 10 + length
        return names
    return names


def _tail(blob: Blob) -> bytes:
    """The end of the blob: a large model stores feature names after its trees."""
    return blob.part(max(0, blob.size - _MAX_HEADER_BYTES), min(blob.size, _MAX_HEADER_BYTES))


_FORMATS: dict[bytes, Callable[[Blob], Metadata]] = {
    _TREES_HEADER: _lightgbm,
    _UBJSON_OBJECT: _xgboost,
}


def pandas_kinds(names: Collection[Global], arrays: Collection[Global]) -> tuple[str, ...]:
    """The kinds of objects, like `periods of pandas 3`, that not every pandas reads.

    `names` are those that the pickle imports, `arrays` the classes of the arrays in it.
    """
    found = {str(name) for name in names} | {f"array {name}" for name in arrays}
    return tuple(kind for kind, objects in _KINDS.items() if objects.name in found)


def pandas_version(names: Collection[Global]) -> dict[str, str]:
    """The major version of the pandas that made the objects in a pickle; none if it is unknown."""
    if any(name.module in _PANDAS_3 for name in names):
        return {"pandas": "3"}
    return {"pandas": "2"} if any(_PANDAS_2.fullmatch(str(name)) for name in names) else {}


def unreadable_kinds(kinds: Collection[str], version: str) -> list[str]:
    """The kinds that this version of pandas cannot read."""
    number = tuple(int(part) for part in re.findall(r"\d+", version)[:2])
    return [kind for kind in kinds if not _KINDS[kind].since <= number < _KINDS[kind].until]
