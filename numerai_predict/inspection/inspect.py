"""Inspect a pickle: static analysis of its opcodes and code objects, without unpickling it."""

from __future__ import annotations

import lzma
import os
import struct
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from numerai_predict.contract.foreign_text import MAX_NAME_CHARACTERS, inert
from numerai_predict.inspection.capabilities import capabilities
from numerai_predict.inspection.code_objects import Code
from numerai_predict.inspection.collector import InspectionCollector
from numerai_predict.inspection.compression import UnusableArchive
from numerai_predict.inspection.file_type import invalid_pickle
from numerai_predict.inspection.imports import (
    function_imports,
    names_of_main,
    unpickling_imports,
)
from numerai_predict.inspection.library_metadata import pandas_kinds, pandas_version
from numerai_predict.inspection.limits import (
    InspectionLimitExceeded,
    TimeLimit,
    TimeLimitExceeded,
)
from numerai_predict.inspection.placeholders import UNKNOWN
from numerai_predict.inspection.python_versions import Pythons, check_code, legal_pythons
from numerai_predict.inspection.scanner_terms import scanner_terms
from numerai_predict.inspection.signature import CallableSummary, describe_callable
from numerai_predict.inspection.virtual_machine.byte_window import open_window
from numerai_predict.inspection.virtual_machine.opcodes import OPERATIONS
from numerai_predict.inspection.virtual_machine.pickle_vm import InvalidOpcodes, PickleVM

# The time limit is for what a file makes of its bytes; reading a large one takes its time.
DEFAULT_SECONDS = 1.8
_READ_BYTES_PER_SECOND = 100e6
_MAX_SECONDS = 10.0
_OPCODES_SHARE = 0.75
_MAX_IMPORTS = 2_000
_CORRUPT_FILE_ERRORS = (
    EOFError,
    ValueError,
    RuntimeError,  # an encrypted or unknown zip archive
    struct.error,
    lzma.LZMAError,
    zipfile.BadZipFile,
    zlib.error,
)


@dataclass(frozen=True)
class Inspection:
    """The results of the static analysis of one pickle.

    `size` is in bytes. `holds` describes the pickled object. `functions` counts the code
    objects. `references` are the modules that unpickling imports, `imports` the modules that
    functions import when they run, with the function's name as value. `main_names` are the
    names that unpickling takes from `__main__`, the module of the user's script. `versions`
    has the version of a library by import name. `pandas_kinds` has the objects that not every
    version of pandas can read. `abilities` lists, for information, what gives the code access
    to the network, files or processes. `scanner_terms` lists the imported names below the terms
    of picklescan and fickling. `partial` says that the pickle was not fully inspected, and why;
    then what was not found is unknown. Else `None`.
    """

    path: str
    size: int
    holds: CallableSummary
    pythons: Pythons
    functions: int
    references: tuple[str, ...]
    main_names: tuple[str, ...]
    imports: dict[str, str]
    versions: dict[str, str]
    features: tuple[str, ...]
    data_versions: tuple[str, ...]
    abilities: dict[str, list[str]]
    scanner_terms: dict[str, list[str]]
    partial: str | None = None
    pandas_kinds: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Make the texts from the pickle bounded and printable."""
        for name in _FOREIGN_FIELDS:
            value = inert(getattr(self, name), MAX_NAME_CHARACTERS)
            object.__setattr__(self, name, value)


_FOREIGN_FIELDS = (
    "references",
    "main_names",
    "imports",
    "versions",
    "features",
    "data_versions",
    "abilities",
    "scanner_terms",
    "partial",
)


def inspect_pickle(path: str | os.PathLike[str], seconds: float | None = None) -> Inspection:
    """Inspect a pickle, plain or compressed as its suffix says, for at most about `seconds`.

    Runs and imports nothing from the pickle, and does not read payloads. Without `seconds` the
    limit is 1.8 s and the time to read the file at 100 MB/s, 10 s at most.

    Raises:
        InvalidPickle: the file is not a pickle, or it is truncated or corrupt.
        OSError: the file cannot be read.
    """
    path = os.fspath(path)
    seconds = _default_seconds(path) if seconds is None else seconds
    collector, reasons = InspectionCollector(), []
    limit = TimeLimit(_OPCODES_SHARE * seconds)
    try:
        with open_window(path, limit) as window:
            root = PickleVM(window, OPERATIONS, collector, limit).run()
    except InspectionLimitExceeded as exceeded:
        root = UNKNOWN
        reasons.append(str(exceeded))
    except InvalidOpcodes as error:
        raise invalid_pickle(Path(path), str(error)) from None
    except OSError as error:
        if error.errno is not None:
            raise
        raise invalid_pickle(Path(path), type(error).__name__) from None  # gzip.BadGzipFile
    except UnusableArchive as error:
        raise invalid_pickle(Path(path), str(error)) from None
    except _CORRUPT_FILE_ERRORS as error:  # their texts may quote bytes of the file
        raise invalid_pickle(Path(path), type(error).__name__) from None
    except Exception as error:
        if type(error).__name__ != "ZstdError":  # zstandard is imported only if needed
            raise
        raise invalid_pickle(Path(path), type(error).__name__) from None
    reasons += [collector.excess] if collector.excess else []
    functions = _check_functions(collector.codes, (1 - _OPCODES_SHARE) * seconds)
    return _build_inspection(path, collector, root, functions, reasons)


def _default_seconds(path: str) -> float:
    return min(DEFAULT_SECONDS + Path(path).stat().st_size / _READ_BYTES_PER_SECOND, _MAX_SECONDS)


@dataclass(frozen=True)
class _Functions:
    """What the code objects have; `reasons` says why some were not checked."""

    pythons: Pythons
    imports: dict[str, str]
    looked_up: frozenset[str]
    reasons: tuple[str, ...]


def _check_functions(codes: Sequence[Code], seconds: float) -> _Functions:
    limit, reasons = TimeLimit(seconds), []
    complete = [code for code in codes if code.complete]
    if skipped := len(codes) - len(complete):
        reasons.append(f"{skipped:,} of {len(codes):,} functions are incomplete or too large")
    checked = []
    try:
        for code in complete:
            checked.append(check_code(code, limit))
    except TimeLimitExceeded as exceeded:
        reasons.append(f"{exceeded} after {len(checked):,} of {len(codes):,} functions")
    imports = function_imports(checked)
    if len(imports) > _MAX_IMPORTS:
        imports = dict(islice(imports.items(), _MAX_IMPORTS))
        reasons.append(f"its functions import more than {_MAX_IMPORTS:,} modules")
    sound = [each.code for each in checked if not each.code.fault]
    looked_up = {name for code in sound for name in code.fields.get("names", ())}
    return _Functions(legal_pythons(checked), imports, frozenset(looked_up), tuple(reasons))


def _build_inspection(
    path: str,
    collector: InspectionCollector,
    root: Any,
    functions: _Functions,
    reasons: Sequence[str],
) -> Inspection:
    references = unpickling_imports(collector.names, collector.modules)
    reasons = [*reasons, *functions.reasons]
    imports = functions.imports
    return Inspection(
        path=path,
        size=Path(path).stat().st_size,
        holds=describe_callable(root),
        pythons=functions.pythons,
        functions=len(collector.codes),
        references=references,
        main_names=names_of_main(collector.names),
        imports=imports,
        versions={
            **_numpy_version(references),
            **pandas_version(collector.names),
            **collector.versions,
        },
        features=tuple(collector.features),
        data_versions=tuple(collector.data_versions),
        abilities=capabilities(
            [*references, *imports], map(str, collector.names), functions.looked_up
        ),
        scanner_terms=scanner_terms(collector.names),
        partial=f"not fully inspected: {'; '.join(reasons)}" if reasons else None,
        pandas_kinds=pandas_kinds(collector.names, collector.arrays),
    )


def _numpy_version(references: Sequence[str]) -> dict[str, str]:
    """The major version of numpy: `numpy._core` is a module of numpy 2, `numpy.core` of 1."""
    submodules = {module.split(".")[1] for module in references if module.startswith("numpy.")}
    if "_core" in submodules:
        return {"numpy": "2"}
    return {"numpy": "1"} if "core" in submodules else {}
